"""Every feature there is, which of them are on, and how one is worded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter

from churnml.errors import ConfigError
from churnml.features import behavior, engagement, profile, purchase, satisfaction, subscription
from churnml.features.declare import Aggregate, Feature
from churnml.features.rows import ROW_SETS

FAMILIES = {
    "purchase": ("orders", "order_lines"),
    "behavior": ("interactions",),
    "satisfaction": ("surveys", "tickets", "returns"),
    "engagement": ("contacts", "interactions"),
    "subscription": ("subscriptions",),
    "profile": ("customers",),
}
"""The families of features and the tables they are made of."""

_GIVEN_BY = {"cutoff": "customers", "customers": "customers", "contracts": "subscriptions"}


@dataclass(frozen=True)
class Catalogue:
    """The features that are on, in the order of their columns.

    Parameters
    ----------
    features : tuple of Feature
        Of tables that have landed.
    off : dict of str to str
        Families without a table, and what would turn them on.
    """

    features: tuple[Feature, ...]
    off: Mapping[str, str]

    @cached_property
    def numeric(self) -> tuple[Feature, ...]:
        """The features the kernel computes."""
        return tuple(feature for feature in self.features if not feature.attribute)

    @cached_property
    def needs(self) -> tuple[Aggregate, ...]:
        """Every aggregate that these features are made of, once."""
        return tuple(dict.fromkeys(need for feature in self.numeric for need in feature.needs))

    @cached_property
    def categorical(self) -> tuple[Feature, ...]:
        """The features that show an attribute as it is."""
        return tuple(feature for feature in self.features if feature.attribute)

    @cached_property
    def families(self) -> dict[str, int]:
        """How many features of each family are on."""
        counts: dict[str, int] = {}
        for feature in self.features:
            counts[feature.family] = counts.get(feature.family, 0) + 1
        return counts


def catalogue(
    tables: Iterable[str],
    attributes: Mapping[str, tuple[str, str]] | None = None,
    own: Sequence[Feature] = (),
) -> Catalogue:
    """Return the features that these tables allow.

    Parameters
    ----------
    tables : iterable of str
        The tables that have landed.
    attributes : mapping of str to (str, str), optional
        Free customer attributes to show as features, and what each is called in English and in Chinese.
    own : sequence of Feature
        A user's own, see `own_features`.

    Raises
    ------
    ConfigError
        If an attribute, or a feature of the user's own, bears the name of another feature.
    """
    landed = frozenset(tables)
    families = (purchase, behavior, satisfaction, engagement, subscription)
    everything = [*(one for family in families for one in family.FEATURES), *profile.features(attributes or {}), *own]
    names = [feature.name for feature in everything]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        mine = any(feature.name == twice[0] for feature in own)
        what, where = ("own feature", "its file") if mine else ("attribute", "configs/workspace.yaml")
        raise ConfigError(f"{what} `{twice[0]}` bears the name of a feature; rename it in {where}")
    for feature in own:
        _check_sentence(feature, {"value", *names})
    on = tuple(feature for feature in everything if _needs(feature) <= landed)
    lit = {feature.family for feature in on}
    return Catalogue(on, {name: _wants(name) for name in FAMILIES if name not in lit})


def _check_sentence(feature: Feature, known: set[str]) -> None:
    for text in (feature.sentence.en, feature.sentence.zh):
        strange = {name for _, name, _, _ in Formatter().parse(text) if name} - known
        if strange:
            raise ConfigError(
                f"own feature `{feature.name}`: its sentence names {', '.join(sorted(strange))} in braces, which is no "
                "feature; write {value} for its own value"
            )


def _wants(family: str) -> str:
    """Return what would turn a family on."""
    return f"needs {' or '.join(FAMILIES[family])}"


def _needs(feature: Feature) -> set[str]:
    """Return the tables without which a feature is off."""
    rows = {need.rows for need in feature.needs}
    return {_GIVEN_BY[name] if name in _GIVEN_BY else ROW_SETS[name].table for name in rows} | {feature.table}
