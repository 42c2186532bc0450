"""Milliseconds a training step, ours beside other ways, taking turns: see benchmarks/README.md."""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.models import MODELS, THREAD_VARIABLES

WAYS = ("ours", "function_loop", "stock_fit", "torch_eager", "torch_fused")


def ways_of(name):
    """The ways a model is timed, as far as they can be had here."""
    ways = [*WAYS, *MODELS[name].more_ways]
    has_torch = importlib.util.find_spec("torch") is not None
    return [way for way in ways if has_torch or not way.startswith("torch")]


def run_way(name, way, threads):
    """What `benchmarks.one_way` gives, with every library's threads pinned."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.one_way", name, way],
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def time_model(name, rounds, threads):
    """Time a model every way, `rounds` times in turn, its floor among them.

    Returns:
        dict: "milliseconds", way -> list; and "floors", a list of what they are reckoned from.
    """
    times, floors = {way: [] for way in (*ways_of(name), "floor")}, []
    for number in range(rounds):
        for way in times:
            found = run_way(name, way, threads)
            if way == "floor":
                floors.append(found)
                found = found["milliseconds"]
            times[way].append(found)
            print(f"{name}  round {number + 1}  {way:14} {found:8.2f} ms", flush=True)
    return {"milliseconds": times, "floors": floors}


def summarize(result):
    """Rows of (way, median milliseconds, median of its ratio to ours in the same round)."""
    times = result["milliseconds"]
    rows = []
    for way, values in times.items():
        ratios = [value / ours for value, ours in zip(values, times["ours"], strict=True)]
        rows.append((way, statistics.median(values), statistics.median(ratios)))
    return rows


def main(argv=None):
    """Run the rounds, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help=f"default: all of {', '.join(MODELS)}"
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all cores")
    parser.add_argument("--out", type=Path, default=Path("outputs/speed.json"))
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.models) - MODELS.keys():
        parser.error(f"expected models of {', '.join(MODELS)}, received {', '.join(unknown)}")
    results = {
        name: time_model(name, arguments.rounds, arguments.threads)
        for name in arguments.models or MODELS
    }
    machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    record = {"machine": machine, "threads": arguments.threads, "models": results}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(record, indent=2) + "\n")
    print(f"\n{arguments.threads} threads; medians of {arguments.rounds} rounds; ratio to ours\n")
    for name, result in results.items():
        for way, milliseconds, ratio in summarize(result):
            print(f"{name:10} {way:14} {milliseconds:8.2f} ms  {ratio:6.2f}")
    print(f"\n{arguments.out}")


if __name__ == "__main__":
    sys.exit(main())
