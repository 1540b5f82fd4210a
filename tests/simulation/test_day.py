"""A district's day through hub, engine and file: no law broken, and everything that is kept agrees."""

import json
import sqlite3
from pathlib import Path

import pytest

from callhub.lab.day.__main__ import main
from callhub.lab.day.play import play_day
from callhub.lab.day.report import report_on

FEW = 30


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_law_is_broken_on_a_day(tmp_path: Path, seed: int) -> None:
    report = report_on(await play_day(tmp_path / "day.db", seed, FEW), seed)
    assert list(report.broken()) == []
    assert report.holds
    row = report.row()
    assert {"emergency", "service", "technical", "drill"} == {one["class"] for one in row["by_kind"]}
    assert row["restarts"] == 1
    assert all(law["checked"] for law in row["laws"])
    happens = {"arrival_missed", "area_lost", "gateway_lost", "whistle_called", "call_back_began", "test_recorded"}
    assert happens <= row["facts"].keys()


async def test_the_same_seed_gives_the_same_journal(tmp_path: Path) -> None:
    journals = []
    for name in ("one.db", "two.db"):
        await play_day(tmp_path / name, 3, 10)
        with sqlite3.connect(tmp_path / name) as db:
            journals.append(db.execute("SELECT * FROM journal ORDER BY seq").fetchall())
        db.close()
    assert journals[0] == journals[1]


def test_the_command_keeps_the_file_it_is_given_and_refuses_one_in_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = f"sqlite:///{tmp_path / 'kept.db'}"
    assert main(["--incidents", "5", "--store", there, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
    assert main(["--incidents", "5", "--store", there]) == 2
    assert "is in use" in capsys.readouterr().err
    assert main(["--store", "memory:"]) == 2
