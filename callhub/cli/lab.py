"""``callhub lab``: policies compared on the same seeded presses, or on those of a real journal."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callhub.cli.options import wrong_usage
from callhub.errors import ConfigError
from callhub.settings import shipped

if TYPE_CHECKING:
    from callhub.lab.ladders import Ladder
    from callhub.lab.tally import Result

DENSITY_MAX = 1000.0
"""People on a square kilometre; more is a slip, and would take hours."""


def lab(
    incidents: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="N", help="Presses in each cell.")] = 1000,
    seed: Annotated[int, typer.Option(metavar="N", help="Other people; the same seed, the same table.")] = 1,
    density: Annotated[str, typer.Option(metavar="D,...", help="Volunteers on a square kilometre.")] = "5,10,30,60",
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A ladder of your own beside the others (TOML).")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="DB", help="The presses of this database instead; needs --policy.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw it; needs the extra 'lab'.")] = None,
) -> None:
    """Compare ways of asking: how soon the first yes comes, and how many are disturbed for it."""
    from callhub.lab.cells import fill_table  # it needs the engine
    from callhub.lab.ladders import NAMES, compared, in_ring, read_ladder
    from callhub.lab.plot import check_plot

    densities = _densities(density)
    if plot is not None:
        check_plot(plot)  # minutes of work come before it is drawn
    mine = None
    if policy is not None:
        name = policy.stem
        if name in NAMES:
            raise wrong_usage(f"{policy}: a ladder of the table has that name; give the file another one")
        mine = read_ladder(name, _parsed(policy), str(policy))
    if replay is not None:
        if mine is None:
            raise wrong_usage("--replay needs --policy FILE, the ladder to try")
        _show(_replayed(replay, mine, seed), as_json, plot)
        return
    file = shipped() / "policies" / "emergency.toml"
    ladders = compared(read_ladder("default", _parsed(file), str(file)))
    if mine is not None:
        ladders = (*ladders, in_ring(mine))
    _show(fill_table(ladders, densities, incidents, seed), as_json, plot)


def _densities(text: str) -> list[float]:
    try:
        densities = [float(part) for part in text.split(",")]
    except ValueError:
        raise wrong_usage(f"--density: {text!r} is no list of numbers; write 5,10,30,60") from None
    for density in densities:
        if not 0 < density <= DENSITY_MAX:
            raise wrong_usage(f"--density: {density:g} is not above 0 and at most {DENSITY_MAX:g}")
    return list(dict.fromkeys(densities))


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise ConfigError(str(file), "", f"cannot be read: {wrong.strerror}") from wrong
    except ValueError as wrong:  # bad TOML, bad UTF-8
        raise ConfigError(str(file), "", f"is no TOML: {wrong}") from wrong


def _replayed(database: Path, mine: Ladder, seed: int) -> list[Result]:
    from callhub.lab.cells import compare
    from callhub.lab.replay import replayed_district, replayed_ladders
    from callhub.store.sqlite.history import read_history

    history = read_history(database)
    district = replayed_district(history, mine, str(database), seed)
    return [compare(district, ladder, seed) for ladder in replayed_ladders(history, mine)]


def _show(results: list[Result], as_json: bool, plot: Path | None) -> None:
    from rich.console import Console
    from rich.measure import Measurement

    from callhub.lab.plot import draw
    from callhub.lab.table import as_json as json_of
    from callhub.lab.table import as_table

    if as_json:
        print(json_of(results))
    else:
        console, table = Console(), as_table(results)
        # A figure cut short would be a wrong figure: rather a line that wraps.
        console.width = max(console.width, Measurement.get(console, console.options, table).maximum)
        console.print(table)
    if plot is not None:
        draw(results, plot)
