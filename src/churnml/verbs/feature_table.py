"""`churnml train --features`: churn learned from a table of features that someone else made, without events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import numpy.typing as npt

from churnml.config import TrainConfig
from churnml.database.workspace import digest_of_file
from churnml.errors import DataRefusedError, UsageError, nearest
from churnml.events.erased_rows import words_of
from churnml.events.feature_check import Checked, Rule, check, require_room, set_aside
from churnml.events.feature_file import FeatureFile, find_roles, stage
from churnml.events.feature_table import ReadyTable, Roles, listed
from churnml.events.no_bar import without_bar
from churnml.events.sources import unread_sheets
from churnml.events.sources.files import open_rows
from churnml.verbs.session import Session, clock
from churnml.verbs.tracked import tracked

if TYPE_CHECKING:
    from churnml.modeling.judge_tabular import Judged
    from churnml.modeling.suspect import Suspect
    from churnml.modeling.tracking import Entry

Json = dict[str, Any]  # Any: JSON

ALIAS = "feature table champion"
TRAIN = "train features"
SHOWN = 3
"""Broken rows that the person is shown; a summary keeps none, for it outlives the quarantine."""


@dataclass(frozen=True)
class Declared:
    """What the person said of a feature table; what is None is found out or left open.

    Parameters
    ----------
    label : str or None
        The column that says who churned.
    customer_id, cutoff_column : str or None
        The columns of those roles.
    cutoff : str or None
        The date of all rows.
    positive : str or None
        The value of the label that means churned.
    keep : tuple of str
        Columns to use though they look suspicious.
    """

    label: str | None = None
    customer_id: str | None = None
    cutoff_column: str | None = None
    cutoff: str | None = None
    positive: str | None = None
    keep: tuple[str, ...] = ()


def train_features(session: Session, path: Path, declared: Declared, horizon_days: int | None = None) -> Json:
    """Train churn on a feature table and return the run's summary; a run with the same inputs is not repeated.

    Parameters
    ----------
    path : Path
        CSV, Parquet, Excel or JSON lines: one row for each customer and cutoff, or one snapshot.
    declared : Declared
        The label is required.
    horizon_days : int, optional
        How far the label looks ahead: no cutoff teaches before its label is final. Needed for several cutoffs.

    Raises
    ------
    UsageError
        If the declared columns are not there, the label does not say by itself who churned, the horizon is none, or
        several cutoffs come without one.
    DataRefusedError
        If the file cannot be read, or too many rows are broken.
    NotEnoughDataError
        If fewer than 30 customers left or stayed.
    ModelRefusedError
        If the new bundle cannot score in a process of its own.
    """
    if declared.label is None:
        raise UsageError("--features needs --label: name the column that says who churned")
    check_date(declared.cutoff)
    config = session.load("train", TrainConfig)
    session.load("train", TrainConfig, horizon_days=horizon_days)  # checked like that of a training from orders
    said = asdict(declared) | {"horizon_days": horizon_days, "file": digest_of(path)}
    inputs = session.inputs(config, feature_table=said)
    done = session.catalogue.last_run(TRAIN)
    if done is not None and done.inputs == inputs and done.bundle and session.has_whole(done.bundle):
        return done.summary
    with opened(session, path) as (file, notes):
        return _train(session, file, notes, declared, config, horizon_days, inputs)


@dataclass(frozen=True)
class _Prepared:
    """A table ready to be learned from, and everything there is to say about it."""

    table: ReadyTable
    roles: Roles
    checked: Checked
    suspects: list[Suspect]
    notes: list[str]
    aside: Json
    broken: list[Json]


def _train(
    session: Session,
    file: FeatureFile,
    notes: Sequence[str],
    declared: Declared,
    config: TrainConfig,
    horizon_days: int | None,
    inputs: str,
) -> Json:
    from churnml.modeling.judge_tabular import judge_and_fit  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.tabular import LEARNERS  # noqa: PLC0415
    from churnml.modeling.tabular_bundle import save_tabular, try_tabular  # noqa: PLC0415

    with session.running(TRAIN, inputs) as run_id:
        with session.step("Reading the feature table, looking for suspicious columns"):
            ready = _prepare(session, file, notes, declared, inputs)
        tell(session, ready.suspects, ready.notes, ready.aside, ready.broken)
        _require_columns(ready)
        with session.step("Judging on rows that did not teach, then training on all"):
            judged = judge_and_fit(ready.table, config, session.settings.time_zone, horizon_days)
        report = judged.to_json(horizon_days)
        facts = {
            "roles": asdict(ready.roles),
            "inputs_digest": inputs,
            "config": config.model_dump(mode="json"),
            "judged": report,
        }
        bundle = save_tabular(judged.model, facts, session.workspace.models)
        with session.step("Trying the bundle in a process of its own"):
            try_tabular(session.workspace.models / bundle)
        summary: Json = {
            "kind": "feature table",
            "model_version": bundle,
            "rows": ready.checked.rows,
            "taught_with": len(ready.table),
            "customers": len(np.unique(ready.table.customer_ids.astype(str))),
            "cutoffs": len(np.unique(ready.table.cutoffs)),
            "columns": [asdict(column) for column in ready.table.columns],
            "suspects": [one.to_json() for one in ready.suspects],
            "set_aside": ready.aside,
            "notes": ready.notes,
            "weights": dict(zip(LEARNERS, judged.model.weights, strict=True)),
            "not_promoted_because": judged.gate(),
            "judged": report,
        }
        summary["not_tracked_because"] = tracked(session, lambda: _entry(session, bundle, config, judged, ready.table))
        session.catalogue.finish(run_id, clock(), summary, bundle=bundle)
    if not summary["not_promoted_because"]:
        session.catalogue.move_alias(ALIAS, bundle, clock())
    return summary


def _prepare(session: Session, file: FeatureFile, notes: Sequence[str], declared: Declared, inputs: str) -> _Prepared:
    from churnml.modeling.suspect import Suspect  # noqa: PLC0415
    from churnml.modeling.suspects import suspects, twin_share, twins  # noqa: PLC0415

    share, said = session.settings.max_bad_share, declared
    roles, found = find_roles(
        file, label=said.label, customer_id=said.customer_id, cutoff_column=said.cutoff_column, cutoff=said.cutoff
    )
    _require_kept(file, roles, said.keep)
    checked, rules, read = check(file, roles, share, positive=said.positive)
    columns, unusable, about = file.columns(roles, said.keep)
    require_room(file, checked, len(columns))
    aside = quarantined(session, file, rules, checked, inputs)
    table, refusing = _without_refusing(session, file.read(columns))
    doubted = [Suspect(name, "unusable", "unusable", {}, True, note=why) for name, why in unusable.items()]
    doubted += suspects(table, said.keep)
    out = {one.name for one in doubted if one.left_out}
    used = table.only([column.name for column in columns if column.name not in out])
    told = [*notes, *found, *read, *about, *refusing, *on_rows(checked)]
    if used.columns and (alike := twin_share(twins(used), used.customer_ids)):
        told.append(f"{alike:.1%} of the rows have a near twin under another id; a test on held-out customers keeps "
                    "twins together")  # fmt: skip
    return _Prepared(used, roles, checked, doubted, told, aside, broken(session, file, rules, SHOWN))


@contextlib.contextmanager
def opened(session: Session, path: Path) -> Iterator[tuple[FeatureFile, tuple[str, ...]]]:
    """Give a file staged in a database of little memory, in a folder that is gone afterwards."""
    with session.scratch() as scratch:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": "400MB",
            "temp_directory": str(scratch / "duckdb"),
        }
        with duckdb.connect(config=settings) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            without_bar(connection)
            rows = open_rows(path, connection, scratch).exact()
            unread = filter(None, [unread_sheets([rows])])
            yield stage(connection, rows, path.name, session.settings.time_zone), (*rows.notes, *unread)


def digest_of(path: Path) -> str:
    """Return the digest of the file that --features names."""
    if not path.is_file():
        raise UsageError(f"--features: {path} is not a file; name a CSV, Parquet, Excel or JSON lines file")
    return digest_of_file(path)


def check_date(day: str | None) -> None:
    """Refuse a --cutoff that is no date."""
    try:
        date.fromisoformat(day or "2000-01-01")
    except ValueError as error:
        raise UsageError(f"--cutoff must be a date such as 2017-12-31, got {day!r}") from error


def _require_kept(file: FeatureFile, roles: Roles, keep: Sequence[str]) -> None:
    features = [name for name in file.names if name not in {roles.customer_id, roles.cutoff_column, roles.label}]
    for name in keep:
        if name not in features:
            raise UsageError(f"--keep: {file.origin} has no feature `{name}`{nearest(name, features)}")


def _require_columns(ready: _Prepared) -> None:
    if not ready.table.columns:
        out = sorted({one.name for one in ready.suspects if one.left_out})
        raise DataRefusedError(
            f"no column is left to learn from: {listed(out) or 'none there was'} left out; bring features, or "
            "name with --keep what was known before the cutoff"
        )


def _without_refusing(session: Session, table: ReadyTable) -> tuple[ReadyTable, list[str]]:
    """Return the rows of whom something may be learned, and in words of how many others there were."""
    told = []
    for whose, who in unwelcome(session, table.customer_ids).items():
        welcome = ~np.isin(table.customer_ids.astype(str), sorted(who))
        gone = int((~welcome).sum())
        told += [f"{gone:,} rows of customers who {whose} were left out"] if gone else []
        table = table.take(welcome)
    return table, told


def unwelcome(session: Session, customer_ids: npt.NDArray[np.object_]) -> dict[str, frozenset[str]]:
    """Return of whose rows in somebody's own table nothing is learned or told, by what they did or what was done."""
    asked = frozenset(customer_ids.astype(str).tolist())
    refusing = asked & session.catalogue.refusing()
    return {"refuse profiling": refusing, "were erased": session.catalogue.erased_among(asked)}


