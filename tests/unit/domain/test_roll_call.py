"""How far a roll-call has got."""

from __future__ import annotations

from dataclasses import replace

from callhub.domain.roll_call import Cause, Gap, RollCall
from tests.scenarios.town import NOON

CALL = RollCall(Cause.ASKED, Gap(NOON, NOON), listed=True, waiting=("E-3",), open=(("E-2", "I-2"),), checked=1)


def test_its_homes_are_those_that_wait_are_being_checked_or_are_done() -> None:
    assert CALL.homes == 3


def test_it_is_done_once_none_is_left_and_they_were_known() -> None:
    assert not CALL.is_done
    assert not replace(CALL, waiting=()).is_done
    assert not replace(CALL, open=()).is_done
    assert replace(CALL, waiting=(), open=()).is_done
    assert not RollCall(Cause.SERVER, Gap(NOON, NOON)).is_done, "nobody has looked yet"


def test_the_check_of_a_home_is_known_while_it_is_open() -> None:
    assert (CALL.check_of("E-2"), CALL.check_of("E-3")) == ("I-2", None)
