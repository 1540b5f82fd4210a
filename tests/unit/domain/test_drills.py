"""The marks of drills."""

from callhub.domain.drills import DRILLED_AREA, DRILLED_ELDER
from callhub.store.records import marks_of
from tests.scenarios.town import NOON


def test_marks_of_drills_are_two_kinds_and_no_business_of_supervision() -> None:
    seen = {(DRILLED_AREA, "D"): NOON, (DRILLED_ELDER, "D"): NOON, ("linked", "GW"): NOON}
    assert len(seen) == 3
    assert marks_of(seen) == {("linked", "GW"): NOON}
