"""Why: exact contributions to the blended logit, gathered by the story they tell, worded in two languages.

The same is done for churn and for conversion, whose logit has the age of a prospect where churn has the rhythm.

A contribution is the weight of a learner times what a column added to its logit: Shapley values for the trees,
coefficient times deviation from the mean for the ridge, and the rhythm's deviation from its mean. A learner of one's
own tells its contributions, or its deviation from its mean is one group of its name. A calibration stretches all of a
row by one factor (`Calibration.pace`), which changes neither their order nor their signs. Together with the base they
sum to the logit of the probability that is told. Columns that tell the same story share a group, so that twenty spend
windows do not crowd out the one complaint that matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from string import Formatter
from typing import Literal

import numpy as np
import numpy.typing as npt

from churnml.config import LEARNERS
from churnml.features import Catalogue, Feature, FeatureTable
from churnml.modeling.churn import ChurnModel
from churnml.modeling.conversion import ConversionForecast, ConversionModel
from churnml.modeling.design import Design
from churnml.modeling.learners import sigmoid, tree_contributions
from churnml.modeling.model import Forecast, Model
from churnml.modeling.own_learner import TaughtOwn
from churnml.wording import LANGUAGES, Language, Text, format_money, format_number, format_percent

Values = npt.NDArray[np.float64]

_RHYTHM_AT = LEARNERS.index("rhythm")
_RHYTHM, _AGE = "rhythm", "tenure"
"""The groups that the rhythm and the age of a prospect are told in."""
_SAYS = Text("By {learner}, the risk of leaving is {chance}", "按{learner}判断，流失风险为 {chance}")


@dataclass(frozen=True)
class Contributions:
    """What each column added to the blended logit, as calibrated.

    Parameters
    ----------
    by_column : ndarray of shape (n_rows, n_columns + n_own)
        In the order of the design's columns; then, of each learner of one's own, what it tells of no column.
    base : ndarray of shape (n_rows,)
        The logit of a customer about whom nothing stands out, at that season; base plus a row's sum is its logit.
    """

    by_column: Values
    base: Values


@dataclass(frozen=True)
class Reason:
    """One reason, as a decision record carries it; `weight` is its part of the logit."""

    group: str
    feature: str
    value: float | str
    direction: Literal["raises", "lowers"]
    weight: float
    sentence: dict[str, str]


def contributions(model: Model, forecast: Forecast) -> Contributions:
    """Return the exact contributions of every column to the calibrated logit of every row."""
    return _contributions(model.design, model.churn, forecast.matrix, forecast.logits, forecast.season)


def conversion_contributions(model: ConversionModel, forecast: ConversionForecast) -> Contributions:
    """Return the same of the logit of conversion."""
    logits = np.column_stack([np.zeros((len(forecast.matrix), _RHYTHM_AT)), forecast.age_logit])
    return _contributions(model.design, model.blend, forecast.matrix, logits, np.zeros(len(logits)))


def _contributions(design: Design, churn: ChurnModel, matrix: Values, logits: Values, season: Values) -> Contributions:
    """Return them; of `logits` those of trees and ridge are not asked for, their columns tell."""
    trees_weight, ridge_weight, rhythm_weight, *own_weights = churn.weights
    by_trees, base = (np.zeros(matrix.shape), 0.0) if churn.trees is None else tree_contributions(churn.trees, matrix)
    ridge, intercept = np.zeros(matrix.shape), 0.0
    if churn.ridge is not None and churn.scaling is not None:
        ridge, intercept = churn.scaling(matrix) * np.array(churn.ridge.coefficients), churn.ridge.intercept
    by_column = trees_weight * by_trees + ridge_weight * ridge
    rhythm = design.columns.index(design.rhythm[0])
    by_column[:, rhythm] += rhythm_weight * (logits[:, _RHYTHM_AT] - churn.reference)
    base = trees_weight * base + ridge_weight * intercept + rhythm_weight * churn.reference
    rests = []
    for place, (own, weight) in enumerate(zip(churn.own, own_weights, strict=True)):
        logit = logits[:, len(LEARNERS) + place]
        parts = own.contributions(matrix, logit)
        by_column += 0.0 if parts is None else weight * parts.by_column
        base += weight * (own.reference if parts is None else parts.base)
        rests.append(weight * (logit - own.reference if parts is None else parts.rest))
    added, start = np.column_stack([by_column, *rests]), base + season
    if churn.calibration.kind == "raw":
        return Contributions(added, start)
    pace = churn.calibration.pace(start, start + _sums(added, range(added.shape[1])))
    return Contributions(added * pace[:, None], churn.calibration(start))


def reasons(
    table: FeatureTable, model: Model, forecast: Forecast, catalogue: Catalogue, currency: str, most: int
) -> list[list[Reason]]:
    """Return the strongest reasons of each row, the strongest first.

    Parameters
    ----------
    most : int
        How many groups are told at most; a group whose feature is missing for a customer is not told.
    """
    parts = contributions(model, forecast).by_column
    return _told(table, model.design, model.churn, parts, forecast.logits, _RHYTHM, catalogue, currency, most)


def conversion_reasons(
    table: FeatureTable,
    model: ConversionModel,
    forecast: ConversionForecast,
    catalogue: Catalogue,
    currency: str,
    most: int,
) -> list[list[Reason]]:
    """Return the strongest reasons of each prospect to become a customer, or not to, the strongest first."""
    parts = conversion_contributions(model, forecast).by_column
    none = np.empty((len(table), 0))
    return _told(table, model.design, model.blend, parts, none, _AGE, catalogue, currency, most)


def _told(
    table: FeatureTable,
    design: Design,
    blend: ChurnModel,
    parts: Values,
    logits: Values,
    pace: str,
    catalogue: Catalogue,
    currency: str,
    most: int,
) -> list[list[Reason]]:
    """Return the strongest reasons; `pace` is the group of what the rhythm, or the age, adds."""
    features = {feature.name: feature for feature in catalogue.features}
    own = {learner.declared.name: place for place, learner in enumerate(blend.own)}
    groups = _groups(design, features, pace, alone=blend.by_rhythm_alone)
    groups |= {name: {name: len(design.columns) + at} for name, at in own.items()}
    totals = {group: _sums(parts, columns.values()) for group, columns in groups.items()}

    def told_in(group: str, row: int) -> Mapping[str, int]:
        # where the rhythm is all there is, its silence tells what raises the risk, and its pace what lowers it
        turned = blend.by_rhythm_alone and totals[group][row] < 0
        return dict(reversed(groups[group].items())) if turned else groups[group]

    told = []
    for row in range(len(table)):
        values = _values(table, row)
        strongest = sorted(groups, key=lambda group: -abs(totals[group][row]))
        found = (
            _of_own(
                blend.own[own[group]],
                float(totals[group][row]),
                float(logits[row, own[group] - len(own)]),
            )
            if group in own
            else _reason(
                group, float(totals[group][row]), told_in(group, row), parts[row], values, features, currency, pace
            )
            for group in strongest
            if totals[group][row]
        )
        told.append(list(islice((reason for reason in found if reason is not None), most)))
    return told


def _sums(parts: Values, columns: Iterable[int]) -> Values:
    """Return the sums of some columns, added one after the other: NumPy's own order hangs on the number of rows."""
    total = np.zeros(len(parts))
    for column in columns:
        total += parts[:, column]
    return total


