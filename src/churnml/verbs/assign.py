"""`churnml assign`: one action per customer within the budget, with a control group always kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from churnml.config import AssignConfig
from churnml.database.lists import APPROACHED, Wanted, count
from churnml.database.money import millionths
from churnml.errors import NotFoundError, UsageError
from churnml.events.treatments import treatments
from churnml.policy import BECAUSE
from churnml.verbs.assign_report import check_reports, write_reports
from churnml.verbs.campaign_plan import keep_plan
from churnml.verbs.choosing import Chosen, Day
from churnml.verbs.deciding import actions_of
from churnml.verbs.measure_effect import measured_effects
from churnml.verbs.measure_uplift import UPLIFT
from churnml.verbs.session import Session, clock
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON


def assign(
    session: Session,
    *,
    budget: float | None = None,
    campaign: str | None = None,
    actions: Path | None = None,
    anew: bool = False,
    dry_run: bool = False,
    keep: bool = False,
    reports: Sequence[Path] = (),
    language: Language = "en",
) -> Json:
    """Choose actions for the customers of the latest scores and return the run's summary.

    Parameters
    ----------
    budget, campaign
        In place of those of `configs/assign.yaml`.
    actions : Path, optional
        The catalogue of actions.
    anew : bool, default False
        Take back first what the campaign assigned and nobody posted an outcome of.
    dry_run : bool, default False
        Tell what would be done and what other budgets would bring; reserve and write nothing. With `anew`, as if the
        campaign had assigned nothing yet.
    keep : bool, default False
        Of a dry run: keep it as the plan that the service shows, with what many more budgets would do.
    reports : sequence of Path
        Files to write a report to: .html, in `language`, or .json.

    Raises
    ------
    NotFoundError
        If nothing was scored yet.
    ConfigError
        If `actions.yaml` says something it cannot.
    UsageError
        If the budget is below what the campaign has taken of it, a report is of another kind, or something is to be
        kept that is no dry run.
    BroughtBackError
        If customers who were erased are back after a restore.
    """
    check_reports(reports)
    if keep and not dry_run:
        raise UsageError("--keep keeps what a dry run found, and an assignment is kept anyway; add --dry-run")
    session.require_nobody_back()
    config = session.load("assign", AssignConfig, budget=budget, campaign=campaign)
    summary = _assigned(session, config, actions, anew=anew, dry_run=dry_run, keep=keep)
    write_reports(session, summary, reports, language)
    return summary


def _assigned(
    session: Session, config: AssignConfig, actions: Path | None, *, anew: bool, dry_run: bool, keep: bool
) -> Json:
    """Return the summary of a run; one with the same inputs is not repeated."""
    catalogue = actions_of(session, actions)
    scored = session.catalogue.last_run("score")
    if scored is None:
        raise NotFoundError("nothing is scored yet in this workspace; run `churnml score` first")
    day = Day.of(session, config, scored)
    day.require_covered(config.budget, anew=anew)
    if dry_run:
        with session.step("Choosing actions within the budget"):
            chosen = Chosen.of(session, day, catalogue, config, afresh=anew)
            if not keep:
                return scored.summary | chosen.planned()
        return keep_plan(session, day, chosen, config)
    if anew:
        _require_unseen(session, day.campaign)
    day.ledger.expire(day.cutoff)  # by the clock of the data, so that a run made again does the same
    inputs = session.inputs(
        config,
        score=scored.run_id,
        actions=catalogue.model_dump(mode="json"),
        heard=day.ledger.heard(day.campaign),
        measured={name: one.to_json() for name, one in measured_effects(session).items()},
        uplift=session.catalogue.alias(UPLIFT),
    )
    done = session.catalogue.last_run("assign")  # an older run with these inputs is no longer the one served
    same = done is not None and done.inputs == inputs and not anew
    if done and same and done.summary["assigned"] == len(day.ledger.assigned(day.campaign)):
        return done.summary
    with session.running("assign", inputs) as run_id, session.step("Choosing actions within the budget"):
        day.ledger.open(day.campaign, millionths(config.budget), clock(), anew=anew)
        chosen = Chosen.of(session, day, catalogue, config, afresh=anew).reserved(run_id, clock(), anew=anew)
        session.records.write(run_id, chosen.records(run_id))
        with session.catalogue.engine.connect() as connection:
            high_open = count(connection, run_id, Wanted(bands=("high",), arms=APPROACHED))
        summary = scored.summary | chosen.summary() | {"scored_by": scored.run_id, "high_open": high_open}
        session.catalogue.finish(run_id, clock(), summary, bundle=scored.bundle)
    return summary


def _require_unseen(session: Session, campaign: str) -> None:
    """Refuse to take back a campaign of which contacts have landed: somebody has acted on it."""
    seen = int((treatments(session.store, session.cutoff(None)).campaign == campaign).sum())
    if seen:
        raise UsageError(
            f"--anew needs a campaign of which nothing was carried out, {seen:,} contacts of `{campaign}` have landed; "
            "begin another campaign with --campaign"
        )


def told(summary: Json) -> str:
    """Return the summary in one sentence for people."""
    if not summary["treated"] and not summary["control"]:
        return f"no action: {_why_none(summary)}"
    held, lots = summary["control"], summary["explored"]
    return (
        f"campaign {summary['campaign']}: {summary['treated']:,} actions, {held:,} withheld as controls, "
        f"{summary['held_out']:,} held out of everything; {lots:,} of the former drawn by lot. "
        f"{summary['reserved']:,.0f} of {summary['budget']:,.0f} {summary['currency']} reserved, "
        f"{summary['expected_net_value']:,.0f} expected after cost ({_EFFECTS[summary['effect_source']]})"
        + (_told_returns(summary) if summary.get("dry_run") else "")
    )


_EFFECTS = {
    "prior": "effects are assumptions until measured",
    "measured": "by effects that were measured",
    "uplift": "by effects that were learned",
    "mixed": "some effects are measured, others assumed",
}


def _told_returns(summary: Json) -> str:
    """Return what other budgets would bring, a line for each."""
    found, currency = summary["returns"], summary["currency"]
    lines = [
        f"  of {one['budget']:,.0f} {currency}, {one['reserved']:,.0f} reserved bring {one['value']:,.0f}; one more "
        f"{currency} would bring {one['marginal']:,.2f}"
        for one in found["points"]
    ]
    enough = f"{found['enough']:,.0f} {currency} buy everything that pays, worth {found['most']:,.0f} (cautiously)"
    done = "was reserved; the plan is kept" if "points" in summary else "was reserved or written"
    head = f"\nnothing {done} (--dry-run). What more or less would bring, of what is left beside lots:"
    return "\n".join([head, *lines, enough])


def _why_none(summary: Json) -> str:
    """Return why nothing was chosen for anybody, and what to do about it."""
    customers, least = summary["population"], summary["least_reserve"]
    if not summary["report"]["actions"]:
        return "the catalogue holds nothing but `do_nothing`; add actions to configs/actions.yaml"
    if least is None:
        rule, count = max(_closing(summary), key=lambda one: one[1])
        meaning = BECAUSE[rule].meaning.en
        return f"nothing is open to any of {customers:,} customers, for {count:,} by `{rule}`. {meaning}"
    if summary["left"] < least:
        return (
            f"{summary['left']:,.2f} {summary['currency']} are left of the budget of {summary['budget']:,.2f}, below "
            f"{least:,.2f}, the least that an action open to somebody can cost; raise `budget` in configs/assign.yaml "
            "or --budget"
        )
    return (
        f"for none of {customers:,} customers is an open action worth its cost, taken cautiously; see `caution` and "
        "the priors in configs/actions.yaml"
    )


def _closing(summary: Json) -> Sequence[tuple[Any, int]]:
    """Return the rules that left customers with nothing open, and how many; those never scored are left out."""
    told_apart = {"no_score"}
    return [(rule, count) for rule, count in summary["no_action_because"].items() if rule not in told_apart]
