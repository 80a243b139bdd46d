"""`churnml tune`: settings that forecast better out of time, or the word that there are none beyond noise."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.config import TrainConfig, flat, parse_config
from churnml.errors import DependencyError, NotEnoughDataError, UsageError
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, clock, require_places
from churnml.verbs.settings_file import rewritten, written
from churnml.verbs.tracked import tracked

if TYPE_CHECKING:
    from churnml.modeling.search import Searched
    from churnml.modeling.tracking import Entry
    from churnml.modeling.tuning import Gain, Ground

Json = dict[str, Any]  # Any: JSON

TRIALS = 40
_DIGITS = 4
_SHOWN = 12


def tune(
    session: Session,
    *,
    cutoff: str | None = None,
    trials: int = TRIALS,
    minutes: float | None = None,
    write: bool = False,
    out: Path | None = None,
) -> Json:
    """Search for settings of the churn blend, judge what was found once at the last cutoff, and return the summary.

    A search with the same data, settings and code goes on where it was stopped.

    Parameters
    ----------
    cutoff : str, optional
        A date; the midnight after the last order by default. Nothing after it is read.
    trials : int, default 40
        How many settings are tried in all, those of a search that was stopped included; the first are those in force.
    minutes : float, optional
        After so many no further one is tried.
    write : bool, default False
        Write what was found into `configs/train.yaml`, if it is better beyond noise.
    out : Path, optional
        Write it to this YAML file, better or not.

    Raises
    ------
    DependencyError
        If Optuna is not installed, or the file cannot be written.
    UsageError
        If there is less than one trial or no time.
    NotEnoughDataError
        If history does not reach for two origins before the last, or it was stopped before anything was judged.
    """
    _check(trials, minutes)
    require_places([out] if out is not None else [])
    from churnml.modeling.search import search  # noqa: PLC0415  # Optuna and LightGBM take seconds to import
    from churnml.modeling.tuning import prepared  # noqa: PLC0415

    now = session.cutoff(cutoff)
    config, _ = train_config(session, now)
    inputs = session.inputs(config, tune=now)
    with session.running("tune", inputs) as run_id:
        with session.step("Building features and labels, once for all trials") as tick:
            ground = prepared(session.store, of_session(session), now, config, session.settings.margin_rate, tick)
        journal = session.workspace.root / "tuning" / f"{inputs[:_SHOWN]}.log"
        with session.step(f"Trying {trials} settings at {len(ground.judged)} origins before {ground.last}") as tick:
            searched = search(ground, config, trials=trials, minutes=minutes, journal=journal, progress=tick)
        if searched is None:
            raise NotEnoughDataError(
                "the search was stopped before the settings in force were judged, so there is nothing to compare with; "
                "give it more --minutes"
            )
        summary = _summary(session, config, ground, searched)
        summary["written"] = _write(session, summary, write=write, out=out)
        summary["not_tracked_because"] = tracked(session, lambda: _entry(config, summary))
        session.catalogue.finish(run_id, clock(), summary)
    return summary


def _check(trials: int, minutes: float | None) -> None:
    if trials < 1:
        raise UsageError(f"--trials must be at least 1, got {trials}")
    if minutes is not None and not minutes > 0:
        raise UsageError(f"--minutes must be more than 0, got {minutes:g}")
    if importlib.util.find_spec("optuna") is None:
        raise DependencyError("`churnml tune` needs Optuna, found it not installed; pip install 'churnml[tune]'")


def _summary(session: Session, config: TrainConfig, ground: Ground, searched: Searched) -> Json:
    from churnml.modeling.tuning import SEARCHED, settings_of, with_settings  # noqa: PLC0415

    before = settings_of(config, [*searched.best.settings])
    found = {name: _rounded(value) for name, value in searched.best.settings.items()}
    same = all(abs(found[name] - _rounded(before[name])) <= 0 for name in found)
    gain = None
    if not same:
        with session.step(f"Comparing the best with the settings in force at {ground.last}, once"):
            gain = _gain(ground, config, with_settings(config, found))
    first = next(one for one in searched.trials if one.whole)
    return {
        "horizon_days": config.horizon_days,
        "origins": list(ground.days),
        "last_origin": ground.last,
        "customers_at_last": len(ground.last_churned),
        "trials": [one.to_json() for one in searched.trials],
        "given_up_early": sum(not one.whole for one in searched.trials),
        "stopped_because": searched.stopped,
        "searched": [name for name in SEARCHED if name in found],
        "settings_before": before,
        "best_trial": searched.best.number,
        "settings_found": found,
        "yaml": written(found),
        "at_earlier_origins": {"before": first.means, "after": searched.best.means},
        "at_last_origin": None if gain is None else gain.to_json(),
        "better_beyond_noise": gain is not None and gain.beyond_noise,
    }


def _gain(ground: Ground, before: TrainConfig, after: TrainConfig) -> Gain:
    from churnml.modeling.tuning import Teaching, gain  # noqa: PLC0415

    old, new = Teaching(ground, before).at_last(), Teaching(ground, after).at_last()
    return gain(ground, old, new, bootstrap=before.bootstrap, seed=before.seed)


def _rounded(value: float) -> float:
    """Return a setting as a person would write it; whole numbers stay."""
    return value if isinstance(value, int) else float(f"{value:.{_DIGITS}g}")


def _write(session: Session, summary: Json, *, write: bool, out: Path | None) -> list[str]:
    """Write the settings where they were asked for, and return where they now stand."""
    files = []
    if out is not None:
        with session.workspace.atomically(out.resolve()) as draft:
            draft.write_text(summary["yaml"], encoding="utf-8")
        files.append(str(out))
    if write and summary["better_beyond_noise"]:
        file = session.configs / "train.yaml"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        changed = rewritten(text, summary["settings_found"])
        parse_config(changed, TrainConfig, str(file))  # what cannot be read again must not take its place
        with session.workspace.atomically(file.resolve()) as draft:
            draft.write_text(changed, encoding="utf-8")
        files.append(str(file))
    return files


def _entry(config: TrainConfig, summary: Json) -> Entry:
    from churnml.modeling.tracking import Entry  # noqa: PLC0415  # MLflow takes seconds to import

    last = summary["at_last_origin"]
    metrics = {f"best_{name}": value for name, value in summary["at_earlier_origins"]["after"].items()}
    if last is not None:
        metrics |= {f"last_{name}_better_by": told[0] for name, told in last["better_by"].items()}
    return Entry(
        f"tune {summary['last_origin']}",
        params=flat(config.model_dump()),
        metrics=metrics,
        tags={"kind": "tuning", "better_beyond_noise": str(summary["better_beyond_noise"])},
        texts={"settings_found.yaml": summary["yaml"]},
        parts=[
            Entry(
                f"trial {one['trial']}",
                params=one["settings"],
                metrics=one["mean"],
                tags={"kind": "trial", "judged_at_all_origins": str(one["judged_at_all_origins"])},
            )
            for one in summary["trials"]
        ],
    )


def told(summary: Json) -> str:
    """Return the summary in words for people."""
    trials, early = len(summary["trials"]), summary["given_up_early"]
    ended = f", then {summary['stopped_because']}" if summary["stopped_because"] else ""
    head = f"{trials} settings tried at {', '.join(summary['origins'])}, {early} of them given up early{ended}"
    return "\n".join([head, *_course(summary), *_verdict(summary)])


def _course(summary: Json) -> list[str]:
    both = summary["at_earlier_origins"]
    shown = ", ".join(
        f"{_CALLED[name]} {both['before'][name]:.4f} in force and {both['after'][name]:.4f} the best"
        for name in _CALLED
    )
    return [f"mean over these origins, by which the best was chosen: {shown}"]


_CALLED = {"log_loss": "log loss", "brier": "Brier", "auroc": "AUROC"}


def _verdict(summary: Json) -> list[str]:
    last = summary["at_last_origin"]
    if last is None:
        return ["the settings in force were the best of all; configs/train.yaml stays as it is"]
    gains = "; ".join(
        f"{_CALLED[name]} better by {value:+.4f} ({low:+.4f} to {high:+.4f})"
        for name, (value, low, high) in last["better_by"].items()
    )
    day = (
        f"at {summary['last_origin']}, which no trial had seen, on {summary['customers_at_last']:,} customers: {gains}"
    )
    if not summary["better_beyond_noise"]:
        return [day, "that is nothing beyond noise; configs/train.yaml stays as it is"]
    where = f"written to {', '.join(summary['written'])}" if summary["written"] else "put them in with --write"
    return [day, f"better beyond noise; {where}:\n{summary['yaml'].rstrip()}"]


__all__ = ["tune"]
