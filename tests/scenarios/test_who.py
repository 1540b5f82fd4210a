"""Who can be asked: duty, reach, capacity, history; and who is asked first."""

from __future__ import annotations

from datetime import timedelta, timezone

from callhub.dispatch.rules import Rules
from callhub.domain.people import Position, ResponderKind
from tests.scenarios.town import NOON, Town, metres_north


def test_only_people_on_duty_are_asked() -> None:
    town = Town()
    town.elder()
    away = town.responder("V-1", on_duty=False)
    town.press()
    assert not away.was_asked()


def test_hours_put_people_on_duty_who_said_nothing() -> None:
    town = Town()
    town.elder()
    in_hours = town.responder("V-1", on_duty=False, hours="00:00-06:00")
    out_of_hours = town.responder("V-2", on_duty=False, hours="06:00-08:00")
    town.press()
    assert in_hours.was_asked()
    assert not out_of_hours.was_asked()


def test_what_people_said_wins_over_their_hours() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False, hours="00:00-24:00")
    assert person.goes(on_duty=False).body["state"] == "off_duty"
    town.press()
    assert not person.was_asked()


def test_whoever_comes_on_duty_later_is_asked_at_once() -> None:
    town = Town()
    town.elder()
    late = town.responder("V-1", on_duty=False)
    town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    assert town.incident(incident.id).step == 1

    late.goes(on_duty=True)

    assert late.hears() == ["offer"]
    assert town.incident(incident.id).offers[late.offer["offer"]].step == 0


def test_every_step_reached_before_counts_also_after_the_ladder_began_anew() -> None:
    town = Town()
    town.elder()
    sent = town.responder("V-1", 5000)
    desk = town.desk(("D", "S", "C"), "community")
    town.watch()
    incident = town.press()
    assert desk.offers() == 1
    desk.declines()
    town.act(incident.id, "assign", responder="V-1", confirmed_by="telephone")
    near = town.responder("V-2", 100)
    sent.reports("release")
    assert near.was_asked()
    assert town.incident(incident.id).step == 0

    other = town.responder("DESK-C2", kind=ResponderKind.DESK, area=("D", "S", "C"), level="community", capacity=None)

    assert other.was_asked()
    assert town.incident(incident.id).offers[other.offer["offer"]].step == 1


def test_whoever_comes_on_duty_is_asked_under_unanswered_too() -> None:
    town = Town()
    town.elder()
    late = town.responder("V-1", on_duty=False)
    town.advance(120)
    assert town.press().state == "unanswered"

    late.goes(on_duty=True)

    assert late.hears() == ["offer"]
    late.accepts()
    assert town.progress()[-1] == "assigned"


def test_whoever_s_hours_begin_is_asked_at_that_moment() -> None:
    town = Town()
    town.elder()
    morning = town.responder("V-1", on_duty=False, hours="04:10-08:00")
    town.press()
    assert town.now == NOON

    town.advance(599)
    assert not morning.was_asked()
    town.advance(1)
    assert morning.was_asked()


def test_hours_are_local() -> None:
    town = Town(rules=Rules(timezone=timezone(timedelta(hours=8))))
    town.elder()
    at_noon = town.responder("V-1", on_duty=False, hours="12:00-13:00")
    town.press()
    assert at_noon.was_asked()


def test_hours_that_end_withdraw_the_offer() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False, hours="00:00-04:00, 03:00-04:01")
    other = town.responder("V-2", 500, on_duty=False)
    town.press()
    assert person.was_asked()
    other.goes(on_duty=True)

    town.advance(60)

    assert person.told("stand_down")[-1]["reason"] == "off_duty"


def test_whoever_stands_in_two_shifts_at_once_is_asked_once_and_until_the_later_one_ends() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False, hours="tue 03:00-04:02, tue 03:30-04:05")
    town.press()
    town.advance(120)  # the first shift is over, the offer long silent
    assert person.offers() == 1
    assert not person.told("stand_down")
    town.advance(180)
    assert [body["reason"] for body in person.told("stand_down")] == ["off_duty"]


def test_presence_ends_at_its_until_and_the_offer_with_it() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False)
    person.goes(on_duty=True, until=town.now + timedelta(seconds=30))
    town.press()
    assert person.was_asked()

    town.advance(30)

    assert person.told("stand_down")[-1]["reason"] == "off_duty"
    assert town.notes[-1].facts[0].fact == "duty_changed"