def on_rows(checked: Checked) -> list[str]:
    """Return in words which sound rows were not used."""
    told = []
    if checked.repeated:
        told.append(f"{checked.repeated:,} rows are there again, equal in every value; they count once")
    if checked.unlabelled:
        told.append(f"{checked.unlabelled:,} rows without a label were left out; they can be scored")
    return told


def quarantined(session: Session, file: FeatureFile, rules: Sequence[Rule], checked: Checked, inputs: str) -> Json:
    """Write every broken row to the quarantine, and return how many break which rule, and where they are."""
    if not checked.set_aside:
        return {"rows": 0, "rules": {}, "file": None}
    target = session.workspace.quarantine / f"features-{inputs[:12]}.jsonl"
    with session.workspace.atomically(target) as draft, draft.open("w", encoding="utf-8") as handle:
        for one in broken(session, file, rules, checked.set_aside):
            handle.write(json.dumps(one | {"file": file.origin}, ensure_ascii=False) + "\n")
    return {"rows": checked.set_aside, "rules": checked.broken_rules, "file": str(target)}


def broken(session: Session, file: FeatureFile, rules: Sequence[Rule], most: int) -> list[Json]:
    """Return broken rows, at most so many of each rule, but for those of customers who were erased."""
    found = set_aside(file, rules, most)
    words = [frozenset(words_of(json.dumps(one))) for one in found]
    erased = session.catalogue.erased_among(frozenset().union(*words))
    return [one for one, said in zip(found, words, strict=True) if not said & erased]


