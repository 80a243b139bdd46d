"""Whether a customer has the same features in the nightly batch, in training and online, and so the same score.

A model taught on features that are computed otherwise when it is asked is wrong without anyone seeing it. All three
ways are taken here for the same customers at the same cutoff, and must agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.events import Block, By, Facts, Store, history
from churnml.features import Catalogue, FeatureTable, build, build_block
from churnml.features.blocks import joined
from churnml.features.table import reads
from churnml.modeling.check_finding import Finding
from churnml.modeling.comparison import Difference, differences
from churnml.modeling.model import Model
from churnml.modeling.steps import Step, Steps, silently
from churnml.scoring.score import IN_FULL, Scores, Terms, score
from churnml.scoring.skew_findings import Door, NotScored, OtherScore, of_difference

Json = dict[str, Any]  # Any: JSON
Texts = npt.NDArray[np.object_]

TOLERANCE = 1e-12
MOST_SCORED_ALONE = 1_000
_TOGETHER = 100


@dataclass(frozen=True)
class ScoreSkew:
    """How far scores of single rows are from those of the same rows in a batch.

    Parameters
    ----------
    model_version : str
        Of the champion.
    batch, alone : int
        Customers scored in one batch, and how many of them one by one.
    worst : mapping of str to float
        The greatest distance by score: of probabilities as it is, of money over the greater of 1 and the amount.
    customer_id : str
        Whose score is farthest off; empty if none is at all.
    """

    model_version: str
    batch: int
    alone: int
    worst: Mapping[str, float]
    customer_id: str

    @property
    def sound(self) -> bool:
        """Whether every distance is within the tolerance."""
        return all(distance <= TOLERANCE for distance in self.worst.values())


@dataclass(frozen=True)
class Skew:
    """What the check found.

    Parameters
    ----------
    day : str
        The cutoff, as a date of the workspace.
    customers, base, features : int
        Customers compared, how many there are, features of each.
    cutoffs : int
        Of the training stack.
    in_training, online : tuple of Difference
        Features that differ from those of the batch: one is the batch's value.
    scores : ScoreSkew, or a finding
        Of the champion, or why it was not asked.
    """

    day: str
    customers: int
    base: int
    features: int
    cutoffs: int
    in_training: tuple[Difference, ...]
    online: tuple[Difference, ...]
    scores: ScoreSkew | NotScored

    @property
    def findings(self) -> list[Finding]:
        """What must not be; empty if all agrees."""
        doors: tuple[tuple[Door, tuple[Difference, ...]], ...] = (
            ("in_training", self.in_training),
            ("online", self.online),
        )
        found = [of_difference(door, one) for door, differences in doors for one in differences]
        if self.scored and not self.scored.sound:
            name, distance = max(self.scored.worst.items(), key=lambda one: one[1])
            found.append(OtherScore(name, distance, self.scored.customer_id, TOLERANCE))
        return found

    @property
    def scored(self) -> ScoreSkew | None:
        """How far the champion's scores are apart, None if it was not asked."""
        return self.scores if isinstance(self.scores, ScoreSkew) else None

    @property
    def unscored(self) -> NotScored | None:
        """Why the champion was not asked, None if it was."""
        return None if isinstance(self.scores, ScoreSkew) else self.scores

    def to_json(self) -> Json:
        """Return plain data."""
        told: Json = {
            "sound": not self.findings,
            "findings": [one.said() for one in self.findings],
            "found": [one.to_json() for one in self.findings],
            "cutoff": self.day,
        }
        told |= {name: getattr(self, name) for name in ("customers", "base", "features", "cutoffs")}
        told |= {name: [asdict(one) for one in getattr(self, name)] for name in ("in_training", "online")}
        if isinstance(self.scores, ScoreSkew):
            return told | {"scores": asdict(self.scores)}
        because = {"scores_not_compared_because": self.scores.said(), "scores_not_compared": self.scores.to_json()}
        return told | {"scores": None} | because


@dataclass(frozen=True)
class Compared:
    """The features of a sample in the batch, and what differs from them elsewhere."""

    batch: FeatureTable
    base: int
    in_training: tuple[Difference, ...]
    online: tuple[Difference, ...]


