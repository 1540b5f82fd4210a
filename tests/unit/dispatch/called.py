"""A stage with two departments and the desks of the district, and an incident they can be called to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain.people import Actor, ActorKind, Responder, ResponderKind, Role
from tests.unit.dispatch.stage import Stage

if TYPE_CHECKING:
    from callhub.domain.decision import Answer
    from callhub.domain.whistle import Whistle

BOSS = Actor(ActorKind.USER, "boss", Role.SUPERVISOR)


class Called(Stage):
    """``id`` is the incident of a press; ``FIRE`` and ``WATER`` are departments that nobody watches or links."""

    def __init__(self, *ready: str) -> None:
        super().__init__(*ready, "DESK-C", "DESK-D")
        for department in ("FIRE", "WATER"):
            self.people[department] = Responder(
                department, department, ResponderKind.DEPARTMENT, area=("D",), level="district", capacity=None
            )
            self.tell(self.record(department))
        self.id_ = self.press()

    def whistles(self, *departments: str, report_in_s: int = 20, finish_s: int = 50, **more: Any) -> Answer:
        """The operator calls these departments."""
        more = {"text": "pipe burst", **more}
        named = list(departments)
        return self.does(self.id_, "whistle", departments=named, report_in_s=report_in_s, finish_s=finish_s, **more)

    def whistle(self, number: int = 1) -> Whistle:
        """One of the whistles, in the order they were made."""
        return self.of(self.id_).whistles[f"{self.id_}-w{number}"]

    def says(self, department: str, *, yes: bool, number: int = 1, **more: Any) -> Answer:
        """A department answers its whistle."""
        return self.tell(self.answer(f"{self.id_}-w{number}", accept=yes, responder=department, **more)).answer

    def calls(self) -> list[str]:
        """Why desks were called, in order."""
        return [fact.call.reason for fact in self.facts(self.id_, "desk_called")]


def at_work() -> Called:
    """The fire brigade has reported in."""
    stage = Called()
    stage.whistles("FIRE")
    stage.says("FIRE", yes=True)
    return stage
