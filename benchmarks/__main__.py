"""Build or reuse the world, measure every contender, print the table, write the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks import report
from benchmarks.report import COLUMNS, Median

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
WARM_UP_ROWS = 5_000
REPEATS = 3


def main() -> None:
    options = _options()
    home = ROOT / ".bench"
    # each step is a process of its own: this one stays small, for a child's peak memory starts at its parent's height
    workspace, warm_up = (_ask(_LANDED, home, rows) for rows in (options.rows, WARM_UP_ROWS))
    n_features, differing = json.loads(_ask(_AGREEMENT, workspace))
    print(f"{n_features - len(differing)} of {n_features} features equal Polars within 1e-9", flush=True)
    if differing:
        sys.exit(f"these features differ from Polars: {', '.join(differing)}")
    medians = _measured(workspace, warm_up, 1 if options.quick else REPEATS)
    print(report.table(medians))
    if not options.quick:
        PAGE.write_text(report.page(medians, options.rows, n_features), encoding="utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000, help="event rows of the generated world")
    parser.add_argument(
        "--quick", action="store_true", help="measure once, not three times, and leave the page as it is"
    )
    return parser.parse_args()


def _measured(workspace: str, warm_up: str, repeats: int) -> dict[str, Median]:
    """Return the medians by column; contenders take turns, so that a busy minute hits them all."""
    costs: dict[str, list[dict[str, float]]] = {column: [] for column in COLUMNS}
    for turn in range(1, repeats + 1):
        for column, (contender, n_cutoffs) in COLUMNS.items():
            print(f"run {turn} of {repeats}: {column}", file=sys.stderr, flush=True)
            printed = _python("-m", "benchmarks.measure", contender, workspace, warm_up, n_cutoffs)
            costs[column].append(json.loads(printed))
    return {
        column: Median(**{name: median(run[name] for run in runs) for name in runs[0]})
        for column, runs in costs.items()
    }


_LANDED = """
import sys
from pathlib import Path
from benchmarks.world import landed
print(landed(Path(sys.argv[1]), int(sys.argv[2]), progress=lambda origin: print("ingesting", origin, file=sys.stderr)))
"""
_AGREEMENT = """
import json, sys
from pathlib import Path
from benchmarks.contenders import agreement
from benchmarks.world import CUTOFFS, open_store
print(json.dumps(agreement(open_store(Path(sys.argv[1])), CUTOFFS[-1])))
"""


def _ask(program: str, *arguments: object) -> str:
    return _python("-c", program, *arguments)


def _python(*arguments: object) -> str:
    """Run Python in the repository and return the last line it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
