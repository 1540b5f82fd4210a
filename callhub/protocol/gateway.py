"""What a gateway sends, frame by frame, and how one is read.

Rules of this file: an alarm with a readable device is always taken, whatever else is wrong with it. The strict parser
is the fast path and the lenient one the truth: whatever the first takes, the second reads the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from callhub.domain.policy import UNKNOWN
from callhub.errors import InvalidMessage, Refusal, UnknownType
from callhub.protocol.fields import (
    FAULTS_MAX,
    ID_CHARACTERS_MAX,
    Battery,
    Fix,
    Instant,
    Kind,
    Readable,
    SignalStrength,
    Text,
    Whole,
    Wire,
    validate_dropping,
)
from callhub.protocol.lenient import Members, parse_lenient


class AlarmFrame(Wire):
    """A device asks for help. ``id`` and ``kind`` are None when they were not readable."""

    type: Literal["alarm"]
    device: Readable
    id: Readable | None = None
    kind: Kind | None = None
    at: Instant | None = None
    position: Fix | None = None
    battery: Battery | None = None
    text: Text | None = None
    test: bool | None = None

    @property
    def known_kind(self) -> str:
        """The kind, ``unknown`` when it was wrong or missing: an emergency that goes to people."""
        return self.kind or UNKNOWN


class CancelFrame(Wire):
    """A button asks for a cancel of ``alarm``, the gateway's own id of it."""

    type: Literal["cancel"]
    device: Readable
    id: Readable | None = None
    alarm: Readable | None = None


class SignalFrame(Wire):
    """A device says that somebody is there, or that help is wanted after a call-back."""

    type: Literal["signal"]
    device: Readable
    signal: Literal["arrived", "card", "confirm"]
    id: Readable | None = None
    card: Readable | None = None


class DeviceStatus(Wire):
    """How one device is."""

    device: Readable
    battery: Battery | None = None
    rssi: SignalStrength | None = None
    faults: Annotated[list[Readable], Field(max_length=FAULTS_MAX)] | None = None

    def health(self) -> dict[str, Any]:
        """What was said of it, by name; a device that says nothing has an empty one."""
        return self.model_dump(exclude={"device"}, exclude_none=True)


class HeartbeatFrame(Wire):
    """The gateway and these devices live. Without an ``id`` no result is wanted."""

    type: Literal["heartbeat"]
    id: Readable | None = None
    devices: list[DeviceStatus] | None = None


class ReceivedFrame(Wire):
    """This ``seq`` and all before it have arrived."""

    type: Literal["received"]
    seq: Whole


GatewayFrame = AlarmFrame | CancelFrame | SignalFrame | HeartbeatFrame | ReceivedFrame

_STRICT: TypeAdapter[GatewayFrame] = TypeAdapter(Annotated[GatewayFrame, Field(discriminator="type")])
_MODELS: dict[str, type[GatewayFrame]] = {
    "alarm": AlarmFrame,
    "cancel": CancelFrame,
    "signal": SignalFrame,
    "heartbeat": HeartbeatFrame,
    "received": ReceivedFrame,
}
_DROPPABLE: dict[str, frozenset[str]] = {
    "alarm": frozenset({"id", "kind", "at", "position", "position.accuracy_m", "battery", "text", "test"}),
    "cancel": frozenset({"id", "alarm"}),
    "signal": frozenset({"id", "card"}),
    "heartbeat": frozenset({"id", "devices"}),
    "received": frozenset(),
}
_STATUS_DROPPABLE = frozenset({"battery", "rssi", "faults"})
BROKEN = "frame"
"""Named in ``ignored`` when the JSON went wrong behind a readable alarm."""


@dataclass(frozen=True, slots=True)
class Read:
    """A frame that could be read, and the dotted names of what was dropped from it."""

    frame: GatewayFrame
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that could not be read.

    ``refusal`` answers it, ``id`` is its own if that could be read; ``wants_help``: it was an alarm.
    """

    refusal: Refusal
    id: str | None = None
    wants_help: bool = False


def parse_gateway_frame(text: str, assumed: str | None = None) -> Read | Unreadable:
    """Read one text frame; never raises, whatever the text. About 5 us for a good alarm.

    ``assumed``: the type of a frame that names none, where the way it came says what it is.
    """
    try:
        return Read(_STRICT.validate_json(text))
    except (ValidationError, UnicodeEncodeError):  # the latter: the text itself holds a lone surrogate
        members = parse_lenient(text)
    if members is None:
        return Unreadable(InvalidMessage("frame", "a JSON object expected"))
    if assumed is not None and "type" not in members.values:
        members = replace(members, values={**members.values, "type": assumed})
    try:
        return _read_leniently(members)
    except Refusal as refusal:
        id_ = readable_id(members.values)
        return Unreadable(refusal, id_, wants_help=members.values.get("type") == "alarm")


def readable_id(values: dict[str, Any]) -> str | None:
    """The id of a frame that is otherwise wrong, if it can be read; its error carries it."""
    id_ = values.get("id")
    return id_ if isinstance(id_, str) and 0 < len(id_) <= ID_CHARACTERS_MAX and id_.isprintable() else None


def named_type(values: dict[str, Any]) -> str:
    """The ``type`` of a frame, if it is a text at all.

    Raises:
        InvalidMessage: there is none.
    """
    type_ = values.get("type")
    if not isinstance(type_, str):
        raise InvalidMessage("type", "field required" if "type" not in values else "a text expected")
    return type_


def _read_leniently(members: Members) -> Read:
    values, type_ = members.values, named_type(members.values)
    if type_ not in _MODELS:
        raise UnknownType(type_[:ID_CHARACTERS_MAX])
    if members.broken and type_ != "alarm":
        raise InvalidMessage("frame", "the JSON ends too early or goes on after its end")
    if type_ == "heartbeat":
        return _read_heartbeat(values)
    frame, ignored = validate_dropping(_MODELS[type_], values, _DROPPABLE[type_])
    return Read(frame, (*ignored, BROKEN) if members.broken else ignored)


def _read_heartbeat(values: dict[str, Any]) -> Read:
    """Each device for itself, so that one bad entry does not hide that the others live."""
    devices = values.get("devices")
    if not isinstance(devices, list):
        devices = None
    good: list[DeviceStatus] = []
    ignored: list[str] = []
    for index, item in enumerate(devices or ()):
        try:
            status, dropped = validate_dropping(DeviceStatus, item, _STATUS_DROPPABLE)
        except InvalidMessage as refusal:
            # An entry that is no object has no field to name.
            ignored.append(f"devices.{index}.{refusal.field}".rstrip("."))
            continue
        good.append(status)
        ignored += [f"devices.{index}.{name}" for name in dropped]
    rest = {**values, "devices": values.get("devices") if devices is None else good}
    frame, dropped = validate_dropping(HeartbeatFrame, rest, _DROPPABLE["heartbeat"])
    return Read(frame, (*dropped, *ignored))
