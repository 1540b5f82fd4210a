"""The ladders as they are shipped: whatever is pressed, the end of the ladder is a human or a noise."""

from __future__ import annotations

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callhub.dispatch.rules import Rules
from callhub.domain.people import ResponderKind
from callhub.domain.policy import Policy, policy_from_table
from callhub.domain.windows import after
from tests.scenarios.town import AREA, Person, Town

TIANJIN = ZoneInfo("Asia/Shanghai")
"""It is noon there when a town begins: every window is open."""
FILES = sorted((Path(__file__).parents[2] / "config" / "policies").rglob("*.toml"))
SHIPPED = [policy_from_table(tomllib.loads(f.read_text(encoding="utf-8")), f.name) for f in FILES]
KINDS = sorted({kind for policy in SHIPPED for kind in policy.kinds if policy.class_ in ("emergency", "service")})


def let_pass(town: Town, policy: Policy, seconds: float) -> None:
    """So many seconds of the ladder's window."""
    town.advance((after(policy.window, town.now, seconds, TIANJIN) - town.now).total_seconds())


def a_street() -> tuple[Town, list[Person], list[Person]]:
    """Forty neighbours of all kinds and a desk for every area."""
    town = Town(*SHIPPED, only=True, rules=Rules(timezone=TIANJIN))
    town.elder()
    kinds = [ResponderKind.VOLUNTEER, ResponderKind.CAREGIVER, ResponderKind.GRID_WORKER]
    people = [town.responder(f"V-{n:02d}", 100 + 90 * n, kind=kinds[n % 3]) for n in range(40)]
    levels = ("district", "street", "community")
    desks = [town.desk(AREA[: n + 1], level) for n, level in enumerate(levels)]
    town.watch("anna")
    return town, people, desks


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_answers_and_the_last_word_is_a_desk_s_then_a_noise_that_repeats(kind: str) -> None:
    town, _, desks = a_street()
    incident = town.press(kind=kind)
    policy = next(p for p in SHIPPED if kind in p.kinds)

    let_pass(town, policy, sum(step.step_timeout_s for step in policy.steps))

    held = town.incident(incident.id)
    assert held.state == "unanswered"
    assert held.rings is (policy.class_ == "emergency")
    assert any(desk.was_asked() for desk in desks)
    before = len(town.facts(incident.id, "ladder_exhausted"))
    let_pass(town, policy, policy.repeat_s)
    assert len(town.facts(incident.id, "ladder_exhausted")) == before + 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_who_says_yes_is_enough_at_any_time(kind: str) -> None:
    for after_s in (0, 45, 200, 2000):
        town, people, _ = a_street()
        incident = town.press(kind=kind)
        town.advance(after_s)
        asked = [p for p in people if p.was_asked()]
        if not asked:
            assert after_s < 60, "only a ladder that begins at the desks has asked nobody yet"
            continue
        asked[0].accepts()
        held = town.incident(incident.id)
        assert held.state == "assigned"
        if not held.ladder_runs:
            assert held.live_offers == []
