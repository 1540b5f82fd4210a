"""SIGKILL at any moment: see ``kill_rounds``, which plays more rounds as a command."""

from pathlib import Path

import pytest

from tests.integration.kill_rounds import play

ROUNDS = 8


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_promise_is_broken_by_a_kill(tmp_path: Path) -> None:
    rounds = await play(tmp_path, ROUNDS, seed=8)
    assert rounds.faults == []
    assert rounds.kills == ROUNDS
    # And the rounds were not empty.
    assert len(rounds.book.receipts) > 50
    assert rounds.book.duplicates > 50
    assert len(rounds.book.accepted) > 10
