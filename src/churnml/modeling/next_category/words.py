"""How the next category did, in words: a line for people, its part of the model card, and tables as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from churnml.modeling.judgement import OURS, Figure
from churnml.modeling.next_category.model import Kind
from churnml.modeling.next_category.standing import Standing
from churnml.modeling.next_category.trial import MEASURES, POPULAR_NEW, Contest

Json = dict[str, Any]  # Any: JSON

CALLED: Mapping[Kind, str] = {
    "cross_sell": "Cross-sell: a category they had not bought",
    "replenish": "Replenishment: a category that is due by their own interval",
}


def told_of(found: Json) -> str:
    """Return in a line how the next category did, of what `Standing.to_json` wrote."""
    because = found["because"]
    if "any" in because:
        return f"no next category, because {because['any']}"
    judged = found["judged"].get("cross_sell")
    why = because.get("cross_sell")
    if why or judged is None:
        return f"next category by `{found['cross_sell']}`: {why}"
    ours, popular = (judged["methods"][name]["hit_3"][0] for name in (OURS, POPULAR_NEW))
    return (
        f"next category by co-purchase, out of time: {ours:.1%} of {judged['customers']:,} customers took up one of "
        f"the three told, against {popular:.1%} of the most bought that they had not"
    )


def next_category_told(found: Standing) -> str:
    """Return the part of a model card that tells how the next category was learned and tried, as Markdown."""
    parts = ["\n## The next category"]
    if "any" in found.because:
        return "\n\n".join([*parts, f"**Not told:** {found.because['any']}."]) + "\n"
    parts.append(f"{found.categories} categories; tried at {', '.join(found.cutoffs) or 'no cutoff'}.")
    for kind, title in CALLED.items():
        parts += [f"### {title}"]
        parts += [f"**Not by the model:** {found.because[kind]}."] if kind in found.because else []
        parts += [table(found.judged[kind])] if kind in found.judged else []
    parts.append(
        "The probabilities are of a purchase without an offer; what an offer adds to it is not known from them. A "
        "person who buys for others, or a gift, looks like a habit here."
    )
    return "\n\n".join(parts) + "\n"


def table(contest: Contest) -> str:
    """Return how the methods did, as a table in Markdown; what is marked stands apart from ours beyond noise."""
    lines = [
        f"| method | {' | '.join(MEASURES.values())} |",
        f"| --- |{' ---: |' * len(MEASURES)}",
        f"| **{OURS}** | {' | '.join(_shown(contest.methods[0].figures[name]) for name in MEASURES)} |",
    ]
    for one in contest.methods[1:]:
        cells = (f"{one.figures[name].value:.3f}{_mark(one.lead_of_ours[name])}" for name in MEASURES)
        lines.append(f"| {one.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mark(lead: Figure) -> str:
    return "\\*" if lead.low > 0 else " !" if lead.high < 0 else ""


def _shown(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
