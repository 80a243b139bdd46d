"""Pictures of where customers stand in their life: how many at each moment, and who moved from where to where.

A stage has one colour wherever it is drawn; `static/churnml.css` names it once.
"""

from __future__ import annotations

from collections.abc import Iterator

from churnml.flows import Move, Stand, flow
from churnml.measures import STAGES
from churnml.service.pages.measures.figures import Figures, Json, in_order, moments, number
from churnml.service.pages.measures.grid_pictures import field_grid
from churnml.service.pages.measures.picture import Picture, picture, worded
from churnml.wording import Text

_MOVES = Text("{source} → {target}: {figure}", "{source} → {target}：{figure}")
_BEFORE, _AFTER = Text("Before", "此前"), Text("After", "此后")
_BANDS = Text("Bands are as wide as the customers who moved", "色带越宽，移动的客户越多")
_FIELDS = Text(
    "Down: from where; across: to where; of all who were there", "行：移出阶段；列：移入阶段；占原阶段客户的比例"
)


def kind_of(stage: str) -> str:
    """Return the class that gives a stage its colour; what is no stage of a life has that of none."""
    return f"stage-{stage}" if stage in STAGES else "stage-none"


def stages(figures: Figures) -> Iterator[Picture]:
    """Draw how many are in each stage, month by month."""
    for part, of in figures.parts():
        names = worded(of, "stage", unmet=True)
        yield picture(of, part, flow(names, _kinds(names), _stands(of), (), of.title))


def transitions(figures: Figures) -> Iterator[Picture]:
    """Draw who went where, as a flow and as a grid of shares."""
    for part, of in figures.parts():
        names = worded(of, "from_stage", unmet=True) | worded(of, "to_stage", unmet=True)
        svg = flow(names, _kinds(names), _ends(of, names), [_move(of, row) for row in of.rows], of.title)
        yield picture(of, part, svg, _BANDS.to(of.language))
        yield picture(of, part, field_grid(of, "from_stage", "to_stage", "share"), _FIELDS.to(of.language))


def _kinds(names: dict[str, str]) -> dict[str, str]:
    return {key: kind_of(key) for key in names}


def _move(figures: Figures, row: Json) -> Move:
    told = {"source": figures.say(row, "from_stage"), "target": figures.say(row, "to_stage")}
    said = _MOVES.to(figures.language).format(**told, figure=figures.say(row, "customers"))
    return Move(0, str(row["from_stage"]), str(row["to_stage"]), number(row, "customers") or 0.0, said)


def _stands(figures: Figures) -> list[Stand]:
    """Return how many are in each stage at each moment; of many moments some have a label, the last always."""
    days = in_order(figures.rows, "month")
    labels = moments(days, figures.language)
    return [
        Stand(label, _sums(figures.of([row for row in figures.rows if row["month"] == day]), "stage"))
        for day, label in zip(days, labels, strict=True)
    ]


def _ends(figures: Figures, names: dict[str, str]) -> list[Stand]:
    told = ((_BEFORE, "from_stage"), (_AFTER, "to_stage"))
    return [Stand(text.to(figures.language), dict.fromkeys(names, 0.0) | _sums(figures, name)) for text, name in told]


def _sums(figures: Figures, where: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for row in figures.rows:
        found[str(row[where])] = found.get(str(row[where]), 0.0) + (number(row, "customers") or 0.0)
    return found
