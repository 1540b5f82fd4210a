"""Messages on the wire: exactly the fields of the contract, with names, and nothing an offer must not show."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from callhub.domain.family import FamilyContact
from callhub.domain.messages import Addressee, AddresseeKind, Message, MessageType, Stored
from callhub.domain.people import Area, Elder, Position, Responder, ResponderKind
from callhub.domain.policy import Level
from callhub.protocol.render import (
    encode,
    gateway_welcome,
    render,
    responder_welcome,
    wanted_names,
    welcome_item,
    wire_time,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """Records by id."""

    elders: dict[str, Elder] = field(default_factory=dict)
    responders: dict[str, Responder] = field(default_factory=dict)
    areas: dict[str, Area] = field(default_factory=dict)
    contacts: dict[str, FamilyContact] = field(default_factory=dict)


ELDER = Elder(
    "E-1",
    "李奶奶",
    area=("hx",),
    address="富源里 3 号楼 2 门 101",
    phone="022-1",
    access="门锁 1234",
    notes="听力差",
    language="zh",
)
NAMES = Known(
    elders={"E-1": ELDER, "E-2": Elder("E-2", "Mary", language="en")},
    responders={"V-1": Responder("V-1", "王师傅", ResponderKind.VOLUNTEER)},
    areas={
        "hx": Area("hx", None, Level.DISTRICT, "河西区", None),
        "hx-1": Area("hx-1", "hx", Level.STREET, "友谊路街道", None),
        "hx-1-1": Area("hx-1-1", "hx-1", Level.COMMUNITY, "富源里", None),
        "hx-1-1-3": Area("hx-1-1-3", "hx-1-1", Level.GRID, "3 号楼", None),
    },
)
PATH = ["hx", "hx-1", "hx-1-1", "hx-1-1-3"]
OFFER: dict[str, Any] = {
    "offer": "i-1-1", "incident": "i-1", "kind": "sos", "urgency": 1, "elder": "E-1", "area": PATH, "distance_m": 230,
    "eta_s": 190, "respond_by": "2026-11-24T12:00:20Z", "reminder": False,
}  # fmt: skip
ASSIGNMENT: dict[str, Any] = {
    "incident": "i-1", "state": "assigned", "version": 9, "elder": "E-1", "arrive_by": "2026-11-24T12:05:00Z",
    "late": False,
    "go_to": {"address": "a", "position": {"lat": 39.08, "lon": 117.22}, "accuracy_m": 15, "source": "home"},
}  # fmt: skip
PROGRESS: dict[str, Any] = {
    "incident": "i-1", "alarms": ["a-1"], "state": "assigned", "responder": "V-1", "eta_s": 181, "elder": "E-1",
}  # fmt: skip


def rendered(type_: MessageType, body: dict[str, Any], language: str = "zh-CN") -> dict[str, Any]:
    message = Message(Addressee(AddresseeKind.RESPONDER, "V-1"), type_, "i-1", None, body)
    return render(Stored(18, message), NAMES, language)


def test_an_offer() -> None:
    assert rendered(MessageType.OFFER, OFFER) == {
        "type": "offer",
        "seq": 18,
        "offer": "i-1-1",
        "incident": "i-1",
        "kind": "sos",
        "urgency": 1,
        "elder": {"name": "李奶奶"},
        "place": "富源里 3 号楼",
        "distance_m": 230,
        "eta_s": 190,
        "respond_by": "2026-11-24T12:00:20Z",
        "reminder": False,
    }


def test_an_offer_shows_no_address_telephone_or_door_code() -> None:
    frame = encode(rendered(MessageType.OFFER, OFFER))
    for secret in (ELDER.address, ELDER.phone, ELDER.access, ELDER.notes):
        assert secret not in frame


@pytest.mark.parametrize(
    ("path", "place"),
    [(PATH[:3], "富源里"), (PATH[:2], "友谊路街道"), ([], ""), (["gone"], ""), ((), ""), (None, "")],
)
def test_the_place_is_the_nearest_that_has_a_name(path: list[str] | None, place: str) -> None:
    assert rendered(MessageType.OFFER, OFFER | {"area": path})["place"] == place


@pytest.mark.parametrize("elder", [None, "gone"])
def test_an_elder_nobody_knows_is_null(elder: str | None) -> None:
    assert rendered(MessageType.OFFER, OFFER | {"elder": elder})["elder"] is None
    assert rendered(MessageType.ASSIGNMENT, ASSIGNMENT | {"elder": elder})["elder"] is None


def test_a_whistle_has_its_clocks_instead_of_an_eta() -> None:
    clocks = {"report_in_by": "2026-11-24T05:00:00Z", "finish_by": "2026-11-24T06:00:00Z"}
    whistle = {"id": "w", **clocks, "text": "t"}
    wire = rendered(MessageType.OFFER, OFFER | {"whistle": whistle})
    assert wire["whistle"] == whistle
    assert "eta_s" not in wire
    assert rendered(MessageType.ASSIGNMENT, ASSIGNMENT | {"whistle": whistle})["whistle"] == whistle


@pytest.mark.parametrize("type_", list(MessageType))
def test_only_a_drill_says_drill(type_: MessageType) -> None:
    body = {"incident": "i-1"}
    assert rendered(type_, body | {"drill": True})["drill"] is True
    assert "drill" not in rendered(type_, body | {"drill": False})
    assert "drill" not in rendered(type_, body)


def test_a_stand_down() -> None:
    body = {"offer": "i-1-1", "incident": "i-1", "reason": "filled"}
    assert rendered(MessageType.STAND_DOWN, body) == {"type": "stand_down", "seq": 18, **body}


def test_an_assignment_shows_the_elder_whole() -> None:
    assert rendered(MessageType.ASSIGNMENT, ASSIGNMENT) == {
        "type": "assignment",
        "seq": 18,
        **ASSIGNMENT,
        "elder": {
            "name": "李奶奶",
            "phone": "022-1",
            "access": "门锁 1234",
            "notes": "听力差",
            "language": "zh",
        },
    }


def test_an_update() -> None:
    body = {"incident": "i-1", "what": "alarm_joined", "version": 12, "kind": "smoke", "text": None}
    assert rendered(MessageType.UPDATE, body) == {"type": "update", "seq": 18, **body}


def test_progress() -> None:
    assert rendered(MessageType.PROGRESS, PROGRESS) == {
        "type": "progress",
        "seq": 18,
        "incident": "i-1",
        "alarms": ["a-1"],
        "state": "assigned",
        "responder": {"name": "王师傅", "kind": "volunteer"},
        "eta_s": 181,
        "say": "王师傅约4分钟后到。",
    }


@pytest.mark.parametrize(
    ("changes", "language", "say"),
    [
        ({"elder": "E-2"}, "zh-CN", "王师傅 will be there in about 4 minutes."),
        ({"elder": None}, "en", "王师傅 will be there in about 4 minutes."),
        ({"eta_s": 0}, "zh-CN", "王师傅约1分钟后到。"),
        ({"eta_s": None}, "zh-CN", "王师傅已答应过来。"),
        ({"responder": "gone"}, "zh-CN", "工作人员约4分钟后到。"),
        ({"state": "en_route"}, "zh-CN", "王师傅已出发，约4分钟后到。"),
        ({"state": "en_route", "eta_s": None}, "zh-CN", "王师傅已出发。"),
        ({"state": "on_scene"}, "zh-CN", "王师傅已到。"),
        ({"state": "on_scene", "manner": "service"}, "zh-CN", "王师傅已到。"),
        (
            {"state": "seeking", "manner": "call_back"},
            "zh-CN",
            "已收到呼叫，马上有人给您回电话。情况危急请再按一次。",
        ),
        ({"state": "seeking", "manner": "service"}, "zh-CN", "已收到您的需求，正在安排。"),
        ({"state": "unanswered", "manner": "service"}, "zh-CN", "您的需求还没有人接单，值班人员会继续安排。"),
    ],
)
def test_say_is_in_the_elders_language(changes: dict[str, Any], language: str, say: str) -> None:
    assert rendered(MessageType.PROGRESS, PROGRESS | changes, language)["say"] == say


@pytest.mark.parametrize(
    "state", ["seeking", "assigned", "en_route", "on_scene", "resolved", "closed", "unanswered", "cancelled"]
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_progress_state_has_its_sentence(state: str, language: str) -> None:
    body: dict[str, Any] = {
        "incident": "i",
        "alarms": [],
        "state": state,
        "responder": None,
        "eta_s": None,
        "elder": None,
    }
    wire = rendered(MessageType.PROGRESS, body, language)
    assert (wire["responder"], wire["eta_s"]) == (None, None)
    assert not wire["say"].startswith("say.")


def test_an_offer_for_the_key_says_so() -> None:
    assert "need" not in rendered(MessageType.OFFER, OFFER)
    assert rendered(MessageType.OFFER, OFFER | {"need": "key"})["need"] == "key"


NEIGHBOUR = FamilyContact("C-1", "E-1", "王芳", phone="13800000009", responder="V-1")
SILENT = FamilyContact("C-2", "E-1", "赵强", responder="V-1")


@pytest.mark.parametrize(
    ("contact", "responder", "name", "phone"),
    [("C-1", "V-1", "王芳", "13800000009"), ("C-2", "V-1", "赵强", "022-9"), ("gone", "V-1", "王师傅", "022-9")],
)
def test_who_fetches_the_key_is_told_from_whom(contact: str, responder: str, name: str, phone: str) -> None:
    holder = Responder("V-1", "王师傅", ResponderKind.VOLUNTEER, phone="022-9", position=Position(39.08, 117.22))
    names = Known(responders={"V-1": holder}, contacts={"C-1": NEIGHBOUR, "C-2": SILENT})
    body = ASSIGNMENT | {"role": "key", "fetch": {"contact": contact, "responder": responder}}
    wire = welcome_item(MessageType.ASSIGNMENT, body, names, "zh-CN")
    assert wire["role"] == "key"
    assert wire["fetch"] == {"name": name, "phone": phone, "position": {"lat": 39.08, "lon": 117.22}}


def test_whom_nobody_knows_any_more_is_empty_and_who_fetches_nothing_has_null() -> None:
    gone = ASSIGNMENT | {"role": "key", "fetch": {"contact": "x", "responder": None}}
    assert rendered(MessageType.ASSIGNMENT, gone)["fetch"] == {"name": None, "phone": "", "position": None}
    elder = rendered(MessageType.ASSIGNMENT, ASSIGNMENT | {"role": "elder", "fetch": None})
    assert (elder["role"], elder["fetch"]) == ("elder", None)
    assert not {"role", "fetch"} & set(rendered(MessageType.ASSIGNMENT, ASSIGNMENT))


def test_an_update_names_who_brings_the_key() -> None:
    body = {"incident": "I-1", "what": "key_coming", "version": 3, "kind": None, "text": None}
    assert "responder" not in rendered(MessageType.UPDATE, body)
    assert rendered(MessageType.UPDATE, body | {"responder": "V-1"})["responder"] == {
        "name": NAMES.responders["V-1"].name,
        "kind": "volunteer",
    }


def test_what_the_family_is_told() -> None:
    body = {
        "incident": "I-1",
        "what": "coming",
        "at": NOON,
        "kind": "sos",
        "state": "assigned",
        "elder": "E-1",
        "responder": "V-1",
        "eta_s": 190,
    }
    wire = rendered(MessageType.FAMILY, body)
    assert {name: wire[name] for name in body} == body | {
        "at": "2026-11-24T12:00:00Z",
        "elder": {"name": "李奶奶"},
        "responder": {"name": NAMES.responders["V-1"].name, "kind": "volunteer"},
    }
    later = rendered(MessageType.FAMILY, body | {"elder": None, "responder": None})
    assert (later["elder"], later["responder"]) == (None, None)


def test_wanted_names_are_what_rendering_reads() -> None:
    assert wanted_names(OFFER) == ({"E-1"}, set(), set(PATH), set())
    assert wanted_names(PROGRESS) == ({"E-1"}, {"V-1"}, set(), set())
    nobody: tuple[set[str], ...] = (set(), set(), set(), set())
    assert wanted_names({"elder": None, "responder": None, "area": None}) == nobody
    assert wanted_names({"fetch": {"contact": "C-1", "responder": "V-2"}}) == (set(), {"V-2"}, set(), {"C-1"})
    assert wanted_names({"fetch": None}) == nobody


def test_welcome_frames() -> None:
    assert gateway_welcome("GW", 17, NOON, "022-8910") == {
        "type": "welcome",
        "gateway": "GW",
        "seq": 17,
        "time": "2026-11-24T12:00:00Z",
        "fallback_phone": "022-8910",
    }
    offer = welcome_item(MessageType.OFFER, OFFER | {"drill": True}, NAMES, "zh-CN")
    assert "seq" not in offer
    assert (offer["place"], offer["drill"]) == ("富源里 3 号楼", True)
    assert responder_welcome("V-1", 17, NOON, True, [offer], []) == {
        "type": "welcome",
        "responder": "V-1",
        "seq": 17,
        "time": "2026-11-24T12:00:00Z",
        "on_duty": True,
        "offers": [offer],
        "assignments": [],
    }


def test_times_are_utc_with_z() -> None:
    assert wire_time(NOON) == "2026-11-24T12:00:00Z"
    tianjin = timezone(timedelta(hours=8))
    assert wire_time(datetime(2026, 11, 24, 20, 0, 0, 250_999, tzinfo=tianjin)) == "2026-11-24T12:00:00.250Z"


@pytest.mark.parametrize("at", [NOON, "2026-11-24T12:00:00+00:00", "2026-11-24T12:00:00Z", "2026-11-24T20:00:00+08:00"])
def test_a_time_reads_the_same_before_and_after_it_was_stored(at: object) -> None:
    assert rendered(MessageType.OFFER, OFFER | {"respond_by": at})["respond_by"] == "2026-11-24T12:00:00Z"
    assert rendered(MessageType.ASSIGNMENT, ASSIGNMENT | {"arrive_by": at})["arrive_by"] == "2026-11-24T12:00:00Z"


def test_a_duty_without_a_deadline_has_none() -> None:
    assert rendered(MessageType.ASSIGNMENT, ASSIGNMENT | {"arrive_by": None})["arrive_by"] is None


def test_frames_are_compact_and_keep_their_characters() -> None:
    assert encode({"a": "李", "at": NOON, "n": [1, None]}) == '{"a":"李","at":"2026-11-24T12:00:00Z","n":[1,null]}'
    assert json.loads(encode(rendered(MessageType.OFFER, OFFER)))["place"] == "富源里 3 号楼"


def test_what_has_no_form_on_the_wire_is_a_defect() -> None:
    with pytest.raises(TypeError):
        encode({"a": object()})
