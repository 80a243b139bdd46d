"""From features to decision records: what the nightly run does to everyone, and a request to one customer.

A champion is a model with all that it is asked by. It is opened once, and may be asked from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from churnml.config import LifecycleRules, ScoreConfig, WorkspaceConfig
from churnml.errors import ModelRefusedError, NotEnoughDataError
from churnml.events import Store
from churnml.features import Catalogue, FeatureTable
from churnml.measures.funnel_stages import FunnelStage
from churnml.modeling.bundle import load_bundle
from churnml.modeling.model import Model
from churnml.scoring.conversion import Converting, convert
from churnml.scoring.next_category import Offers, offers
from churnml.scoring.reasons import Reason, reasons
from churnml.scoring.records import Record, RunFacts, decision_records
from churnml.scoring.score import Scores, Terms, score


@dataclass(frozen=True)
class Champion:
    """A model and all that it is asked by.

    Parameters
    ----------
    version : str
        The digest of its bundle.
    model : Model
        The model.
    manifest : dict
        What its bundle says of it.
    features : Catalogue
        The features that are on.
    settings : WorkspaceConfig
        For the currency and the time zone.
    config : ScoreConfig
        On which terms value is counted, and how many reasons are told.
    lifecycle : LifecycleRules
        When a customer is in which stage.
    """

    version: str
    model: Model
    manifest: dict[str, Any]  # Any: JSON
    features: Catalogue
    settings: WorkspaceConfig
    config: ScoreConfig = field(default_factory=ScoreConfig)
    lifecycle: LifecycleRules = field(default_factory=LifecycleRules)


@dataclass(frozen=True)
class Scored:
    """What a champion says of the rows of a feature table at one cutoff.

    Parameters
    ----------
    table : FeatureTable
        The rows.
    cutoff : int
        Microseconds UTC.
    scores : Scores or None
        Of the rows that are modelled; None where none is.
    told : list of list of Reason
        Theirs.
    converting : Converting or None
        Of the rows that are undecided, where a model tells it.
    offers : Offers or None
        The next categories of all rows.
    """

    champion: Champion
    table: FeatureTable
    cutoff: int
    scores: Scores | None
    told: list[list[Reason]]
    converting: Converting | None
    offers: Offers | None

    @property
    def of_population(self) -> Scores:
        """The scores, where somebody is modelled.

        Raises
        ------
        NotEnoughDataError
            If nobody is.
        """
        if self.scores is None:
            raise NotEnoughDataError("nobody is in the population at the cutoff; choose another, or ingest more")
        return self.scores

    def records(self, run_id: str, funnel: Mapping[str, FunnelStage]) -> Iterator[Record]:
        """Yield the decision record of each row.

        Parameters
        ----------
        run_id : str
            What the records name as the run that made them.
        funnel : mapping of str to FunnelStage
            The furthest stage of the funnel that each customer has reached, of those who reached any.
        """
        one, model = self.champion, self.champion.model
        days = (model.horizon_days, model.population_days, one.config.value_days)
        place = (one.settings.currency, one.settings.time_zone)
        facts = RunFacts(run_id, one.version, self.cutoff, *days, *place, one.config.discount_rate, model.by)
        return decision_records(
            self.table, self.scores, self.told, facts, self.converting, one.lifecycle, self.offers, funnel
        )


def open_champion(
    bundle: Path,
    features: Callable[[], Catalogue],
    settings: WorkspaceConfig,
    config: ScoreConfig,
    lifecycle: LifecycleRules,
    own_features: Mapping[Path, str],
    own_learners: Mapping[Path, str],
) -> Champion:
    """Return the champion in a folder, with all digests checked.

    Parameters
    ----------
    features : callable
        Gives the features that are on; asked once the files they come from are known to be the same.
    own_features, own_learners : mapping of Path to str
        The files of the user's own, and the digest of each.

    Raises
    ------
    ModelRefusedError
        If the bundle is damaged, needs a feature that is off, or was taught with other files of the user's own.
    """
    model, manifest = load_bundle(bundle, own_learners)
    require_same_files(manifest.get("own_features", {}), own_features)
    on = features()
    _require_columns(model, on)
    return Champion(bundle.name, model, manifest, on, settings, config, lifecycle)


def score_table(champion: Champion, table: FeatureTable, store: Store, cutoff: int) -> Scored:
    """Return what a champion says of the rows of a feature table, of one customer as of a million.

    Parameters
    ----------
    store : Store
        Whose rows tell the next categories: the same that the table was built from.
    cutoff : int
        Microseconds UTC, that of the table.
    """
    model, config, features = champion.model, champion.config, champion.features
    currency, population = champion.settings.currency, table.take(table.modelled)
    scores, told = None, list[list[Reason]]()
    if len(population):
        scores = score(population, model, config.value_days, Terms.of(config))
        told = reasons(population, model, scores.forecast, features, currency, config.reasons)
    undecided = table.take(table.undecided)
    asked = model.conversion if len(undecided) else None
    converting = convert(undecided, asked, features, currency, config.reasons)
    next_up = offers(store, table.customer_ids.tolist(), cutoff, model.next_category)
    return Scored(champion, table, cutoff, scores, told, converting, next_up)


def require_same_files(taught_with: Mapping[str, str], own_features: Mapping[Path, str]) -> None:
    """Refuse to score with features that are computed otherwise than when the champion was trained."""
    now = {file.name: digest for file, digest in own_features.items()}
    changed = [name for name, digest in taught_with.items() if now.get(name) != digest]
    if changed:
        raise ModelRefusedError(
            f"the champion was trained with the features of `{changed[0]}` as they were then, and the file has changed "
            "since or is gone from configs/features.yaml; run `churnml train` again, or bring it back"
        )


def _require_columns(model: Model, features: Catalogue) -> None:
    known = {feature.name for feature in features.features}
    designs = [model.design, *([model.conversion.design] if model.conversion else [])]
    needed = [name for design in designs for name in (*design.numeric, *design.categories)]
    missing = [name for name in needed if name not in known]
    if missing:
        raise ModelRefusedError(
            f"the champion was trained with the feature `{missing[0]}`, which is off in this workspace now; bring back "
            "its table, or its attribute in configs/workspace.yaml, or run `churnml train` again"
        )
