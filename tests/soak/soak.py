"""Everything that must not lose or break anything, once more, in a bounded time.

    python tests/soak/soak.py [--seed 0] [--minutes 20] [--cases 540] [--folder DIR]

Kills, signals, pipes and full disks go on in one process, damaged files in another. Each part ends
when its time is up. Prints a table of counts; exit code 1 if anything was not as it must be.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

SHARES = {"signals": 0.2, "pipes": 0.2, "full disks": 0.15, "kills": 0.45}
"""Of the time, for the parts that start processes."""


def main():
    """Run the soak; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of what is tried (default: 0)")
    parser.add_argument("--minutes", type=float, default=20, help="at most (default: 20)")
    parser.add_argument("--cases", type=int, default=540, help="of damaged files (default: 540)")
    parser.add_argument("--folder", type=Path, help="keep the runs there (default: nowhere)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).absolute()
        rows, faults = soak(folder, arguments.seed, arguments.minutes, arguments.cases)
    for part, what, count in rows:
        print(f"{part:<14}{what:<58}{count:>6}")
    print(f"\n{len(faults)} faults", *faults, sep="\n  ")
    return 1 if faults else 0


def soak(folder, seed, minutes, cases):
    """Try all parts; (rows of part, what happened and count; list of faults)."""
    from tests.soak import damaged_files

    os.environ |= {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    started = time.monotonic()
    end = started + 60 * minutes
    world = damaged_files.make_world(folder / "world")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        others = pool.submit(soak_processes, folder, seed, end - time.monotonic() - 30)
        counts, faults = damaged_files.fuzz(world, range(cases), seed, end - 30)
        rows, more = others.result()
    rows += [
        ("damaged files", f"{file}: exit code {code}", count)
        for (file, code), count in sorted(counts.items(), key=str)
    ]
    rows.append(("damaged files", "all", sum(counts.values())))
    if sum(counts.values()) < cases:
        print(f"time was up after {sum(counts.values())} of {cases} damaged files", flush=True)
    return rows, [*more, *faults]


def soak_processes(folder, seed, seconds):
    """The parts that start processes of their own; as `soak`."""
    from tests.soak import endings

    images, name = folder / "world/tiny.npz", "00001-gan_mlp_smoke"
    # A run of its own: the other process watches that nothing in the world changes.
    run = shutil.copytree(folder / "world/outputs" / name, folder / "own" / name)
    rows, started, shares = [], time.monotonic(), iter(_sums(SHARES.values()))
    ends, faults = endings.soak_signals(
        images, folder, 60, seed, started + seconds * next(shares), report=tell
    )
    rows += [("signals", ending, count) for ending, count in sorted(ends.items())]
    tried, found = endings.soak_pipes(
        run, images, folder, started + seconds * next(shares), report=tell
    )
    rows.append(("pipes", "commands", tried))
    faults += found
    fills, found = endings.soak_full_disks(
        run, images, folder, 8, seed, started + seconds * next(shares), report=tell
    )
    rows.append(("full disks", "no right to mount one" if fills is None else "fills", fills or 0))
    faults += found
    kills, found = soak_kills(folder / "kills", seed, started + seconds * next(shares))
    return [*rows, *kills], [*faults, *found]


def soak_kills(folder, seed, end):
    """SIGKILL for each preset in turn; as `soak`."""
    from tests.soak import kill_soak

    rows, faults, chance = [], [], random.Random(seed)
    for number, preset in enumerate(kill_soak.MODULES):
        left = len(kill_soak.MODULES) - number
        deadline = time.monotonic() + (end - time.monotonic()) / left
        if time.monotonic() > end:
            rows.append(("kills", f"{preset}: no time left", 0))
            continue
        try:
            tally = kill_soak.soak(preset, folder, 13, chance, deadline)
        except SystemExit as error:
            faults.append(f"{preset}: {error}")
            continue
        what = f"{preset} ({tally.during_checkpoint} inside a checkpoint)"
        rows.append(("kills", what, tally.kills))
        faults += [f"{preset}: after kills {name} differ" for name in tally.differences]
    return rows, faults


def tell(text):
    """Print a line at once."""
    print(text, flush=True)


def _sums(shares):
    total = 0
    for share in shares:
        total += share
        yield total


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.exit(main())
