"""``python -m callhub.bench.sharing``: many presses in the same moment, first come first served, shared, and at best.

The shipped emergency ladder asks. Of those asked ``--accept`` come (all by default); the first of them is the arrival
of a case, and over ``arrival_min_s`` it is late. ``offline`` knows all presses and who comes: one person to each home,
the fewest without anybody, then the fewest late, then the least sum. Needs the extra ``sharing``. Status 1 when a joint
decision takes longer than 20 ms at p50, or a round leaves life threats worse off shared than first come first served.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, field
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from callhub.bench.moment import LADDER, Cost, Moment
from callhub.solver import least_cost_solver

if TYPE_CHECKING:
    from collections.abc import Sequence

DECISION_S_MAX = 0.020
NOBODY_S = 1e8


@dataclass(slots=True)
class Arrivals:
    """When somebody was there, of all rounds, in seconds; infinite: nobody."""

    name: str
    seconds: list[float] = field(default_factory=list)

    def summed_up(self) -> dict[str, Any]:
        """Mean of those who got somebody; p90 and max of all, null: nobody."""
        came = sorted(s for s in self.seconds if s < math.inf)
        every = sorted(self.seconds)
        p90, last = every[math.ceil(0.9 * len(every)) - 1], every[-1]
        return {
            "name": self.name,
            "without": len(every) - len(came),
            "late": sum(s > LADDER.arrival_min_s for s in came),
            "mean_s": round(mean(came), 1) if came else None,
            "p90_s": p90 if p90 < math.inf else None,
            "max_s": last if last < math.inf else None,
        }


def main(arguments: list[str] | None = None) -> int:
    """Run, say what was found; 0 when both promises hold."""
    options = _options(arguments)
    solve = least_cost_solver()
    if solve is None:
        print("needs scipy: pip install -c constraints.txt '.[sharing]' in the clone", file=sys.stderr)
        return 2
    served, nearest, shared, offline = (Arrivals(n) for n in ("first_come", "nearest_first", "shared", "offline"))
    costs: list[Cost] = []
    worse = 0
    for n in range(options.rounds):
        moment = Moment(options.seed + n, options.incidents, options.responders, options.accept)
        before = moment.one_by_one()
        ours, cost = moment.together(solve)
        costs.append(cost)
        served.seconds += before
        shared.seconds += ours
        nearest.seconds += moment.together(None)[0]
        offline.seconds += moment.offline(solve)
        worse += options.accept >= 1 and not _is_no_worse(ours, before)
    report = {
        "incidents": options.incidents,
        "responders": options.responders,
        "accept": options.accept,
        "rounds": options.rounds,
        "worse_rounds": worse,
        "ms": {name: _ms([getattr(cost, f"{name}_s") for cost in costs]) for name in ("solver", "decision", "event")},
        "arrivals": [arrivals.summed_up() for arrivals in (served, nearest, shared, offline)],
    }
    print(json.dumps(report) if options.json else _as_text(report))
    in_time = median(cost.decision_s for cost in costs) < DECISION_S_MAX
    return 0 if in_time and not worse else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m callhub.bench.sharing", description=__doc__)
    parser.add_argument("--incidents", type=int, default=50)
    parser.add_argument("--responders", type=int, default=2000, help="who can be asked; fewer than presses: scarce")
    parser.add_argument("--accept", type=float, default=1.0, help="share of those asked who come; 0.287 is published")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def _is_no_worse(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Without anybody, late, sum, last: none of them is more."""
    return all(mine <= other for mine, other in zip(_worth(ours), _worth(theirs), strict=True))


def _worth(arrivals_s: Sequence[float]) -> tuple[float, ...]:
    known = [min(s, NOBODY_S) for s in arrivals_s]
    return known.count(NOBODY_S), sum(s > LADDER.arrival_min_s for s in known), sum(known), max(known)


def _ms(seconds: Sequence[float]) -> dict[str, float]:
    return {"p50": round(median(seconds) * 1000, 2), "worst": round(max(seconds) * 1000, 2)}


def _as_text(report: dict[str, Any]) -> str:
    head = " ".join(f"{key}={report[key]:g}" for key in ("incidents", "responders", "accept", "rounds", "worse_rounds"))
    times = " ".join(f"{name}_ms={ms['p50']:g}/{ms['worst']:g}" for name, ms in report["ms"].items())
    rows = [" ".join(f"{key}={value}" for key, value in row.items()) for row in report["arrivals"]]
    return "\n".join([head, f"{times} (p50/worst)", *rows])


if __name__ == "__main__":
    sys.exit(main())
