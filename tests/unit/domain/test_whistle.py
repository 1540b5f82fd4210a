"""What the state of a whistle means for the department and for the incident."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callhub.domain.whistle import Whistle, WhistleState

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("called", "out awaited offered shown"),
        ("reported", "out awaited taken shown"),
        ("missed", "out awaited offered shown"),
        ("refused", "out"),
        ("finished", "out shown"),
        ("confirmed", ""),
        ("withdrawn", ""),
    ],
)
def test_what_each_state_means(state: str, meaning: str) -> None:
    reported_at = NOW if state in {"reported", "finished", "confirmed"} else None
    whistle = Whistle("w", "FIRE", WhistleState(state), NOW, 1, 2, NOW, NOW, reported_at)
    words = [word for word in ("out", "awaited", "offered", "taken", "shown") if getattr(whistle, f"is_{word}")]
    assert " ".join(words) == meaning


def test_who_misses_the_end_after_reporting_in_is_still_at_work() -> None:
    whistle = Whistle("w", "FIRE", WhistleState.MISSED, NOW, 1, 2, NOW, NOW, reported_at=NOW)
    assert whistle.is_taken
    assert not whistle.is_offered