def compare_features(
    store: Store,
    catalogue: Catalogue,
    cutoffs: Sequence[int],
    population_days: int,
    customers: int,
    *,
    seed: int = 0,
    steps: Steps = silently,
    by: By = "orders",
) -> Compared:
    """Compute the features of a sample of customers at the last cutoff in three ways, and compare.

    Parameters
    ----------
    cutoffs : sequence of int
        Ascending: those of a training, the last the one to be compared at. Microseconds UTC.
    customers : int
        How many are drawn from the base; all if there are fewer.
    by : {'orders', 'contracts'}, default 'orders'
        What makes a customer.
    """
    now = cutoffs[-1]
    with steps("Batch: everyone at one cutoff") as tick:
        everyone = build(store, catalogue, [now], population_days, tick, by)
    some = _sample(len(everyone), customers, seed)
    batch = everyone.take(some)
    with steps(f"Training: everyone at {len(cutoffs)} cutoffs") as tick:
        stack = build(store, catalogue, cutoffs, population_days, tick, by)
    taught = differences(batch, stack.take(np.flatnonzero(stack.cutoffs == now)[some]))
    with steps(f"Online: {len(batch):,} customers, one by one") as tick:
        singly = joined(list(_one_by_one(store, catalogue, now, population_days, batch.customer_ids, tick, by)))
    return Compared(batch, len(everyone), tuple(taught), tuple(differences(batch, singly)))


def compare_scores(
    table: FeatureTable, model: Model, model_version: str, value_days: int, tick: Step, terms: Terms = IN_FULL
) -> ScoreSkew:
    """Score rows of the population in one batch and one by one, and compare.

    Parameters
    ----------
    table : FeatureTable
        Rows to be scored, at least one; the first 1,000 are scored alone as well.
    value_days, terms
        As of `score`.
    """
    whole, some = score(table, model, value_days, terms), min(len(table), MOST_SCORED_ALONE)
    far = {field.name: np.zeros(some) for field in fields(Scores) if field.name not in {"band", "segment", "forecast"}}
    for row in range(some):
        single = score(table.take(np.array([row])), model, value_days, terms)
        for name, distance in far.items():
            batch, alone = float(getattr(whole, name)[row]), float(getattr(single, name)[0])
            distance[row] = abs(batch - alone) / max(1.0, abs(batch))
        tick(row + 1, some)
    overall = np.max(list(far.values()), axis=0)
    who = str(table.customer_ids[int(overall.argmax())]) if overall.any() else ""
    return ScoreSkew(model_version, len(table), some, {name: float(one.max()) for name, one in far.items()}, who)


def _sample(rows: int, customers: int, seed: int) -> npt.NDArray[np.intp]:
    if customers >= rows:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, customers, replace=False))


def _one_by_one(
    store: Store, catalogue: Catalogue, now: int, population_days: int, customer_ids: Texts, tick: Step, by: By
) -> Iterator[FeatureTable]:
    """Yield the feature rows of customers, each from a block that holds nobody else, in the order of the base."""
    wanted, done = frozenset(customer_ids), 0
    for number in range(store.n_blocks):
        block = history(store, number, [now], reads(catalogue))
        places = np.flatnonzero([who in wanted for who in block.customer_ids])
        # from a few to one: to pick each from the whole block would read it as often as it has customers
        for start in range(0, len(places), _TOGETHER):
            few = _only(block, places[start : start + _TOGETHER])
            singly = [_in_own_words(_only(few, np.array([place]))) for place in range(len(few.customer_ids))]
            yield joined([build_block(o, catalogue, [now], population_days, store.time_zone, by) for o in singly])
            done += len(singly)
            tick(done, len(customer_ids))


def _only(block: Block, places: npt.NDArray[np.intp]) -> Block:
    marked = np.zeros(len(block.customer_ids), dtype=np.bool_)
    marked[places] = True
    return block.only(marked)


def _in_own_words(block: Block) -> Block:
    """Return a block of one that knows no word but this customer's, as a request would: codes are others then."""
    return replace(block, facts={name: _recoded(facts) for name, facts in block.facts.items()})


def _recoded(facts: Facts) -> Facts:
    columns, words = dict(facts.columns), dict(facts.words)
    for name, known in facts.words.items():
        codes = facts.columns[name]
        used = np.unique(codes[codes >= 0])
        columns[name] = np.where(codes >= 0, np.searchsorted(used, codes), -1).astype(np.int32)
        words[name] = tuple(known[code] for code in used)
    return replace(facts, columns=columns, words=words)
