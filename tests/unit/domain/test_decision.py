"""A decision names the incidents it changed."""

from callhub.domain.decision import Decision
from callhub.domain.facts import Row
from callhub.domain.people import SYSTEM
from tests.simulation.driver import START


def test_a_row_about_no_incident_touches_none() -> None:
    rows = tuple(Row(id, 1, START, "e", SYSTEM, ()) for id in ("1", None, "2"))
    assert Decision(rows).touched == ("1", "2")
    assert Decision().touched == ()
