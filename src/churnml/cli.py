"""The command line: `churnml VERB`. Verbs do the work; this file only names their options.

Exit codes: 0 done, 2 usage or configuration, 3 data refused, 4 model refused or a check that found something,
5 a dependency unreachable, 1 a bug.
Nothing heavy is imported here, so that `churnml --help` answers at once.
"""

from __future__ import annotations

import inspect
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnml import __version__
from churnml.errors import ChurnmlError, DependencyError, UsageError

if TYPE_CHECKING:
    from churnml.database.progress import Progress
    from churnml.verbs.session import Session
    from churnml.wording import Language

app = typer.Typer(
    name="churnml",
    help="Who is about to leave, what each is worth, why, what to do within a budget, and whether it helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
features_app = typer.Typer(help="The catalogue of features, and the matrix at given cutoffs.", no_args_is_help=True)
app.add_typer(features_app, name="features")
check_app = typer.Typer(help="Proofs on your own data: exit code 4 if one finds something.", no_args_is_help=True)
app.add_typer(check_app, name="check")
measure_app = typer.Typer(help="The customer base as the business sees it, and what actions did.", no_args_is_help=True)
app.add_typer(measure_app, name="measure")
keys_app = typer.Typer(help="API keys, for programs that call the service.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
people_app = typer.Typer(help="People who may sign in, and as what.", no_args_is_help=True)
app.add_typer(people_app, name="people")
audit_app = typer.Typer(help="The log of who did what.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")
webhooks_app = typer.Typer(help="Where the service pushes what happens.", no_args_is_help=True)
app.add_typer(webhooks_app, name="webhooks")

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The folder that holds the data.")]
ConfigsOption = Annotated[Path, typer.Option("--configs", help="The folder of YAML files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
CutoffOption = Annotated[
    str | None,
    typer.Option(help="A date, midnight in the workspace's zone. Default: the midnight after the last order."),
]
# files are `readable=False` where whoever opens them says better than typer why one may not be read
WORKSPACE, CONFIGS = Path("workspace"), Path("configs")

_opened: list[Session] = []
"""The sessions of this call, whose databases are let go of when it ends."""
_kept: list[Progress] = []
"""Where this call keeps how far it is, if somebody wants to know."""
_STOPPED = 128 + signal.SIGTERM
_SAID_STOPPED = "it was told to stop before its end; what it had not finished counts nowhere"
_SAID_BUG = "something went wrong on our side; what the command printed says what"


def _open(workspace: Path, configs: Path, *, as_json: bool, create: bool | None = False) -> Session:
    from churnml.verbs.session import Session  # noqa: PLC0415

    session = Session.open(workspace, configs, as_json=as_json, create=create, kept=_kept[-1] if _kept else None)
    _opened.append(session)
    return session


def _version(asked: bool) -> None:  # noqa: FBT001  # typer calls it with the flag
    if asked:
        typer.echo(f"churnml {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    progress: Annotated[
        Path | None, typer.Option(help="Keep in this file, as JSON, how far the command is and how it ended.")
    ] = None,
) -> None:
    """Who is about to leave, what each is worth, why, what to do within a budget, and whether it helped."""
    if progress is not None:
        _keep_progress(progress)


def _keep_progress(path: Path) -> None:
    """Keep how far this call is in a file, and end in order when it is told to stop: whoever reads it may say so."""
    from churnml.database.progress import Progress  # noqa: PLC0415

    def stop(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice, it still ends in order
        sys.exit(_STOPPED)

    try:
        _kept.append(Progress(path))
    except OSError as error:
        raise DependencyError(f"--progress cannot write {path}: {error.strerror}; choose another place") from error
    signal.signal(signal.SIGTERM, stop)


def _tell_end(exit_code: int, code: str | None = None, message: str | None = None) -> None:
    while _kept:
        _kept.pop().end(exit_code, code, message)


@app.command()
def demo(
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    source: Annotated[
        str, typer.Option(help="completejourney: real households; simulated: a market whose truth is known.")
    ] = "completejourney",
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the pages afterwards.")] = True,
    port: Annotated[int | None, typer.Option(help="TCP port of the service.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Do the whole job, on real data or on a simulated market, then serve it."""
    from churnml.verbs.demo import check_source  # noqa: PLC0415
    from churnml.verbs.demo import demo as run  # noqa: PLC0415
    from churnml.verbs.serve import check_port  # noqa: PLC0415
    from churnml.verbs.serve import serve as start  # noqa: PLC0415

    check_port(port)  # before the work, not after
    check_source(source)
    session = _open(workspace, configs, as_json=as_json, create=True)
    summary = run(session, source)
    if as_json:
        session.print_json(summary)
    if serve:
        start(session, port=port)


@app.command()
def init(
    source: Annotated[
        Path | None, typer.Option("--from", help="A folder of files, for which sources.yaml is proposed.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a workspace, with commented settings, templates of the tables, and a sources.yaml."""
    from churnml.verbs.init import init as run  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json, create=None)
    body = run(session, source)
    if as_json:
        session.print_json(body)


@app.command()
def simulate(
    customers: Annotated[int, typer.Option(help="How many customers there are in the end.")] = 20_000,
    days: Annotated[int, typer.Option(help="Length of the market, in days.")] = 730,
    seed: Annotated[int, typer.Option(help="Of everything random; the same seed gives the same bytes.")] = 0,
    variant: Annotated[
        str, typer.Option(help="plain, contractual, null, drift, confounded or memoryless; see docs/simulation.md.")
    ] = "plain",
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    out: Annotated[Path | None, typer.Option(help="Write the files into this new folder and land nothing.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a market whose truth is known, in the form of the tables, and land it in a workspace of its own."""
    from churnml.events.simulation import Market  # noqa: PLC0415
    from churnml.verbs.simulate import files, told  # noqa: PLC0415
    from churnml.verbs.simulate import simulate as run  # noqa: PLC0415

    market = Market(customers, days, seed, variant)
    session = _open(workspace, configs, as_json=as_json, create=None if out else True)
    made = run(session, market) if out is None else files(session, market, out.resolve())
    if as_json:
        session.print_json(made)
    else:
        session.console.print(told(made), markup=False)


@app.command()
def ingest(
    file: Annotated[
        Path | None, typer.Argument(help="A CSV, Parquet, Excel or JSON lines file; with --table.", readable=False)
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", "-t", help="The table it belongs to: customers, orders, …")
    ] = None,
    sources: Annotated[
        Path | None,
        typer.Option("--sources", "-s", help="A sources.yaml that names files, databases and presets.", readable=False),
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    check: Annotated[bool, typer.Option("--check", help="Check and report, write nothing.")] = False,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="The rows are history, known when they happened.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file as well: .json or .html.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check tables against the contract, and land what keeps it."""
    from churnml.verbs.ingest import ingest_file, ingest_sources  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json, create=None if check else True)
    how = {"check": check, "backfill": backfill, "report": report}
    if sources is not None and file is None and table is None:
        found = ingest_sources(session, sources, **how)
    elif sources is None and file is not None and table is not None:
        found = ingest_file(session, table, file, **how)
    else:
        raise UsageError("ingest takes either a FILE and the --table it belongs to, or --sources with a sources.yaml")
    if as_json:
        session.print_json(found)


@features_app.command("list")
def features_list(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Only what is on in this workspace.")
    ] = None,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the features: every one there is, or those that are on in a workspace."""
    from rich.console import Console  # noqa: PLC0415

    from churnml.verbs.features import list_features, listing  # noqa: PLC0415

    found = list_features(_open(workspace, configs, as_json=as_json) if workspace else None)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        Console().print(listing(found))


@features_app.command("export")
def features_export(
    out: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    cutoff: Annotated[list[str] | None, typer.Option(help="A date; may be given more than once.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    engine: Annotated[
        str, typer.Option(help="local: this machine's cores; spark: Spark's workers. The file is the same.")
    ] = "local",
    spark_master: Annotated[
        str | None, typer.Option(help="Where Spark runs, such as spark://host:7077. Default: Spark's own, or local[*].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the feature table at the given cutoffs to Parquet."""
    from churnml.verbs.features import check_engine, export  # noqa: PLC0415

    check_engine(engine, spark_master)
    session = _open(workspace, configs, as_json=as_json)
    rows = export(session, cutoff or [], out, engine, spark_master)
    if as_json:
        session.print_json({"rows": rows, "file": str(out)})
    else:
        session.console.print(f"{rows:,} rows in {out}")


ReportOption = Annotated[
    list[Path] | None,
    typer.Option(help="Write everything to this file as well: a page (.html), .md or .json; repeatable."),
]
LanguageOption = Annotated[str, typer.Option(help="Of the .html report: en or zh.")]


@check_app.command("leakage")
def check_leakage(
    cutoff: Annotated[
        str | None, typer.Option(help="A date whose horizon is over. Default: the latest whose label is final.")
    ] = None,
    horizon_days: Annotated[int | None, typer.Option(help="Days ahead in which silence is churn.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    keep: Annotated[
        list[str] | None, typer.Option(help="This feature was known in time, whatever it tells alone.")
    ] = None,
    report: ReportOption = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Look for what was known only afterwards: the wall, each feature alone, each table a day later."""
    from churnml.verbs.check import FOUND, leakage  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    session, told = _open(workspace, configs, as_json=as_json), language_named(language)
    found = leakage(
        session, cutoff=cutoff, horizon_days=horizon_days, keep=keep or (), reports=report or (), language=told
    )
    if as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(FOUND)


@check_app.command("skew")
def check_skew(
    customers: Annotated[int, typer.Option(min=1, help="How many customers are drawn at random.")] = 10_000,
    cutoff: CutoffOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    report: ReportOption = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Compute the same customers in the batch, in training and online, and compare bit for bit."""
    from churnml.verbs.check import FOUND, skew  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    session, told = _open(workspace, configs, as_json=as_json), language_named(language)
    found = skew(session, customers=customers, cutoff=cutoff, reports=report or (), language=told)
    if as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(FOUND)


@check_app.command("truth")
def check_truth(
    cutoff: Annotated[
        str | None,
        typer.Option(help="A date whose morning the market saved. Default: the last, 90 days before its end."),
    ] = None,
    customers: Annotated[int, typer.Option(min=100, help="Of how many the truth is asked, drawn at random.")] = 5_000,
    redraws: Annotated[int, typer.Option(min=2, help="Futures of each, whose mean is the truth.")] = 50,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write everything to this file as well: .md or .json; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train on a simulated market and hold probabilities and values against its truth."""
    from churnml.verbs.check import FOUND  # noqa: PLC0415
    from churnml.verbs.check_truth import truth  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    found = truth(session, cutoff=cutoff, customers=customers, redraws=redraws, reports=report or ())
    if as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(FOUND)


@check_app.command("bundle")
def check_bundle(
    model: Annotated[
        str | None, typer.Argument(help="The first characters of its version. Default: the champion.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Random rows to ask it of.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check that a saved model is whole, signed, ours, and gives no impossible answer."""
    from churnml.verbs.check_bundle import check_bundle as run  # noqa: PLC0415
    from churnml.verbs.check_bundle import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    found = run(session, model, rows)
    if as_json:
        session.print_json(found)
    else:
        session.console.print(told(found), markup=False)


@app.command()
def monitor(
    cutoff: CutoffOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say whether the champion is still to be trusted: drift, labels that closed, freshness, a challenger."""
    from churnml.verbs.monitor import FOUND  # noqa: PLC0415
    from churnml.verbs.monitor import monitor as run  # noqa: PLC0415
    from churnml.verbs.verdict import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    found = run(session, cutoff=cutoff)
    if as_json:
        session.print_json(found)
    else:
        session.console.print(told(found), markup=False)
    if found["verdict"] != "fine":
        raise typer.Exit(FOUND)


@measure_app.command("uplift")
def measure_uplift(
    cutoff: CutoffOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write it here as well: a page (.html) or JSON (.json).")
    ] = None,
    language: Annotated[str, typer.Option(help="Of what people read: en or zh.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Learn from contacts drawn by chance whom each action helps, and whom it harms."""
    from churnml.verbs.measure_uplift import measure_uplift as run  # noqa: PLC0415
    from churnml.verbs.measure_uplift import told  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    spoken = language_named(language)
    session = _open(workspace, configs, as_json=as_json)
    found = run(session, cutoff=cutoff, reports=report or [], language=spoken)
    if as_json:
        session.print_json(found)
    else:
        session.console.print(told(found, spoken), markup=False)


@app.command()
def tune(
    cutoff: CutoffOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    trials: Annotated[int, typer.Option(help="How many settings are tried; a stopped search goes on.")] = 40,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many, and keep the best so far.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write what is better beyond noise into configs/train.yaml.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the best found to this YAML file, better or not.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Search for settings that forecast better out of time (pip install 'churnml[tune]')."""
    from churnml.verbs.tune import told  # noqa: PLC0415
    from churnml.verbs.tune import tune as run  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    found = run(session, cutoff=cutoff, trials=trials, minutes=minutes, write=write, out=out)
    if as_json:
        session.print_json(found)
    else:
        session.console.print(told(found), markup=False)


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


@app.command()
def train(
    cutoff: CutoffOption = None,
    horizon_days: Annotated[
        int | None, typer.Option(help="Days ahead in which silence is churn, or a table's label looks.")
    ] = None,
    population_days: Annotated[int | None, typer.Option(help="A customer ordered within so many days.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    features: FeaturesOption = None,
    label: Annotated[str | None, typer.Option(help="The feature table's column that says who churned.")] = None,
    positive: Annotated[str | None, typer.Option(help="The value of the label that means churned.")] = None,
    customer_id: CustomerOption = None,
    cutoff_column: CutoffColumnOption = None,
    keep: Annotated[list[str] | None, typer.Option(help="Use this column though it looks suspicious.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train churn and value, judge them out of time beside the baselines, and promote what passes."""
    from churnml.verbs.train import told  # noqa: PLC0415
    from churnml.verbs.train import train as run  # noqa: PLC0415

    of_features: dict[str, object] = {"--label": label, "--positive": positive, "--customer-id": customer_id}
    of_features |= {"--cutoff-column": cutoff_column, "--keep": keep}
    if features is not None:
        _refuse_given({"--population-days": population_days}, "without --features, where orders tell who is a customer")
        _train_features(features, of_features, cutoff, horizon_days, workspace, configs, as_json=as_json)
        return
    _refuse_given(of_features, "with --features FILE, a table of features that someone else made")
    session = _open(workspace, configs, as_json=as_json)
    chosen = {"horizon_days": horizon_days, "population_days": population_days}
    summary = run(session, cutoff=cutoff, overrides={key: value for key, value in chosen.items() if value is not None})
    if as_json:
        session.print_json(summary)
    else:
        session.console.print(told(summary))


@app.command()
def promote(
    model: Annotated[
        str | None, typer.Argument(help="Its version, or the first characters of it. Default: the latest trained.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    despite: Annotated[
        str | None, typer.Option(help="Promote it though a gate refuses it, and keep this reason.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a trained model the champion, if it has passed every gate."""
    from churnml.verbs.promote import promote as run  # noqa: PLC0415
    from churnml.verbs.promote import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    moved = run(session, model, despite=despite)
    if as_json:
        session.print_json(moved)
    else:
        session.console.print(told(moved), markup=False)


@app.command()
def rollback(
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    of_tables: Annotated[
        bool, typer.Option("--of-feature-tables", help="The champion of ready feature tables, not of landed ones.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the champion what it was before it moved last."""
    from churnml.verbs.promote import rollback as run  # noqa: PLC0415
    from churnml.verbs.promote import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    moved = run(session, of_tables=of_tables)
    if as_json:
        session.print_json(moved)
    else:
        session.console.print(told(moved), markup=False)


@app.command()
def score(
    cutoff: CutoffOption = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    features: FeaturesOption = None,
    customer_id: CustomerOption = None,
    cutoff_column: CutoffColumnOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the records to this file: JSON lines, or with --features CSV.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a decision record for every customer, from the champion."""
    from churnml.verbs.score import score as run  # noqa: PLC0415
    from churnml.verbs.score import told, write_records  # noqa: PLC0415

    of_features = {"--customer-id": customer_id, "--cutoff-column": cutoff_column}
    if features is not None:
        _score_features(features, of_features, cutoff, out, workspace, configs, as_json=as_json)
        return
    _refuse_given(of_features, "with --features FILE, a table of features that someone else made")
    session = _open(workspace, configs, as_json=as_json)
    summary = run(session, cutoff=cutoff)
    if out is not None:
        write_records(session, out)
    if as_json:
        session.print_json(summary)
    else:
        session.console.print(told(summary))


def _refuse_given(options: Mapping[str, object], place: str) -> None:
    stray = next((name for name, value in options.items() if value), None)
    if stray is not None:
        raise UsageError(f"{stray} belongs to a call {place}; leave it out")


def _train_features(
    file: Path,
    said: dict[str, Any],  # Any: values of options
    cutoff: str | None,
    horizon_days: int | None,
    workspace: Path,
    configs: Path,
    *,
    as_json: bool,
) -> None:
    from churnml.verbs.feature_table import Declared, told_training, train_features  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json, create=True)
    roles = said["--label"], said["--customer-id"], said["--cutoff-column"]
    declared = Declared(*roles, cutoff, said["--positive"], tuple(said["--keep"] or ()))
    summary = train_features(session, file, declared, horizon_days)
    if as_json:
        session.print_json(summary)
    else:
        session.console.print(told_training(summary), markup=False)


def _score_features(
    file: Path,
    said: dict[str, Any],  # Any: values of options
    cutoff: str | None,
    out: Path | None,
    workspace: Path,
    configs: Path,
    *,
    as_json: bool,
) -> None:
    from churnml.verbs.feature_scores import score_features, told_scores  # noqa: PLC0415
    from churnml.verbs.feature_table import Declared  # noqa: PLC0415

    if out is None:
        raise UsageError("--features needs --out FILE.csv: its scores go into no list and on no page, only there")
    session = _open(workspace, configs, as_json=as_json)
    declared = Declared(None, said["--customer-id"], said["--cutoff-column"], cutoff)
    summary = score_features(session, file, out, declared)
    if as_json:
        session.print_json(summary)
    else:
        session.console.print(told_scores(summary), markup=False)


@app.command()
def assign(
    budget: Annotated[float | None, typer.Option(help="Most that the campaign may cost, in the currency.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Whose budget it is; each customer is assigned once in it.")
    ] = None,
    actions: Annotated[Path | None, typer.Option(help="The catalogue of actions, YAML.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    anew: Annotated[bool, typer.Option("--anew", help="First take back what has no outcome yet.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done, and what other budgets would bring.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write what is chosen, and who gets nothing and why, to this .html or .json; repeatable."),
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Choose an action for each customer within the budget, and keep a control group."""
    from churnml.verbs.assign import assign as run  # noqa: PLC0415
    from churnml.verbs.assign import told  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    session, spoken = _open(workspace, configs, as_json=as_json), language_named(language)
    summary = run(
        session,
        budget=budget,
        campaign=campaign,
        actions=actions,
        anew=anew,
        dry_run=dry_run,
        reports=report or (),
        language=spoken,
    )
    if as_json:
        session.print_json(summary)
    else:
        session.console.print(told(summary), markup=False)


@dataclass(frozen=True)
class _Asking:
    """What all measures of the customer base are asked with."""

    session: Session
    language: Language
    reports: list[Path]
    days: dict[str, Any]  # Any: texts, of which `every` is never None
    """`begin`, `end`, `every` and `by`"""


def _asking(
    begin: Annotated[
        str | None, typer.Option("--from", help="First day, such as 2017-01-01. Default: the last twelve months.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The day after the last. Default: the day after the last order.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Also by: an attribute such as region, channel, stage, segment.")
    ] = None,
    every: Annotated[str, typer.Option(help="How long a period is: week, month, quarter, year.")] = "month",
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help="Write everything to this file as well: a page (.html) or .json; repeatable."),
    ] = None,
    language: Annotated[str, typer.Option(help="Of what people read: en or zh.")] = "en",
    as_json: JsonOption = False,
) -> _Asking:
    """Declare the options that all measures of the customer base have, and return what they say."""
    from churnml.wording import language_named  # noqa: PLC0415

    days = {"begin": begin, "end": end, "every": every, "by": by}
    return _Asking(_open(workspace, configs, as_json=as_json), language_named(language), report or [], days)


Command = Callable[..., None]


def _asked_alike(*without: str) -> Callable[[Command], Command]:
    """Give a command the options of `_asking`, but some, before its own; it is called with what they say."""
    shared = {name: one for name, one in _options(_asking).items() if name not in without}

    def declared(command: Command) -> Command:
        own = {name: one for name, one in _options(command).items() if name != "asking"}

        def called(**given: Any) -> None:  # Any: values of options
            command(_asking(**{name: given[name] for name in shared}), **{name: given[name] for name in own})

        options = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (shared | own).values()]
        # typer reads both
        called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in options}
        called.__doc__ = command.__doc__
        return called

    return declared


def _options(command: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(command, eval_str=True).parameters


def _measure(name: str, asking: _Asking) -> None:
    from churnml.verbs.measuring import measured  # noqa: PLC0415
    from churnml.verbs.measuring_told import told  # noqa: PLC0415

    session = asking.session
    body = measured(session, name, **asking.days, reports=asking.reports, language=asking.language)
    if session.as_json:
        session.print_json(body)
    else:
        session.console.print(told(body, asking.language), markup=False)


def _measure_command(name: str, says: str) -> None:
    """Add `churnml measure NAME`."""

    def measure(asking: _Asking) -> None:
        _measure(name, asking)

    measure.__doc__ = says
    measure_app.command(name)(_asked_alike()(measure))


@measure_app.command("lifecycle")
@_asked_alike()
def measure_lifecycle(
    asking: _Asking,
    *,
    customer: Annotated[
        str | None, typer.Option(help="Show the path of this customer alone, as the last call by month kept it.")
    ] = None,
) -> None:
    """Say where customers are in their life, how they moved between stages, and how long they stayed."""
    if customer is None:
        _measure("lifecycle", asking)
        return
    from churnml.verbs.lifecycle_path import path_of, path_told  # noqa: PLC0415

    days = asking.days
    given = {"--from": days["begin"], "--to": days["end"], "--by": days["by"], "--report": asking.reports}
    _refuse_given(given, "without --customer")
    path = path_of(asking.session, customer)
    if asking.session.as_json:
        asking.session.print_json(path)
    else:
        asking.session.console.print(path_told(path, asking.language), markup=False)


for _name, _says in (
    ("funnel", "Say how many go from stage to stage, how long it takes them, and where most are lost."),
    ("segments", "Say who the customers are: by worth, risk, place, age, habit and interest, and how they moved."),
    ("kpis", "Say the figures of the business by period, with intervals, targets, and what misses them."),
    ("drivers", "Say how those who left differ from those who stayed; what goes with leaving, not what causes it."),
    ("rhythm", "Say when customers buy: by weekday, hour and season, and which days were unusual."),
    ("strategy", "Say on one page, per stage and segment, what it is worth, what is at risk and what to do."),
):
    _measure_command(_name, _says)


@app.command("report")
@_asked_alike("report")
def report(
    asking: _Asking,
    *,
    out: Annotated[
        Path | None, typer.Option(help="The .html file. Default: reports/report-DAY.html in the workspace.")
    ] = None,
) -> None:
    """Measure every side of the customer base and write one HTML file with pictures that needs nothing beside it."""
    from churnml.verbs.report import report as run  # noqa: PLC0415
    from churnml.verbs.report import told  # noqa: PLC0415

    session = asking.session
    body = run(session, **asking.days, out=out, language=asking.language)
    if session.as_json:
        session.print_json(body)
    else:
        session.console.print(told(body, asking.language), markup=False)


@measure_app.command("effect")
def measure_effect(
    campaign: Annotated[str | None, typer.Option(help="Only this campaign. Default: all that were ever run.")] = None,
    by: Annotated[
        str | None, typer.Option(help="Also by: an attribute such as region, campaign, segment, lifecycle_stage.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    outcome: Annotated[
        str, typer.Option(help="orders: margin of landed orders; posted: values posted to assignments.")
    ] = "orders",
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write everything to this file as well: a page (.html) or .json; repeatable."),
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Say what actions did, by those who by chance got them or not, and whether it paid."""
    from churnml.verbs.measure_effect import measure_effect as run  # noqa: PLC0415
    from churnml.verbs.measure_effect import told as said  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    session, spoken = _open(workspace, configs, as_json=as_json), language_named(language)
    body = run(session, campaign=campaign, by=by, outcome=outcome, reports=report or (), language=spoken)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(said(body, spoken), markup=False)


@measure_app.command("policy")
def measure_policy(
    actions: Annotated[Path | None, typer.Option(help="The catalogue of actions to judge, YAML.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Say what choosing by a catalogue would have been worth on past lots, before it is run."""
    from churnml.verbs.measure_policy import measure_policy as run  # noqa: PLC0415
    from churnml.verbs.measure_policy import told as said  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    session, spoken = _open(workspace, configs, as_json=as_json), language_named(language)
    body = run(session, actions=actions)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(said(body, spoken), markup=False)


@measure_app.command("outcomes")
def measure_outcomes(
    file: Annotated[Path, typer.Argument(help="A CSV, Parquet, Excel or JSON lines file of outcomes.", readable=False)],
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    check: Annotated[bool, typer.Option("--check", help="Check and report, keep nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the report with every refused row to this .json file as well.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Post what came of the actions: carried out, redeemed, not delivered, what it cost and brought."""
    from churnml.verbs.outcomes import outcomes as run  # noqa: PLC0415
    from churnml.verbs.outcomes import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    found = run(session, file, check=check, report=report)
    if as_json:
        session.print_json(found)
    else:
        session.console.print(told(found, session.settings.currency), markup=False)


@measure_app.command("plan")
def measure_plan(
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    churn_effect: Annotated[
        float | None, typer.Option(help="A fall of the churn probability to look for, such as 0.02. Default: assumed.")
    ] = None,
    margin_effect: Annotated[
        float | None, typer.Option(help="A gain of margin per customer to look for. Default: what the action costs.")
    ] = None,
    per_week: Annotated[
        int | None, typer.Option(help="Customers a week it can be chosen for. Default: who is open today, once.")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="Most that a campaign may cost, in the currency.")] = None,
    control_share: Annotated[float | None, typer.Option(help="Share from whom the action is withheld.")] = None,
    power: Annotated[float, typer.Option(help="Probability of telling the effect if it is there.")] = 0.8,
    level: Annotated[float, typer.Option(help="Two-sided probability of telling one that is not.")] = 0.05,
    actions: Annotated[Path | None, typer.Option(help="The catalogue of actions, YAML.")] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Say how many customers and weeks it takes to tell each action's effect, or that this base never will."""
    from churnml.verbs.measure_plan import Asked, told  # noqa: PLC0415
    from churnml.verbs.measure_plan import plan as run  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    words = language_named(language)
    session = _open(workspace, configs, as_json=as_json)
    asked = Asked(churn_effect, margin_effect, per_week, power, level)
    body = run(session, asked, budget=budget, control_share=control_share, actions=actions)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(told(body, words), markup=False)


@app.command()
def backtest(
    protocol: Annotated[list[str] | None, typer.Option(help="Run only this one; may be given more than once.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    origins: Annotated[
        int | None, typer.Option(help="Judge configs/train.yaml at so many cutoffs in a row instead, the last apart.")
    ] = None,
    within: Annotated[
        list[int] | None,
        typer.Option(help="Judge what the model says of another horizon of so many days instead; repeatable."),
    ] = None,
    conversion: Annotated[
        int | None,
        typer.Option(help="Judge who became a customer instead, at so many cutoffs a horizon apart."),
    ] = None,
    categories: Annotated[
        int | None,
        typer.Option(help="Judge which category customers bought next instead, at so many cutoffs a horizon apart."),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write it to this Markdown file as well; with --origins also .html or .json; repeatable."),
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Run the out-of-time protocols of configs/backtest.yaml, beside the baselines, with intervals."""
    from churnml.verbs.backtest import backtest as run  # noqa: PLC0415
    from churnml.verbs.backtest import backtest_conversion, backtest_within  # noqa: PLC0415
    from churnml.verbs.backtest_categories import backtest_categories  # noqa: PLC0415
    from churnml.verbs.origins import backtest_origins  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    numbers = (origins, conversion, categories)
    if sum(map(bool, (protocol, within, *(one is not None for one in numbers)))) > 1:
        raise UsageError(
            "--origins, --protocol, --within, --conversion and --categories are five kinds of backtest; give one"
        )
    session = _open(workspace, configs, as_json=as_json)
    if within:
        body = backtest_within(session, within, reports=report or ())
    elif conversion is not None:
        body = backtest_conversion(session, conversion, reports=report or ())
    elif categories is not None:
        body = backtest_categories(session, categories, reports=report or ())
    elif origins is not None:
        body = backtest_origins(session, origins, reports=report or (), language=language_named(language))
    else:
        body = run(session, protocol or [], reports=report or ())
    if as_json:
        session.print_json(body)


@app.command()
def replay(
    run: Annotated[
        str | None, typer.Argument(help="The first characters of its id. Default: the run that is served.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many records are compared, drawn at random.")] = 1_000,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make decision records of a run anew and compare them bit for bit: exit code 1 if one is not what it was."""
    from churnml.verbs.replay import DIFFERS, told  # noqa: PLC0415
    from churnml.verbs.replay import replay as run_again  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    said = run_again(session, run, sample=sample)
    if as_json:
        session.print_json(said)
    else:
        session.console.print(told(said), markup=False)
    if said["differ"]:
        raise typer.Exit(DIFFERS)


@app.command()
def vacuum(
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would go, and remove nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Let go of records of old runs and of rows set aside long ago; nothing that is served or measured by goes."""
    from churnml.verbs.vacuum import told  # noqa: PLC0415
    from churnml.verbs.vacuum import vacuum as run  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    said = run(session, dry_run=dry_run)
    if as_json:
        session.print_json(said)
    else:
        session.console.print(told(said), markup=False)


@app.command()
def backup(
    to: Annotated[Path, typer.Option("--to", help="A new folder, or a file whose name ends in .tar.")],
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a backup of the workspace, its database and its models, while everything goes on."""
    from churnml.verbs.backup import backup as run  # noqa: PLC0415
    from churnml.verbs.backup import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    made = run(session, to)
    if as_json:
        session.print_json(made)
    else:
        session.console.print(told(made), markup=False)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `churnml backup` wrote.")],
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="All that is in the workspace may go.")] = False,
    tombstones: Annotated[
        Path | None, typer.Option(help="What `churnml erase --export` wrote: whoever is in it is erased again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a workspace what a backup holds, once every byte of it is checked; stop the service before."""
    from churnml.verbs.erase import brought  # noqa: PLC0415
    from churnml.verbs.restore import restore as run  # noqa: PLC0415
    from churnml.verbs.restore import told  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json, create=None)
    done = run(session, source, replace=replace, tombstones=None if tombstones is None else brought(tombstones))
    if as_json:
        session.print_json(done)
    else:
        session.console.print(told(done), markup=False)


@app.command()
def erase(
    customers: Annotated[list[str] | None, typer.Argument(metavar="CUSTOMER", help="Ids of customers.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    file: Annotated[Path | None, typer.Option(help="A text with one id a line.")] = None,
    reason: Annotated[str, typer.Option(help="Why; see docs/erasure.md.")] = "request",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: what is erased cannot be brought back.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with erasures that did not get to their end.")
    ] = False,
    lift: Annotated[str | None, typer.Option(metavar="CUSTOMER", help="Let a customer who came back in again.")] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tombstones, which name nobody.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the receipt: en or zh.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Forget customers everywhere, and print a receipt; CHURNML_SECRET keeps them from being landed again."""
    from churnml.verbs import erase as erasing  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    what = [bool(customers or file), resume, lift is not None, export is not None]
    if sum(what) != 1:
        raise UsageError("give customers to erase, or one of --resume, --lift and --export, found several or none")
    spoken, session = language_named(language), _open(workspace, configs, as_json=as_json)
    if lift is not None or export is not None:
        body = erasing.lift(session, lift) if lift is not None else erasing.export(session, export or Path())
        words = ", ".join(f"{name} {value}" for name, value in body.items())
    elif resume:
        body = erasing.resume(session)
        words = erasing.said(body, spoken)
    else:
        whom = erasing.named(customers or (), file)
        if not yes and not (sys.stdin.isatty() and typer.confirm(f"Erase {len(whom)} customers for good?")):
            raise UsageError("what is erased cannot be brought back, so nothing was erased; give --yes to do it")
        body = erasing.erase(session, whom, reason)
        words = erasing.said(body, spoken)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(words, markup=False)


@app.command()
def digest(
    to: Annotated[list[str] | None, typer.Option(help="An address, in place of the settings'; repeatable.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    language: Annotated[str | None, typer.Option(help="en or zh. Default: as in configs/digest.yaml.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send the day's list by e-mail, through the mail server of configs/digest.yaml."""
    from churnml.verbs.digest import digest as run  # noqa: PLC0415
    from churnml.verbs.digest import told  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    words = language_named(language) if language else None
    session = _open(workspace, configs, as_json=as_json)
    body = run(session, to=to or (), language=words)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(told(body), markup=False)


@app.command()
def handoff(
    to: Annotated[
        str,
        typer.Option(help="salesforce, hubspot, dynamics, zoho, fxiaoke, mailchimp, marketo, excel or tableau."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write; further ones are called -2, -3, …")],
    band: Annotated[list[str] | None, typer.Option(help="Only this risk band; repeatable. Default: all.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    emails: Annotated[
        Path | None, typer.Option(help="A CSV with customer_id and email, for mailchimp.", readable=False)
    ] = None,
    marked: Annotated[
        bool, typer.Option("--marked", help="Keep controls and held-out customers, marked, where nobody is written to.")
    ] = False,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Write the list at risk in the shape that a CRM, mail or BI tool imports."""
    from churnml.verbs.handoff import handoff as run  # noqa: PLC0415
    from churnml.verbs.handoff import require_bands, told  # noqa: PLC0415
    from churnml.wording import language_named  # noqa: PLC0415

    words, bands = language_named(language), require_bands(band or ())
    session = _open(workspace, configs, as_json=as_json)
    body = run(session, to, out, bands=bands, emails=emails, marked=marked, language=words)
    if as_json:
        session.print_json(body)
    else:
        session.console.print(told(body, words), markup=False)


@app.command()
def serve(
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    host: Annotated[
        str | None, typer.Option(help="Address to bind; any but a loopback address needs accounts and TLS.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="TCP port.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer, 1 to 64.")] = None,
) -> None:
    """Serve the API and the pages; on this machine alone, print a link that signs in once."""
    from churnml.verbs.serve import check_port  # noqa: PLC0415
    from churnml.verbs.serve import serve as run  # noqa: PLC0415

    check_port(port)
    run(_open(workspace, configs, as_json=False), host=host, port=port, workers=workers)


KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its id, such as ck_b7k2m9x4qa, or its name.")]
DaysOption = Annotated[int, typer.Option(help="Days until it expires.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What they sign in as.")]
WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, as `churnml webhooks list` has it.")]
RoleOption = Annotated[str, typer.Option(help="agent, analyst or admin; see docs/access.md.")]


@keys_app.command("create")
def keys_create(
    name: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="read, contact, write, operate or admin; repeatable.")],
    days: DaysOption = 90,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key; it is printed this once."""
    from churnml.verbs.keys import create, shown_once  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = create(session, name, scope, days=days)
    _print_secret(session, body, shown_once(body), "key", as_json=as_json)


@keys_app.command("list")
def keys_list(
    workspace: WorkspaceOption = WORKSPACE, configs: ConfigsOption = CONFIGS, *, as_json: JsonOption = False
) -> None:
    """List the keys: what each may do, until when, and when it was used last."""
    from churnml.verbs.keys import known, listing  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = known(session)
    _tell(session, body, listing(body), as_json=as_json)


@keys_app.command("rotate")
def keys_rotate(
    key: KeyArgument,
    days: DaysOption = 90,
    overlap_hours: Annotated[int, typer.Option(help="Hours for which the old one goes on.")] = 24,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key that takes the place of another, which goes on for a while."""
    from churnml.verbs.keys import rotate, shown_once  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = rotate(session, key, days=days, overlap_hours=overlap_hours)
    _print_secret(session, body, shown_once(body), "key", as_json=as_json)


@keys_app.command("revoke")
def keys_revoke(
    key: KeyArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke a key, or all of a name: from the next request on it is refused."""
    from churnml.verbs.keys import revoke  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = revoke(session, key)
    gone = ", ".join(one["key_id"] for one in body["revoked"]) or "nothing that was not revoked already"
    _tell(session, body, f"Revoked: {gone}", as_json=as_json)


@people_app.command("add")
def people_add(
    name: NameArgument,
    role: RoleOption,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make an account; the password is asked for, or taken from CHURNML_PASSWORD."""
    from churnml.verbs.people import add  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = add(session, name, role)
    _tell(session, body, f"{body['name']} may sign in as {body['role']}", as_json=as_json)


@people_app.command("list")
def people_list(
    workspace: WorkspaceOption = WORKSPACE, configs: ConfigsOption = CONFIGS, *, as_json: JsonOption = False
) -> None:
    """List who may sign in, and as what."""
    from churnml.verbs.people import known, listing  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = known(session)
    _tell(session, body, listing(body), as_json=as_json)


@people_app.command("role")
def people_role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="agent, analyst or admin.")],
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give someone another role, from their next request on."""
    from churnml.verbs.people import role as change  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = change(session, name, role)
    _tell(session, body, f"{body['name']} is {body['role']} now", as_json=as_json)


@people_app.command("password")
def people_password(
    name: NameArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give someone another password; all their sessions end."""
    from churnml.verbs.people import password  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = password(session, name)
    _tell(session, body, f"{body['name']} has a new password, and is signed out everywhere", as_json=as_json)


@people_app.command("remove")
def people_remove(
    name: NameArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Remove an account; what the person did stays in the audit log."""
    from churnml.verbs.people import remove  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = remove(session, name)
    _tell(session, body, f"{body['name']} has no account any more", as_json=as_json)


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        list[str] | None, typer.Option(help="Where the log ended before, as this command printed it; repeatable.")
    ] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Say whether the log is whole: exit code 4 if an entry was changed, removed, put in, moved or cut off."""
    from churnml.verbs.audit import check, said  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = check(session, head or ())
    _tell(session, body, said(body), as_json=as_json)


@audit_app.command("show")
def audit_show(
    since: Annotated[str | None, typer.Option(help="From this day on, such as 2017-12-31.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only what was done about this customer.")] = None,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, and when."""
    from churnml.verbs.audit import lines, show  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = show(session, since, customer)
    _tell(session, body, lines(body), as_json=as_json)


@webhooks_app.command("list")
def webhooks_list(
    workspace: WorkspaceOption = WORKSPACE, configs: ConfigsOption = CONFIGS, *, as_json: JsonOption = False
) -> None:
    """List the webhooks: what each is sent, and how it fares."""
    from churnml.verbs.webhooks import known, listing  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = known(session)
    _tell(session, body, listing(body), as_json=as_json)


@webhooks_app.command("add")
def webhooks_add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https, of a public address.")],
    event: Annotated[list[str], typer.Option(help="Such as list.ready, see docs/webhooks.md; repeatable.")],
    description: Annotated[str, typer.Option(help="Whose it is, and what for.")] = "",
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a webhook; its signing secret, derived from CHURNML_SECRET, is printed this once."""
    from churnml.verbs.webhooks import add, shown_once  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = add(session, url, event, description=description)
    _print_secret(session, body, shown_once(body), "secret", as_json=as_json)


@webhooks_app.command("rotate")
def webhooks_rotate(
    webhook: WebhookArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give a webhook a new secret; for a day messages bear the signature by the old one as well."""
    from churnml.verbs.webhooks import rotate, shown_once  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = rotate(session, webhook)
    _print_secret(session, body, shown_once(body), "secret", as_json=as_json)


@webhooks_app.command("test")
def webhooks_test(
    webhook: WebhookArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Send a webhook a message to try it; a service that runs does so within seconds."""
    from churnml.verbs.webhooks import test  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = test(session, webhook)
    _tell(session, body, f"delivery {body['delivery_id']} waits; `churnml serve` sends it", as_json=as_json)


@webhooks_app.command("remove")
def webhooks_remove(
    webhook: WebhookArgument,
    workspace: WorkspaceOption = WORKSPACE,
    configs: ConfigsOption = CONFIGS,
    *,
    as_json: JsonOption = False,
) -> None:
    """Remove a webhook with all that waits for it."""
    from churnml.verbs.webhooks import remove  # noqa: PLC0415

    session = _open(workspace, configs, as_json=as_json)
    body = remove(session, webhook)
    _tell(session, body, f"nothing is pushed to {body['url']} any more", as_json=as_json)


def _tell(session: Session, body: Mapping[str, Any], words: object, *, as_json: bool) -> None:  # Any: JSON
    if as_json:
        session.print_json(body)
    else:
        session.console.print(words, markup=False)


def _print_secret(
    session: Session, body: Mapping[str, Any], words: str, name: str, *, as_json: bool
) -> None:  # Any: JSON
    """Print a new secret alone on standard output, so that a shell can take it up; what is to be known, beside it."""
    _tell(session, body, words, as_json=as_json)
    if not as_json:
        typer.echo(body[name])


def main() -> None:
    """Run the command line; a user's mistake gets one message and an exit code, a bug keeps its traceback."""
    try:
        app()
    except ChurnmlError as error:
        if "--json" in sys.argv:
            told = {"code": error.code, "message": str(error)}
            report = getattr(error, "report", None)
            body = {"error": told} if report is None else {"error": told, "report": report}
            typer.echo(json.dumps(body, ensure_ascii=False))
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        _tell_end(error.exit_code, error.code, str(error))
        sys.exit(error.exit_code)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        _tell_end(code, *(("stopped", _SAID_STOPPED) if code == _STOPPED else ()))
        raise
    except BaseException:
        _tell_end(1, "internal", _SAID_BUG)
        raise
    finally:
        while _opened:
            _opened.pop().close()


if __name__ == "__main__":
    main()
