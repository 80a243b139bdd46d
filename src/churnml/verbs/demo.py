"""`churnml demo`: the whole job on real data, told in words a manager understands."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.table import Table as Grid

from churnml.events.sources.presets.completejourney import completejourney_sources
from churnml.verbs.assign import assign
from churnml.verbs.ingest import land
from churnml.verbs.score import score
from churnml.verbs.session import Session
from churnml.verbs.train import train
from churnml.wording import format_money, format_number, format_percent

Json = dict[str, Any]  # Any: JSON

CUTOFF = "2018-01-01"
"""The day after the last whole day of the Complete Journey; a few orders were stamped after its midnight."""


def demo(session: Session) -> Json:
    """Ingest the Complete Journey, train, score, assign, and return the summary of it all."""
    session.console.print("[bold]churnml demo[/]: a year of shopping by 2,469 households (Complete Journey)\n")
    land(session, completejourney_sources())
    trained = train(session, cutoff=CUTOFF)
    score(session, cutoff=CUTOFF)
    assigned = assign(session)
    summary = assigned | {"train": trained}
    session.console.print(told(summary))
    return summary


def told(summary: Json) -> Panel:
    """Return the summary for people: who is at risk, what it is worth, what will be done, how far to trust it."""
    currency = summary["currency"]
    judged = summary["train"]["judged"]["churn"]
    rows = {
        "Customers active": f"{_count(summary['population'])} of {_count(summary['customers'])} known",
        "At high risk": f"{_count(summary['bands']['high'])}, and {_count(summary['bands']['medium'])} at medium risk, "
        f"of not ordering in the next {summary['horizon_days']} days",
        "Value at risk": f"{_money(summary['value_at_risk'], currency)} of margin in the year ahead",
        "What we would do": f"{_count(summary['treated'])} actions for {_money(summary['reserved'], currency)} "
        f"of a budget of {_money(summary['budget'], currency)}; {_count(summary['control'])} held out to measure",
        "Expected gain": f"{_money(summary['expected_net_value'], currency)} after cost "
        "(effects are assumptions until measured)",
        "How good is it": f"tested on {judged['test']}: of the riskiest tenth, "
        f"{format_percent(judged['riskiest_tenth'], 'en')} left, against "
        f"{format_percent(judged['base_rate'], 'en')} of all",
        "Features on": ", ".join(summary["families_on"]),
        "Features off": "; ".join(f"{name} ({wants})" for name, wants in summary["families_off"].items()),
        "Consent": "assumed for everyone, as configs/workspace.yaml says; ask before you contact real people",
        "Model": f"{summary['model_version'][:12]}"
        + ("" if not summary["train"]["not_promoted_because"] else ", not promoted"),
    }
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, words in rows.items():
        grid.add_row(name, words)
    return Panel(grid, title="What to know this morning", title_align="left", expand=False)


def _count(number: int) -> str:
    return format_number(number, "en")


def _money(amount: float, currency: str) -> str:
    return format_money(amount, currency, "en", whole=True)
