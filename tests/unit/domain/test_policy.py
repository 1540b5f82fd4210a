"""Policies: what a table may say, which ladder a kind takes, and what happens when nobody answers."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callhub.domain.paper import without_ladder
from callhub.domain.policy import (
    KINDS,
    SERVICE_KINDS,
    Ask,
    IncidentClass,
    Level,
    Policy,
    PolicySet,
    Step,
    policy_from_table,
    policy_key,
    policy_to_table,
)
from callhub.domain.roll_call import HOME_CHECK, ROLL_CALL
from callhub.domain.supervision import FAULTS
from callhub.errors import ConfigError

SHIPPED = sorted((Path(__file__).parents[3] / "config" / "policies").rglob("*.toml"))
NIGHT = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

Table = dict[str, object]


def people(**changes: object) -> Table:
    return {"name": "neighbours", "ask": ["volunteer"]} | changes


def desk(**changes: object) -> Table:
    return {"name": "desk", "ask": ["desk"], "level": "community"} | changes


def table(**changes: object) -> Table:
    return {"id": "p", "class": "emergency", "kinds": ["sos"], "step": [people(), desk()]} | changes


def policy(**changes: object) -> Policy:
    return policy_from_table(table(**changes), "p.toml")


ALWAYS = policy(id="always", kinds=["sos", "unknown"])


def test_reads_every_key() -> None:
    figures: Table = {
        "urgency": 2,
        "hours": "mon-sun 22:00-06:00",
        "needed": 2,
        "repeat_s": 61,
        "owner_check_s": 121,
        "desk_call_s": 122,
        "service_check_s": 601,
        "arrival_slack": 1.25,
        "arrival_min_s": 301.5,
        "resolution_s": 3601,
        "follow_up_s": 86401,
    }
    first: Table = {
        "name": "near",
        "ask": ["paired", "caregiver", "grid_worker"],
        "skills": ["first_aid"],
        "fan_out": 2,
        "fan_out_max": 4,
        "radius_m": 900,
        "offer_timeout_s": 10,
        "step_timeout_s": 20.5,
    }
    read = policy(**figures, step=[first, desk(level="street")])
    for key, value in figures.items():
        assert getattr(read, key) == value, key
    near = (Ask.PAIRED, Ask.CAREGIVER, Ask.GRID_WORKER)
    assert read.steps[0] == Step("near", near, ("first_aid",), None, 2, 4, 900, 10, 20.5)
    assert read.steps[1].level is Level.STREET
    assert (read.id, read.class_, read.kinds) == ("p", IncidentClass.EMERGENCY, ("sos",))


def test_what_may_be_left_out() -> None:
    read = policy()
    assert (read.urgency, read.hours, read.needed, read.repeat_s) == (1, "", 1, 60)
    assert read.steps[0] == Step("neighbours", (Ask.VOLUNTEER,))
    assert (read.steps[0].fan_out, read.steps[0].fan_out_max, read.steps[0].radius_m) == (3, 7, None)
    assert policy(step=[people(fan_out=9), desk()]).steps[0].fan_out_max == 9
    assert policy(**{"class": "service"}, kinds=["meal"]).urgency > policy().urgency


def test_roles_are_read_and_leave_the_key_of_a_ladder_without_them_as_it_was() -> None:
    pair = policy(needed=2, roles=["elder", "key"], step=[people(ask=["keyholder"]), desk()])
    assert pair.roles == ("elder", "key")
    assert pair.steps[0].asks_people
    assert policy_from_table(policy_to_table(pair), "again") == pair
    assert "roles" not in policy_to_table(policy(needed=2))
    assert policy_key(pair) != policy_key(policy(needed=2, step=[people(ask=["keyholder"]), desk()]))


def test_knows_whom_a_step_asks() -> None:
    both = Step("both", (Ask.DESK, Ask.VOLUNTEER), level=Level.GRID)
    call = Step("call", (Ask.CALL_BACK,))
    assert (both.asks_desk, both.asks_people) == (True, True)
    assert (call.asks_desk, call.asks_people) == (False, False)


@pytest.mark.parametrize(
    ("wrong", "key", "says"),
    [
        ({"colour": "red"}, "colour", "unknown key"),
        ({"id": ""}, "id", "write a text"),
        ({"class": "urgent"}, "class", "write one of emergency, service, technical, drill"),
        ({"kinds": []}, "kinds", "write a list"),
        ({"kinds": ["sos", "sso"]}, "kinds[1]", "no emergency kind"),
        ({"kinds": ["meal"]}, "kinds[0]", "no emergency kind"),
        ({"urgency": 0}, "urgency", "from 1 to 9"),
        ({"hours": "mo 07:00-21:00"}, "hours", "'mo' is no day"),
        ({"needed": 0}, "needed", "whole number"),
        ({"roles": ["elder", "key"]}, "roles", "has 2 for 1 needed: name one role for each, or leave roles out"),
        ({"repeat_s": 0.5}, "repeat_s", "from 1 to"),
        ({"owner_check_s": "120"}, "owner_check_s", "write a number"),
        ({"arrival_slack": 0.9}, "arrival_slack", "from 1 to"),
        ({"step": []}, "step", "at least one"),
        ({"step": [people(), desk(colour="red")]}, "step[1].colour", "unknown key"),
        ({"step": [{"ask": ["desk"], "level": "street"}]}, "step[0].name", "is missing"),
        ({"step": [{"name": "x"}]}, "step[0].ask", "is missing"),
        ({"step": [people(ask=["everyone"]), desk()]}, "step[0].ask[0]", "write one of paired"),
        ({"step": [people(fan_out=5, fan_out_max=4), desk()]}, "step[0].fan_out", "more than fan_out_max"),
        ({"step": [people(radius_m=0), desk()]}, "step[0].radius_m", "from 1 to"),
        ({"step": [people(offer_timeout_s=0), desk()]}, "step[0].offer_timeout_s", "from 1 to"),
        ({"step": [people(level="street"), desk()]}, "step[0].level", "steps that ask a desk"),
        ({"step": [people(), {"name": "desk", "ask": ["desk"]}]}, "step[1].level", "is missing"),
        ({"step": [desk(level="city")]}, "step[0].level", "write one of district, street, community, grid"),
        ({"step": [people()]}, "step[0].ask", "end with a human"),
        ({"step": [desk(), people()]}, "step[1].ask", "end with a human"),
        ({"step": [people(ask=["call_back"])]}, "step[0].ask", "end with a human"),
        ({"step": [people(ask=["call_back", "paired"]), desk()]}, "step[0].ask", "stands alone"),
        ({"step": [people(), desk(), people(ask=["call_back"], name="x"), desk()]}, "step[2].ask", "first step"),
        ({"step": [people(ask=["call_back"], step_timeout_s=301), desk()]}, "step[0].step_timeout_s", "300 s at most"),
        (
            {"class": "service", "kinds": ["meal"], "step": [people(ask=["call_back"]), desk()]},
            "step[0].ask",
            "for emergencies",
        ),
        ({"window": "mon-fri 08:00-18:00"}, "window", "an emergency never waits"),
        ({"class": "service", "kinds": ["meal"], "window": "mo"}, "window", "'mo' is no day"),
        ({"class": "service", "kinds": ["meal"], "window": "sat 08:00-08:59"}, "window", "less than 60 minutes"),
        ({"step": [people(), desk(name="neighbours")]}, "step[1].name", "name of an earlier step"),
        ({"step": [desk(), desk(name="again")]}, "step[1]", "never reached"),
    ],
)
def test_refuses_and_names_file_and_key(wrong: Table, key: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        policy(**wrong)
    assert caught.value.message.startswith(f"p.toml: {key}: ")
    assert caught.value.field == key


@pytest.mark.parametrize("key", ["id", "class", "kinds", "step"])
def test_refuses_what_is_missing(key: str) -> None:
    whole = table()
    del whole[key]
    with pytest.raises(ConfigError, match=f"{key}: is missing"):
        policy_from_table(whole, "p.toml")


def test_a_desk_may_be_asked_again_together_with_people() -> None:
    again = desk(name="again", ask=["desk", "grid_worker"])
    assert len(policy(step=[desk(), again, desk(name="street", level="street")]).steps) == 3


def test_call_back_is_accepted_before_others() -> None:
    read = policy(step=[people(ask=["call_back"], name="ask the elder"), desk()])
    assert (read.steps[0].ask, read.steps[0].calls_back, read.steps[1].calls_back) == ((Ask.CALL_BACK,), True, False)
    drill = policy(**{"class": "drill"}, step=[people(ask=["call_back"], step_timeout_s=300), desk()])
    assert drill.steps[0].calls_back


def test_a_window_is_for_what_can_wait_and_is_part_of_the_ladder() -> None:
    open_ = policy(**{"class": "service"}, kinds=["meal"], window="mon-fri 08:00-18:00; 2027-02-06 off")
    assert policy_from_table(policy_to_table(open_), "incident") == open_
    assert policy_key(open_) != policy_key(policy(**{"class": "service"}, kinds=["meal"]))
    assert policy(**{"class": "technical"}, kinds=["tamper"], window="sat").window == "sat"


def test_a_ladder_without_a_window_keeps_the_key_it_had_before_there_were_any() -> None:
    assert "window" not in policy_to_table(policy())


def test_frozen_as_json_and_back() -> None:
    rich = policy(hours="sat", repeat_s=1.5, step=[people(radius_m=900.5, skills=["first_aid"]), desk()])
    for one in (rich, ALWAYS):
        frozen = json.loads(json.dumps(policy_to_table(one)))
        assert policy_from_table(frozen, "incident") == one


def test_the_key_names_this_very_ladder() -> None:
    first = policy(repeat_s=60, step=[people(radius_m=900), desk()])
    same = policy(repeat_s=60.0, step=[people(radius_m=900.0), desk()])
    assert policy_key(first) == policy_key(same)
    assert re.fullmatch("p@[0-9a-f]{16}", policy_key(first))
    changed = [policy(repeat_s=61), policy(repeat_s=60.5), policy(step=[people(radius_m=901), desk()]), policy(id="q")]
    assert len({policy_key(one) for one in [first, *changed]}) == 5
    assert policy_key(policy_from_table(json.loads(json.dumps(policy_to_table(first))), "x")) == policy_key(first)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_policies_are_whole(file: Path) -> None:
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    read = policy_from_table(written, file.name)
    assert read.id == file.stem
    complete = policy_to_table(read)
    assert {key: written[key] for key in complete if key != "step"} == {k: complete[k] for k in complete if k != "step"}


def test_shipped_policies_give_every_kind_a_ladder_of_its_class() -> None:
    policies = PolicySet(policy_from_table(tomllib.loads(f.read_text(encoding="utf-8")), f.name) for f in SHIPPED)
    others = ("emergency", "fall", "night", "sensor", "smoke_gas", "technical", ROLL_CALL, HOME_CHECK)
    assert set(policies.by_id) == {*others, *FAULTS, *SERVICE_KINDS}
    assert [policies.choose(kind, NIGHT).id for kind in ("sos", "smoke", "door")] == ["night", "smoke_gas", "sensor"]
    assert [policies.choose(kind, NIGHT).id for kind in FAULTS] == list(FAULTS)
    assert without_ladder(policies.by_id.values()) == []
    for class_ in (IncidentClass.EMERGENCY, IncidentClass.SERVICE, IncidentClass.TECHNICAL):
        for kind in KINDS[class_]:
            chosen = policies.choose(kind, NOON)
            assert chosen.class_ is class_
            assert kind in chosen.kinds


def test_shipped_sensors_are_called_back_first_and_fire_never_waits_longer_than_30_s() -> None:
    read = {f.stem: policy_from_table(tomllib.loads(f.read_text(encoding="utf-8")), f.name) for f in SHIPPED}
    waits = {id: ladder.steps[0].step_timeout_s for id, ladder in read.items() if ladder.steps[0].calls_back}
    assert waits == {"sensor": 45, "smoke_gas": 20}
    assert {id for id, ladder in read.items() if ladder.window} == {"low_battery", *SERVICE_KINDS}


def test_hours_win_over_always() -> None:
    night = policy(id="night", hours="mon-sun 22:00-06:00")
    for order in ([ALWAYS, night], [night, ALWAYS]):
        policies = PolicySet(order)
        assert policies.choose("sos", NIGHT) is night
        assert policies.choose("sos", NOON) is ALWAYS
        assert policies.choose("unknown", NIGHT) is ALWAYS


def test_a_kind_without_a_ladder_takes_the_emergency_one() -> None:
    evening = policy(**{"class": "service"}, id="meals", kinds=["meal"], hours="mon-sun 16:00-19:00")
    policies = PolicySet([evening, ALWAYS])
    assert policies.choose("meal", NOON) is ALWAYS
    assert policies.choose("never heard of", NOON) is ALWAYS
    assert policies.fallback is ALWAYS


def test_drills_have_ladders_of_their_own() -> None:
    drill = policy(**{"class": "drill"}, id="drill")
    policies = PolicySet([drill, ALWAYS])
    assert policies.choose("sos", NOON) is ALWAYS
    assert policies.choose("sos", NOON, drill=True) is drill
    assert policies.choose("fall", NOON, drill=True) is ALWAYS


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ([ALWAYS, ALWAYS], "two policies are called 'always'"),
        ([ALWAYS, policy(id="other")], "'always' and 'other' both claim 'sos'"),
        ([policy(id="a", hours="sat"), policy(id="b", hours="fri 22:00-06:00")], "'a' and 'b' both claim 'sos'"),
        ([], "must have the kind 'unknown'"),
        ([policy()], "must have the kind 'unknown'"),
        ([policy(kinds=["unknown"], hours="mon-sun")], "must have the kind 'unknown'"),
        ([policy(**{"class": "drill"}, kinds=["unknown"])], "must have the kind 'unknown'"),
    ],
)
def test_a_set_refuses(policies: list[Policy], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        PolicySet(policies)


def test_policies_of_one_kind_may_share_the_week() -> None:
    day, night = policy(id="day", hours="06:00-22:00"), policy(id="night", hours="22:00-06:00")
    policies = PolicySet([ALWAYS, day, night])
    assert [policies.choose("sos", at).id for at in (NOON, NIGHT)] == ["day", "night"]


def test_a_roll_call_without_a_ladder_goes_by_that_of_a_silent_device() -> None:
    silent = policy(**{"class": "technical"}, id="silent", kinds=["supervision_lost"])
    assert PolicySet([ALWAYS, silent]).choose("home_check", NOON) is silent
    assert PolicySet([ALWAYS]).choose("home_check", NOON) is ALWAYS
