"""Decision records from raw history that is in memory: what a request tells of a few customers, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from churnml.config import FunnelRules
from churnml.events import Store, history
from churnml.features import build_block
from churnml.features.table import reads
from churnml.measures.funnel_of_few import columns_asked, furthest_of_few
from churnml.measures.funnel_stages import FunnelStage
from churnml.scoring.champion import Champion, score_table
from churnml.scoring.records import Record

RUN = "from-history"
"""What such a record names in the place of a run."""


@dataclass(frozen=True)
class FunnelFound:
    """The funnel of the company as it was found last.

    Parameters
    ----------
    stages : tuple of FunnelStage
        Those that anybody had reached; none where there is no funnel.
    rules : FunnelRules
        What skipping one means.
    """

    stages: tuple[FunnelStage, ...] = ()
    rules: FunnelRules = field(default_factory=FunnelRules)


def asked_of_history(champion: Champion, funnel: FunnelFound) -> dict[str, tuple[str, ...]]:
    """Return the columns that records are made of, by table and later fact; the same for every request."""
    asked = reads(champion.features)
    for table, columns in columns_asked(funnel.stages).items():
        asked[table] = tuple(dict.fromkeys((*asked.get(table, ()), *columns)))
    return asked


def records_from_history(
    champion: Champion,
    store: Store,
    cutoff: int,
    funnel: FunnelFound,
    asked: Mapping[str, Sequence[str]],
    run_id: str = RUN,
) -> list[Record]:
    """Return the decision record of every customer of a store that is known at a cutoff.

    Parameters
    ----------
    store : Store
        Of one block, such as `held_store` makes.
    cutoff : int
        Microseconds UTC.
    asked : mapping of str to sequence of str
        From `asked_of_history`.
    run_id : str
        What the records name as the run that made them.
    """
    model, zone = champion.model, champion.settings.time_zone
    block = history(store, 0, [cutoff], asked)
    table = build_block(block, champion.features, [cutoff], model.population_days, zone, model.by)
    reached = furthest_of_few(store, block, cutoff, funnel.stages, funnel.rules)
    return list(score_table(champion, table, store, cutoff).records(run_id, reached))
