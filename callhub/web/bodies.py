"""Reading what callers send: bounded bodies, checked fields, and the key that makes a write idempotent.

Rules of this file: unknown fields are ignored; a wrong one is ``invalid_message`` with its dotted name; nothing reads
more of a body than the limit.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, TypeVar

from fastapi import Request
from pydantic import BaseModel, Field, ValidationError

from callhub.dispatch.whistles import CLOCK_S_MAX
from callhub.domain.events import Request as CallerRequest
from callhub.domain.events import RequestKey
from callhub.errors import InvalidMessage, TooLarge
from callhub.web.access import Caller

KEY_LENGTH_MAX = 128
DEPARTMENTS_MAX = 50
"""Called at once; a district has fewer."""

Model = TypeVar("Model", bound=BaseModel)
Id = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=4000)]
Seconds = Annotated[int, Field(ge=1, le=CLOCK_S_MAX)]
Outcome = Literal["helped", "false_alarm", "hospital", "emergency_services", "no_access", "other"]


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The body of a request.

    Raises:
        TooLarge: It is, or says it is, larger than ``bytes_max``.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > bytes_max:
        raise TooLarge(bytes_max)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise TooLarge(bytes_max)
    return bytes(body)


def parse(model: type[Model], body: bytes) -> Model:
    """The body as a model; an empty body counts as an empty object.

    Raises:
        InvalidMessage: A field is missing or wrong; names it.
    """
    try:
        return model.model_validate_json(body or b"{}")
    except ValidationError as wrong:
        raise first_fault(wrong.errors(include_url=False)[0]["loc"], wrong.errors()[0]["msg"]) from wrong


def first_fault(place: tuple[int | str, ...], why: str) -> InvalidMessage:
    """The refusal for a wrong field at ``place``; the body itself when there is no place."""
    return InvalidMessage(".".join(str(part) for part in place) or "body", why.removeprefix("Value error, "))


def request_of(request: Request, caller: Caller, body: bytes) -> CallerRequest | None:
    """The caller's message as the engine tells a repeat by it; None without ``Idempotency-Key``.

    Raises:
        InvalidMessage: The key is empty, too long or not printable.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        raise InvalidMessage("Idempotency-Key", f"1 to {KEY_LENGTH_MAX} printable characters")
    fingerprint = f"{request.method} {request.url.path}|{hashlib.sha256(body).hexdigest()}"
    return CallerRequest(RequestKey(caller.sender, key), fingerprint)


def if_match_of(request: Request) -> int | None:
    """The version named by ``If-Match``, with or without quotes; None when absent or ``*``.

    Raises:
        InvalidMessage: It is no version.
    """
    said = request.headers.get("if-match")
    if said is None or said.strip() == "*":
        return None
    version = said.strip().removeprefix("W/").strip('"')
    if not version.isascii() or not version.isdecimal() or len(version) > 9:
        raise InvalidMessage("If-Match", "the version of the incident, a number")
    return int(version)


class Action(BaseModel):
    """What every action may say."""

    reason: Text | None = None


class HandOver(Action):
    """``hand-over``: to whom."""

    to: Id


class Assign(Action):
    """``assign``: an offer to that person, accepted at once when they said yes on the telephone."""

    responder: Id
    confirmed_by: Literal["telephone"] | None = None


class OnBehalf(Action):
    """``accept en-route release``: done for someone who called in."""

    responder: Id


class Proof(BaseModel):
    """What shows that somebody is at the elder's."""

    card: Annotated[str, Field(max_length=64)] | None = None


class OnScene(OnBehalf):
    """``on-scene``: with the card's proof, if any."""

    proof: Proof | None = None


class Cleared(OnBehalf):
    """``cleared``: how it ended for this person."""

    outcome: Outcome
    note: Text | None = None
    version: Annotated[int, Field(ge=0)] | None = None


class Need(OnBehalf):
    """``need``: somebody at work needs something."""

    need: Literal["key", "second_person", "ambulance", "police", "fire", "other"]
    note: Text | None = None


class Contact(Action):
    """``contact``: somebody was spoken to, or 120, 110 or 119 asked for."""

    party: Literal["elder", "family", "responder", "120", "110", "119"]
    result: Literal["spoke_ok", "needs_help", "silent", "no_answer", "requested", "arrived"]
    note: Text | None = None


class Note(Action):
    """``note``: a line for the timeline."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Feedback(Action):
    """``feedback``: how the elder found it."""

    rating: Annotated[int, Field(ge=1, le=5)] | None = None
    text: Text | None = None


class Close(Action):
    """``close``: by a human, with an outcome."""

    outcome: Outcome


class Identify(Action):
    """``identify``: whose incident it is."""

    elder: Id


class Whistle(Action):
    """``whistle``: departments are called, each on a clock to report in and one to finish."""

    departments: Annotated[list[Id], Field(min_length=1, max_length=DEPARTMENTS_MAX)]
    report_in_s: Seconds
    finish_s: Seconds
    text: Text | None = None


class WhistleConfirm(Action):
    """``whistle-confirm``: what was finished is found done."""

    whistle: Id


class WhistleReturn(WhistleConfirm):
    """``whistle-return``: not yet, and a new clock."""

    finish_s: Seconds


class WhistleWithdraw(WhistleConfirm):
    """``whistle-withdraw``: called off, by a supervisor who says why."""

    reason: Annotated[str, Field(min_length=1, max_length=4000)]


ACTIONS: dict[str, type[Action]] = {
    "take-over": Action,
    "hand-over": HandOver,
    "assign": Assign,
    "accept": OnBehalf,
    "en-route": OnBehalf,
    "on-scene": OnScene,
    "cleared": Cleared,
    "release": OnBehalf,
    "need": Need,
    "contact": Contact,
    "escalate": Action,
    "note": Note,
    "feedback": Feedback,
    "cancel": Action,
    "close": Close,
    "reopen": Action,
    "identify": Identify,
    "whistle": Whistle,
    "whistle-confirm": WhistleConfirm,
    "whistle-return": WhistleReturn,
    "whistle-withdraw": WhistleWithdraw,
}
"""Every action on an incident, with its body."""


class Call(BaseModel):
    """A call by telephone. One of the first three finds the elder; who is unknown is still helped."""

    elder: Id | None = None
    phone: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    address: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    kind: Annotated[str, Field(max_length=64)] = "unknown"
    reason: Text | None = None


class Drill(BaseModel):
    """``POST /drills``: at whose home an emergency is practised, of which kind, and why."""

    elder: Id
    reason: Annotated[str, Field(min_length=1, max_length=4000)]
    kind: Annotated[str, Field(max_length=64)] = "sos"


class OfferAnswer(BaseModel):
    """An answer that somebody gave otherwise than on their link."""

    answer: Literal["accept", "decline"]
    via: Annotated[str, Field(min_length=1, max_length=32)] = "telephone"
    reason: Text | None = None


class OnTest(BaseModel):
    """How long a device is on test."""

    minutes: Annotated[int, Field(ge=1, le=60)]


class Credentials(BaseModel):
    """What a person signs in with."""

    user: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
