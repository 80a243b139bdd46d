"""MLflow: what was tried, with which data, how well it did, and which model is champion.

It tracks and registers; nothing is ever loaded back from it. Import this module only where a run is tracked: MLflow
costs seconds to import. Its database and plots live in the workspace, and no customer's row goes into them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from matplotlib.figure import Figure

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Silence what MLflow warns of its own dependencies; nobody here could mend it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


with _quietly():
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

EXPERIMENT = "churnml"
REGISTERED = "churnml"


@_quietly()
def track(
    folder: Path,
    bundle: Path,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    plots: Mapping[str, Figure],
) -> str:
    """Enter one training run and register its bundle, and return MLflow's run id.

    Parameters
    ----------
    folder : Path
        Where MLflow keeps its SQLite database and artifacts.
    bundle : Path
        The saved model; its folder becomes an artifact of the run.
    plots : mapping of str to Figure
        By file name.
    """
    client = _client(folder)
    run = client.create_run(_experiment(client, folder), tags={"mlflow.runName": bundle.name[:12], **tags})
    run_id: str = run.info.run_id
    for name, value in params.items():
        client.log_param(run_id, name, value)
    for name, number in metrics.items():
        client.log_metric(run_id, name, number)
    for name, figure in plots.items():
        client.log_figure(run_id, figure, name)
    client.log_artifacts(run_id, str(bundle), "bundle")
    client.set_terminated(run_id)
    _register(client, run_id, run.info.artifact_uri)
    return run_id


@_quietly()
def name_champion(folder: Path, bundle: str) -> bool:
    """Move the registry alias `champion` to the version registered of a bundle, and tell whether there is one.

    Parameters
    ----------
    bundle : str
        The hash that names it. A run made before versions bore it is found by its tag.
    """
    client = _client(folder)
    found = client.search_runs([_experiment(client, folder)], f"tags.bundle = '{bundle}'", max_results=1)
    versions = [v for run in found for v in client.search_model_versions(f"run_id = '{run.info.run_id}'")]
    if versions:
        client.set_registered_model_alias(REGISTERED, "champion", versions[0].version)
    return bool(versions)


def _client(folder: Path) -> MlflowClient:
    folder.mkdir(parents=True, exist_ok=True)
    for noisy in ("mlflow", "alembic", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _experiment(client: MlflowClient, folder: Path) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(EXPERIMENT, artifact_location=(folder / "artifacts").as_uri()))


def _register(client: MlflowClient, run_id: str, artifact_uri: str) -> None:
    try:
        client.get_registered_model(REGISTERED)
    except MlflowException:
        client.create_registered_model(REGISTERED, description="Churn and value, as bundles of plain data")
    client.create_model_version(REGISTERED, f"{artifact_uri}/bundle", run_id)


__all__ = ["name_champion", "track"]
