"""What a responder's app sends, frame by frame, and how one is read.

Rules of this file: a field that changes what is meant (``until``, ``version``, ``outcome``) is right or the frame is
refused; one that only tells more (``position``, ``note``, ``reason``, ``proof``) is dropped and named, because a yes
must not fail over a remark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from callhub.domain.policy import UNKNOWN
from callhub.errors import InvalidMessage, Refusal, UnknownType
from callhub.protocol.fields import (
    ID_CHARACTERS_MAX,
    Fix,
    Instant,
    Kind,
    Readable,
    Text,
    Whole,
    Wire,
    validate_dropping,
)
from callhub.protocol.gateway import ReceivedFrame, named_type, readable_id
from callhub.protocol.lenient import Members, parse_lenient


class Said(Wire):
    """What every message of a responder has: an ``id`` of its own, which its answer repeats."""

    id: Readable


class PresenceFrame(Said):
    """Available or not, until then or until they say otherwise."""

    type: Literal["presence"]
    available: bool
    position: Fix | None = None
    until: Instant | None = None


class AcceptFrame(Said):
    """Yes."""

    type: Literal["accept"]
    offer: Readable


class DeclineFrame(Said):
    """No."""

    type: Literal["decline"]
    offer: Readable
    reason: Text | None = None


class EnRouteFrame(Said):
    """On the way."""

    type: Literal["en_route"]
    incident: Readable


class Proof(Wire):
    """The elder's service card, read at the door."""

    card: Readable


class OnSceneFrame(Said):
    """There."""

    type: Literal["on_scene"]
    incident: Readable
    proof: Proof | None = None


class NeedFrame(Said):
    """Something is missing at the door."""

    type: Literal["need"]
    incident: Readable
    need: Literal["key", "second_person", "ambulance", "police", "fire", "other"]
    note: Text | None = None


class ClearedFrame(Said):
    """Done. ``version`` is the incident's version they saw."""

    type: Literal["cleared"]
    incident: Readable
    outcome: Literal["helped", "false_alarm", "hospital", "emergency_services", "no_access", "other"]
    note: Text | None = None
    version: Whole | None = None


class ReleaseFrame(Said):
    """Cannot go after all."""

    type: Literal["release"]
    incident: Readable
    reason: Text | None = None


class ReportFrame(Said):
    """Something seen that needs help; a wrong or missing kind is ``unknown``."""

    type: Literal["report"]
    elder: Readable | None = None
    kind: Kind | None = None
    text: Text | None = None

    @property
    def known_kind(self) -> str:
        """The kind, ``unknown`` when it was wrong or missing."""
        return self.kind or UNKNOWN


MovedFrame = EnRouteFrame | OnSceneFrame | NeedFrame | ClearedFrame | ReleaseFrame
ResponderFrame = PresenceFrame | AcceptFrame | DeclineFrame | MovedFrame | ReportFrame | ReceivedFrame

_STRICT: TypeAdapter[ResponderFrame] = TypeAdapter(Annotated[ResponderFrame, Field(discriminator="type")])
_MODELS: dict[str, type[ResponderFrame]] = {
    "presence": PresenceFrame,
    "accept": AcceptFrame,
    "decline": DeclineFrame,
    "en_route": EnRouteFrame,
    "on_scene": OnSceneFrame,
    "need": NeedFrame,
    "cleared": ClearedFrame,
    "release": ReleaseFrame,
    "report": ReportFrame,
    "received": ReceivedFrame,
}
_DROPPABLE: dict[str, frozenset[str]] = {
    "presence": frozenset({"position", "position.accuracy_m"}),
    "decline": frozenset({"reason"}),
    "on_scene": frozenset({"proof"}),
    "need": frozenset({"note"}),
    "cleared": frozenset({"note"}),
    "release": frozenset({"reason"}),
    "report": frozenset({"elder", "kind"}),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame that could be read, and the dotted names of what was dropped from it."""

    frame: ResponderFrame
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that could not be read: the refusal that answers it, and its id if that could be read."""

    refusal: Refusal
    id: str | None = None


def parse_responder_frame(text: str) -> Heard | Refused:
    """Read one text frame; never raises, whatever the text."""
    try:
        return Heard(_STRICT.validate_json(text))
    except (ValidationError, UnicodeEncodeError):
        members = parse_lenient(text)
    if members is None:
        return Refused(InvalidMessage("frame", "a JSON object expected"))
    try:
        return _read_leniently(members)
    except Refusal as refusal:
        return Refused(refusal, readable_id(members.values))


def _read_leniently(members: Members) -> Heard:
    type_ = named_type(members.values)
    if type_ not in _MODELS:
        raise UnknownType(type_[:ID_CHARACTERS_MAX])
    if members.broken:
        raise InvalidMessage("frame", "the JSON ends too early or goes on after its end")
    frame, ignored = validate_dropping(_MODELS[type_], members.values, _DROPPABLE.get(type_, frozenset()))
    return Heard(frame, ignored)


def spoken_fields(frame: MovedFrame) -> dict[str, Any]:
    """What a report from the way says beside its incident, as on the wire, without what was not said."""
    return frame.model_dump(exclude={"type", "id", "incident"}, exclude_none=True)
