"""`churnml train`, `promote`, `rollback`, `score` and `tune`: models, and what they say of customers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from churnml.errors import UsageError
from churnml.verbs.commands.call import Call, on_workspace, refuse_given
from churnml.verbs.commands.options import CutoffOption

FeaturesOption = Annotated[
    Path | None,
    typer.Option(
        "--features", help="A ready feature table: one row per customer and cutoff, or a snapshot.", readable=False
    ),
]
CustomerOption = Annotated[str | None, typer.Option("--customer-id", help="Its column that says whose row it is.")]
CutoffColumnOption = Annotated[
    str | None, typer.Option(help="Its column with each row's cutoff, in place of --cutoff.")
]
_WITH_FEATURES = "with --features FILE, a table of features that someone else made"


@on_workspace
def tune(
    *,
    cutoff: CutoffOption = None,
    call: Call,
    trials: Annotated[int, typer.Option(help="How many settings are tried; a stopped search goes on.")] = 40,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many, and keep the best so far.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write what is better beyond noise into configs/train.yaml.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the best found to this YAML file, better or not.")] = None,
) -> None:
    """Search for settings that forecast better out of time (pip install 'churnml[tune]')."""
    from churnml.verbs import tune as verb

    session = call.open()
    found = verb.tune(session, cutoff=cutoff, trials=trials, minutes=minutes, write=write, out=out)
    session.tell(found, verb.told)


@on_workspace
def train(
    *,
    cutoff: CutoffOption = None,
    horizon_days: Annotated[
        int | None, typer.Option(help="Days ahead in which silence is churn, or a table's label looks.")
    ] = None,
    population_days: Annotated[int | None, typer.Option(help="A customer ordered within so many days.")] = None,
    call: Call,
    features: FeaturesOption = None,
    label: Annotated[str | None, typer.Option(help="The feature table's column that says who churned.")] = None,
    positive: Annotated[str | None, typer.Option(help="The value of the label that means churned.")] = None,
    customer_id: CustomerOption = None,
    cutoff_column: CutoffColumnOption = None,
    keep: Annotated[list[str] | None, typer.Option(help="Use this column though it looks suspicious.")] = None,
) -> None:
    """Train churn and value, judge them out of time beside the baselines, and promote what passes."""
    if features is not None:
        from churnml.verbs import feature_table

        refuse_given({"--population-days": population_days}, "without --features, where orders tell who is a customer")
        session = call.open(create=True)
        declared = feature_table.Declared(label, customer_id, cutoff_column, cutoff, positive, tuple(keep or ()))
        of_table = feature_table.train_features(session, features, declared, horizon_days)
        session.tell(of_table, feature_table.told_training)
        return
    from churnml.verbs import train as verb

    of_features = {"--label": label, "--positive": positive, "--customer-id": customer_id}
    refuse_given(of_features | {"--cutoff-column": cutoff_column, "--keep": keep}, _WITH_FEATURES)
    session = call.open()
    chosen = {"horizon_days": horizon_days, "population_days": population_days}
    overrides = {key: value for key, value in chosen.items() if value is not None}
    session.tell(verb.train(session, cutoff=cutoff, overrides=overrides), verb.told)


@on_workspace
def promote(
    *,
    model: Annotated[
        str | None, typer.Argument(help="Its version, or the first characters of it. Default: the latest trained.")
    ] = None,
    call: Call,
    despite: Annotated[
        str | None, typer.Option(help="Promote it though a gate refuses it, and keep this reason.")
    ] = None,
) -> None:
    """Make a trained model the champion, if it has passed every gate."""
    from churnml.verbs import promote as verb

    session = call.open()
    session.tell(verb.promote(session, model, despite=despite), verb.told)


@on_workspace
def rollback(
    *,
    call: Call,
    of_tables: Annotated[
        bool, typer.Option("--of-feature-tables", help="The champion of ready feature tables, not of landed ones.")
    ] = False,
) -> None:
    """Make the champion what it was before it moved last."""
    from churnml.verbs import promote as verb

    session = call.open()
    session.tell(verb.rollback(session, of_tables=of_tables), verb.told)


@on_workspace
def score(
    *,
    cutoff: CutoffOption = None,
    call: Call,
    features: FeaturesOption = None,
    customer_id: CustomerOption = None,
    cutoff_column: CutoffColumnOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the records to this file: JSON lines, or with --features CSV.")
    ] = None,
) -> None:
    """Write a decision record for every customer, from the champion."""
    if features is not None:
        from churnml.verbs import feature_scores
        from churnml.verbs.feature_table import Declared

        if out is None:
            raise UsageError("--features needs --out FILE.csv: its scores go into no list and on no page, only there")
        session = call.open()
        declared = Declared(None, customer_id, cutoff_column, cutoff)
        session.tell(feature_scores.score_features(session, features, out, declared), feature_scores.told_scores)
        return
    from churnml.verbs import score as verb

    refuse_given({"--customer-id": customer_id, "--cutoff-column": cutoff_column}, _WITH_FEATURES)
    session = call.open()
    summary = verb.score(session, cutoff=cutoff)
    if out is not None:
        verb.write_records(session, out)
    session.tell(summary, verb.told)