def test_an_absence_with_an_end_gives_way_to_hours_again() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False, hours="00:00-24:00")
    person.goes(on_duty=False, until=town.now + timedelta(seconds=100))
    town.press()
    assert not person.was_asked()

    town.advance(100)

    assert person.was_asked()


def test_a_presence_that_ended_while_the_server_was_down_withdraws_the_offer() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1", on_duty=False)
    person.goes(on_duty=True, until=town.now + timedelta(seconds=10))
    incident = town.press()
    assert person.was_asked()

    town.restart(after_s=15)
    town.advance(0)

    assert town.incident(incident.id).offer_of("V-1") is None
    assert person.told("stand_down")[-1]["reason"] == "off_duty"


def test_paired_people_come_first_however_far() -> None:
    town = Town()
    paired = town.responder("V-daughter", 5000)
    town.elder(paired=("V-daughter",))
    near, second = town.responder("V-1", 100), town.responder("V-2", 200)

    incident = town.press()

    assert paired.was_asked()
    assert near.was_asked()
    assert not second.was_asked()
    assert town.facts(incident.id, "ranked")[0].chosen[0]["paired"] is True


def test_then_the_least_expected_arrival_in_whole_seconds_then_load_then_id() -> None:
    town = Town()
    town.elder()
    town.elder("E-2")
    busy, idle = town.responder("V-a", 100.0), town.responder("V-b", 100.15)
    third = town.responder("V-c", 100.1)
    first = town.press()
    assert (busy.offers(), idle.offers(), third.offers()) == (1, 1, 0)
    busy.accepts()
    busy.reports("on_scene")
    busy.reports("cleared", outcome="helped")
    town.act(first.id, "close", outcome="helped")
    town.advance(1)

    town.press("E-2")

    assert (busy.offers(), idle.offers(), third.offers()) == (1, 2, 1)


def test_a_fresh_position_of_the_app_wins_over_home_and_grows_old() -> None:
    town = Town()
    town.elder()
    town.elder("E-2")
    moved = town.responder("V-1", 1900)
    near = [town.responder(f"V-{n}", 300 + n) for n in (2, 3)]
    moved.goes(on_duty=True, at=metres_north(10))

    town.press()
    assert moved.offer["distance_m"] == 10
    moved.declines()

    town.advance(901)
    town.press("E-2")
    assert moved.offers() == 1
    assert all(p.was_asked() for p in near)


def test_whoever_comes_near_enough_is_asked_at_once() -> None:
    town = Town()
    town.elder()
    far = town.responder("V-1", 9000)
    town.press()
    assert not far.was_asked()

    far.goes(on_duty=True, at=metres_north(500))

    assert far.hears() == ["offer"]


def test_whoever_declined_is_not_asked_again_by_later_steps_or_repeats() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    person.declines()

    town.advance(600)

    assert person.offers() == 1


def test_whoever_accepted_and_gave_it_back_is_not_asked_again() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    person.accepts()
    person.reports("release", reason="car broke down")

    town.advance(600)

    assert person.offers() == 1


def test_withdrawn_is_not_declined() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    first = person.offer["offer"]
    person.goes(on_duty=False)

    person.goes(on_duty=True)

    assert person.hears() == ["offer"]
    assert person.offer["offer"] != first


def test_an_offer_shows_no_address() -> None:
    town = Town()
    town.elder()
    person = town.responder("V-1")
    town.press()
    assert set(person.offer) == {
        *("offer", "incident", "kind", "urgency", "elder", "area", "distance_m", "eta_s", "respond_by", "reminder"),
    }
    assert "Fuyuanli" not in str(person.offer)


def test_nobody_is_asked_for_somebody_else_s_offer() -> None:
    town = Town()
    town.elder()
    mine, other = town.responder("V-1", 100), town.responder("V-2", 200)
    town.press()
    assert other.accepts(mine.offer["offer"]).code == "unknown_offer"
    assert other.accepts("nothing").code == "unknown_offer"
    assert other.accepts("000001-7").code == "unknown_offer"


def test_two_people_at_one_place_are_asked_in_the_order_of_their_ids() -> None:
    town = Town()
    town.elder()
    place = Position(39.081, 117.22)
    people = {id: town.responder(id, position=place) for id in ("V-c", "V-a", "V-b")}
    town.press()
    assert [id for id in sorted(people) if people[id].was_asked()] == ["V-a", "V-b"]
