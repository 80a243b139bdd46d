"""The report of an assignment: what is chosen at what cost, who gets nothing and why, and what the limits cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from churnml.database import Assignment, units
from churnml.errors import UsageError
from churnml.policy import BECAUSE, RULES, Decisions, action_sums
from churnml.verbs.session import Session, require_places
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON
KINDS = (".html", ".json")
_SUMMED = ("expected_cost", "expected_net_value")


def check_reports(reports: Sequence[Path]) -> None:
    """Refuse a report that could not be written, before anything is chosen.

    Raises
    ------
    UsageError
        If it is of another kind.
    DependencyError
        If its place cannot be written.
    """
    for report in reports:
        if report.suffix not in KINDS:
            raise UsageError(f"--report must end in {' or '.join(KINDS)} with `assign`, got {report.name}; rename it")
    require_places(reports)


def reported(decisions: Decisions, unscored: Counter[str], before: Mapping[str, Assignment]) -> Json:
    """Return what the report tells beside the summary of the run, as JSON; of the campaign, not of the run alone.

    Parameters
    ----------
    before : mapping of str to Assignment
        What the campaign had assigned before, by customer.
    unscored : Counter of str
        How many have no score, by why: `no_score` or `no_profiling`.
    """
    best = decisions.assignment
    because = Counter(str(reason) for reason in decisions.no_action_because if reason) + unscored
    because.pop("assigned", None)  # they were given something, or had it withheld, before
    return {
        "actions": actions_told(decisions, before),
        "no_action_because": [
            {"because": name, "customers": because[name], **_worded(name)} for name in BECAUSE if because[name]
        ],
        "rules": [{"rule": rule, "pairs": decisions.eligibility.pairs[rule], **_worded(rule)} for rule in RULES],
        "limits": {
            "shadow_price": best.shadow_price,
            "dual_bound": best.dual_bound,
            "value": best.value,
            "gap": best.gap,
        },
    }


def actions_told(decisions: Decisions, before: Mapping[str, Assignment]) -> list[Json]:
    """Return what the campaign does with each action of the catalogue, as JSON; parameters as in `reported`."""
    catalogue = decisions.eligibility.catalogue
    return [
        {"label": catalogue[one.name].label.model_dump(), "channel": catalogue[one.name].channel}
        | _with_earlier(asdict(one), [earlier for earlier in before.values() if earlier.action == one.name])
        for one in action_sums(decisions)
    ]


def write_reports(session: Session, summary: Json, reports: Sequence[Path], language: Language) -> None:
    """Write the report of an assignment to each file, as HTML in a language or as JSON in both."""
    from churnml.service.pages.reports.assignment import assignment_page  # noqa: PLC0415  # Jinja

    for report in reports:
        page = report.suffix == ".html"
        whole = assignment_page(summary, language) if page else json.dumps(summary, ensure_ascii=False, indent=1) + "\n"
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(whole, encoding="utf-8")


def _with_earlier(told: Json, earlier: Sequence[Assignment]) -> Json:
    """Return the sums of an action with what the campaign had assigned of it before."""
    treated = [one for one in earlier if one.arm == "treated"]
    sums = {name: sum((one.details or {}).get(name, 0.0) for one in treated) for name in _SUMMED}
    return (
        told
        | {name: told[name] + sums[name] for name in _SUMMED}
        | {
            "treated": told["treated"] + len(treated),
            "control": told["control"] + len(earlier) - len(treated),
            "reserved": told["reserved"] + units(sum(one.reserved for one in treated)),
        }
    )


def _worded(reason: Any) -> Json:  # Any: a key of BECAUSE
    told = BECAUSE[reason]
    return {"name": asdict(told.name), "meaning": asdict(told.meaning)}
