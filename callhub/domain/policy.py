"""Escalation policies: who is asked, in which order, and when each thing must have happened.

Rules of this file:
1. A ladder always ends with a human: its last step asks a desk. No policy without one can be made from a table.
2. A policy is frozen into its incident as ``policy_to_table`` when the incident opens; a later change of the files
   never touches an open incident.
3. Pure: the same table gives the same policy; local time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from callhub.domain.hours import is_within, overlap, parse_hours
from callhub.domain.roles import HelpRole, read_roles
from callhub.domain.tables import TableReader, digest_of
from callhub.domain.windows import read_window
from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

FAN_OUT = 3
"""Offers a step keeps open at once; published acceptance is 17 to 47 %."""
FAN_OUT_MAX = 7
"""What ``fan_out`` may grow to where people are dense."""
PEOPLE_MAX = 50
"""Upper bound of ``needed``, ``fan_out`` and ``fan_out_max``; more is a slip that would call out a whole community."""
RADIUS_M_MAX = 100_000.0
CALL_BACK_S_MAX = 300
"""Longest call-back; even a sensor that is nearly always wrong may be right."""
UNKNOWN = "unknown"
"""The kind of an alarm that names none or a wrong one; its ladder serves every kind without one."""


class IncidentClass(StrEnum):
    """What an incident is about; only emergencies ring."""

    EMERGENCY = "emergency"
    SERVICE = "service"
    TECHNICAL = "technical"
    DRILL = "drill"


class Ask(StrEnum):
    """Whom a step asks; ``call_back`` asks nobody to come: somebody speaks to the elder first."""

    PAIRED = "paired"
    KEYHOLDER = "keyholder"
    VOLUNTEER = "volunteer"
    CAREGIVER = "caregiver"
    GRID_WORKER = "grid_worker"
    DESK = "desk"
    CALL_BACK = "call_back"


class Level(StrEnum):
    """Levels of the area tree, top first."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


EMERGENCY_KINDS = ("sos", "fall", "medical", "smoke", "gas", "inactivity", "door", UNKNOWN)
SERVICE_KINDS = ("meal", "medical_visit", "cleaning", "bathing", "visit")
TECHNICAL_KINDS = (
    "supervision_lost",
    "low_battery",
    "tamper",
    "mains_lost",
    "gateway_lost",
    "gateway_fault",
    "area_lost",
    "clock",
    "roll_call",
    "home_check",
)
KINDS: Mapping[IncidentClass, tuple[str, ...]] = MappingProxyType(
    {
        IncidentClass.EMERGENCY: EMERGENCY_KINDS,
        IncidentClass.SERVICE: SERVICE_KINDS,
        IncidentClass.TECHNICAL: TECHNICAL_KINDS,
        IncidentClass.DRILL: EMERGENCY_KINDS,  # an emergency that is practised
    }
)
"""Every kind an incident may have, by class."""

