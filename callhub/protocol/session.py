"""One side of a link, without input or output: frames in, events and answers out.

Rules of this file:
1. A session says what a frame means; whoever holds the socket submits ``Received.event`` and sends what ``answer``
   makes of the outcome. Nothing that depends on an event is sent before its answer is there.
2. Every frame of a gateway leads somewhere: to an event, to marks, or to an error and the incident that says so.
3. A session holds no state but who is speaking, so that one link and many requests may share it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from callhub.domain.events import (
    AlarmRaised,
    CallTaken,
    CancelAsked,
    DutyMoved,
    Event,
    FrameFaulty,
    OfferAnswered,
    PresenceSaid,
    Request,
    RequestKey,
    SignalSent,
)
from callhub.domain.people import Actor, ActorKind
from callhub.errors import InvalidMessage, Refusal
from callhub.protocol.gateway import (
    AlarmFrame,
    CancelFrame,
    HeartbeatFrame,
    ReceivedFrame,
    SignalFrame,
    Unreadable,
    parse_gateway_frame,
)
from callhub.protocol.responder import (
    AcceptFrame,
    DeclineFrame,
    PresenceFrame,
    Refused,
    ReportFrame,
    ResponderFrame,
    parse_responder_frame,
    spoken_fields,
)

if TYPE_CHECKING:
    from callhub.domain.decision import Answer

Wire = dict[str, Any]
"""A message as the client reads it, before it is encoded."""

_NOT_TEXT = InvalidMessage("frame", "a text frame expected, not a binary one")
_MADE_ID_DIGITS = 32
"""128 bits of SHA-256: two frames of a lifetime do not meet by chance."""


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device showed a sign of life, and what it said of itself."""

    device: str
    health: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Received:
    """What a frame means.

    Attributes:
        type: The message's type; empty when the frame could not be read.
        id: The sender's id of it, or the one made from it; None when it has none.
        event: To be submitted; what ``answer`` says goes out once its answer is there.
        error: The error that answers the frame whatever becomes of ``event``; without an event it goes out at once.
        confirmed: Everything up to this ``seq`` has arrived.
        devices: Signs of life.
        ignored: Dotted names of the fields that were dropped.
        elder: Id of the elder that a report is about; whoever submits the event looks the record up.
    """

    type: str = ""
    id: str | None = None
    event: Event | None = None
    error: Wire | None = None
    confirmed: int | None = None
    devices: tuple[DeviceSeen, ...] = ()
    ignored: tuple[str, ...] = ()
    elder: str | None = None


def error_message(id: str | None, refusal: Refusal) -> Wire:
    """The ``error`` that answers a frame."""
    wire: Wire = {"type": "error", "id": id, "code": refusal.code.value, "message": refusal.message}
    if refusal.field is not None:
        wire["field"] = refusal.field
    return wire


def text_of(body: bytes) -> str:
    """The text of a request's body; bytes that are no UTF-8 spoil only the field they stand in."""
    return body.decode("utf-8", "surrogateescape")


def _refused(id: str | None, answer: Answer) -> Wire:
    """The ``error`` made from an answer with a code; its body adds what the refusal knows."""
    known = {name: value for name, value in answer.body.items() if value is not None and name != "http_status"}
    return {"type": "error", "id": id, "code": answer.code, "message": answer.code, **known}


class GatewaySession:
    """What a gateway says, and what it is told.

    Args:
        gateway: The id it is known by.
    """

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self._actor = Actor(ActorKind.GATEWAY, gateway)

    def receive(self, data: str | bytes, *, id: str, assumed: str | None = None) -> Received:
        """Read one frame; never raises. ``id`` is the new event's (time-ordered); bytes are a binary frame.

        ``assumed``: the type of a frame that names none.
        """
        if isinstance(data, bytes):
            fault = Unreadable(_NOT_TEXT)
            return self._faulty(fault, data.decode("utf-8", "backslashreplace"), id)
        raw = data.encode("utf-8", "backslashreplace").decode("utf-8")
        read = parse_gateway_frame(data, assumed)
        if isinstance(read, Unreadable):
            return self._faulty(read, raw, id)
        frame = read.frame
        if isinstance(frame, AlarmFrame):
            return self._alarm(frame, read.ignored, raw, id)
        if isinstance(frame, HeartbeatFrame):
            seen = tuple(DeviceSeen(status.device, status.health()) for status in frame.devices or ())
            return Received("heartbeat", frame.id, devices=seen, ignored=read.ignored)
        if isinstance(frame, ReceivedFrame):
            return Received("received", confirmed=frame.seq)
        return self._remark(frame, read.ignored, raw, id)

    def answer(self, received: Received, answer: Answer) -> Wire:
        """What to tell the gateway now that the event of ``received`` is durable (or refused)."""
        if received.error is not None:
            return received.error
        if answer.code is not None:
            return _refused(received.id, answer)
        receipt = {"type": "receipt", "id": received.id, "incident": None, "duplicate": False, "id_reused": False}
        ignored = list(received.ignored)
        return receipt | {"device_known": False, "ignored": ignored} | answer.body

    def result(self, received: Received, known: Collection[str]) -> Wire | None:
        """The ``result`` of a heartbeat, given which of its devices are known; None if it wants none."""
        if received.id is None:
            return None
        unknown = [seen.device for seen in received.devices if seen.device not in known]
        result: Wire = {"type": "result", "id": received.id, "ok": True, "unknown_devices": unknown}
        return result | {"ignored": list(received.ignored)} if received.ignored else result

    def _request(self, id_: str, fingerprint: str) -> Request:
        return Request(RequestKey(f"gateway:{self.gateway}", id_), fingerprint)

    def _faulty(self, fault: Unreadable, raw: str, id_: str) -> Received:
        refusal = fault.refusal
        event = FrameFaulty(
            id=id_,
            actor=self._actor,
            gateway=self.gateway,
            alarm=fault.id,
            wants_help=fault.wants_help,
            code=refusal.code.value,
            field_name=refusal.field,
            message=refusal.message,
            raw=raw,
        )
        return Received("", fault.id, event=event, error=error_message(fault.id, refusal))

    def _alarm(self, frame: AlarmFrame, ignored: tuple[str, ...], raw: str, id_: str) -> Received:
        alarm, ignored = _named(frame.id, ignored, raw)
        at = frame.at.isoformat() if frame.at else ""
        event = AlarmRaised(
            id=id_,
            actor=self._actor,
            request=self._request(alarm, f"alarm|{frame.device}|{frame.known_kind}|{at}"),
            gateway=self.gateway,
            alarm=alarm,
            device=frame.device,
            kind=frame.known_kind,
            at=frame.at,
            position=frame.position.position() if frame.position else None,
            battery=frame.battery,
            text=frame.text,
            says_test=frame.test is True,
            ignored=ignored,
            raw=raw,
        )
        health = {} if frame.battery is None else {"battery": frame.battery}
        seen = DeviceSeen(frame.device, health)
        return Received("alarm", alarm, event=event, devices=(seen,), ignored=ignored)

    def _remark(self, frame: CancelFrame | SignalFrame, ignored: tuple[str, ...], raw: str, id_: str) -> Received:
        own, ignored = _named(frame.id, ignored, raw)
        request = self._request(own, f"{frame.type}|{frame.device}")
        event: Event
        if isinstance(frame, CancelFrame):
            event = CancelAsked(
                id=id_,
                actor=self._actor,
                request=request,
                gateway=self.gateway,
                alarm=frame.alarm,
                device=frame.device,
            )
        else:
            event = SignalSent(
                id=id_,
                actor=self._actor,
                request=request,
                gateway=self.gateway,
                device=frame.device,
                signal=frame.signal,
                card=frame.card,
            )
        return Received(frame.type, own, event=event, devices=(DeviceSeen(frame.device),), ignored=ignored)


