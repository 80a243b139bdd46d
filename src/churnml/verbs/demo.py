"""`churnml demo`: the whole job, on real data or on a simulated market, told in words a manager understands."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.table import Table as Grid

from churnml.errors import UsageError, nearest
from churnml.events.simulation import Market
from churnml.events.sources.presets.completejourney import completejourney_sources
from churnml.verbs.assign import assign
from churnml.verbs.ingest import land
from churnml.verbs.score import score
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate
from churnml.verbs.train import train
from churnml.wording import format_money, format_number, format_percent

Json = dict[str, Any]  # Any: JSON

CUTOFF = "2018-01-01"
"""The day after the last whole day of the Complete Journey; a few orders were stamped after its midnight."""

MARKET = Market(customers=5_000, days=730, seed=1)
SOURCES = {
    "completejourney": "a year of shopping by 2,469 households (Complete Journey)",
    "simulated": f"two years of a simulated market of {MARKET.customers:,} customers, whose truth is known",
}


def check_source(source: str) -> None:
    """Check the name of a source.

    Raises
    ------
    UsageError
        If there is no such source.
    """
    if source not in SOURCES:
        raise UsageError(f"--source must be one of {', '.join(SOURCES)}, got {source!r}{nearest(source, SOURCES)}")


def demo(session: Session, source: str = "completejourney") -> Json:
    """Ingest the data of a source, train, score, assign, and return the summary of it all."""
    session.console.print(f"[bold]churnml demo[/]: {SOURCES[source]}\n")
    simulated = source == "simulated"
    if simulated:
        simulate(session, MARKET)
    else:
        land(session, completejourney_sources())
    cutoff = MARKET.ends.isoformat() if simulated else CUTOFF
    trained = train(session, cutoff=cutoff)
    score(session, cutoff=cutoff)
    assigned = assign(session)
    recorded = "consents" in session.store.tables
    summary = assigned | {"train": trained, "consent": "recorded" if recorded else session.settings.consent}
    session.console.print(told(summary))
    return summary


_CONSENT = {
    "recorded": "as the customers said; who refuses to be profiled is in no figure here",
    "assumed": "assumed for everyone, as configs/workspace.yaml says; ask before you contact real people",
    "required": "required, and none has landed: nobody is contacted until consents land",
}


def told(summary: Json) -> Panel:
    """Return the summary for people: who is at risk, what it is worth, what will be done, how far to trust it."""
    currency = summary["currency"]
    rows = {
        "Customers active": f"{_count(summary['population'])} of {_count(summary['customers'])} known",
        "At high risk": f"{_count(summary['bands']['high'])}, and {_count(summary['bands']['medium'])} at medium risk, "
        f"of not ordering in the next {summary['horizon_days']} days",
        "Value at risk": f"{_money(summary['value_at_risk'], currency)} of margin in the year ahead",
        "What we would do": f"{_count(summary['treated'])} actions for {_money(summary['reserved'], currency)} "
        f"of a budget of {_money(summary['budget'], currency)}; {_count(summary['control'])} held out to measure",
        "Expected gain": f"{_money(summary['expected_net_value'], currency)} after cost "
        "(effects are assumptions until measured)",
        "How good is it": _judged(summary["train"]),
        "Features on": ", ".join(summary["families_on"]),
        "Features off": "; ".join(f"{name} ({wants})" for name, wants in summary["families_off"].items()) or "none",
        "Consent": _CONSENT[summary["consent"]],
        "Model": f"{summary['model_version'][:12]}"
        + ("" if not summary["train"]["not_promoted_because"] else ", not promoted"),
    }
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, words in rows.items():
        grid.add_row(name, words)
    return Panel(grid, title="What to know this morning", title_align="left", expand=False)


def _judged(trained: Json) -> str:
    if trained["judged"] is None:
        return f"not judged out of time: {trained['not_judged_because']}"
    judged = trained["judged"]["churn"]
    return (
        f"tested on {judged['test']}: of the riskiest tenth, {format_percent(judged['riskiest_tenth'], 'en')} left, "
        f"against {format_percent(judged['base_rate'], 'en')} of all"
    )


def _count(number: int) -> str:
    return format_number(number, "en")


def _money(amount: float, currency: str) -> str:
    return format_money(amount, currency, "en", whole=True)
