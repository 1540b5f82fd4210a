"""What is learned from facts, how it fades, and how many people it asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from callhub.dispatch import learning
from callhub.dispatch.learning import PRIOR, chance, counted, faded, is_enough, is_resting, load_of, services_on
from callhub.domain import facts as f
from callhub.domain.habits import Habit
from callhub.domain.incident import Assignment, AssignmentState, Incident, Offer, OfferState, Source
from callhub.domain.people import SYSTEM, ResponderKind
from callhub.domain.policy import IncidentClass

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
DAY = timedelta(days=1)


def case(class_: IncidentClass = IncidentClass.EMERGENCY, **duty: Any) -> Incident:
    """One incident in which V was offered and assigned, and a desk was asked."""
    made = Incident("i", 1, class_, "sos", 1, Source.DEVICE, "p", 1, NOON)
    for id, who, kind in (("o", "V", ResponderKind.VOLUNTEER), ("d", "DESK", ResponderKind.DESK)):
        made.offers[id] = Offer(id, who, kind, 0, OfferState.OPEN, NOON, NOON)
    made.assignments["a"] = Assignment("a", "V", AssignmentState.ASSIGNED, NOON, **duty)
    return made


def made(offer: str = "o", responder: str = "V") -> f.OfferMade:
    return f.OfferMade(offer=offer, responder=responder, kind=ResponderKind.VOLUNTEER, step=0, respond_by=NOON)


def after(
    *facts: f.Fact, of: Incident | None = None, known: Habit | None = None, at: datetime = NOON
) -> dict[str, Habit]:
    """The habits after one row of these facts."""
    incident = of or case()
    rows = [f.Row("i", 1, at, "e", SYSTEM, facts), f.Row(None, 0, at, "e", SYSTEM, facts)]
    return counted(rows, lambda id: incident if id == "i" else None, lambda _: known, UTC)


def test_offers_and_assignments_are_load() -> None:
    (habit,) = after(made(), f.Assigned(assignment="a", responder="V", slot=1, arrive_by=NOON)).values()
    assert (habit.responder, habit.at, habit.load) == ("V", NOON, 2.0)
    assert (sum(habit.yes), sum(habit.no), habit.services, habit.back_at) == (0, 0, 0, None)


def test_a_yes_counts_in_its_band_and_a_no_and_a_silence_alike() -> None:
    yes = after(f.OfferAccepted(offer="o"))["V"]
    assert (yes.yes, yes.no) == ((0, 0, 1, 0), (0, 0, 0, 0))
    for fact in (f.OfferDeclined(offer="o"), f.OfferSilent(offer="o")):
        no = after(fact, at=NIGHT)["V"]
        assert (no.yes, no.no) == ((0, 0, 0, 0), (1, 0, 0, 0))
    late = after(f.OfferSilent(offer="o"), f.OfferAccepted(offer="o"))["V"]
    assert (sum(late.yes), sum(late.no)) == (1, 1), "it came, and not in time"


def test_what_teaches_nothing() -> None:
    assert after(f.OfferWithdrawn(offer="o", reason="filled"), f.OfferAccepted(offer="d")) == {}
    assert after(made(), of=case(IncidentClass.DRILL)) == {}
    assert after(made(), of=None, known=None, at=NOON).keys() == {"V"}
    assert counted([f.Row("gone", 1, NOON, "e", SYSTEM, (made(),))], lambda _: None, lambda _: None, UTC) == {}


def test_a_service_is_load_and_counts_for_its_day_but_says_nothing_about_emergencies() -> None:
    service = case(IncidentClass.SERVICE, on_scene_at=NOON)
    left = f.AssignmentMoved(assignment="a", state=AssignmentState.CLEARED, outcome="helped")
    once = after(made(), f.OfferAccepted(offer="o"), left, of=service)["V"]
    assert (once.load, once.services, once.day, sum(once.yes), once.back_at) == (1, 1, date(2026, 11, 24), 0, None)
    twice = after(made(), of=service, known=once)["V"]
    assert (services_on(twice, NOON, UTC), services_on(twice, NOON + DAY, UTC), services_on(None, NOON, UTC)) == (
        2,
        0,
        0,
    )
    assert services_on(twice, NOON, timezone(timedelta(hours=13))) == 0, "the day is that of the place"
    assert after(made(), of=service, known=twice, at=NOON + DAY)["V"].services == 1


@pytest.mark.parametrize(
    ("state", "went", "back"),
    [
        (AssignmentState.CLEARED, {}, True),
        (AssignmentState.RELEASED, {}, False),
        (AssignmentState.RELEASED, {"en_route_at": NOON}, True),
        (AssignmentState.RELEASED, {"on_scene_at": NOON}, True),
        (AssignmentState.ON_SCENE, {"on_scene_at": NOON}, False),
    ],
)
def test_whoever_was_out_is_back(state: AssignmentState, went: dict[str, Any], back: bool) -> None:
    habit = after(f.AssignmentMoved(assignment="a", state=state), of=case(**went))["V"]
    assert habit.back_at == (NOON if back else None)
    assert is_resting(habit, NOON + timedelta(seconds=899), 900) is back
    assert not is_resting(habit, NOON + timedelta(seconds=900), 900)
    assert not is_resting(None, NOON, 900)


def test_what_is_old_counts_less() -> None:
    habit = Habit("V", NOON, load=4, yes=(0, 0, 2, 0), no=(0, 0, 4, 0))
    later = faded(habit, NOON + 60 * DAY)
    assert (later.yes[2], later.no[2]) == (1, 2)
    assert load_of(habit, NOON) == 4
    assert load_of(habit, NOON + 30 * DAY) == pytest.approx(4 / 2.718, abs=0.01)
    assert load_of(None, NOON) == 0
    assert faded(habit, NOON - DAY) == habit, "a clock that went backwards fades nothing"
    # The sum of one offer a day comes to those of thirty days.
    daily = Habit("W", NOON)
    for day in range(400):
        daily = after(made(), known=daily, at=NOON + day * DAY)["V"]
    assert daily.load == pytest.approx(30.5, abs=0.1)


def test_the_chance_of_somebody_new_is_the_published_share() -> None:
    assert chance(None, NOON, UTC) == PRIOR == chance(Habit("V", NOON), NOON + DAY, UTC)
    assert pytest.approx(0.287, abs=0.001) == PRIOR


def test_answers_move_the_chance_most_at_their_own_hour_and_fade() -> None:
    willing = Habit("V", NOON, yes=(0, 0, 5, 0))
    tired = Habit("V", NOON, no=(0, 0, 5, 0))
    assert chance(willing, NOON, UTC) == pytest.approx(7.3 / 13)
    assert chance(willing, NIGHT, UTC) == pytest.approx(3.55 / 9.25, abs=0.002)
    assert chance(tired, NOON, UTC) == pytest.approx(2.3 / 13)
    assert chance(tired, NOON, UTC) < chance(tired, NIGHT, UTC) < PRIOR
    assert chance(tired, NOON + 3650 * DAY, UTC) == pytest.approx(PRIOR)


@pytest.mark.parametrize(
    ("chances", "width", "most", "enough"),
    [
        ([PRIOR] * 2, 3, 7, False),
        ([PRIOR] * 3, 3, 7, True),
        ([PRIOR], 1, 7, True),
        ([PRIOR] * 7, 7, 7, True),
        ([0.9], 3, 7, False),  # never fewer than wanted
        ([PRIOR, PRIOR, PRIOR * 0.51], 3, 7, True),  # half a person short
        ([PRIOR, PRIOR, PRIOR * 0.49], 3, 7, False),
        ([PRIOR, PRIOR, PRIOR * 0.49, 0.1], 3, 7, True),
        ([0.01] * 6, 3, 7, False),
        ([0.01] * 7, 3, 7, True),  # never more than most
        ([0.01] * 3, 3, 3, True),
        ([], 0, 0, True),
    ],
)
def test_how_many_are_enough(chances: list[float], width: int, most: int, enough: bool) -> None:
    assert is_enough(chances, width, most) is enough


def test_counting_on_is_what_counting_at_once_is() -> None:
    """What the store kept and what the engine kept are the same to the last bit."""
    rows = [f.Row("i", n, NOON + n * DAY / 7, "e", SYSTEM, (made(), f.OfferDeclined(offer="o"))) for n in range(1, 50)]
    known: dict[str, Habit] = {}
    for row in rows:
        known |= counted([row], lambda _: case(), known.get, UTC)
    assert known == counted(rows, lambda _: case(), lambda _: None, UTC)
    assert known["V"] != replace(known["V"], load=known["V"].load + 1e-12)


def test_a_band_is_a_part_of_the_local_day() -> None:
    assert [learning.band_of(NOON + timedelta(hours=n), UTC) for n in (0, 6, 12, 18)] == [2, 3, 0, 1]
    assert learning.band_of(NOON, timezone(timedelta(hours=8))) == 3
