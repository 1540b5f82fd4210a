"""The main job: a press, an offer, a yes, an arrival, the end."""

from __future__ import annotations

from tests.scenarios.town import Town


def test_a_press_asks_the_nearest_and_ends_closed() -> None:
    town = Town()
    town.elder()
    far = town.responder("V-far", 900)
    near = town.responder("V-near", 100)
    middle = town.responder("V-middle", 300)

    incident = town.press()

    assert near.was_asked()
    assert middle.was_asked()
    assert not far.was_asked()
    assert near.offer["distance_m"] == 100
    assert near.accepts().body["state"] == "assigned"
    assert middle.told("stand_down")[-1]["reason"] == "filled"
    assert near.told("assignment")[-1]["go_to"]["address"] == "Fuyuanli 3"
    assert town.incident(incident.id).state == "assigned"
    near.reports("en_route")
    near.reports("on_scene", proof={"card": "CARD-E-1"})
    assert town.incident(incident.id).state == "on_scene"
    near.reports("cleared", outcome="helped")
    assert town.incident(incident.id).state == "resolved"
    town.act(incident.id, "close", outcome="helped")
    assert town.incident(incident.id).state == "closed"
    assert town.progress() == ["seeking", "assigned", "en_route", "on_scene", "resolved", "closed"]


def test_nobody_answers_and_the_ladder_climbs_to_unanswered_and_rings_again() -> None:
    town = Town()
    town.elder()
    for n in range(5):
        town.responder(f"V-{n}", 100 + n)
    community = town.desk(("D", "S", "C"), "community")
    district = town.desk(("D",), "district")
    town.watch()

    incident = town.press()
    assert len(incident.open_offers) == 2
    town.advance(20)
    assert len(town.incident(incident.id).open_offers) == 2
    assert len(town.incident(incident.id).offers) == 4
    town.advance(40)
    assert community.was_asked()
    assert not district.was_asked()
    town.advance(60)
    assert district.was_asked()
    town.advance(60)
    assert town.incident(incident.id).state == "unanswered"
    assert town.incident(incident.id).rings
    rung = len(town.facts(incident.id, "ladder_exhausted"))
    town.advance(180)
    assert len(town.facts(incident.id, "ladder_exhausted")) == rung + 3


def test_a_press_with_nobody_at_all_is_unanswered_at_once() -> None:
    town = Town()
    town.advance(120)
    incident = town.press(device="UNKNOWN-1")

    assert incident.state == "unanswered"
    assert incident.device_known is False
