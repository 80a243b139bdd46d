"""The verbs for a notebook: data frames in, data frames out, and the same workspace that the command line works in."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rich.console import Console

from churnml.errors import NotFoundError, UsageError, nearest
from churnml.verbs.session import Session

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]  # Any: JSON


class Workbench:
    """A workspace as a data scientist has it open: bring tables, train, compare, explain, predict.

    Each method is a verb of the command line, with its refusals as exceptions and its summary as a value; what one of
    them makes the other sees.

    Parameters
    ----------
    session : Session
        From `open_workspace`, which is how one gets a workbench.

    Examples
    --------
    >>> import tempfile
    >>> import churnml
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bench = churnml.open_workspace(folder + "/shop")
    ...     bench.tables
    []
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def __repr__(self) -> str:
        return f"Workbench({str(self.session.workspace.root)!r}, tables={self.tables})"

    @property
    def tables(self) -> list[str]:
        """The tables that have landed."""
        return sorted({part.table_name for part in self.session.catalogue.parts()})

    def ingest(self, *, check: bool = False, backfill: bool = False, **tables: pd.DataFrame | str | Path) -> Json:
        """Check tables against the contract, land what keeps it, and return the report.

        Parameters
        ----------
        check : bool, default False
            Check and report, write nothing.
        backfill : bool, default False
            The rows are history, known when they happened, though something has landed before.
        **tables
            Each a data frame whose columns bear the contract's names, or the path of a file.

        Raises
        ------
        UsageError
            If a table is not one of the contract.
        DataRefusedError
            If a table breaks the contract as a whole; nothing of any has landed then.
        """
        from churnml.events import TABLES  # noqa: PLC0415  # DuckDB is not needed otherwise
        from churnml.events.sources.files import file_source  # noqa: PLC0415
        from churnml.verbs.ingest import land  # noqa: PLC0415

        for name in tables:
            if name not in TABLES:
                raise UsageError(f"a table must be one of {', '.join(TABLES)}, got {name!r}{nearest(name, TABLES)}")
        with TemporaryDirectory() as folder:
            files = {name: _file(name, table, Path(folder)) for name, table in tables.items()}
            sources = [file_source(name, file, self.session.settings.time_zone) for name, file in files.items()]
            return land(self._fresh(), sources, check=check, backfill=backfill)

    def features(self, cutoffs: Iterable[str] = ()) -> pd.DataFrame:
        """Return the features of everyone known at some cutoffs, one row per customer and cutoff.

        Parameters
        ----------
        cutoffs : iterable of str
            Dates; the midnight after the last order by default.
        """
        import pandas as pd  # noqa: PLC0415  # takes half a second

        from churnml.verbs.features import export  # noqa: PLC0415

        with TemporaryDirectory() as folder:
            out = Path(folder) / "features.parquet"
            export(self._fresh(), list(cutoffs), out)
            return pd.read_parquet(out).set_index(["customer_id", "cutoff"])

    def train(self, cutoff: str | None = None, **settings: Any) -> Json:  # Any: the fields of configs/train.yaml
        """Train, judge out of time beside the baselines, promote if every gate is passed, and return the summary.

        Parameters
        ----------
        cutoff : str, optional
            A date; the midnight after the last order by default.
        **settings
            Fields of `configs/train.yaml`, such as ``horizon_days=28``.
        """
        from churnml.verbs.train import train  # noqa: PLC0415  # LightGBM takes seconds to import

        return train(self._fresh(), cutoff=cutoff, overrides=settings)

    def tune(self, cutoff: str | None = None, *, trials: int = 40, minutes: float | None = None) -> Json:
        """Search for settings that forecast better out of time, and return the summary; nothing is written.

        Parameters
        ----------
        cutoff : str, optional
            A date; the midnight after the last order by default.
        trials : int, default 40
            How many settings are tried.
        minutes : float, optional
            After so many no further one is tried.

        Raises
        ------
        DependencyError
            If Optuna is not installed.
        """
        from churnml.verbs.tune import tune  # noqa: PLC0415  # Optuna and LightGBM take seconds to import

        return tune(self._fresh(), cutoff=cutoff, trials=trials, minutes=minutes)

    def compare(self) -> pd.DataFrame:
        """Return how the latest training did out of time beside each baseline.

        Returns
        -------
        DataFrame
            One row a target, method and metric: its value, the ends of its 95 % interval, and by how much ours is
            better with the ends of that interval; for ours the lead is missing.

        Raises
        ------
        NotFoundError
            If nothing was trained, or the model could not be judged.
        """
        import pandas as pd  # noqa: PLC0415

        run = self.session.catalogue.last_run("train")
        if run is None:
            raise NotFoundError("no training to compare: none was done in this workspace; call `train` first")
        judged = {"conversion": run.summary.get("conversion", {}).get("judged"), **(run.summary["judged"] or {})}
        targets = [target for target in ("churn", "value", "conversion") if judged.get(target)]
        if not targets:
            raise NotFoundError(f"no comparison: the last model was not judged, {run.summary['not_judged_because']}")
        rows = [row for target in targets for row in _compared(target, judged[target])]
        return pd.DataFrame(rows).set_index(["target", "method", "metric"])

    def score(self, cutoff: str | None = None) -> pd.DataFrame:
        """Score everyone with the champion and return the decision records, one row a customer; reasons stay lists."""
        import pandas as pd  # noqa: PLC0415

        from churnml.verbs.score import score  # noqa: PLC0415  # LightGBM takes seconds to import

        session = self._fresh()
        score(session, cutoff=cutoff)
        run = session.catalogue.last_run("score")
        return pd.DataFrame(session.records.of_run(run.run_id if run else "")).set_index("customer_id")

    def assign(
        self,
        *,
        budget: float | None = None,
        campaign: str | None = None,
        dry_run: bool = False,
        anew: bool = False,
    ) -> Json:
        """Choose actions for the customers of the last scores, as `churnml assign` does, and return the summary.

        Parameters
        ----------
        budget : float, optional
            The most that the campaign may cost, in the currency.
        campaign : str, optional
            Its name.
        dry_run : bool, default False
            Only tell what would be done, and what other budgets would bring.
        anew : bool, default False
            First take back what has no outcome yet.
        """
        from churnml.verbs.assign import assign  # noqa: PLC0415  # compiles the kernel

        return assign(self._fresh(), budget=budget, campaign=campaign, dry_run=dry_run, anew=anew)

    def measure(self, name: str, **asked: Any) -> dict[str, pd.DataFrame]:  # Any: the options of `measuring.measured`
        """Return what `churnml measure NAME` found: each of its measures as a frame, by its name.

        Parameters
        ----------
        name : str
            `lifecycle`, `funnel`, `segments`, `kpis`, `drivers`, `rhythm` or `strategy`.
        **asked
            `begin`, `end` (dates), `every` and `by`, see `measuring.measured`.

        Returns
        -------
        dict of str to DataFrame
            Days are dates of pandas. `attrs` of a frame say in both languages how it is counted, of whom, when and from
            what: `title`, `definition`, `population`, `begin`, `end`, `sources`, `remarks`, `columns`.

        Raises
        ------
        UsageError
            If there is no such measure, or as `measuring.measured`.
        NotEnoughDataError
            If a table that the measure needs has not landed.
        """
        from churnml.verbs.measuring import MEASURES, measured  # noqa: PLC0415

        if name not in MEASURES:
            raise UsageError(f"a measure must be one of {', '.join(MEASURES)}, got {name!r}{nearest(name, MEASURES)}")
        body = measured(self._fresh(), name, **asked)
        return {one["name"]: _frame(one) for one in body["measures"]}

    def report(self, path: str | Path | None = None, **asked: Any) -> Path:  # Any: the options of `report.report`
        """Write every measure into one HTML file, as `churnml report` does, and return where it is.

        Parameters
        ----------
        path : str or Path, optional
            The `.html` file; by default `reports/report-DAY.html` in the workspace.
        **asked
            `begin`, `end`, `every`, `by` and `language`.
        """
        from churnml.verbs.report import report  # noqa: PLC0415

        out = None if path is None else Path(path)
        return Path(report(self._fresh(), out=out, **asked)["report"])

    def measure_effect(self, campaign: str | None = None, *, by: str | None = None) -> Json:
        """Return what each action did, over closed windows alone, as `churnml measure effect` does.

        Parameters
        ----------
        campaign : str, optional
            Only this one; by default all that were ever run.
        by : str, optional
            What tells the segments, such as `segment` or an attribute of customers.
        """
        from churnml.verbs.measure_effect import measure_effect  # noqa: PLC0415

        return measure_effect(self._fresh(), campaign=campaign, by=by)

    def measure_uplift(self, cutoff: str | None = None) -> Json:
        """Learn whom each action helps from what was drawn by chance, as `churnml measure uplift` does."""
        from churnml.verbs.measure_uplift import measure_uplift  # noqa: PLC0415  # LightGBM takes seconds to import

        return measure_uplift(self._fresh(), cutoff=cutoff)

    def plan(self, **asked: Any) -> pd.DataFrame:  # Any: the fields of `Asked`
        """Return after how many customers and weeks each action's effect can be told, as `churnml measure plan` does.

        Returns
        -------
        DataFrame
            One row a question about an action, with the answer in words.
        """
        import pandas as pd  # noqa: PLC0415

        from churnml.verbs.measure_plan import Asked, plan  # noqa: PLC0415

        found = plan(self._fresh(), Asked(**asked))
        rows = [{"action": one["action"], **question} for one in found["actions"] for question in one["plans"]]
        return pd.DataFrame(rows)

    def explain(self, customer_id: str) -> pd.DataFrame:
        """Return why the model says what it says of a customer: the reasons of their latest record.

        Raises
        ------
        NotFoundError
            If they have no record.
        """
        import pandas as pd  # noqa: PLC0415

        record = self.session.records.get([customer_id]).get(customer_id)
        if record is None:
            raise NotFoundError(f"customer {customer_id!r} has no record; see how the id is written, or call `score`")
        return pd.DataFrame(record["reasons"])

    def promote(self, model: str | None = None, *, despite: str | None = None) -> Json:
        """Make a model the champion, as `churnml promote` does."""
        from churnml.verbs.promote import promote  # noqa: PLC0415

        return promote(self._fresh(), model, despite=despite)

    def rollback(self) -> Json:
        """Make the champion what it was before, as `churnml rollback` does."""
        from churnml.verbs.promote import rollback  # noqa: PLC0415

        return rollback(self._fresh())

    def _fresh(self) -> Session:
        """Return a session that sees what has landed since the last call."""
        return replace(self.session)


