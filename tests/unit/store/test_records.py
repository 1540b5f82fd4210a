"""What is derived from a document."""

import pytest

from callhub.domain.people import Elder
from callhub.store.records import Holding, area_path, choose, holdings_of, index_of, keep
from tests.contract.builders import Case, at


def test_the_columns_of_an_incident() -> None:
    case = Case("I-1", 4)
    case.open()
    assert case.incident is not None
    assert index_of(case.incident) == (4, 1, "seeking", "emergency", "E-1", "/D/S/C/G/", None)
    case.close(seconds=9)
    assert case.incident.ended_at == at(9)
    assert keep(case.document).ended_at == at(9)


@pytest.mark.parametrize(("area", "path"), [((), "/"), (("D",), "/D/"), (("D", "S"), "/D/S/")])
def test_an_area_path_can_be_searched(area: tuple[str, ...], path: str) -> None:
    assert area_path(area) == path


def test_live_offers_and_duties_are_held() -> None:
    case = Case("I-1", 1)
    case.open()
    case.offer("V-2")
    case.assign("V-1", slot=2)
    assert case.incident is not None
    assert holdings_of(case.incident) == [Holding("V-1", "assignment", 2), Holding("V-2", "offer", None)]
    case.release()
    case.whistle("FIRE")
    assert holdings_of(case.incident) == [Holding("FIRE", "whistle", None), Holding("V-2", "offer", None)]


def test_what_was_kept_is_read_back() -> None:
    case = Case("I-1", 1)
    case.open()
    assert keep(case.document).read == case.document


def test_a_number_shared_by_several_means_the_first_active_one() -> None:
    assert choose([]) is None
    chosen = choose([Elder("E-3", "x"), Elder("E-1", "x", active=False), Elder("E-2", "x")])
    assert chosen is not None
    assert chosen.id == "E-2"