def _groups(design: Design, features: Mapping[str, Feature], pace: str, *, alone: bool) -> dict[str, dict[str, int]]:
    """Return, for each group, its columns as name of the feature (or rhythm column) to place."""
    groups: dict[str, dict[str, int]] = {}
    for place, column in enumerate(design.columns):
        name = column if column in features or column in design.rhythm else column.partition("=")[0]
        # where no feature is learned from, the rhythm is all there is, and each column is one way to tell of it
        rhythm = column in design.rhythm or alone
        group = pace if rhythm else features[name].group
        groups.setdefault(group, {})[column] = place
    return groups


def _values(table: FeatureTable, row: int) -> dict[str, float | str]:
    """Return what is known of a row: numbers that are not missing, and attributes."""
    numbers = table.values[row]
    known: dict[str, float | str] = {
        name: float(numbers[place]) for place, name in enumerate(table.names) if np.isfinite(numbers[place])
    }
    return known | {name: values[row] for name, values in table.categories.items() if values[row] is not None}


def _reason(
    group: str,
    total: float,
    columns: Mapping[str, int],
    parts: Values,
    values: Mapping[str, float | str],
    features: Mapping[str, Feature],
    currency: str,
    pace: str,
) -> Reason | None:
    """Word a group by its column that pulls hardest the same way and can be told, or not at all."""
    for column in sorted(columns, key=lambda name: -parts[columns[name]] * np.sign(total)):
        name = column if column in features else column.partition("=")[0]
        if name not in values or name not in features or (parts[columns[column]] * total < 0 and group != pace):
            continue
        sentence = {language: word(features[name], values, features, currency, language) for language in LANGUAGES}
        if all(sentence.values()):
            direction: Literal["raises", "lowers"] = "raises" if total > 0 else "lowers"
            told = {str(language): text for language, text in sentence.items() if text is not None}
            return Reason(group, name, values[name], direction, total, told)
    return None


def _of_own(learner: TaughtOwn, total: float, logit: float) -> Reason:
    """Tell what a learner of one's own says, where it does not tell why."""
    name, text = learner.declared.name, learner.declared.kind.text
    chance = float(sigmoid(np.array(logit)))
    told: dict[str, str] = {
        str(language): _SAYS.to(language).format(learner=text.to(language), chance=format_percent(chance, language))
        for language in LANGUAGES
    }
    return Reason(name, name, chance, "raises" if total > 0 else "lowers", total, told)


def word(
    feature: Feature,
    values: Mapping[str, float | str],
    features: Mapping[str, Feature],
    currency: str,
    language: Language,
) -> str | None:
    """Return a feature's sentence with the customer's numbers in it, None where a number it needs is missing."""
    text = feature.sentence.to(language)
    places = {name for _, name, _, _ in Formatter().parse(text) if name}
    filled = {}
    for place in places:
        named = feature if place == "value" else features.get(place)
        if named is None or named.name not in values:
            return None
        filled[place] = _number(values[named.name], named.unit, currency, language)
    return text.format(**filled)


_MEASURES = {
    "days": ("day", "days", "天"),
    "orders": ("day", "days", "天"),
    "hours": ("hour", "hours", "小时"),
    "minutes": ("minute", "minutes", "分钟"),
}


def _number(value: float | str, unit: str, currency: str, language: Language) -> str:
    if isinstance(value, str):
        return value
    if unit == "currency":
        return format_money(value, currency, language)
    if unit == "share":
        return format_percent(value, language)
    small = 2 if unit == "ratio" and abs(value) < 1 else 1
    number = format_number(round(value, small) if unit == "ratio" or abs(value) < 10 else round(value), language)
    if unit not in _MEASURES:
        return number
    one, many, zh = _MEASURES[unit]
    return f"{number} {zh if language == 'zh' else one if number == '1' else many}"
