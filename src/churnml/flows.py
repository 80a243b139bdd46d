"""Charts of how many go where, as SVG text: between stages from month to month, and down a funnel.

By the rules of `charts.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from churnml.charts import WIDTH, cut, svg

_TALL, _TOP, _BAR, _GAP = 260.0, 24.0, 12.0, 5.0
_SIDE = 110.0
_STEP, _BODY = 46.0, 28.0


@dataclass(frozen=True)
class Stand:
    """One moment of a flow: its label, and how many are where, by key."""

    label: str
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Move:
    """How many went between two stands that follow each other.

    Parameters
    ----------
    stand : int
        The one it begins at, counted from 0.
    source, target : str
        Keys of the stand and of the next.
    amount : float
    said : str
        The figure in words.
    """

    stand: int
    source: str
    target: str
    amount: float
    said: str


@dataclass(frozen=True)
class Stage:
    """A stage of a funnel: how many reached it as a share of all, that share in words, and of the stage before."""

    label: str
    share: float | None
    said: str
    conversion: str = ""
    narrowest: bool = False


def flow(
    names: Mapping[str, str], kinds: Mapping[str, str], stands: Sequence[Stand], moves: Sequence[Move], title: str
) -> str:
    """Return bars of how many are where at each moment, joined by bands as wide as the moves between them.

    Parameters
    ----------
    names : mapping of str to str
        The label of each key, in the order from the top.
    kinds : mapping of str to str
        The class that gives each key its colour, here and in every other picture of it.
    stands : sequence of Stand
        At least two.
    moves : sequence of Move
        What arrives and what leaves need not add up to a stand: who came or went has no band.
    title : str
        What the chart says, for who cannot see it.
    """
    most = max((sum(stand.amounts.values()) for stand in stands), default=0.0) or 1.0
    unit = (_TALL - _GAP * len(names)) / most
    apart = (WIDTH - 2 * _SIDE - _BAR) / max(len(stands) - 1, 1)
    tops = [_tops(names, stand, unit) for stand in stands]
    drawn = [_bands(kinds, list(names), tops, moves, unit, apart)]
    for place, stand in enumerate(stands):
        left = _SIDE + place * apart
        drawn += [_bar(kinds[key], left, tops[place][key], stand.amounts.get(key, 0.0) * unit) for key in names]
        drawn.append(_words(stand.label, left + _BAR / 2, _TOP - 9, "middle", "tick"))
    for place, left, anchor in ((0, _SIDE - 8, "end"), (len(stands) - 1, WIDTH - _SIDE + 8, "start")):
        drawn.append(_labels(names, stands[place], tops[place], unit, left, anchor))
    return svg("".join(drawn), title, _TOP + _TALL + 6)


def funnel(stages: Sequence[Stage], title: str) -> str:
    """Return stages one below the other, as wide as the share that reached them, and what goes on between them.

    Parameters
    ----------
    stages : sequence of Stage
        The first on top.
    title : str
        What the chart says, for who cannot see it.
    """
    left, right = 170.0, 170.0
    room, middle = WIDTH - left - right, left + (WIDTH - left - right) / 2
    drawn = []
    for place, stage in enumerate(stages):
        top, wide = place * _STEP + 4, room * min(max(stage.share or 0.0, 0.0), 1.0)
        following = stages[place + 1].share if place + 1 < len(stages) else None
        if following is not None:
            drawn.append(_narrowing(middle, wide, room * min(max(following, 0.0), 1.0), top + _BODY))
        kind = "stage narrowest" if stage.narrowest else "stage"
        box = f'x="{middle - wide / 2:.1f}" y="{top:.1f}" width="{max(wide, 1.0):.1f}" height="{_BODY:g}"'
        words = f"{stage.label} · {stage.said}"
        body = f"<title>{escape(words)}</title><rect class={quoteattr(kind)} {box}/>"
        body += _words(cut(stage.label, left - 14), left - 10, top + _BODY / 2 + 4, "end", "label")
        body += _words(cut(stage.said, right - 14), WIDTH - right + 10, top + _BODY / 2 + 4, "start", "label")
        if stage.conversion:
            body += _words(stage.conversion, middle, top - _STEP + _BODY + 13, "middle", "tick")
        drawn.append(f"<g>{body}</g>")
    return svg("".join(drawn), title, _STEP * len(stages) - _STEP + _BODY + 8)


def _tops(names: Mapping[str, str], stand: Stand, unit: float) -> dict[str, float]:
    """Return where the bar of each key begins."""
    found, top = {}, _TOP
    for key in names:
        found[key] = top
        high = stand.amounts.get(key, 0.0) * unit
        top += high + _GAP if high > 0 else 0.0
    return found


def _bands(
    kinds: Mapping[str, str],
    keys: Sequence[str],
    tops: Sequence[Mapping[str, float]],
    moves: Sequence[Move],
    unit: float,
    apart: float,
) -> str:
    """Return the moves, those of one bar below each other in the order of keys at either end."""
    order = {key: place for place, key in enumerate(keys)}
    leaving, arriving = [dict(one) for one in tops], [dict(one) for one in tops]
    drawn = []
    for move in sorted(moves, key=lambda one: (one.stand, order[one.source], order[one.target])):
        wide, begin = move.amount * unit, _SIDE + move.stand * apart + _BAR
        end, half = begin + apart - _BAR, begin + (apart - _BAR) / 2
        up, down = leaving[move.stand][move.source], arriving[move.stand + 1][move.target]
        leaving[move.stand][move.source] += wide
        arriving[move.stand + 1][move.target] += wide
        path = (
            f"M{begin:.1f} {up:.1f}C{half:.1f} {up:.1f} {half:.1f} {down:.1f} {end:.1f} {down:.1f}"
            f"V{down + wide:.1f}C{half:.1f} {down + wide:.1f} {half:.1f} {up + wide:.1f} {begin:.1f} {up + wide:.1f}Z"
        )
        band = f'<path class={quoteattr(f"move {kinds[move.source]}")} d="{path}"/>'
        drawn.append(f"<g><title>{escape(move.said)}</title>{band}</g>")
    return "".join(drawn)


def _labels(
    names: Mapping[str, str], stand: Stand, tops: Mapping[str, float], unit: float, left: float, anchor: str
) -> str:
    """Return the names of who is there, beside the middles of their bars and never on each other."""
    drawn, free = [], _TOP
    for key, label in names.items():
        high = stand.amounts.get(key, 0.0) * unit
        if high > 0:
            place = max(tops[key] + high / 2 + 4, free)
            free = place + 13
            drawn.append(_words(cut(label, _SIDE - 14), left, place, anchor, "label"))
    return "".join(drawn)


def _bar(kind: str, left: float, top: float, high: float) -> str:
    return f'<rect class={quoteattr(kind)} x="{left:.1f}" y="{top:.1f}" width="{_BAR:g}" height="{high:.1f}"/>'


def _narrowing(middle: float, above: float, below: float, top: float) -> str:
    points = (
        f"{middle - above / 2:.1f},{top:.1f} {middle + above / 2:.1f},{top:.1f} "
        f"{middle + below / 2:.1f},{top + _STEP - _BODY:.1f} {middle - below / 2:.1f},{top + _STEP - _BODY:.1f}"
    )
    return f'<polygon class="narrowing" points="{points}"/>'


def _words(words: str, x: float, y: float, anchor: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
