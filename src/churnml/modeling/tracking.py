"""MLflow: what was tried, with which data, how well it did, and which model is champion.

It tracks and registers; nothing is ever loaded back from it. Import this module only where a run is tracked: MLflow
costs seconds to import. Its database and plots live in the workspace, or on a server, and no customer's row goes there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from churnml.errors import DependencyError

# a server that does not answer costs seconds, not the quarter of an hour that MLflow takes by itself
for _name, _value in (
    ("MLFLOW_DISABLE_TELEMETRY", "true"),
    ("DO_NOT_TRACK", "true"),
    ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1"),
    ("MLFLOW_HTTP_REQUEST_TIMEOUT", "10"),
):
    os.environ.setdefault(_name, _value)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Silence what MLflow warns of its own dependencies; nobody here could mend it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with _quietly():
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.exceptions import MlflowException

EXPERIMENT = "churnml"
REGISTERED = "churnml"
URI_VARIABLE = "MLFLOW_TRACKING_URI"
"""MLflow's own name for where its server is; its credentials come from its own variables as well."""

_PARENT, _NAME = "mlflow.parentRunId", "mlflow.runName"
_DIGEST_LENGTH = 36  # the longest MLflow takes


@dataclass(frozen=True)
class Ledger:
    """Where runs are tracked.

    Parameters
    ----------
    folder : Path
        Holds the SQLite database and the artifacts, where there is no server.
    uri : str
        Of an MLflow server, such as ``http://mlflow:5000``; empty for the folder.
    """

    folder: Path
    uri: str = ""

    @classmethod
    def of(cls, folder: Path) -> Ledger:
        """Return the ledger that the environment names, or that of a folder."""
        return cls(folder, os.environ.get(URI_VARIABLE, ""))


@dataclass(frozen=True)
class Taught:
    """The data behind a run, told by their digest: enough to know them again, and not a row of them.

    Parameters
    ----------
    digest : str
        Of everything the run depends on.
    rows : mapping of str to int
        By table.
    """

    digest: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Entry:
    """What is entered of one run.

    Parameters
    ----------
    curves : mapping of str to sequence of (step, value)
        Metrics that have a value at each of several cutoffs; a step is the cutoff in days since 1970-01-01.
    plots : mapping of str to Figure
        By file name.
    texts : mapping of str to str
        Documents, by file name.
    parts : sequence of Entry
        Runs inside this one: the baselines it was judged beside, or the origins of a backtest.
    bundle : Path, optional
        The saved model; its folder becomes an artifact, and a version in the registry.
    """

    name: str
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    plots: Mapping[str, Figure] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Entry] = ()
    taught: Taught | None = None
    bundle: Path | None = None


def track(ledger: Ledger, entry: Entry) -> str:
    """Enter a run, and the runs inside it, and return MLflow's id of it.

    Raises
    ------
    DependencyError
        If a server is named and does not answer, or refuses.
    """
    with _asking(ledger) as client:
        experiment = _experiment(client, ledger)
        run_id = _enter(client, experiment, entry, {})
        for part in entry.parts:
            _enter(client, experiment, part, {_PARENT: run_id})
    return run_id


def name_champion(ledger: Ledger, bundle: str) -> bool:
    """Move the registry alias `champion` to the version registered of a bundle, and tell whether there is one.

    Parameters
    ----------
    bundle : str
        The hash that names it.

    Raises
    ------
    DependencyError
        As `track`.
    """
    with _asking(ledger) as client:
        experiment = _experiment(client, ledger)
        found = client.search_runs([experiment], f"tags.bundle = '{bundle}'", max_results=1)
        versions = [v for run in found for v in client.search_model_versions(f"run_id = '{run.info.run_id}'")]
        if versions:
            client.set_registered_model_alias(REGISTERED, "champion", versions[0].version)
    return bool(versions)


@contextlib.contextmanager
def _asking(ledger: Ledger) -> Iterator[MlflowClient]:
    """Give a client, and tell in words if a server fails it; what fails in our own folder is a bug and stays one."""
    with _quietly():
        try:
            yield _client(ledger)
        except MlflowException as error:
            if not ledger.uri:
                raise
            raise DependencyError(
                f"the MLflow server at {ledger.uri} must take what is tracked, and did not ({_first_words(error)}); "
                f"see that it runs, or take {URI_VARIABLE} out of the environment"
            ) from error


def _first_words(error: MlflowException) -> str:
    words = " ".join(str(error).split())
    return words if len(words) <= 200 else f"{words[:200]} …"


def _client(ledger: Ledger) -> MlflowClient:
    for noisy in ("mlflow", "alembic", "alembic.runtime.migration", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if ledger.uri:
        return MlflowClient(tracking_uri=ledger.uri, registry_uri=ledger.uri)
    ledger.folder.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{ledger.folder / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: MlflowClient, ledger: Ledger) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    place = None if ledger.uri else (ledger.folder / "artifacts").as_uri()
    return str(client.create_experiment(EXPERIMENT, artifact_location=place))


def _enter(client: MlflowClient, experiment: str, entry: Entry, more: Mapping[str, str]) -> str:
    run = client.create_run(experiment, tags={_NAME: entry.name, **entry.tags, **more})
    run_id: str = run.info.run_id
    for name, value in entry.params.items():
        client.log_param(run_id, name, value)
    for name, number in entry.metrics.items():
        client.log_metric(run_id, name, number)
    for name, points in entry.curves.items():
        for step, number in points:
            client.log_metric(run_id, name, number, step=step)
    for name, figure in entry.plots.items():
        client.log_figure(run_id, figure, name)
    for name, text in entry.texts.items():
        client.log_text(run_id, text, name)
    if entry.taught is not None:
        client.log_inputs(run_id, [_dataset(entry.taught)])
    if entry.bundle is not None:
        client.log_artifacts(run_id, str(entry.bundle), "bundle")
    client.set_terminated(run_id)
    if entry.bundle is not None:
        _register(client, run_id, run.info.artifact_uri, entry)
    return run_id


def _dataset(taught: Taught) -> DatasetInput:
    rows = ", ".join(f"{name} {count}" for name, count in sorted(taught.rows.items()))
    landed = Dataset("landed tables", taught.digest[:_DIGEST_LENGTH], "local", "workspace", profile=rows)
    return DatasetInput(landed, [InputTag("mlflow.data.context", "training")])


def _register(client: MlflowClient, run_id: str, artifact_uri: str, entry: Entry) -> None:
    try:
        client.get_registered_model(REGISTERED)
    except MlflowException:
        client.create_registered_model(REGISTERED, description="Churn and value, as bundles of plain data")
    card = next(iter(entry.texts.values()), "")
    client.create_model_version(REGISTERED, f"{artifact_uri}/bundle", run_id, description=card)


__all__ = ["URI_VARIABLE", "Entry", "Ledger", "Taught", "name_champion", "track"]
