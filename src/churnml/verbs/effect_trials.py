"""From cases to experiments: for each action its treated and controls, on columns that the statistics understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.errors import UsageError, nearest
from churnml.events.clock import DAY
from churnml.events.treatments import NOTHING, Comparison, Treatments, comparison, draws
from churnml.modeling.scaling import fit_scaling
from churnml.modeling.uplift.cases import Cases
from churnml.modeling.uplift.evidence import randomisation
from churnml.modeling.uplift.randomised import Randomised
from churnml.policy.effects import Blocked, Experiment
from churnml.policy.measurement import Estimate, Trial, difference
from churnml.policy.off_policy import Drawn
from churnml.policy.verdicts import FEWEST
from churnml.verbs.effect_log import EVERYTHING

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]

_SEASON_DAYS = 30
_FEWEST_OF_A_CATEGORY = 0.005


@dataclass(frozen=True)
class Trials:
    """The experiments of a log, and what a naive look would say beside them.

    Parameters
    ----------
    experiments : dict of str to Experiment
        By action; blocked ones too.
    naive : dict of str to Estimate
        Margin less cost of all who were treated less that of all who were not, whoever chose them; only where both are.
    unpriced : frozenset of str
        Actions of which no contact says what it cost.
    """

    experiments: dict[str, Experiment]
    naive: dict[str, Estimate]
    unpriced: frozenset[str]


def trials(
    found: Cases, planned: Mapping[str, int], ends: Mapping[str, int | None], labels: Texts | None, seed: int
) -> Trials:
    """Return an experiment for each action of some cases.

    Parameters
    ----------
    found : Cases
        Of closed windows.
    planned : mapping of str to int
        By action, the cases at which its always-valid interval is narrowest, settled before the first look.
    ends : mapping of str to int or None
        By campaign, the instant before which cases of the planned end begin.
    labels : ndarray of shape (n_cases,), optional
        The segment of each case; empty where it belongs to none.
    seed : int
    """
    log = found.treatments
    segments = {} if labels is None else _segments(labels)
    cost, unpriced = _costs(log)
    outcomes = np.column_stack([found.outcome - cost, found.outcome, found.churned.astype(np.float64)])
    before = np.column_stack([found.before, found.before, (found.before <= 0).astype(np.float64)])
    _, customer = np.unique(log.customer_ids.astype(str), return_inverse=True)
    known, numbers = _covariates(found), customer.reshape(-1).astype(np.intp)
    in_plan = _in_plan(log, ends)
    experiments, naive = {}, {}
    for action in log.actions:
        pair = comparison(log, action)
        rows = pair.rows
        trial = Trial(pair.treated, pair.propensity, outcomes[rows], numbers[rows], known[rows], before[rows])
        parts = {name: chosen[rows] for name, chosen in segments.items() if chosen[rows].any()}
        blocked = _predictable(found, pair, trial, action, seed)
        experiments[action] = Experiment(
            trial, log.cutoffs[rows], in_plan[rows], max(planned.get(action, 0), 1), parts, blocked=blocked
        )
        seen = _naive(log, action, outcomes[:, :1], numbers)
        if seen is not None:
            naive[action] = seen
    return Trials(experiments, naive, frozenset(unpriced))


def begun(log: Treatments) -> dict[str, dict[str, npt.NDArray[np.int64]]]:
    """Return when the cases of each campaign began, by action; of those that were drawn by chance."""
    found: dict[str, dict[str, npt.NDArray[np.int64]]] = {}
    for action in log.actions:
        rows = comparison(log, action).rows
        for campaign in sorted(set(log.campaign[rows].tolist())):
            own = rows[log.campaign[rows] == campaign]
            found.setdefault(campaign, {})[action] = log.cutoffs[own]
    return found


def drawn_in(log: Treatments, campaign: str) -> npt.NDArray[np.int64]:
    """Return when each case of a campaign began that was drawn by chance, once each; the hold-out is another draw."""
    own = log.randomised & (log.campaign == campaign) & (log.action != EVERYTHING)
    return np.asarray(log.cutoffs[own])


def _in_plan(log: Treatments, ends: Mapping[str, int | None]) -> Bools:
    last = {name: end for name, end in ends.items() if end is not None}
    until = np.array([last.get(one, -1) for one in log.campaign.tolist()], dtype=np.int64)
    return np.asarray(log.cutoffs < until)


def _costs(log: Treatments) -> tuple[Floats, set[str]]:
    """Return what each treatment cost; where that is not known, the mean of the same action, and 0 without any."""
    cost, unpriced = log.cost.copy(), set()
    for action in log.actions:
        own = log.arm & (log.action == action)
        known = own & np.isfinite(cost)
        if own.any() and not known.any():
            unpriced.add(action)
        usual = float(cost[known].mean()) if known.any() else 0.0
        cost[own & ~np.isfinite(cost)] = usual
    return np.where(log.arm, cost, 0.0), unpriced


def _covariates(found: Cases) -> Floats:
    """Return what was known before: features on scales alike, categories one by one, and the month."""
    columns = [fit_scaling(found.features, "log")(found.features)]
    fewest = _FEWEST_OF_A_CATEGORY * len(found)
    for values in found.categories.values():
        texts = values.astype(str)
        names, counts = np.unique(texts, return_counts=True)
        columns += [(texts == name).astype(np.float64)[:, None] for name in names[counts >= fewest]]
    month = (found.treatments.cutoffs - found.treatments.cutoffs.min()) // (_SEASON_DAYS * DAY)
    columns += [(month == one).astype(np.float64)[:, None] for one in np.unique(month)]
    return np.hstack(columns)


def labels_by(found: Cases, by: str, others: Sequence[str]) -> Texts | None:
    """Return the segment of each case by an attribute; None if it is one of those that are told elsewhere.

    Raises
    ------
    UsageError
        If there is no such attribute.
    """
    known: dict[str, Texts] = {"campaign": found.treatments.campaign, **found.categories}
    if by in others:
        return None
    if by not in known:
        names = [*known, *others]
        raise UsageError(
            f"--by must be one of {', '.join(names)}, got {by!r}{nearest(by, names)}; free attributes are named in "
            "configs/workspace.yaml"
        )
    return np.array([value or "" for value in known[by].tolist()], dtype=object)


def _segments(labels: Texts) -> dict[str, Bools]:
    return {str(name): np.asarray(labels == name) for name in sorted(set(labels.tolist())) if name}


def _predictable(found: Cases, pair: Comparison, trial: Trial, action: str, seed: int) -> Blocked | None:
    """Return whether features tell who was treated, surer than one in a thousand; a draw by chance they cannot."""
    if not len(trial) or trial.smaller_arm < FEWEST:
        return None
    chances = np.column_stack([1 - pair.propensity, pair.propensity])
    arm, outcome = pair.treated.astype(np.intp), trial.outcomes[:, 0]
    drawn = Randomised(found.features[pair.rows], arm, chances, outcome, ("control", action), fewest=1)
    return "predictable" if randomisation(drawn, seed).predictable else None


def _naive(log: Treatments, action: str, net: Floats, customer: npt.NDArray[np.intp]) -> Estimate | None:
    """Return the difference of means between all who got an action and all who got nothing, whoever chose them."""
    its, nothing = log.action == action, log.action == NOTHING
    rows = np.flatnonzero(its | nothing)
    treated = log.arm[rows]
    if not treated.any() or treated.all():
        return None
    none = np.zeros((len(rows), 0))
    alike = np.full(len(rows), 0.5)
    return difference(Trial(treated, alike, net[rows], customer[rows], none, np.zeros((len(rows), 1)))).effect()


def drawn(found: Cases, actions: Sequence[str]) -> tuple[Drawn, npt.NDArray[np.intp]]:
    """Return the cases by which a policy over some actions can be judged before it is run, and which cases they are.

    Parameters
    ----------
    found : Cases
        Of closed windows.
    actions : sequence of str
        Without `do_nothing`; in the policy's choices 0 is to do nothing, then these in order.

    Returns
    -------
    Drawn
        For `policy.off_policy.off_policy_value`; the outcome is margin less cost.
    ndarray of intp
        The cases, so that the policy can choose for them by their features.
    """
    log = found.treatments
    told = draws(log, actions)
    cost, _ = _costs(log)
    _, customer = np.unique(log.customer_ids.astype(str), return_inverse=True)
    known = _covariates(found)[told.rows]
    numbers = customer.reshape(-1).astype(np.intp)[told.rows]
    outcome = (found.outcome - cost)[told.rows]
    return Drawn(told.action, told.propensities, outcome, numbers, known, found.before[told.rows]), told.rows