_URGENCY: Mapping[IncidentClass, int] = MappingProxyType(
    {IncidentClass.EMERGENCY: 1, IncidentClass.TECHNICAL: 3, IncidentClass.SERVICE: 4, IncidentClass.DRILL: 5}
)
URGENCY_MAX = 9


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder. Times in seconds, distances in metres.

    ``radius_m`` None: no limit. ``level`` is set when, and only when, ``ask`` has ``desk``. ``skills``: all needed.
    """

    name: str
    ask: tuple[Ask, ...]
    skills: tuple[str, ...] = ()
    level: Level | None = None
    fan_out: int = FAN_OUT
    fan_out_max: int = FAN_OUT_MAX
    radius_m: float | None = None
    offer_timeout_s: float = 30
    step_timeout_s: float = 60

    @property
    def asks_desk(self) -> bool:
        """Whether a duty desk is asked."""
        return Ask.DESK in self.ask

    @property
    def asks_people(self) -> bool:
        """Whether somebody who would come is asked."""
        return any(ask not in (Ask.DESK, Ask.CALL_BACK) for ask in self.ask)

    @property
    def calls_back(self) -> bool:
        """Whether it waits for a human voice and asks nobody."""
        return Ask.CALL_BACK in self.ask


@dataclass(frozen=True, slots=True)
class Policy:
    """A ladder and its deadlines. Times in seconds; ``urgency`` 1 is the most urgent, ``hours`` empty means always.

    ``window``: when its clocks run and people are asked; empty: always, as for every emergency. ``roles``: one for each
    who is needed, in the order of their yes; empty: nobody has one.
    """

    id: str
    class_: IncidentClass
    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    urgency: int = 1
    hours: str = ""
    window: str = ""
    needed: int = 1
    repeat_s: float = 60
    owner_check_s: float = 120
    desk_call_s: float = 120
    service_check_s: float = 600
    arrival_slack: float = 1.5
    arrival_min_s: float = 300
    resolution_s: float = 3600
    follow_up_s: float = 86_400
    roles: tuple[HelpRole, ...] = ()


def policy_from_table(table: Mapping[str, object], source: str) -> Policy:
    """Read one policy.

    Args:
        table: The file's parsed TOML, or what ``policy_to_table`` made.
        source: The file, as the administrator named it.

    Raises:
        ConfigError: Anything is wrong; names the file and the key (``step[2].level``, counted from 0).
    """
    read = TableReader(table, source)
    class_ = read.choice("class", IncidentClass)
    needed = read.count("needed", 1, PEOPLE_MAX)
    policy = Policy(
        id=read.word("id"),
        class_=class_,
        kinds=_kinds(read, class_),
        urgency=read.count("urgency", _URGENCY[class_], URGENCY_MAX),
        hours=_hours(read),
        window=_window(read, class_),
        needed=needed,
        roles=read_roles(read, needed),
        repeat_s=read.seconds("repeat_s", 60),
        owner_check_s=read.seconds("owner_check_s", 120),
        desk_call_s=read.seconds("desk_call_s", 120),
        service_check_s=read.seconds("service_check_s", 600),
        arrival_slack=read.number("arrival_slack", 1.5, 1, 20),
        arrival_min_s=read.seconds("arrival_min_s", 300),
        resolution_s=read.seconds("resolution_s", 3600),
        follow_up_s=read.seconds("follow_up_s", 86_400),
        steps=tuple(_step(row, source, index) for index, row in enumerate(read.tables("step"))),
    )
    read.finish()
    _check_ladder(policy, source)
    return policy


def policy_to_table(policy: Policy) -> dict[str, object]:
    """The policy as a JSON-safe table that ``policy_from_table`` reads back to an equal policy."""
    table: dict[str, object] = {
        "id": policy.id,
        "class": policy.class_.value,
        "kinds": list(policy.kinds),
    }
    for key in _POLICY_FIGURES:
        table[key] = getattr(policy, key)
    if policy.window:  # absent otherwise: ladders from before there were windows keep their key
        table["window"] = policy.window
    if policy.roles:  # as for windows
        table["roles"] = [role.value for role in policy.roles]
    table["step"] = [_step_to_table(step) for step in policy.steps]
    return table


@lru_cache(maxsize=256)
def policy_key(policy: Policy) -> str:
    """``id@digest``: the name of this very ladder, which an incident keeps after the file has changed."""
    return f"{policy.id}@{digest_of(policy_to_table(policy))}"


_POLICY_FIGURES = (
    "urgency",
    "hours",
    "needed",
    "repeat_s",
    "owner_check_s",
    "desk_call_s",
    "service_check_s",
    "arrival_slack",
    "arrival_min_s",
    "resolution_s",
    "follow_up_s",
)
_STEP_FIGURES = ("fan_out", "fan_out_max", "offer_timeout_s", "step_timeout_s")


def _step_to_table(step: Step) -> dict[str, object]:
    table: dict[str, object] = {
        "name": step.name,
        "ask": [ask.value for ask in step.ask],
        "skills": list(step.skills),
    }
    if step.level is not None:
        table["level"] = step.level.value
    if step.radius_m is not None:
        table["radius_m"] = step.radius_m
    for key in _STEP_FIGURES:
        table[key] = getattr(step, key)
    return table


def _kinds(read: TableReader, class_: IncidentClass) -> tuple[str, ...]:
    kinds = read.words("kinds")
    for index, kind in enumerate(kinds):
        if kind not in KINDS[class_]:
            read.refuse(f"kinds[{index}]", f"{kind!r} is no {class_} kind; those are {', '.join(KINDS[class_])}")
    return kinds


def _hours(read: TableReader) -> str:
    hours = read.word("hours", "")
    try:
        parse_hours(hours)
    except ValueError as wrong:
        read.refuse("hours", str(wrong))
    return hours


def _window(read: TableReader, class_: IncidentClass) -> str:
    window = read.word("window", "")
    if window and class_ not in (IncidentClass.SERVICE, IncidentClass.TECHNICAL):
        read.refuse("window", "is for services and technical ladders: an emergency never waits; use hours to choose")
    try:
        return read_window(window)
    except ValueError as wrong:
        read.refuse("window", str(wrong))


def _step(row: Mapping[str, object], source: str, index: int) -> Step:
    read = TableReader(row, source, f"step[{index}].")
    ask = read.choices("ask", Ask)
    fan_out = read.count("fan_out", FAN_OUT, PEOPLE_MAX)
    fan_out_max = read.count("fan_out_max", max(fan_out, FAN_OUT_MAX), PEOPLE_MAX)
    if fan_out > fan_out_max:
        read.refuse("fan_out", f"{fan_out} is more than fan_out_max, which is {fan_out_max}")
    if Ask.CALL_BACK in ask and len(ask) > 1:
        read.refuse("ask", "call_back stands alone: it asks nobody to come; give the others a step of their own")
    if read.has("level") and Ask.DESK not in ask:
        read.refuse("level", "is for steps that ask a desk; use radius_m to limit people")
    step = Step(
        name=read.word("name"),
        ask=ask,
        skills=read.words("skills", ()),
        level=read.choice("level", Level) if Ask.DESK in ask else None,
        fan_out=fan_out,
        fan_out_max=fan_out_max,
        radius_m=read.number("radius_m", 0, 1, RADIUS_M_MAX) if read.has("radius_m") else None,
        offer_timeout_s=read.seconds("offer_timeout_s", 30),
        step_timeout_s=read.seconds("step_timeout_s", 60),
    )
    read.finish()
    return step


def _check_ladder(policy: Policy, source: str) -> None:
    """Refuse two names alike, a step that asks nobody new, a late call-back, and an end without a human."""
    names: set[str] = set()
    desks: set[Level] = set()
    for index, step in enumerate(policy.steps):
        if step.name in names:
            raise ConfigError(source, f"step[{index}].name", f"{step.name!r} is the name of an earlier step too")
        names.add(step.name)
        if step.calls_back:
            _check_call_back(policy, source, index)
        if step.level is None:
            continue
        if step.level in desks and not step.asks_people:
            why = f"is never reached: an earlier step asks the {step.level} desk already"
            raise ConfigError(source, f"step[{index}]", why)
        desks.add(step.level)
    last = len(policy.steps) - 1
    if not policy.steps[last].asks_desk:
        raise ConfigError(source, f"step[{last}].ask", "the ladder must end with a human: let its last step ask a desk")


def _check_call_back(policy: Policy, source: str, index: int) -> None:
    if policy.class_ not in (IncidentClass.EMERGENCY, IncidentClass.DRILL):
        raise ConfigError(source, f"step[{index}].ask", "call_back is for emergencies: nothing else is that urgent")
    if index:
        raise ConfigError(
            source, f"step[{index}].ask", "call_back is for the first step: here people were asked already"
        )
    if policy.steps[index].step_timeout_s > CALL_BACK_S_MAX:
        why = f"a call-back may take {CALL_BACK_S_MAX} s at most: somebody may be lying there"
        raise ConfigError(source, f"step[{index}].step_timeout_s", why)


STAND_INS: Mapping[str, str] = MappingProxyType(dict.fromkeys(("roll_call", "home_check"), "supervision_lost"))
"""Kinds that are younger than many installations: without a ladder they take that of a silent device, which asks desks.
The emergency one would call out a district."""


class PolicySet:
    """The policies in force: every kind has exactly one ladder at any time of the week.

    Args:
        policies: Any order.

    Raises:
        ConfigError: Two policies have one id or claim the same kind at the same time, or no emergency policy is there
            always for the kind ``unknown``.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.by_id: dict[str, Policy] = {}
        self._claims: dict[tuple[bool, str], list[Policy]] = {}
        for policy in policies:
            if policy.id in self.by_id:
                raise ConfigError("policies", "id", f"two policies are called {policy.id!r}")
            self.by_id[policy.id] = policy
            for kind in policy.kinds:
                self._claim(kind, policy)
        fallback = next((p for p in self._claims.get((False, UNKNOWN), ()) if not p.hours), None)
        if fallback is None:
            why = f"one emergency policy with empty hours must have the kind {UNKNOWN!r}: it takes what no other takes"
            raise ConfigError("policies", "kinds", why)
        self.fallback: Policy = fallback

    def _claim(self, kind: str, policy: Policy) -> None:
        # Drills practise the same kinds beside the real ladders, so they are kept apart.
        rivals = self._claims.setdefault((policy.class_ is IncidentClass.DRILL, kind), [])
        for rival in rivals:
            both_always = not rival.hours and not policy.hours
            if both_always or overlap(rival.hours, policy.hours):
                why = f"policies {rival.id!r} and {policy.id!r} both claim {kind!r} at the same hours; take it from one"
                raise ConfigError("policies", "kinds", why)
        rivals.append(policy)

    def choose(self, kind: str, at_local: datetime, *, drill: bool = False) -> Policy:
        """The ladder for a kind at a local time: one with hours wins; without one see ``STAND_INS``, else ``fallback``.

        A ``drill`` takes a ladder of its own if there is one then, else the very ladder of the emergency.
        """
        claims = self._claims.get((drill, kind), ())
        for policy in claims:
            if policy.hours and is_within(policy.hours, at_local):
                return policy
        always = next((policy for policy in claims if not policy.hours), None)
        if always is not None:
            return always
        if drill:
            return self.choose(kind, at_local)
        return self.choose(STAND_INS[kind], at_local) if kind in STAND_INS else self.fallback
