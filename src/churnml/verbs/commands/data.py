"""`churnml init`, `simulate`, `ingest` and `features`: data that come in, and what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from churnml.errors import UsageError
from churnml.verbs.commands.call import CONFIGS, Call, ConfigsOption, JsonOption, on_workspace

features = typer.Typer(help="The catalogue of features, and the matrix at given cutoffs.", no_args_is_help=True)


@on_workspace
def init(
    *,
    source: Annotated[
        Path | None, typer.Option("--from", help="A folder of files, for which sources.yaml is proposed.")
    ] = None,
    call: Call,
) -> None:
    """Make a workspace, with commented settings, templates of the tables, and a sources.yaml."""
    from churnml.verbs import init as verb

    session = call.open(create=None)
    body = verb.init(session, source)
    if call.as_json:
        session.print_json(body)


@on_workspace
def simulate(
    *,
    customers: Annotated[int, typer.Option(help="How many customers there are in the end.")] = 20_000,
    days: Annotated[int, typer.Option(help="Length of the market, in days.")] = 730,
    seed: Annotated[int, typer.Option(help="Of everything random; the same seed gives the same bytes.")] = 0,
    variant: Annotated[
        str, typer.Option(help="plain, contractual, null, drift, confounded or memoryless; see docs/simulation.md.")
    ] = "plain",
    call: Call,
    out: Annotated[Path | None, typer.Option(help="Write the files into this new folder and land nothing.")] = None,
) -> None:
    """Make a market whose truth is known, in the form of the tables, and land it in a workspace of its own."""
    from churnml.events.simulation import Market
    from churnml.verbs import simulate as verb

    market = Market(customers, days, seed, variant)
    session = call.open(create=None if out else True)
    made = verb.simulate(session, market) if out is None else verb.files(session, market, out.resolve())
    session.tell(made, verb.told)


@on_workspace
def ingest(
    *,
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
    call: Call,
    check: Annotated[bool, typer.Option("--check", help="Check and report, write nothing.")] = False,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="The rows are history, known when they happened.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file as well: .json or .html.")] = None,
) -> None:
    """Check tables against the contract, and land what keeps it."""
    from churnml.verbs import ingest as verb

    session = call.open(create=None if check else True)
    how = {"check": check, "backfill": backfill, "report": report}
    if sources is not None and file is None and table is None:
        found = verb.ingest_sources(session, sources, **how)
    elif sources is None and file is not None and table is not None:
        found = verb.ingest_file(session, table, file, **how)
    else:
        raise UsageError("ingest takes either a FILE and the --table it belongs to, or --sources with a sources.yaml")
    if call.as_json:
        session.print_json(found)


@features.command("list")
def features_list(
    *,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Only what is on in this workspace.")
    ] = None,
    configs: ConfigsOption = CONFIGS,
    as_json: JsonOption = False,
) -> None:
    """List the features: every one there is, or those that are on in a workspace."""
    from rich.console import Console

    from churnml.verbs import features as verb

    found = verb.list_features(Call(workspace, configs, as_json).open() if workspace else None)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        Console().print(verb.listing(found))


@features.command("export")
@on_workspace
def features_export(
    *,
    out: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    cutoff: Annotated[list[str] | None, typer.Option(help="A date; may be given more than once.")] = None,
    call: Call,
    engine: Annotated[
        str, typer.Option(help="local: this machine's cores; spark: Spark's workers. The file is the same.")
    ] = "local",
    spark_master: Annotated[
        str | None, typer.Option(help="Where Spark runs, such as spark://host:7077. Default: Spark's own, or local[*].")
    ] = None,
) -> None:
    """Write the feature table at the given cutoffs to Parquet."""
    from churnml.verbs import features as verb

    verb.check_engine(engine, spark_master)
    session = call.open()
    rows = verb.export(session, cutoff or [], out, engine, spark_master)
    session.say({"rows": rows, "file": str(out)}, f"{rows:,} rows in {out}")