def _named(id_: str | None, ignored: tuple[str, ...], raw: str) -> tuple[str, tuple[str, ...]]:
    """The frame's own id, or one made from the frame, so that the same frame again is a repeat."""
    if id_ is not None:
        return id_, ignored
    made = sha256(raw.encode("utf-8")).hexdigest()[:_MADE_ID_DIGITS]
    return made, ignored if "id" in ignored else (*ignored, "id")


def _about(frame: ResponderFrame) -> str:
    """What makes a message with the same id and type the same message.

    An app that counts from 1 again must not have its "off duty", or help it asks for somebody else, taken for a repeat.
    """
    match frame:
        case PresenceFrame():
            return "on" if frame.available else "off"
        case ReportFrame():
            return f"{frame.elder or ''}|{frame.known_kind}"
        case _:
            return getattr(frame, "offer", None) or getattr(frame, "incident", None) or ""


class ResponderSession:
    """What a responder's app says, and what it is told.

    Args:
        responder: The id of the person (or desk, or department).
    """

    def __init__(self, responder: str) -> None:
        self.responder = responder
        self._actor = Actor(ActorKind.RESPONDER, responder)

    def receive(self, data: str | bytes, *, id: str) -> Received:
        """Read one frame; never raises. ``id`` is the new event's (time-ordered); bytes are a binary frame."""
        if isinstance(data, bytes):
            return Received(error=error_message(None, _NOT_TEXT))
        heard = parse_responder_frame(data)
        if isinstance(heard, Refused):
            return Received(id=heard.id, error=error_message(heard.id, heard.refusal))
        frame = heard.frame
        if isinstance(frame, ReceivedFrame):
            return Received("received", confirmed=frame.seq)
        elder = frame.elder if isinstance(frame, ReportFrame) else None
        event = self._event(frame, id)
        return Received(frame.type, frame.id, event=event, ignored=heard.ignored, elder=elder)

    def answer(self, received: Received, answer: Answer) -> Wire:
        """What to tell the app now that the event of ``received`` is durable (or refused)."""
        if answer.code is not None:
            return _refused(received.id, answer)
        result: Wire = {"type": "result", "id": received.id, "ok": True} | answer.body
        return result | {"ignored": list(received.ignored)} if received.ignored else result

    def _event(self, frame: ResponderFrame, id_: str) -> Event:
        assert not isinstance(frame, ReceivedFrame)
        request = Request(RequestKey(f"responder:{self.responder}", frame.id), f"{frame.type}|{_about(frame)}")
        who, actor = self.responder, self._actor
        match frame:
            case PresenceFrame():
                position = frame.position.position() if frame.position else None
                return PresenceSaid(
                    id=id_,
                    actor=actor,
                    request=request,
                    responder=who,
                    available=frame.available,
                    until=frame.until,
                    position=position,
                )
            case AcceptFrame():
                return OfferAnswered(
                    id=id_, actor=actor, request=request, offer=frame.offer, accept=True, responder=who
                )
            case DeclineFrame():
                return OfferAnswered(
                    id=id_,
                    actor=actor,
                    request=request,
                    offer=frame.offer,
                    accept=False,
                    reason=frame.reason,
                    responder=who,
                )
            case ReportFrame():
                return CallTaken(
                    id=id_, actor=actor, request=request, source="responder", kind=frame.known_kind, text=frame.text
                )
            case _:
                return DutyMoved(
                    id=id_,
                    actor=actor,
                    request=request,
                    incident=frame.incident,
                    responder=who,
                    action=frame.type,
                    fields=spoken_fields(frame),
                )
