"""`churnml score --features`: a chance of churn for each row of a ready feature table, in a CSV."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from churnml.database.workspace import sweep_drafts
from churnml.errors import NotFoundError, UsageError
from churnml.events.clock import moment
from churnml.events.feature_check import check
from churnml.events.feature_file import FeatureFile, find_roles
from churnml.events.feature_table import UNDATED, ReadyTable, Roles, listed
from churnml.verbs.actor import note
from churnml.verbs.feature_table import (
    ALIAS,
    SHOWN,
    TRAIN,
    Declared,
    broken,
    check_date,
    digest_of,
    on_rows,
    opened,
    quarantined,
    tell,
    unwelcome,
)
from churnml.verbs.session import Session, clock

if TYPE_CHECKING:
    from churnml.modeling.tabular import Matrix, TabularModel

Json = dict[str, Any]  # Any: JSON

_SCORE = "score features"
_BLOCK_ROWS = 50_000
_REASONS = 3
_BANDS = ("low", "medium", "high")


def score_features(session: Session, path: Path, out: Path, declared: Declared) -> Json:
    """Score a feature table with the model taught on such a table, write a CSV, and return the summary.

    Parameters
    ----------
    path : Path
        Its columns as in training; the label is not needed and not read.
    out : Path
        The CSV: customer_id, cutoff, churn_probability, risk_band, and three reasons.
    declared : Declared
        What differs from training: the columns of id and cutoff, or the date.

    Raises
    ------
    NotFoundError
        If no model of a feature table was promoted yet.
    ModelRefusedError
        If its bundle is damaged.
    DataRefusedError
        If a column is missing or holds something else than in training, or too many rows are broken.
    """
    from churnml.modeling.tabular_bundle import load_tabular  # noqa: PLC0415  # LightGBM takes seconds to import

    check_date(declared.cutoff)
    if out.suffix.lower() != ".csv":
        raise UsageError(f"--out: scores of a feature table are written as CSV, got {out.name!r}; end the name in .csv")
    bundle = session.catalogue.alias(ALIAS)
    if bundle is None:
        raise NotFoundError(_why_no_champion(session))
    model, manifest = load_tabular(session.workspace.models / bundle)
    said = asdict(declared) | {"file": digest_of(path), "out": str(out.resolve())}
    inputs = session.inputs(bundle=bundle, feature_table=said)
    with opened(session, path) as (file, notes), session.running(_SCORE, inputs) as run_id:
        roles = _roles_as_taught(file, declared, manifest["roles"], model)
        with session.step("Checking the feature table"):
            about = file.require(model.design.columns, session.settings.max_bad_share)
            checked, rules, _ = check(file, roles, session.settings.max_bad_share)
        aside = quarantined(session, file, rules, checked, inputs)
        with session.step("Scoring every row") as tick:
            scored = _write_scores(session, file, model, out, tick)
        told_notes = [*notes, *about, *scored.notes(), *on_rows(checked)]
        summary: Json = {
            "kind": "feature table",
            "model_version": bundle,
            "rows": checked.rows,
            "scored": sum(scored.bands.values()),
            "bands": {band: scored.bands.get(band, 0) for band in reversed(_BANDS)},
            "expected_churners": scored.expected,
            "set_aside": aside,
            "notes": told_notes,
            "out": str(out),
        }
        tell(session, [], told_notes, aside, broken(session, file, rules, SHOWN))
        note(session, "records.exported", {"format": "csv"})
        session.catalogue.finish(run_id, clock(), summary, bundle=bundle)
    return summary


@dataclass
class _Scored:
    """What has been scored so far."""

    bands: Counter[str]
    unseen: Counter[str]
    expected: float = 0.0
    left_out: Counter[str] = field(default_factory=Counter)
    marked: int = 0

    def notes(self) -> list[str]:
        told = [
            f"`{name}`: {count:,} values were unseen or rare in training and count as missing"
            for name, count in sorted(self.unseen.items())
        ]
        told += [
            f"{gone:,} rows of customers who {whose} were not scored" for whose, gone in self.left_out.items() if gone
        ]
        if self.marked:
            told.append(
                f"{self.marked:,} ids begin as a formula does and have a ' in front, so that no spreadsheet runs it"
            )
        return told


def _write_scores(
    session: Session, file: FeatureFile, model: TabularModel, out: Path, tick: Any
) -> _Scored:  # Any: Tick
    scored, zone = _Scored(Counter(), Counter()), session.settings.time_zone
    ranges = list(file.ranges(_BLOCK_ROWS))
    sweep_drafts(out.resolve())  # `opened` holds the lock of feature tables
    with session.workspace.atomically(out.resolve()) as draft, draft.open("w", encoding="utf-8", newline="") as handle:
        header = ["customer_id", "cutoff", "churn_probability", "risk_band"]
        csv.writer(handle).writerow([*header, *(f"reason_{place}" for place in range(1, _REASONS + 1))])
        for done, (first, last) in enumerate(ranges, 1):
            table = file.read(model.design.columns, first, last)
            for whose, who in unwelcome(session, table.customer_ids).items():
                welcome = ~np.isin(table.customer_ids.astype(str), sorted(who))
                scored.left_out[whose] += int((~welcome).sum())
                table = table.take(welcome)
            _write_block(table, model, zone, handle, scored)
            tick(done, len(ranges))
    return scored


def _write_block(table: ReadyTable, model: TabularModel, zone: str, handle: TextIO, scored: _Scored) -> None:
    from churnml.service.exports import safe  # noqa: PLC0415

    if not len(table):
        return
    matrix = model.design.matrix(table)
    probability = model.probability(matrix)
    bands = np.array(_BANDS)[np.searchsorted(model.bands, probability, side="right")]
    days = {at: "" if at == UNDATED else moment(at, zone).isoformat() for at in np.unique(table.cutoffs).tolist()}
    writer = csv.writer(handle)
    for row, why in enumerate(_reasons(table, model, matrix)):
        who = table.customer_ids[row]
        scored.marked += safe(who) != who
        cells = [safe(who), days[int(table.cutoffs[row])], repr(float(probability[row])), bands[row]]
        writer.writerow([*cells, *(safe(one) for one in why)])
    scored.bands.update(str(band) for band in bands)
    scored.unseen.update(model.design.unseen(table))
    scored.expected += float(probability.sum())


def _reasons(table: ReadyTable, model: TabularModel, matrix: Matrix) -> Iterator[list[str]]:
    """Yield for each row the columns that moved its logit most, with their value and which way."""
    by_column, _ = model.contributions(matrix)
    names, parts = list(by_column), np.column_stack(list(by_column.values()))
    strongest = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :_REASONS]
    dates = {column.name for column in model.design.columns if column.kind == "date"}
    columns = {name: table.column(name) for name in table.numbers} | dict(table.categories)
    for row in range(len(table)):
        told = []
        for place in strongest[row]:
            name, value = names[place], columns[names[place]][row]
            way = "raises" if parts[row, place] > 0 else "lowers"
            told.append(f"{name} {_shown(value, dated=name in dates)} {way} the risk" if parts[row, place] else "")
        yield told + [""] * (_REASONS - len(told))


def _shown(value: Any, *, dated: bool) -> str:  # Any: a number or a text
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "is missing and"
    return f"= {value}" if isinstance(value, str) else f"{value:.0f} days before" if dated else f"= {value:g}"


def _roles_as_taught(file: FeatureFile, declared: Declared, taught: Mapping[str, str], model: TabularModel) -> Roles:
    """Return the roles as in training, where the person says nothing else."""
    column = declared.cutoff_column
    if column is None and declared.cutoff is None and taught["cutoff_column"]:
        column = taught["cutoff_column"]
        if column not in file.names:
            raise UsageError(
                f"{file.origin} has no column `{column}`, which held the cutoff in training; give the date with "
                "--cutoff, or the column with --cutoff-column"
            )
    customer = declared.customer_id or (taught["customer_id"] if taught["customer_id"] in file.names else None)
    roles, _ = find_roles(file, customer_id=customer, cutoff_column=column, cutoff=declared.cutoff)
    dates = [one.name for one in model.design.columns if one.kind == "date"]
    if dates and not roles.dated:
        raise UsageError(
            f"the model counts {listed(dates)} back from the cutoff; give its date with --cutoff, or its column with "
            "--cutoff-column"
        )
    return roles


def _why_no_champion(session: Session) -> str:
    done = session.catalogue.last_run(TRAIN)
    if done is None:
        return "no model of a feature table yet; run `churnml train --features FILE --label COLUMN` first"
    why = "; ".join(done.summary["not_promoted_because"])
    return f"no model to score with: the last one trained was not promoted ({why}); look at its columns, or bring more"


def told_scores(summary: Json) -> str:
    """Return the summary of a scoring in one sentence for people."""
    bands, scored = summary["bands"], f"{summary['scored']:,} of {summary['rows']:,} rows scored"
    risk = f"{bands['high']:,} at high risk, {bands['medium']:,} at medium"
    return f"{scored} into {summary['out']}: {risk}; {summary['expected_churners']:,.0f} churners expected"