def tell(session: Session, doubted: Sequence[Suspect], notes: Sequence[str], aside: Json, rows: Sequence[Json]) -> None:
    """Say which columns are suspicious, which rows are broken, and what was found out rather than declared."""
    lines = []
    for one in doubted:
        keepable = one.left_out and one.kind not in {"unusable", "constant"}
        hint = f" (--keep {one.name} uses it)" if keepable else ""
        lines.append(f"suspect `{one.name}`, {one.kind}, {'left out' if one.left_out else 'used'}: {one.said()}{hint}")
    for rule, count in aside["rules"].items():
        lines.append(f"quarantined {count:,} {'row' if count == 1 else 'rows'}: {rule}")
    lines += [
        f"  row {row['row']:,}, {row['column']}: found {row['value']!r}; {row['rule']}: {row['remedy']}" for row in rows
    ]
    for line in [*lines, *(f"note: {note}" for note in notes)]:
        session.console.print(line, markup=False)


def _entry(session: Session, bundle: str, config: TrainConfig, judged: Judged, table: ReadyTable) -> Entry:
    from churnml.modeling.plots import calibration_plot, gain_plot, importance_plot  # noqa: PLC0415
    from churnml.modeling.tracking import Entry  # noqa: PLC0415  # MLflow takes seconds to import

    contest, design = judged.contest, judged.model.design
    return Entry(
        bundle[:12],
        params={"rounds": config.rounds, "seed": config.seed, "columns": len(table.columns), "rows": len(table)},
        metrics=judged.judgement.metrics(),
        tags={"bundle": bundle, "kind": "feature table", "out_of_time": str(judged.out_of_time)},
        plots={
            "calibration.png": calibration_plot(contest.truth, contest.forecast),
            "gain.png": gain_plot(contest.truth, contest.forecast),
            "importance.png": importance_plot(
                tuple(f"{name} {part}".strip() for name, part in design.parts),
                judged.model.trees.feature_importance("gain"),
            ),
        },
        parts=[
            Entry(name, metrics=figures, tags={"kind": "baseline"}) for name, figures in judged.judgement.baselines()
        ],
        bundle=session.workspace.models / bundle,
    )


def told_training(summary: Json) -> str:
    """Return the summary of a training in words for people."""
    judged, refused = summary["judged"], summary["not_promoted_because"]
    churn = judged["churn"]
    fate = "promoted, `churnml score --features` uses it" if not refused else f"not promoted: {'; '.join(refused)}"
    low, high = churn["intervals"]["auroc"]
    held_out = "on held-out customers of " + ("one snapshot" if summary["cutoffs"] == 1 else "all cutoffs")
    how = f"out of time at {judged['cutoff']}" if judged["out_of_time"] else held_out
    others = ", ".join(f"{name} {figures['auroc']:.3f}" for name, figures in churn["baselines"].items())
    lines = [
        f"model {summary['model_version'][:12]} from {summary['taught_with']:,} rows, {fate}",
        f"{how}, {judged['customers']:,} rows: AUROC {churn['auroc']:.3f} ({low:.3f} to {high:.3f}; {others})",
        f"of the riskiest tenth {churn['riskiest_tenth']:.0%} left against {churn['base_rate']:.0%} of all",
        *(f"what this cannot tell: {one}" for one in judged["cannot_tell"]),
    ]
    return "\n".join(lines)
