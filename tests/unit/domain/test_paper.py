"""Ladders on paper, and kinds that have none of their own."""

from __future__ import annotations

from callhub.domain.paper import NoLadder, play_on_paper, without_ladder
from callhub.domain.policy import KINDS, IncidentClass
from tests.unit.domain.test_policy import ALWAYS, desk, people, policy


def test_nobody_answers_on_paper() -> None:
    steps = [
        people(name="call", ask=["call_back"], step_timeout_s=45),
        people(ask=["paired", "volunteer"], radius_m=2000, step_timeout_s=60),
        desk(name="both", ask=["desk", "grid_worker"], step_timeout_s=30),
        desk(name="street", level="street", step_timeout_s=30),
    ]
    lines = play_on_paper(policy(step=steps, repeat_s=90))
    assert [(line.at_s, line.code) for line in lines] == [
        (0, "paper.call_back"),
        (45, "paper.ask"),
        (105, "paper.ask_anywhere"),
        (105, "paper.desk"),
        (135, "paper.desk"),
        (165, "paper.unanswered_rings"),
        (255, "paper.repeat"),
    ]
    assert lines[1].params == {
        "step": "neighbours",
        "who": ("ask.paired", "ask.volunteer"),
        "fan_out": "3-7",
        "offer_timeout_s": 30,
        "radius_m": 2000,
    }
    assert lines[2].params["who"] == ("ask.grid_worker",)
    assert lines[4].params == {"step": "street", "level": ("level.street",)}


def test_a_step_that_never_grows_has_one_width() -> None:
    step = play_on_paper(policy(step=[people(fan_out=2, fan_out_max=2), desk()]))[0]
    assert step.params["fan_out"] == "2"


def test_only_emergencies_ring_on_paper() -> None:
    quiet = play_on_paper(policy(**{"class": "service"}, kinds=["meal"]))
    assert quiet[-2].code == "paper.unanswered"


def test_a_window_and_a_call_back_are_told_on_paper() -> None:
    steps = [people(name="call", ask=["call_back"], step_timeout_s=45), desk()]
    call = play_on_paper(policy(step=steps))[0]
    assert (call.code, call.params) == ("paper.call_back", {"step": "call", "step_timeout_s": 45})
    first = play_on_paper(policy(**{"class": "service"}, kinds=["meal"], window="mon-fri 08:00-18:00"))[0]
    assert (first.at_s, first.code, first.params) == (0, "paper.window", {"window": "mon-fri 08:00-18:00"})


def test_roles_are_told_on_paper() -> None:
    first = play_on_paper(policy(needed=2, roles=["elder", "key"]))[0]
    assert (first.at_s, first.code) == (0, "paper.roles")
    assert first.params == {"needed": 2, "who": ("role.elder", "role.key")}


def test_every_kind_without_a_ladder_is_named_but_the_one_that_takes_them_all() -> None:
    missing = {gap.kind for gap in without_ladder([ALWAYS])}
    every = {kind for class_, kinds in KINDS.items() if class_ is not IncidentClass.DRILL for kind in kinds}
    assert missing == every - set(ALWAYS.kinds)
    assert all(gap.fallback == ALWAYS.id and gap.code == "paper.no_ladder" for gap in without_ladder([ALWAYS]))


def test_hours_that_leave_a_gap_are_named_and_those_that_share_the_week_are_not() -> None:
    day = policy(id="day", kinds=["smoke"], hours="06:00-22:00")
    night = policy(id="night", kinds=["smoke"], hours="22:00-06:00")
    gaps = [gap for gap in without_ladder([ALWAYS, day]) if gap.kind == "smoke"]
    assert gaps == [NoLadder(IncidentClass.EMERGENCY, "smoke", ALWAYS.id, partly=True)]
    assert gaps[0].code == "paper.ladder_gap"
    assert "smoke" not in {gap.kind for gap in without_ladder([ALWAYS, day, night])}


def test_a_roll_call_without_a_ladder_is_said_to_take_that_of_a_silent_device() -> None:
    silent = policy(**{"class": "technical"}, id="silent", kinds=["supervision_lost"])
    fallbacks = {gap.kind: gap.fallback for gap in without_ladder([ALWAYS, silent])}
    assert fallbacks["roll_call"] == fallbacks["home_check"] == "silent"
    assert fallbacks["tamper"] == ALWAYS.id


def test_a_drill_is_no_ladder_of_a_kind() -> None:
    drill = policy(id="drill", **{"class": "drill"}, kinds=["smoke"])
    assert "smoke" in {gap.kind for gap in without_ladder([ALWAYS, drill])}