def open_workspace(
    folder: str | Path = "workspace", configs: str | Path = "configs", *, quiet: bool = True
) -> Workbench:
    """Return a workbench on a workspace; one that is not there yet is made.

    Parameters
    ----------
    folder : str or Path
        The workspace.
    configs : str or Path
        The folder of YAML files; a file that is absent gives its defaults.
    quiet : bool, default True
        Whether progress and summaries for people are left out; else they go to standard error.
    """
    session = Session.open(Path(folder), Path(configs), create=True)
    return Workbench(replace(session, console=Console(file=io.StringIO())) if quiet else session)


def _frame(measure: Json) -> pd.DataFrame:
    """Return the rows of a measure as a frame that says what they are."""
    import pandas as pd  # noqa: PLC0415

    columns = measure["columns"]
    frame = pd.DataFrame(measure["rows"], columns=list(columns))
    for name, about in columns.items():
        if about["unit"] == "day":
            frame[name] = pd.to_datetime(frame[name])
        elif about["unit"] != "word":
            frame[name] = pd.to_numeric(frame[name])
    frame.attrs |= {name: told for name, told in measure.items() if name != "rows"}
    return frame


def _file(name: str, table: pd.DataFrame | str | Path, folder: Path) -> Path:
    if isinstance(table, str | Path):
        return Path(table)
    file = folder / f"{name}.parquet"
    table.to_parquet(file, index=False)
    return file


def _compared(target: str, judged: Mapping[str, Any]) -> Iterable[Json]:
    for method, figures in {"churnml": judged, **judged["baselines"]}.items():
        for metric, (low, high) in figures["intervals"].items():
            lead = dict(
                zip(("lead", "lead_low", "lead_high"), figures.get("lead_of_ours", {}).get(metric, ()), strict=False)
            )
            named = {"target": target, "method": method, "metric": metric}
            yield named | {"value": figures[metric], "low": low, "high": high} | lead


__all__ = ["Workbench", "open_workspace"]
