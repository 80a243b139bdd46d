"""The verdict of `churnml monitor` and its reasons, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from churnml.modeling.drift import Drifts
    from churnml.modeling.shares import Turned
    from churnml.modeling.unrest import Mood, Moved, Unrest
    from churnml.modeling.watch import Watched

Json = dict[str, Any]  # Any: JSON

SHOWN = 12
"""Letters of a model's version."""

_TOLD = 5


def verdict_of(
    seen: Watched, fresh: Mapping[str, Any], day: Callable[[int], str]
) -> tuple[str, list[str]]:  # Any: JSON
    """Return what to do and why; labels that closed weigh more than looks, and looks more than age."""
    train, look = _of_labels(seen, day), []
    if seen.shadow is not None and "brier" in seen.shadow.better and not seen.shadow.worse:
        look.append(
            "the challenger's Brier is better on closed labels beyond noise: `churnml promote` makes it champion"
        )
    if seen.drifts is not None:
        look += _of_drift(seen.drifts, day(seen.made_for), day(seen.now))
    if seen.unrest is not None:
        look += _of_pulse(seen.unrest)
    look += _of_age(fresh)
    return "train" if train else "look" if look else "fine", [*train, *look]


def _of_labels(seen: Watched, day: Callable[[int], str]) -> list[str]:
    reasons = []
    if seen.kept.miscalibrated:
        last = seen.kept.cutoffs[-1]
        reasons.append(
            f"of {last.customers:,} customers at {day(last.cutoff)} {last.observed:.1%} left and {last.expected:.1%} "
            f"were expected to, {last.deviations:+.1f} deviations off what season and chance explain"
        )
    if seen.kept.ranks_worse and seen.kept.auroc and seen.kept.promised:
        reasons.append(
            f"AUROC at the last cutoff that closed is {seen.kept.auroc[0]:.3f}, at most {seen.kept.auroc[2]:.3f}; when "
            f"judged it was {seen.kept.promised[0]:.3f}, at least {seen.kept.promised[1]:.3f}"
        )
    return reasons


def _of_drift(drifts: Drifts, made_for: str, now: str) -> list[str]:
    reasons = []
    asked = (("customers look", drifts.features), ("scores lie", drifts.scores), ("attributes lie", drifts.categories))
    for name, one in asked:
        if one is not None and one.unusual:
            reasons.append(
                f"{name} further from those of {made_for} than time alone explains: distance {one.distance:.3f}, "
                f"usually up to {max(one.usual):.3f}"
            )
    reasons += [_turned_told(one, made_for, now) for one in drifts.turned[:_TOLD]]
    if len(drifts.turned) > _TOLD:
        reasons.append(f"{len(drifts.turned) - _TOLD} more values of attributes came or went: `--json` names them")
    return reasons


def _turned_told(value: Turned, made_for: str, now: str) -> str:
    share = f"borne by {value.share:.1%} of customers"
    if value.came:
        return f"{value.attribute} `{value.value}` is {share} now and was by nobody at {made_for}"
    return f"{value.attribute} `{value.value}` was {share} at {made_for} and is by nobody at {now}"


def _of_pulse(unrest: Unrest) -> list[str]:
    reasons = [f"{_signal_told(one)}, and beyond {unrest.jump_limit:.1f} is an alarm" for one in unrest.jumped]
    if unrest.sour is not None:
        reasons.append(_mood_told(unrest, unrest.sour))
    return reasons


def _mood_told(unrest: Unrest, mood: Mood) -> str:
    worst = "; ".join(_signal_told(one) for one in unrest.of(mood)[:2])
    return (
        f"signs of discontent in the last {mood.days} days, taken together, lie {mood.deviations:.1f} deviations above "
        f"those of the {unrest.months} months before the model was made, and {unrest.mood_limit:.1f} is an alarm; most "
        f"of all {worst}"
    )


def _signal_told(one: Moved) -> str:
    return (
        f"{one.signal} ({one.says}) {one.now:.3g} in the last {one.days} days and {one.before:.3g} before, "
        f"{one.deviations:+.1f} deviations of season and chance"
    )


