"""Every feature of those who left beside those who stayed, with what chance alone would show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from churnml.features import Catalogue, Feature
from churnml.measures.compared import Compared
from churnml.measures.driver_words import Kind, place_of
from churnml.measures.matching import Contrast, Values, contrast, q_values
from churnml.wording import Text

_MOST_WORDS = 12


@dataclass(frozen=True)
class Difference:
    """One feature of those who left beside those who stayed.

    Parameters
    ----------
    name : str
        Of the feature; of a word of an attribute, `region=North`.
    feature : Feature
    group : str
    kind : {'circumstance', 'symptom', 'trait'}
    contrast : Contrast
    q_value : float
        The false-discovery rate at which it would be claimed.
    """

    name: str
    feature: Feature
    group: str
    kind: Kind
    contrast: Contrast
    q_value: float

    @property
    def meaning(self) -> Text:
        """What the feature is."""
        _, _, word = self.name.partition("=")
        said = self.feature.meaning
        return Text(f"{said.en}: {word}", f"{said.zh}：{word}") if word else said

    def direction(self, rate: float) -> str:
        """Return whether it is `higher` or `lower` among those who left, or `unclear` at a false-discovery rate."""
        return "unclear" if self.q_value > rate else "higher" if self.contrast.effect > 0 else "lower"


def differences(rows: Compared, catalogue: Catalogue, smallest: int) -> list[Difference]:
    """Return every feature of those who left beside those who stayed, the strongest first.

    Circumstances are compared among those who had been customers for as long, had ordered as often and been silent for
    as long; symptoms, which orders and silence are, among those of the same tenure.

    Parameters
    ----------
    smallest : int
        A feature that is known of fewer customers of either kind is left out.
    """
    found: list[tuple[str, Feature, str, Kind, Contrast]] = []
    for name, feature, values in _columns(rows, catalogue):
        group, kind = place_of(feature)
        if kind == "matched":
            continue
        one = contrast(values, rows.alike if kind == "symptom" else rows.as_active)
        if one is not None and min(one.left, one.stayed) >= smallest and (one.error > 0 or one.effect != 0):
            found.append((name, feature, group, kind, one))
    q = _by_kind(found)
    told = [Difference(*one, value) for one, value in zip(found, q, strict=True)]
    return sorted(told, key=lambda one: (-one.contrast.strength, one.contrast.p_value, one.name))


def _by_kind(found: Sequence[tuple[str, Feature, str, Kind, Contrast]]) -> list[float]:
    """Return the q values, each kind's of its own table: the many claims about symptoms lend no other any credit."""
    q = np.ones(len(found))
    for kind in {kind for *_, kind, _ in found}:
        rows = [place for place, one in enumerate(found) if one[3] == kind]
        q[rows] = q_values([found[place][4].p_value for place in rows])
    return [float(one) for one in q]


def strongest(found: Sequence[Difference], kind: Kind) -> list[Difference]:
    """Return the strongest of each group, so that twenty windows of one story do not crowd out another."""
    first: dict[str, Difference] = {}
    for one in found:
        if one.kind == kind:
            first.setdefault(one.group, one)
    return list(first.values())


def values_of(rows: Compared, one: Difference) -> Values:
    """Return the values of a feature, or who has the word of an attribute, of shape (n_rows,)."""
    return next(values for name, values in _of_feature(rows, one.feature) if name == one.name)


def _columns(rows: Compared, catalogue: Catalogue) -> Iterator[tuple[str, Feature, Values]]:
    for feature in catalogue.features:
        for name, values in _of_feature(rows, feature):
            yield name, feature, values


def _of_feature(rows: Compared, feature: Feature) -> Iterator[tuple[str, Values]]:
    """Yield a feature's values, of an attribute who has each of its words that most rows have."""
    if not feature.attribute:
        yield feature.name, rows.table.column(feature.name)
        return
    words = rows.table.categories[feature.name]
    known = np.array([word is not None for word in words], dtype=np.bool_)
    names, counts = np.unique(words[known].astype(str), return_counts=True)
    for name in names[np.argsort(-counts, kind="stable")[:_MOST_WORDS]]:
        yield f"{feature.name}={name}", np.where(known, words == name, np.nan)
