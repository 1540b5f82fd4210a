"""The family: who is told of an emergency and what, that it is of nothing else, and that nothing of it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from callhub.domain import events as e
from callhub.domain.family import News
from callhub.domain.people import Actor, ActorKind, Role
from tests.scenarios.town import Person, Town

if TYPE_CHECKING:
    from callhub.domain.incident import Incident

ALL = ["opened", "coming", "there", "closed"]


def home_with_son(**fields: Any) -> tuple[Town, Person]:
    """An elder with a son, and one volunteer."""
    town = Town()
    town.elder()
    town.contact("SON", **fields)
    return town, town.responder("V-1")


def ends_well(town: Town, person: Person, incident: Incident) -> None:
    """From yes to the end."""
    person.accepts()
    person.reports("en_route")
    person.reports("on_scene")
    person.reports("cleared", outcome="helped")
    town.act(incident.id, "close", outcome="helped")


def newest(town: Town) -> dict[str, Any]:
    """The newest message to the family."""
    return [m.body for m in town.sent if m.type.value == "family"][-1]


def test_the_family_hears_that_it_opened_that_someone_comes_is_there_and_that_it_closed() -> None:
    town, person = home_with_son()
    incident = town.press()
    assert town.news("SON") == ["opened"]
    assert newest(town) == {
        "incident": incident.id,
        "what": "opened",
        "at": town.now,
        "kind": "sos",
        "state": "seeking",
        "elder": "E-1",
        "responder": None,
        "eta_s": None,
    }
    person.accepts()
    assert town.news("SON") == ["opened", "coming"]
    assert (newest(town)["responder"], newest(town)["eta_s"]) == ("V-1", 177)
    person.reports("en_route")
    assert town.news("SON") == ["opened", "coming"], "on the way is no news for who was told that somebody comes"
    person.reports("on_scene")
    person.reports("cleared", outcome="helped")
    town.act(incident.id, "close", outcome="helped")
    assert town.news("SON") == ALL


def test_each_contact_is_told_what_they_want() -> None:
    town, person = home_with_son(inform=(News.CLOSED,))
    town.contact("DAUGHTER", inform=(News.COMING, News.THERE))
    town.contact("COUSIN", inform=())
    ends_well(town, person, town.press())
    assert town.news("SON") == ["closed"]
    assert town.news("DAUGHTER") == ["coming", "there"]
    assert town.news("COUSIN") == []


def test_the_family_hears_again_when_somebody_else_comes() -> None:
    town, person = home_with_son(inform=(News.COMING,))
    other = town.responder("V-2", 300)
    town.press()
    person.accepts()
    person.reports("release", reason="my own child fell")
    other.accepts()
    assert [m.body["responder"] for m in town.sent if m.type.value == "family"] == ["V-1", "V-2"]


def test_a_cancelled_emergency_is_over_for_the_family_too() -> None:
    town, _ = home_with_son()
    incident = town.press()
    town.act(incident.id, "cancel", reason="spoke to her")
    assert town.news("SON") == ["opened", "closed"]
    assert newest(town)["state"] == "cancelled"


def test_a_reopened_emergency_is_told_as_a_new_one() -> None:
    town, person = home_with_son()
    incident = town.press()
    ends_well(town, person, incident)
    town.act(incident.id, "reopen")
    assert town.news("SON") == [*ALL, "opened"]


def test_a_note_after_the_end_is_no_news() -> None:
    town, person = home_with_son()
    incident = town.press()
    ends_well(town, person, incident)
    town.act(incident.id, "feedback", rating=5)
    assert town.news("SON") == ALL


def test_nobody_is_frightened_by_a_service_a_drill_or_a_test() -> None:
    town, person = home_with_son()
    ends_well(town, person, town.press(kind="meal"))
    who = Actor(ActorKind.USER, "anna", Role.OPERATOR)
    town.tell(e.DrillAsked(id=town.new_id(), actor=who, elder=town.elders["E-1"], kind="sos", reason="half-yearly"))
    test = town.press(says_test=True)
    town.act(test.id, "close", outcome="false_alarm")
    assert town.news("SON") == []


def test_a_real_press_that_joins_a_test_is_told() -> None:
    town, _ = home_with_son()
    town.press(says_test=True)
    assert town.news("SON") == []
    town.press()
    assert town.news("SON") == ["opened"]


def test_a_contact_who_is_added_later_hears_what_is_so_by_then() -> None:
    town, person = home_with_son()
    incident = town.press()
    person.accepts()
    town.contact("DAUGHTER")
    assert town.news("DAUGHTER") == ["opened", "coming"]
    assert town.news("SON") == ["opened", "coming"], "whoever knows is not told again"
    person.reports("on_scene")
    town.contact("COUSIN", inform=(News.COMING, News.THERE))
    assert town.news("COUSIN") == ["there"]
    assert [fact.fact for fact in town.facts(incident.id, "family_changed")] == ["family_changed"] * 2


def test_an_import_that_changes_nobody_here_is_no_fact() -> None:
    town, _ = home_with_son()
    incident = town.press()
    town.contact("SON", phone="13800000009")
    assert town.facts(incident.id, "family_changed") == []
    assert town.news("SON") == ["opened"]


def test_whoever_wants_more_news_hears_what_they_did_not_want_before() -> None:
    town, person = home_with_son(inform=(News.CLOSED,))
    town.press()
    person.accepts()
    town.contact("SON", inform=(News.COMING, News.CLOSED))
    assert town.news("SON") == ["coming"]


def test_an_elder_who_is_identified_later_brings_their_family() -> None:
    town, person = home_with_son()
    incident = town.press(device="STRANGE", device_record=None)
    assert town.news("SON") == []
    town.act(incident.id, "identify", elder="E-1")
    assert town.news("SON") == ["opened"]
    person.accepts()
    assert town.news("SON") == ["opened", "coming"]


def test_what_is_kept_and_told_of_the_family_holds_ids_alone() -> None:
    town, person = home_with_son(phone="13800000009", relation="son")
    incident = town.press()
    ends_well(town, person, incident)
    kept = repr(town.rows[incident.id]) + repr([m.body for m in town.sent if m.type.value == "family"])
    assert "SON" in kept
    assert "13800000009" not in kept


def test_a_restart_in_between_tells_nothing_twice_and_forgets_nobody() -> None:
    town, person = home_with_son()
    incident = town.press()
    person.accepts()
    town.restart(after_s=5)
    assert town.incident(incident.id).family[0].contact == "SON"
    person.reports("on_scene")
    assert town.news("SON") == ["opened", "coming", "there"]


def test_a_call_by_telephone_is_told_as_a_press_is() -> None:
    town, _ = home_with_son()
    town.call("fall", elder="E-1")
    assert town.news("SON") == ["opened"]