def _of_age(fresh: Mapping[str, Any]) -> list[str]:  # Any: JSON
    reasons = []
    if fresh["scores_old"]:
        since = fresh["days_of_data_since_the_last_scores"]
        old = "nobody was scored yet" if since is None else f"the last scores are {since} days of data old"
        reasons.append(f"{old}: run `churnml score`")
    if fresh["data_stale"]:
        reasons.append(f"nothing landed for {fresh['days_since_the_last_landing']} days")
    return reasons


def told(body: Json) -> str:
    """Return the verdict and what it rests on, for people."""
    lines = [f"{body['verdict']}: {body['says']}" + (", because" if body["reasons"] else "")]
    lines += [f"  - {reason}" for reason in body["reasons"]]
    lines.append(f"model {body['model_version'][:SHOWN]}, made for {body['made_for']}, watched at {body['now']}")
    lines += [_drift_told(body["drift"]), _pulse_told(body["pulse"]), *_closed_told(body["closed_labels"])]
    if body["challenger"] is not None:
        lines.append(_challenger_told(body["challenger"]))
    return "\n".join(lines)


def _drift_told(drift: Json | None) -> str:
    if drift is None:
        return "drift: no day of data has come since the model was made"
    parts = []
    for name in ("features", "scores", "categories"):
        one = drift[name]
        if one is None:
            continue
        limit = (
            "too few earlier days lie as far apart to say what is usual"
            if one["limit"] is None
            else f"unusual above {one['limit']:.3f}"
        )
        parts.append(f"{name} {one['distance']:.3f} ({limit})")
    moved = ", ".join(
        f"{one['feature']} {one['distance']:.2f} (usually up to {one['usually_up_to']:.2f})" for one in drift["moved"]
    )
    return f"drift: {', '.join(parts)}" + (f"; moved most beyond the usual: {moved}" if moved else "")


def _pulse_told(pulse: Json | None) -> str:
    if pulse is None:
        return "pulse: it takes four weeks since the model was made, and six months and a quarter before, to say"
    moods = ", ".join(f"{one['deviations']:+.1f} over {one['days']} days" for one in pulse["moods"])
    mood = f"{moods} (unusual above {pulse['mood_limit']:.1f})" if moods else "not yet"
    month = min((one["days"] for one in pulse["signals"]), default=0)
    alone = ", ".join(f"{one['signal']} {one['deviations']:+.1f}" for one in pulse["signals"] if one["days"] == month)
    return (
        f"pulse, in deviations from {pulse['months']} months before: discontent {mood}; "
        f"over {month} days {alone} (unusual beyond {pulse['jump_limit']:.1f})"
    )


def _closed_told(closed: Json) -> list[str]:
    if not closed["cutoffs"]:
        return [f"closed labels: none since the model was made; the first closes on {closed['next_closes']}"]
    lines = [
        f"closed labels at {one['cutoff']}: {one['customers']:,} customers, {one['expected']:.1%} expected to leave, "
        f"{one['observed']:.1%} left" + ("" if one["deviations"] is None else f" ({one['deviations']:+.1f} deviations)")
        for one in closed["cutoffs"]
    ]
    if closed["auroc"] is not None:
        value, low, high = closed["auroc"]
        lines.append(f"AUROC at the last of them {value:.3f} [{low:.3f}, {high:.3f}]")
    return lines


def _challenger_told(shadow: Json) -> str:
    told = (
        f"challenger {shadow['model_version'][:SHOWN]} in the shadow: {shadow['mean']:.1%} would leave, the champion "
        f"says {shadow['champion_mean']:.1%}; {shadow['in_another_band']:.1%} of customers in another band"
    )
    if shadow["on_closed_labels"] is None:
        return f"{told}; no label has closed yet that neither of them knew"
    better, worse = (", ".join(shadow[name]) or "nothing" for name in ("better_on", "worse_on"))
    return f"{told}; on closed labels better beyond noise on {better}, worse on {worse}"
