"""`churnml assign`: one action per customer within the budget, with a control group always kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import AssignConfig
from churnml.errors import NotFoundError
from churnml.events import marketing
from churnml.policy import Catalogue as Actions
from churnml.policy import Decisions, decide, load_actions
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
Flags = npt.NDArray[np.bool_]


def assign(session: Session, *, budget: float | None = None, actions: Path | None = None) -> Json:
    """Choose actions for the customers of the latest scores and return the run's summary.

    Raises
    ------
    NotFoundError
        If nothing was scored yet.
    ConfigError
        If `actions.yaml` says something it cannot.
    """
    config = session.load("assign", AssignConfig, budget=budget)
    file = actions or _file(session)
    catalogue = load_actions(file)
    scored = session.catalogue.last_run("score")
    if scored is None:
        raise NotFoundError("nothing is scored yet in this workspace; run `churnml score` first")
    inputs = session.inputs(config, score=scored.run_id, actions=catalogue.model_dump(mode="json"))
    done = session.catalogue.last_run("assign")  # an older run with these inputs is no longer the one served
    if done is not None and done.inputs == inputs:
        return done.summary
    with session.running("assign", inputs) as run_id, session.step("Choosing actions within the budget"):
        everyone = session.records.of_run(scored.run_id)
        population = [record for record in everyone if record["churn_probability"] is not None]
        consented = _consented(session, [record["customer_id"] for record in population], catalogue)
        decisions = _decide(population, catalogue, config, consented)
        session.records.write(run_id, _decided(everyone, population, decisions, catalogue, run_id))
        summary = scored.summary | _summary(decisions, config)
        session.catalogue.finish(run_id, clock(), summary, bundle=scored.bundle)
    return summary


def _file(session: Session) -> Path | None:
    file = session.configs / "actions.yaml"
    return file if file.exists() else None


def _consented(session: Session, customer_ids: list[str], catalogue: Actions) -> Flags | None:
    """Return who agreed to each action's channel, by the consents that have landed; None where consent is assumed."""
    if "consents" in session.store.tables:
        said = marketing(session.store)
        return np.column_stack([said.may(customer_ids, action.channel) for action in catalogue.actions])
    return None if session.settings.consent == "assumed" else np.zeros(len(customer_ids), dtype=np.bool_)


def _decide(population: list[Json], catalogue: Actions, config: AssignConfig, consented: Flags | None) -> Decisions:
    """Decide for the population; `consented` is None where consent is assumed, as every report then says."""

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array([record[name] for record in population], dtype=np.float64)

    return decide(
        [record["customer_id"] for record in population],
        bands=np.array([record["risk_band"] for record in population], dtype=np.str_),
        reasons=np.array([_why(record) for record in population], dtype=np.str_),
        churn_probability=column("churn_probability"),
        value_if_retained=column("value_if_retained"),
        expected_margin=column("expected_margin"),
        catalogue=catalogue,
        budget=config.budget,
        control_share=config.control_share,
        salt=config.salt,
        consented=consented,
    )


def _why(record: Json) -> str:
    """Return the group of the strongest reason that raises the risk, empty if none does."""
    return next((reason["group"] for reason in record["reasons"] if reason["direction"] == "raises"), "")


def _decided(
    everyone: list[Json], population: list[Json], decisions: Decisions, catalogue: Actions, run_id: str
) -> Iterator[Json]:
    place = {record["customer_id"]: number for number, record in enumerate(population)}
    for record in everyone:
        number = place.get(record["customer_id"])
        chosen = {} if number is None else _fields(decisions, catalogue, number)
        yield record | {"run_id": run_id} | chosen


def _fields(decisions: Decisions, catalogue: Actions, number: int) -> Json:
    action = catalogue[str(decisions.action[number])]
    return {
        "action": action.name,
        "action_label": action.label.model_dump(),
        "action_script": action.script.model_dump(),
        "arm": str(decisions.arm[number]),
        "propensity": float(decisions.propensity[number]),
        "expected_net_value": round(float(decisions.expected_net_value[number]), 4),
        "effect_source": str(decisions.effect_source[number]),
    }


def _summary(decisions: Decisions, config: AssignConfig) -> Json:
    treated = decisions.arm == "treated"
    names, counts = np.unique(decisions.action[treated], return_counts=True)
    return {
        "budget": config.budget,
        "reserved": float(decisions.reserved),
        "expected_cost": float(decisions.expected_cost),
        "treated": int(treated.sum()),
        "control": int((decisions.arm == "control").sum()),
        "actions": {str(name): int(count) for name, count in zip(names, counts, strict=True)},
        "expected_net_value": float(decisions.expected_net_value[treated].sum()),
        "shadow_price": float(decisions.assignment.shadow_price),
        "effect_source": "prior",
        "exclusions": {str(rule): int(count) for rule, count in decisions.exclusions.items()},
    }


def told(summary: Json) -> str:
    """Return the summary in one sentence for people."""
    if summary["exclusions"]["no_consent"] and not summary["treated"]:
        return "no action: nobody who is worth it has agreed to be contacted; see the table `consents`"
    return (
        f"{summary['treated']:,} actions, {summary['control']:,} customers held out; {summary['reserved']:,.0f} of "
        f"{summary['budget']:,.0f} {summary['currency']} reserved, {summary['expected_net_value']:,.0f} expected after "
        "cost (effects are assumptions until measured)"
    )
