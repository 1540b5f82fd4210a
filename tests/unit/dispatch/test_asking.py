"""How many people a step wants."""

from __future__ import annotations

import pytest

from callhub.dispatch.asking import Asking, width
from callhub.dispatch.matching import Candidate, Search
from callhub.domain.habits import BANDS, Habit
from callhub.domain.people import ResponderKind
from callhub.domain.policy import Ask, Level, Step
from tests.unit.dispatch.stage import Stage

NEAR = Step("near", (Ask.VOLUNTEER,), fan_out=3, fan_out_max=7)


@pytest.mark.parametrize(("around", "offers"), [(0, 3), (5, 3), (17, 3), (18, 4), (29, 6), (30, 7), (31, 7), (500, 7)])
def test_a_step_asks_seven_of_thirty_and_fewer_in_proportion(around: int, offers: int) -> None:
    assert width(NEAR, around) == offers


def test_a_step_never_asks_fewer_than_its_fan_out() -> None:
    assert width(Step("wide", (Ask.VOLUNTEER,), fan_out=5, fan_out_max=5), 2) == 5


def test_a_desk_is_asked_once_however_many_people_are_around() -> None:
    assert width(Step("desk", (Ask.DESK,), level=Level.DISTRICT, fan_out=1, fan_out_max=1), 400) == 1


def asking(step: Step, *, shy: bool) -> Asking:
    """A case that asks nobody yet, and people of whom it is known that they seldom come."""
    stage = Stage()
    id = stage.press()
    no = (20.0 if shy else 0.0,) * BANDS
    stage.engine._world.habits.update({f"V-{n}": Habit(f"V-{n}", stage.now, no=no) for n in range(9)})
    return Asking(Search(stage.engine._world, stage.of(id), stage.engine.places(id), step, stage.now), 0)


@pytest.mark.parametrize(("shy", "most", "enough"), [(False, 5, 3), (True, 5, 5), (True, 3, 3)])
def test_more_are_asked_where_people_seldom_come_but_no_more_than_most(shy: bool, most: int, enough: int) -> None:
    step = Step("near", (Ask.VOLUNTEER,), fan_out=3, fan_out_max=most)
    found = asking(step, shy=shy)
    for n in range(enough):
        assert not found.is_enough(), n
        found.choose(Candidate(f"V-{n}", ResponderKind.VOLUNTEER))
    assert found.is_enough()
    assert len(found.chosen) == enough
