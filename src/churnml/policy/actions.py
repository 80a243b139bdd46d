"""The catalogue of actions: what can be done for a customer, what it costs and what it is assumed to change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from churnml.config import Settings, load_config

DO_NOTHING = "do_nothing"

Band = Literal["low", "medium", "high"]
Channel = Literal["none", "mail", "email", "phone", "app", "shop"]
EffectSource = Literal["definition", "prior"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, Field(min_length=1)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Wording(Settings):
    """One text in both languages."""

    en: Sentence = Field(description="English.")
    zh: Sentence = Field(description="Chinese.")


class Prior(Settings):
    """An assumed effect, relative to doing nothing."""

    churn_odds_ratio: Ratio = Field(1.0, description="Odds of churning, treated over untreated.")
    orders_ratio: Ratio = Field(1.0, description="Expected orders, and so margin, treated over untreated.")
    uncertainty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="Standard deviation of the logarithm of churn_odds_ratio."
    )


class Action(Settings):
    """Something to do for a customer; doing nothing is one of them."""

    name: Slug = Field(description="The action's name in records and files.")
    label: Wording = Field(description="What people read on a page.")
    script: Wording = Field(description="What to say or do, in one sentence.")
    channel: Channel = Field(description="How the customer is reached; all but `none` need consent.")
    cost: Money = Field(description="Expected cost per customer treated, in currency units of the workspace.")
    max_cost: Money = Field(description="The most one treatment can cost; the budget reserves it.")
    capacity: Annotated[int, Field(ge=0)] | None = Field(None, description="Customers per run; none means no limit.")
    reasons: tuple[Slug, ...] = Field((), description="Groups of top reasons it suits; empty means all.")
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] = Field(
        ("low", "medium", "high"), description="Risk bands it suits."
    )
    prior: Prior = Field(Prior(), description="Assumed effect until one is measured.")
    effect_source: EffectSource = Field(description="Where the effect comes from.")
    basis: Sentence = Field(description="One sentence: what the effect rests on.")

    @model_validator(mode="after")
    def _cost_within_max_cost(self) -> Self:
        if self.cost > self.max_cost:
            raise ValueError(f"`max_cost` must be at least `cost`, got {self.max_cost:g} and {self.cost:g}")
        return self

    @model_validator(mode="after")
    def _only_nothing_is_known_by_definition(self) -> Self:
        found = (self.max_cost, self.capacity, self.channel, self.prior, self.reasons, len(set(self.bands)))
        if self.name == DO_NOTHING and found != (0, None, "none", Prior(), (), 3):
            raise ValueError(f"`{DO_NOTHING}` must be free, open to all and without channel, capacity or effect")
        if (self.effect_source == "definition") != (self.name == DO_NOTHING):
            raise ValueError(f"`effect_source` is `definition` for `{DO_NOTHING}` and `prior` for every other action")
        return self


class Catalogue(Settings):
    """The actions to choose from, `do_nothing` first; arrays over actions keep this order."""

    caution: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        1.0, description="Standard deviations taken off an effect before actions are compared."
    )
    actions: tuple[Action, ...] = Field(description="The actions; the first is `do_nothing`.")

    @model_validator(mode="after")
    def _starts_with_nothing(self) -> Self:
        if [action.name for action in self.actions[:1]] != [DO_NOTHING]:
            raise ValueError(f"the first of `actions` must be `{DO_NOTHING}`; it is what the others are compared with")
        twice = [name for name, times in Counter(self.names).items() if times > 1]
        if twice:
            raise ValueError(f"each action needs a name of its own, got `{twice[0]}` twice")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the actions."""
        return tuple(action.name for action in self.actions)

    @property
    def costs(self) -> NDArray[np.float64]:
        """Expected cost of treating one customer, shape (n_actions,), currency units."""
        return np.array([action.cost for action in self.actions])

    @property
    def max_costs(self) -> NDArray[np.float64]:
        """The most one treatment can cost, shape (n_actions,), currency units."""
        return np.array([action.max_cost for action in self.actions])

    @property
    def capacities(self) -> NDArray[np.float64]:
        """Customers each action can take, shape (n_actions,); infinite without a limit."""
        return np.array([np.inf if action.capacity is None else action.capacity for action in self.actions])

    def __getitem__(self, name: str) -> Action:
        """Return the action of that name; KeyError if there is none."""
        return {action.name: action for action in self.actions}[name]


def load_actions(path: Path | None = None) -> Catalogue:
    """Return the catalogue written in a YAML file.

    Parameters
    ----------
    path : Path, optional
        The file; by default the catalogue that comes with churnml.

    Returns
    -------
    Catalogue

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, holds an unknown key or a value out of its range.

    Examples
    --------
    >>> load_actions().names[:2]
    ('do_nothing', 'thank_you_email')
    """
    return load_config(path or _shipped(), Catalogue, required=True)


def _shipped() -> Path:
    """Return where the default file lies: beside the modules when installed, in `configs/` when cloned."""
    package = Path(__file__).parents[1]
    installed = package / "configs" / "actions.yaml"
    return installed if installed.exists() else package.parents[1] / "configs" / "actions.yaml"
