"""Texts: every language is complete, nothing raises on the way to a reader."""

from __future__ import annotations

import json
import string
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from callhub import texts
from callhub.domain.facts import Fact
from callhub.domain.incident import AssignmentState, IncidentState, OfferState, OwnerKind, Source
from callhub.domain.paper import play_on_paper
from callhub.domain.people import ResponderKind, Role
from callhub.domain.policy import KINDS, Ask, IncidentClass, Level, policy_from_table
from callhub.domain.whistle import WhistleState
from callhub.errors import ErrorCode
from callhub.settings import shipped
from callhub.texts import LANGUAGES, catalogue, negotiate, step_name, text

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(texts.__file__).with_name("catalogue")

# Words of the wire that no enum holds, by the group of their texts.
WORDS = {
    "say": "seeking assigned en_route on_scene resolved closed unanswered cancelled",
    "outcome": "helped false_alarm hospital emergency_services no_access other",
    "need": "key second_person ambulance police fire other",
    "party": "elder family responder 120 110 119",
    "contact": "spoke_ok needs_help silent no_answer requested arrived",
    "why_not": "disabled leave off_duty unreachable busy skill declined accepted asked rest quiet cap load farther "
    "too_far",
    "whistle_reason": "not_reported not_finished cancelled disabled",
    "stand_down": "filled resolved cancelled closed off_duty busy disabled",
    "update": "cancel_requested alarm_joined service_called responder_added responder_on_scene go_to_changed note "
    "released",
}
ENUMS: dict[str, Iterable[str]] = {
    "error": ErrorCode,
    "state": IncidentState,
    "offer_state": OfferState,
    "assignment_state": AssignmentState,
    "whistle_state": WhistleState,
    "class": IncidentClass,
    "ask": Ask,
    "level": Level,
    "responder": ResponderKind,
    "role": Role,
    "source": Source,
    "owner": OwnerKind,
}


def parameters(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def needed_codes() -> set[str]:
    codes = {f"{group}.{word}" for group, words in WORDS.items() for word in words.split()}
    codes |= {f"{group}.{word}" for group, words in ENUMS.items() for word in words}
    codes |= {f"kind.{kind}" for kinds in KINDS.values() for kind in kinds}
    return codes | {f"fact.{kind.__dataclass_fields__['fact'].default}" for kind in get_args(Fact)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_people_see_has_a_text(language: str) -> None:
    assert not needed_codes() - set(catalogue(language))


def test_every_language_has_the_same_codes_with_the_same_parameters() -> None:
    first, *others = (catalogue(language) for language in LANGUAGES)
    for other in others:
        assert {c: parameters(t) for c, t in first.items()} == {c: parameters(t) for c, t in other.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_flat_sorted_and_without_empty_texts(language: str) -> None:
    written = (FOLDER / f"{language}.json").read_text(encoding="utf-8")
    loaded = json.loads(written)
    assert all(isinstance(value, str) and value.strip() for value in loaded.values())
    assert written == json.dumps(dict(sorted(loaded.items())), ensure_ascii=False, indent=2) + "\n"


def test_only_known_languages_have_a_file() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(LANGUAGES)
    with pytest.raises(KeyError):
        catalogue("../../secrets")


def test_sentences_in_the_readers_language() -> None:
    assert text("zh-CN", "say.assigned", name="王师傅", minutes=4) == "王师傅约4分钟后到。"
    assert text("zh", "say.assigned", name="王师傅", minutes=4.0) == "王师傅约4分钟后到。"
    assert text("en", "say.assigned", name="Wang", minutes=4) == "Wang will be there in about 4 minutes."


@pytest.mark.parametrize("params", [{}, {"name": "Wang"}, {"nmae": "Wang", "minutes": 4}])
def test_a_missing_parameter_shows_the_code(params: dict[str, object]) -> None:
    assert text("en", "say.assigned", **params) == "say.assigned"


def test_an_unknown_code_shows_itself_and_an_unknown_language_the_default() -> None:
    assert text("en", "no.such.code", name="x") == "no.such.code"
    assert text("fr", "state.closed") == text("zh-CN", "state.closed")


def test_values_are_never_read_as_templates() -> None:
    assert text("en", "say.on_scene", name="{minutes}{0.__class__}") == "{minutes}{0.__class__} has arrived."


def test_lists_hold_codes() -> None:
    who = ("ask.paired", "ask.volunteer", "ask.new")
    params = {"step": "s", "fan_out": 3, "offer_timeout_s": 20}
    assert "paired helpers, volunteers, ask.new" in text("en", "paper.ask_anywhere", who=who, **params)
    assert "结对人、志愿者、ask.new" in text("zh", "paper.ask_anywhere", who=list(who), **params)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ladder_on_paper_reads_well(language: str) -> None:
    steps: list[dict[str, object]] = [
        {"name": "ring", "ask": ["call_back"]},
        {"name": "near", "ask": ["paired", "volunteer"], "radius_m": 2000},
        {"name": "all", "ask": ["grid_worker", "desk"], "level": "street"},
    ]
    press = {"id": "p", "class": "emergency", "kinds": ["sos"], "step": steps}
    meal = {"id": "p", "class": "service", "kinds": ["meal"], "step": steps[1:], "window": "mon-fri 08:00-18:00"}
    for table in (press, meal):
        policy = policy_from_table(table, "p.toml")
        for line in play_on_paper(policy):
            read = text(language, line.code, **line.params)
            assert not any(group in read for group in ("paper.", "ask.", "level.")), read


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shipped_step_has_a_name_in_every_language_and_others_keep_theirs(language: str) -> None:
    ladders = [tomllib.loads(file.read_text(encoding="utf-8")) for file in (shipped() / "policies").rglob("*.toml")]
    names = {step["name"] for ladder in ladders for step in ladder["step"]}
    assert {f"step.{name.replace(' ', '_')}" for name in names} == {
        code for code in catalogue(language) if code.startswith("step.")
    }
    for name in names:
        assert (step_name(language, name) == name) == (language == "en"), name
    assert step_name(language, "our own {name}") == "our own {name}"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("zh", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh_TW", "zh-CN"),
        ("en", "en"),
        ("EN_gb", "en"),
        ("de", "zh-CN"),
        ("de, en;q=0.7, zh;q=0.3", "en"),
        ("en;q=0.3, zh;q=0.7", "zh-CN"),
        ("en;q=0", "zh-CN"),
        ("en;q=high", "zh-CN"),
        ("en;level=1", "en"),
    ],
)
def test_negotiates(wanted: str | None, language: str) -> None:
    assert negotiate(wanted) == language
    assert negotiate("de", default="en") == "en"
