"""Build or reuse what is measured, measure every contender, print the tables, write the page."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import (
    assignment_report,
    fit_report,
    ingest_report,
    measures_report,
    model_report,
    report,
    serve_report,
    store_report,
)
from benchmarks.cost import Cost, middle
from benchmarks.report import COLUMNS, SMALLER, Measured, World

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".bench"
PAGE = ROOT / "docs" / "benchmarks.md"
WARM_UP_ROWS = 5_000
MODEL_WARM_UP_ROWS = 50_000  # a training takes more than a handful of customers
ASSIGNMENT_ROWS = 200_000
QUICK_ROWS, QUICK_ORDERS = 1_000_000, 2_000_000
REPEATS = 3


def main() -> None:
    """Measure what was asked for; only a full run writes the page, and only the sections it measured."""
    options = _options()
    parts = {
        "features": _features, "ingest": _ingest, "rhythm": _rhythm, "models": _models, "assignment": _assignment,
        "measures": _measures, "store": _store, "serve": _serve,
    }  # fmt: skip
    # each step is a process of its own: this one stays small, for a child's peak memory starts at its parent's height
    chosen = [options.only] if options.only else list(parts)
    sections = {part.capitalize(): parts[part](options) for part in chosen}
    if not options.quick:
        PAGE.write_text(report.page(sections, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"written to {PAGE.relative_to(ROOT)}: {', '.join(sections)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rows", type=int, help="event rows that features are made of; 5 million, or 1 million with --quick"
    )
    parser.add_argument("--orders", type=int, help="rows of the file to ingest; 10 million, or 2 million with --quick")
    parser.add_argument(
        "--only",
        choices=("features", "ingest", "rhythm", "models", "assignment", "measures", "store", "serve"),
        help="measure only this",
    )
    parser.add_argument(
        "--quick", action="store_true", help="measure once, not three times, and leave the page as it is"
    )
    parser.add_argument("--url", help="an empty database on a PostgreSQL, to measure the store on as well")
    parser.add_argument("--workspace", help="one that is trained and scored, to ask its service from raw history")
    return parser.parse_args()


def _features(options: argparse.Namespace) -> str:
    """Return the section on features, its tables printed."""
    rows = options.rows or (QUICK_ROWS if options.quick else 5_000_000)
    whole, small, warm_up = (_ask(_LANDED, HOME, size) for size in (rows, rows // SMALLER, WARM_UP_ROWS))
    agreed = json.loads(_ask(_AGREEMENT, whole))
    for name, differing in agreed["differing"].items():
        print(f"{agreed['features'] - len(differing)} of {agreed['features']} features equal {name} within 1e-9")
    if any(agreed["differing"].values()):
        sys.exit(f"these features differ: {agreed['differing']}")
    world = World(rows, agreed["customers"], agreed["features"])
    found = _measured(whole, small, warm_up, _repeats(options))
    print(report.table(found), report.growth(found), report.goals(found, world), sep="\n\n", flush=True)
    return report.section(found, world)


def _ingest(options: argparse.Namespace) -> str:
    """Return the section on ingest, its tables printed."""
    rows = options.orders or (QUICK_ORDERS if options.quick else 10_000_000)
    size = int(_ask(_ORDERS, HOME, rows))
    found = _ingest_measured(rows, _repeats(options))
    print(f"{ingest_report.table(found, rows)}\n\n{ingest_report.goals(found)}", flush=True)
    return ingest_report.section(found, rows, round(size / 1e6))


def _rhythm(options: argparse.Namespace) -> str:
    """Return the section on fits of buying models, its tables printed."""
    found = _fits_measured(_repeats(options))
    print(fit_report.table(found), fit_report.goals(found), sep="\n\n", flush=True)
    return fit_report.section(found)


def _models(options: argparse.Namespace) -> str:
    """Return the section on training and scoring, its tables printed; measured once, for it is long."""
    rows = options.rows or (QUICK_ROWS if options.quick else 5_000_000)
    whole, warm_up = (_ask(_LANDED, HOME, size) for size in (rows, MODEL_WARM_UP_ROWS))
    found = json.loads(_python("-m", "benchmarks.measure_models", whole, warm_up))
    print(model_report.table(found), model_report.goals(found), sep="\n\n", flush=True)
    return model_report.section(found)


def _assignment(options: argparse.Namespace) -> str:
    """Return the section on choosing actions, its tables printed; the sizes are those of the goal."""
    world = _ask(_LANDED, HOME, MODEL_WARM_UP_ROWS if options.quick else ASSIGNMENT_ROWS)
    sizes = (assignment_report.CUSTOMERS, assignment_report.ACTIONS)
    found = json.loads(_python("-m", "benchmarks.measure_assignment", world, *sizes))
    print(assignment_report.table(found), assignment_report.goals(found), sep="\n\n", flush=True)
    return assignment_report.section(found)


def _measures(options: argparse.Namespace) -> str:
    """Return the section on measures of the customer base, its tables printed; measured once."""
    rows = options.rows or (QUICK_ROWS if options.quick else 5_000_000)
    whole, warm_up = (_ask(_LANDED, HOME, size) for size in (rows, MODEL_WARM_UP_ROWS))
    found = json.loads(_python("-m", "benchmarks.measure_measures", whole, warm_up))
    print(measures_report.table(found), measures_report.goals(found), sep="\n\n", flush=True)
    return measures_report.section(found)


def _store(options: argparse.Namespace) -> str:
    """Return the section on keeping records, its tables printed; on PostgreSQL as well where a URL is given."""
    count = store_report.RECORDS // 10 if options.quick else store_report.RECORDS
    HOME.mkdir(exist_ok=True)
    urls = [[], *([[options.url]] if options.url else [])]
    found = [json.loads(_python("-m", "benchmarks.measure_store", count, HOME, *url)) for url in urls]
    print(store_report.table(found), store_report.goals(found), sep="\n\n", flush=True)
    return store_report.section(found)


def _serve(options: argparse.Namespace) -> str:
    """Return the section on answers of the service, its tables printed."""
    HOME.mkdir(exist_ok=True)
    sizes = (serve_report.RECORDS // 10, 3) if options.quick else (serve_report.RECORDS, serve_report.ROUNDS)
    history = [options.workspace] if options.workspace else []
    found = json.loads(_python("-m", "benchmarks.measure_serve", *sizes, HOME, *history))
    print(serve_report.table(found), serve_report.goals(found), serve_report.peers(), sep="\n\n", flush=True)
    return serve_report.section(found)


def _repeats(options: argparse.Namespace) -> int:
    return 1 if options.quick else REPEATS


def _measured(whole: str, small: str, warm_up: str, repeats: int) -> dict[str, Measured]:
    """Return the medians by column; contenders take turns, so that a busy minute hits them all."""
    costs: dict[tuple[str, str], list[Cost]] = {}
    for turn in range(1, repeats + 1):
        for workspace, size in ((small, "a tenth of the rows"), (whole, "all rows")):
            for column, (contender, n_cutoffs) in COLUMNS.items():
                _say(turn, repeats, f"{column}, {size}")
                cost = _cost("benchmarks.measure", contender, workspace, warm_up, n_cutoffs)
                costs.setdefault((column, workspace), []).append(cost)
    return {column: Measured(middle(costs[column, whole]), middle(costs[column, small])) for column in COLUMNS}


def _ingest_measured(rows: int, repeats: int) -> dict[str, ingest_report.Measured]:
    """Return what each contender cost, on the file and on one of a tenth; they take turns as above."""
    sizes = (rows // ingest_report.SMALLER, rows)
    costs: dict[tuple[str, int], list[Cost]] = {}
    for turn in range(1, repeats + 1):
        for size in sizes:
            for name, contender in ingest_report.CONTENDERS.items():
                _say(turn, repeats, f"{name} {size:,} rows")
                cost = _cost("benchmarks.measure_ingest", contender, size, WARM_UP_ROWS)
                costs.setdefault((name, size), []).append(cost)
    medians = {key: middle(runs) for key, runs in costs.items()}
    return {
        name: ingest_report.Measured(medians[name, sizes[1]], medians[name, sizes[0]].peak)
        for name in ingest_report.CONTENDERS
    }


def _fits_measured(repeats: int) -> dict[tuple[str, int], fit_report.Measured]:
    """Return what a fit cost each contender at each size; they take turns as above."""
    runs: dict[tuple[str, int], list[fit_report.Measured]] = {}
    for turn in range(1, repeats + 1):
        for size in fit_report.SIZES:
            for name in fit_report.CONTENDERS:
                _say(turn, repeats, f"{name} fits {size:,} customers")
                run = json.loads(_python("-m", "benchmarks.measure_fit", name, size))
                cost, times = Cost(**run["cost"]), run["times"]
                one = fit_report.Measured(cost.cpu / times, cost.wall / times, run["parameters"])
                runs.setdefault((name, size), []).append(one)
    return {key: sorted(ones, key=lambda one: one.cpu)[len(ones) // 2] for key, ones in runs.items()}


def _say(turn: int, repeats: int, what: str) -> None:
    print(f"run {turn} of {repeats}: {what}", file=sys.stderr, flush=True)


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
store = open_store(Path(sys.argv[1]))
features, differing = agreement(store, CUTOFFS[-1])
print(json.dumps({"features": features, "differing": differing, "customers": store.rows("customers")}))
"""
_ORDERS = """
import sys
from pathlib import Path
from benchmarks.order_file import shop
print(shop(Path(sys.argv[1]), int(sys.argv[2])).orders.stat().st_size)
"""


def _cost(module: str, *arguments: object) -> Cost:
    return Cost(**json.loads(_python("-m", module, *arguments)))


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
