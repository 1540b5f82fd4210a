"""Each change beside incidents goes back to exactly what was there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from callhub.dispatch.changes import Changes
from callhub.domain.policy import PolicySet
from tests.simulation.driver import LADDERS, PEOPLE, north, state
from tests.unit.dispatch.stage import Stage


def test_everything_goes_back() -> None:
    stage = Stage("V-1", "DESK-C", watched=True)
    stage.tell(stage.cancel("BTN-1", "early"))
    stage.tell(stage.cancel("BTN-1", "twice"))
    world, before = stage.engine._world, state(stage.engine, stage.now)
    changes = Changes(world, stage.now)
    person = changes.person("V-1")
    assert person is not None
    assert changes.person("nobody") is None
    world.roster.see("V-1", north(9), stage.now)
    person.link_up, person.duty = False, None
    changes.admit(replace(PEOPLE["V-1"], capacity=9))
    changes.admit(PEOPLE["C-1"])
    changes.set_timer("watcher:anna", stage.now + timedelta(seconds=5))
    changes.watch("bo", None, watching=True)
    changes.dismiss("anna")
    changes.choose_from(PolicySet([LADDERS["emergency"]]))
    changes.expect_alarm("GW", "new", "BTN-1", "c-1")
    changes.expect_alarm("GW", "twice", "BTN-1", "c-2")
    assert changes.early_cancel("GW", "early", "BTN-1") is not None
    assert changes.early_cancel("GW", "never", "BTN-1") is None
    assert state(stage.engine, stage.now) != before
    changes.undo()
    assert state(stage.engine, stage.now) == before
