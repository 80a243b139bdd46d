"""What became of the calibration of a blend, as plain data and in words for the card of a model and the terminal."""

from __future__ import annotations

from typing import Any

from churnml.modeling.calibration_trial import Choice, Lead, Tried
from churnml.modeling.train import Trained

Json = dict[str, Any]  # Any: JSON

_WHAT = {
    "raw": "the blend as it is",
    "prior": "a shift",
    "platt": "a stretch",
    "beta": "two stretches, of the likely and of the unlikely",
}


def calibration_json(trained: Trained) -> Json:
    """Return what was taken, why, with the figures, and what the blends of fewer days took, as plain data."""
    shorter = {str(day): blend.calibration.kind for day, blend in trained.model.sooner.items()}
    return trained.churn_fit.choice.to_json() | {"sooner": shorter}


def calibration_metrics(choice: Choice) -> dict[str, float]:
    """Return what each that was tried gained, under flat names, for tracking."""
    return {f"calibration_gain_{one.kind}": one.over_raw.gain for one in choice.tried}


def calibration_line(choice: Choice) -> str:
    """Return in a sentence what was taken and why."""
    kind = choice.calibration.kind
    return f"calibration `{kind}` ({_WHAT[kind]}), for {choice.because}"


def calibration_told(trained: Trained) -> str:
    """Return the section of a model's card, as Markdown."""
    choice = trained.churn_fit.choice
    parts = [f"## Calibration\n\nTaken: {calibration_line(choice)}."]
    if choice.tried:
        parts.append(
            f"Tried on {choice.customers:,} customers at {choice.origins} origin{'s' * (choice.origins != 1)}, each "
            "taught at those before with the other half of the customers. Gain in log loss against the blend as it is, "
            "with an interval by the chance of which customers there were; of a stretch at the level that was right at "
            "the origin."
        )
        parts.append(
            "\n".join(
                [
                    "| | gain | over the one with a number less | better |",
                    "|---|---:|---:|---|",
                    *map(_row, choice.tried),
                ]
            )
        )
    if choice.calibration.kind != "raw":
        one = choice.calibration
        parts.append(f"Slopes {one.low:.3f} and {one.high:.3f}, shift {one.shift:+.3f} on the logit scale.")
    shorter = ", ".join(f"{day} days `{blend.calibration.kind}`" for day, blend in trained.model.sooner.items())
    parts += [f"Blends of fewer days chose for themselves: {shorter}."] if shorter else []
    return "\n" + "\n\n".join(parts) + "\n"


def _row(one: Tried) -> str:
    return f"| {one.kind} | {_lead(one.over_raw)} | {_lead(one.over_simpler)} | {'yes' if one.better else 'no'} |"


def _lead(lead: Lead) -> str:
    return f"{lead.gain:.5f} [{lead.low:.5f}, {lead.high:.5f}]"
