"""The results as a picture: how long the first yes takes against how many are disturbed for it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from callhub.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from callhub.lab.tally import Result


def check_plot(file: Path) -> None:
    """Whether a plot can be drawn there later.

    Raises:
        ConfigError: matplotlib is not installed, or the file is no PNG in a folder that exists.
    """
    if find_spec("matplotlib") is None:
        raise ConfigError("--plot", "", "needs matplotlib: pip install -c constraints.txt '.[lab]' in the clone")
    if file.suffix.lower() != ".png":
        raise ConfigError("--plot", "", f"{file} does not end with .png; other formats are not drawn")
    if not file.resolve().parent.is_dir():
        raise ConfigError("--plot", "", f"there is no folder {file.resolve().parent}")


def draw(results: Sequence[Result], file: Path) -> None:
    """Write a PNG: one panel for each density, one point for each ladder; the lower left is best.

    Raises:
        ImportError: matplotlib is not installed.
        OSError: The file cannot be written.
    """
    # An extra that most installations do not have; ``check_plot`` says so before the work begins.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    densities = list(dict.fromkeys(result.density_per_km2 for result in results))
    figure = Figure(figsize=(4.2 * len(densities), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(densities), squeeze=False, sharey=True)[0]
    for panel, density in zip(panels, densities, strict=True):
        mine = [r for r in results if r.density_per_km2 == density and r.alerts_per_acceptance is not None]
        for result in mine:
            panel.scatter(result.alerts_per_acceptance, result.first_acceptance_p90_s, s=40)
            spot = (result.alerts_per_acceptance or 0, result.first_acceptance_p90_s)
            panel.annotate(result.policy, spot, xytext=(4, 4), textcoords="offset points", fontsize=8)
        panel.set(xscale="log", yscale="log", title=f"{density:g} people per km2", xlabel="alerts per acceptance")
        panel.margins(0.25)
    panels[0].set_ylabel("first acceptance, p90, s")
    figure.savefig(file, format="png", dpi=120)
