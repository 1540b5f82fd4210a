"""``python -m callhub.bench.supervision``: what supervision promises, measured.

``silences``: a district on a virtual clock; each silence is found at most 1 s late, once, and ends.
``beats``: 20,000 devices on a real server use less than half of one core. Needs Linux (``/proc``).
Status 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from callhub.bench import beats, silences

FAST_S, SLOW_S = (90, 180), (5 * 3600, 25 * 3600)
CORE_MAX = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that are asked for, and say what was found; 0 when all promises hold."""
    options = _options(arguments)
    held = True
    if options.part in ("silences", "all"):
        for classes_s in (FAST_S, SLOW_S):
            held &= _silences(options.devices or 200_000, classes_s, options.seed)
    if options.part in ("beats", "all"):
        held &= _beats(options)
    return 0 if held else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m callhub.bench.supervision", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("silences", "beats", "all"), default="all")
    parser.add_argument("--devices", type=int, help="default 200000 for silences, 20000 for beats")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gateways", type=int, default=200)
    parser.add_argument("--every-s", type=float, default=30)
    parser.add_argument("--per-frame", type=int, default=1, help="devices in one heartbeat; 1 costs most")
    parser.add_argument("--seconds", type=float, default=60)
    return parser.parse_args(arguments)


def _silences(devices: int, classes_s: tuple[int, ...], seed: int) -> bool:
    began_s = time.perf_counter()
    found = asyncio.run(silences.measure(devices, classes_s, seed))
    took_s = time.perf_counter() - began_s
    print(
        f"silences: devices={devices} heartbeat_s={','.join(map(str, classes_s))} beats={found.beats}"
        f" restarts={found.restarts} found={len(found.errors_s)} error_s_max={max(found.errors_s, default=0.0):.3f}"
        f" flaws={len(found.flaws)} took_s={took_s:.0f}"
    )
    for flaw in found.flaws[:20]:
        print(f"  {flaw}", file=sys.stderr)
    return not found.flaws and bool(found.errors_s)


def _beats(options: argparse.Namespace) -> bool:
    load = beats.Load(options.devices or 20_000, options.gateways, options.every_s, options.per_frame, options.seconds)
    cost = asyncio.run(beats.measure(load))
    print(
        f"beats: devices={load.devices} gateways={load.gateways} every_s={load.every_s:g} per_frame={load.per_frame}"
        f" seconds={cost.seconds:.0f} beats_per_s={cost.beats / cost.seconds:.0f} answers={cost.answers}"
        f" cpu_s={cost.cpu_s:.1f} core={cost.core:.2f}"
    )
    enough = cost.beats >= 0.9 * load.devices / load.every_s * cost.seconds and cost.answers >= 0.9 * cost.frames
    if not enough:
        print("  the gateways of this measurement did not keep up: it says nothing", file=sys.stderr)
    return enough and cost.core < CORE_MAX


if __name__ == "__main__":
    sys.exit(main())
