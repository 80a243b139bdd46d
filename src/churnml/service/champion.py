"""The champion, opened once and asked by every request: how it is loaded, warmed, and replaced when it moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from churnml.config import MeasureConfig, ScoreConfig, WorkspaceConfig
from churnml.database import Catalogue, Workspace
from churnml.errors import DependencyError, NotEnoughDataError
from churnml.events import Store
from churnml.events.row_values import Value

if TYPE_CHECKING:  # LightGBM and the kernel take seconds to import, and a service without a model needs neither
    from churnml.measures.funnel_stages import FunnelStage
    from churnml.scoring.champion import Champion
    from churnml.scoring.online import FunnelFound

_DAY = 86_400_000_000
NO_CHAMPION = "there is no model to score with yet; run `churnml train`, and `churnml promote` if it was not promoted"


@dataclass(frozen=True)
class Terms:
    """By what the company scores: what the configuration files say, and the files of its own they name.

    Parameters
    ----------
    company : WorkspaceConfig
        Currency, time zone, attributes.
    score : ScoreConfig
        On which terms value is counted.
    measure : MeasureConfig
        When a customer is in which stage.
    own_features, own_learners : mapping of Path to str
        Files of features and learners of the company's own, and the digest of each.
    """

    company: WorkspaceConfig = field(default_factory=WorkspaceConfig)
    score: ScoreConfig = field(default_factory=ScoreConfig)
    measure: MeasureConfig = field(default_factory=MeasureConfig)
    own_features: Mapping[Path, str] = field(default_factory=dict)
    own_learners: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """A champion that answers.

    Parameters
    ----------
    champion : Champion
        The model with all that it is asked by.
    funnel : FunnelFound
        The company's funnel.
    asked : mapping of str to sequence of str
        The columns of history that records are made of.
    tables : frozenset of str
        The tables that have landed.
    """

    champion: Champion
    funnel: FunnelFound
    asked: Mapping[str, Sequence[str]]
    tables: frozenset[str]


class Scorer:
    """Holds the champion of a workspace.

    A new one is loaded beside the old, which answers meanwhile; then the reference is replaced, and requests that are
    under way keep the one they began with.

    Parameters
    ----------
    workspace : Workspace
        Where bundles and rows are.
    engine : sqlalchemy.Engine
        Its database.
    terms : Terms
        By what the company scores.
    """

    def __init__(self, workspace: Workspace, engine: Engine, terms: Terms) -> None:
        self.terms = terms
        self._workspace = workspace
        self._catalogue = Catalogue(engine)
        self._loading = Lock()
        self._ready: Ready | None = None

    def ready(self) -> Ready:
        """Return the champion that answers; the first to ask waits until it is loaded.

        Raises
        ------
        DependencyError
            If no model was promoted yet.
        ModelRefusedError
            If its bundle is damaged, or does not fit the workspace.
        """
        if self._ready is None:
            self.refresh()
        if self._ready is None:
            raise DependencyError(NO_CHAMPION)
        return self._ready

    def refresh(self) -> bool:
        """Load the champion if another one is to answer, or other tables have landed; tell whether one was loaded."""
        with self._loading:
            bundle = self._catalogue.alias("champion")
            if bundle is None:
                return False
            tables = frozenset(part.table_name for part in self._catalogue.parts())
            held = self._ready
            if held is not None and (held.champion.version, held.tables) == (bundle, tables):
                return False
            self._ready = self._load(bundle)
            return True

    def store(self) -> Store:
        """Return the landed rows as they count now."""
        return Store.open(self._workspace, self._catalogue, self.terms.company.time_zone)

    def _load(self, bundle: str) -> Ready:
        from churnml.features import catalogue, own_features  # noqa: PLC0415  # compiles the kernel
        from churnml.scoring.champion import open_champion  # noqa: PLC0415
        from churnml.scoring.online import FunnelFound, asked_of_history  # noqa: PLC0415

        store, terms = self.store(), self.terms
        attributes = {name: (label.en, label.zh) for name, label in terms.company.attributes.items()}
        champion = open_champion(
            self._workspace.models / bundle,
            lambda: catalogue(store.tables, attributes, own_features(terms.own_features)),
            terms.company,
            terms.score,
            terms.measure.lifecycle,
            terms.own_features,
            terms.own_learners,
        )
        funnel = FunnelFound(self._stages(store), terms.measure.funnel)
        ready = Ready(champion, funnel, asked_of_history(champion, funnel), store.tables)
        self._warm(ready)
        return ready

    def _stages(self, store: Store) -> tuple[FunnelStage, ...]:
        from churnml.events.books import open_books  # noqa: PLC0415  # DuckDB
        from churnml.measures.funnel import open_funnel  # noqa: PLC0415  # pandas

        with open_books(store, max(part.last_at for part in store.parts) + 1) as books:
            try:
                return open_funnel(books, self.terms.measure.funnel).stages
            except NotEnoughDataError:  # one stage is no funnel, and a record says so by naming none
                return ()

    def _warm(self, ready: Ready) -> None:
        """Score somebody who is not there, so that the first request finds everything compiled."""
        from churnml.events.held_rows import held_store  # noqa: PLC0415
        from churnml.scoring.online import records_from_history  # noqa: PLC0415

        known: Value = _DAY
        nobody = {"customer_id": "nobody", "occurred_at": known}
        rows = {"customers": [nobody], "subscriptions": [nobody | {"subscription_id": "none", "amount": 10_000}]}
        if "orders" in ready.tables:
            order = nobody | {"order_id": "none", "amount": 10_000}
            rows["orders"] = [order | {"occurred_at": day * _DAY} for day in (10, 20, 25)]
        store = held_store(rows, ready.tables, self.terms.company.time_zone, 30 * _DAY)
        records_from_history(ready.champion, store, 30 * _DAY, ready.funnel, ready.asked)
