"""A ladder played on paper: what it does when nobody answers, and which kinds have no ladder of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from callhub.domain.hours import WEEK_MIN, parse_hours
from callhub.domain.policy import KINDS, STAND_INS, UNKNOWN, Ask, IncidentClass, Policy, PolicySet, Step


class PaperLine(NamedTuple):
    """What happens ``at_s`` seconds after opening when nobody answers, as a catalogue code with its parameters.

    A parameter that is a tuple holds catalogue codes itself.
    """

    at_s: float
    code: str
    params: Mapping[str, object]


class NoLadder(NamedTuple):
    """A kind that takes the ladder ``fallback``: always, or only outside the hours of its own ones (``partly``)."""

    class_: IncidentClass
    kind: str
    fallback: str
    partly: bool

    @property
    def code(self) -> str:
        """Of the catalogue; its parameters are ``kind`` and ``fallback``."""
        return "paper.ladder_gap" if self.partly else "paper.no_ladder"


def play_on_paper(policy: Policy) -> list[PaperLine]:
    """What the ladder does when nobody answers, in order of time, up to the first repeat.

    ``at_s`` of a step is the sum of the ``step_timeout_s`` before it; for a ladder with a window it counts only while
    that is open.
    """
    lines: list[PaperLine] = []
    at_s: float = 0
    if policy.window:
        lines.append(PaperLine(at_s, "paper.window", {"window": policy.window}))
    if policy.roles:
        who = tuple(f"role.{role}" for role in policy.roles)
        lines.append(PaperLine(at_s, "paper.roles", {"needed": policy.needed, "who": who}))
    for step in policy.steps:
        lines += _paper_of(step, at_s)
        at_s += step.step_timeout_s
    ring = policy.class_ is IncidentClass.EMERGENCY
    lines.append(PaperLine(at_s, "paper.unanswered_rings" if ring else "paper.unanswered", {}))
    lines.append(PaperLine(at_s + policy.repeat_s, "paper.repeat", {"repeat_s": policy.repeat_s}))
    return lines


def _paper_of(step: Step, at_s: float) -> list[PaperLine]:
    lines: list[PaperLine] = []
    if step.calls_back:
        params: dict[str, object] = {"step": step.name, "step_timeout_s": step.step_timeout_s}
        lines.append(PaperLine(at_s, "paper.call_back", params))
    if step.asks_people:
        people = tuple(f"ask.{ask}" for ask in step.ask if ask is not Ask.DESK)
        params = {"step": step.name, "who": people, "fan_out": _width(step), "offer_timeout_s": step.offer_timeout_s}
        if step.radius_m is None:
            lines.append(PaperLine(at_s, "paper.ask_anywhere", params))
        else:
            lines.append(PaperLine(at_s, "paper.ask", {**params, "radius_m": step.radius_m}))
    if step.level is not None:
        lines.append(PaperLine(at_s, "paper.desk", {"step": step.name, "level": (f"level.{step.level}",)}))
    return lines


def _width(step: Step) -> str:
    """So many people at once, and so many where people are dense."""
    return str(step.fan_out) if step.fan_out == step.fan_out_max else f"{step.fan_out}-{step.fan_out_max}"


def without_ladder(policies: Iterable[Policy]) -> list[NoLadder]:
    """The kinds that no ladder names, or none at some hours: they take another one, which is a warning.

    Drills are left out: they practise the ladders of emergencies.

    Raises:
        ConfigError: The policies are no usable set.
    """
    found = tuple(policies)
    emergency = PolicySet(found).fallback.id
    gaps: list[NoLadder] = []
    for class_, kinds in KINDS.items():
        if class_ is IncidentClass.DRILL:
            continue
        for kind in kinds:
            own = [policy for policy in found if policy.class_ is class_ and kind in policy.kinds]
            if kind != UNKNOWN and not any(not policy.hours for policy in own) and _open_min(own) < WEEK_MIN:
                like = STAND_INS.get(kind)
                fallback = next((policy.id for policy in found if like in policy.kinds), emergency)
                gaps.append(NoLadder(class_, kind, fallback, partly=bool(own)))
    return gaps


def _open_min(policies: Iterable[Policy]) -> int:
    """Minutes of the week that their hours cover; two policies never share a kind at the same time."""
    return sum(end - start for policy in policies for start, end in parse_hours(policy.hours))
