"""The catalogue of actions: what can be done for a customer, what it costs and what it is assumed to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from churnml.config import LONGEST_DAYS, Days, Sector, Settings, load_config
from churnml.errors import ConfigError, nearest
from churnml.measures import Segment, Stage

DO_NOTHING = "do_nothing"

Band = Literal["low", "medium", "high"]
Channel = Literal["none", "mail", "email", "phone", "app", "shop"]
OpenComplaint = Literal["closes", "allows", "requires"]
EffectSource = Literal["definition", "prior", "measured"]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Sentence = Annotated[str, Field(min_length=1)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Ratio = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Floats = NDArray[np.float64]

_CATEGORY = "{category}"
"""Where a script names the category that is offered."""


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
    orders_uncertainty: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="The same of orders_ratio; 0 takes it as known."
    )


class Cost(Settings):
    """What treating a customer costs: at once, and when what was offered is redeemed."""

    fixed: Money = Field(0.0, description="Paid for each one treated: postage, minutes of an agent.")
    on_redemption: Money = Field(0.0, description="Paid when the offer is redeemed.")
    order_share: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="Share of the redeeming order taken off.")
    cap: Money | None = Field(None, description="The most that `order_share` may come to; needed beside it.")
    redemption: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="Share of the treated who redeem.")

    @model_validator(mode="before")
    @classmethod
    def _plain_amount_is_fixed(cls, value: object) -> object:
        return {"fixed": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _reserve_is_finite_and_redemption_told(self) -> Self:
        if (self.order_share > 0) != (self.cap is not None):
            raise ValueError(
                "`order_share` and `cap` go together: without a cap a share of an order of any size could not be "
                f"reserved, got {self.order_share:g} and {'none' if self.cap is None else format(self.cap, 'g')}"
            )
        if (self.order_share > 0 or self.on_redemption > 0) != (self.redemption > 0):
            raise ValueError(
                "`redemption` says which share redeem what `on_redemption` or `order_share` promise, "
                f"got {self.redemption:g} beside {self.on_redemption:g} and {self.order_share:g}"
            )
        return self

    @property
    def most(self) -> float:
        """The most that treating one customer can cost."""
        return self.fixed + self.on_redemption + (self.cap or 0.0)

    def expected(self, basket: Floats) -> Floats:
        """Return what treating each customer is expected to cost.

        A share of an order is counted of the mean order, up to the cap. The mean of a capped share is no more than
        that (Jensen: the minimum of a line and a constant is concave), so costs are told on the high side.

        Parameters
        ----------
        basket : ndarray of shape (n_customers,)
            Expected amount of an order; NaN where it is not known, which counts as the cap.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self.beside_orders + self.taken_off(basket)

    @property
    def beside_orders(self) -> float:
        """What treating a customer is expected to cost beside what is taken off their order, which is in its amount."""
        return self.fixed + self.redemption * self.on_redemption

    def taken_off(self, basket: Floats) -> Floats:
        """Return what is expected to be taken off the order that redeems it, shape (n_customers,); see `expected`."""
        cap = self.cap or 0.0
        share = np.where(np.isnan(basket), cap, np.minimum(self.order_share * np.maximum(basket, 0.0), cap))
        return np.asarray(self.redemption * np.nan_to_num(share))


class Action(Settings):
    """Something to do for a customer; doing nothing is one of them."""

    name: Slug = Field(description="The action's name in records and files.")
    label: Wording = Field(description="What people read on a page.")
    script: Wording = Field(description="What to say or do, in one sentence.")
    channel: Channel = Field(description="How the customer is reached; all but `none` need consent.")
    purpose: Literal["marketing", "service"] = Field(
        "marketing", description="`service` answers the customer's own complaint and needs no consent to marketing."
    )
    cost: Cost = Field(description="What it costs; a plain number is paid for each one treated.")
    valid_days: Days = Field(30, description="After which what was not redeemed, or not carried out, is released.")
    cool_down_days: Annotated[int, Field(ge=0, le=LONGEST_DAYS)] = Field(
        0, description="Days after which it may be done again for the same customer."
    )
    capacity: Annotated[int, Field(ge=0)] | None = Field(None, description="Customers per run; none means no limit.")
    sectors: tuple[Sector, ...] = Field((), description="Kinds of business it suits; empty means all.")
    stages: tuple[Stage, ...] = Field((), description="Lifecycle stages it suits; empty means all.")
    segments: tuple[Segment, ...] = Field((), description="Segments it suits; empty means all.")
    bands: Annotated[tuple[Band, ...], Field(min_length=1)] = Field(
        ("low", "medium", "high"), description="Risk bands it suits."
    )
    reasons: tuple[Slug, ...] = Field((), description="Groups of top reasons it suits; empty means all.")
    open_complaint: OpenComplaint = Field(
        "closes", description="What an open complaint does to it: nothing else is offered before that is settled."
    )
    renews_within_days: Days | None = Field(
        None, description="Open only if a contract is known to renew within so many days."
    )
    names_category: bool = Field(False, description="Whether it offers a category, and so needs one to offer.")
    prior: Prior = Field(Prior(), description="Assumed effect until one is measured.")
    effect_source: EffectSource = Field(description="Where the effect comes from.")
    basis: Sentence = Field(description="One sentence: what the effect rests on.")

    def script_about(self, category: str | None) -> dict[str, str]:
        """Return what to say or do by language, with the category that is offered named where the words leave a place.

        Examples
        --------
        >>> load_actions()["cross_sell"].script_about("TEA")["en"][:31]
        'Recommend three products of TEA'
        """
        said = self.script.model_dump()
        return {language: words.replace(_CATEGORY, category or "") for language, words in said.items()}

    @property
    def max_cost(self) -> float:
        """The most one treatment can cost; the budget reserves it."""
        return self.cost.most

    @model_validator(mode="after")
    def _names_what_it_needs(self) -> Self:
        named = [words for words in self.script.model_dump().values() if _CATEGORY in words]
        if named and not self.names_category:
            raise ValueError(f"a script that names {_CATEGORY} needs `names_category: true`, got {named[0]!r}")
        return self

    @model_validator(mode="after")
    def _only_nothing_is_known_by_definition(self) -> Self:
        if self.name == DO_NOTHING and not self._asks_nothing:
            raise ValueError(f"`{DO_NOTHING}` must be free, open to all and without channel, capacity or effect")
        if (self.effect_source == "definition") != (self.name == DO_NOTHING):
            raise ValueError(
                f"`effect_source` is `definition` for `{DO_NOTHING}` and `prior` or `measured` for every other action"
            )
        return self

    @model_validator(mode="after")
    def _service_answers_a_complaint(self) -> Self:
        if self.purpose == "service" and self.open_complaint != "requires":
            raise ValueError(
                "`purpose: service` is for answering a complaint and needs `open_complaint: requires`, "
                f"got `{self.open_complaint}`; anything else said unasked is marketing"
            )
        return self

    @property
    def _asks_nothing(self) -> bool:
        """Tell whether it costs and changes nothing and is open to everyone."""
        limits = (self.capacity, self.sectors, self.stages, self.segments, self.reasons, self.renews_within_days)
        free = self.max_cost == 0 and self.channel == "none" and self.prior == Prior()
        return free and not any(limits) and self.capacity is None and len(set(self.bands)) == 3 and self._always_open

    @property
    def _always_open(self) -> bool:
        return self.open_complaint == "closes" and not self.names_category and not self.cool_down_days


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

    def costs(self, basket: ArrayLike) -> Floats:
        """Return the expected cost of treating each customer.

        Parameters
        ----------
        basket : array-like of shape (n_customers,)
            Expected amount of an order, in currency units; NaN where it is not known.

        Returns
        -------
        ndarray of shape (n_customers, n_actions)
            In currency units.
        """
        amounts = np.asarray(basket, dtype=np.float64)
        return np.stack([action.cost.expected(amounts) for action in self.actions], axis=1)

    def taken_off(self, basket: ArrayLike) -> Floats:
        """Return the part of `costs` that is taken off orders, and so is in the margin that is measured afterwards."""
        amounts = np.asarray(basket, dtype=np.float64)
        return np.stack([action.cost.taken_off(amounts) for action in self.actions], axis=1)

    @property
    def max_costs(self) -> Floats:
        """The most one treatment can cost, shape (n_actions,), currency units.

        It is the same for every customer, however much they usually spend: the cap bounds an order of any size.
        """
        return np.array([action.max_cost for action in self.actions])

    @property
    def capacities(self) -> Floats:
        """Customers each action can take, shape (n_actions,); infinite without a limit."""
        return np.array([np.inf if action.capacity is None else action.capacity for action in self.actions])

    def require_reasons(self, known: Iterable[str], origin: str) -> None:
        """Refuse an action that names a group of reasons which no feature has.

        Parameters
        ----------
        known : iterable of str
            The groups there are, in a workspace with all tables and features of its own.
        origin : str
            The file, for the message.

        Raises
        ------
        ConfigError
            If there is one; the message tells the nearest that exists.
        """
        groups = sorted(set(known))
        for action in self.actions:
            for reason in action.reasons:
                if reason not in groups:
                    raise ConfigError(
                        f"{origin}: action `{action.name}`: `reasons` must be groups of features, got `{reason}`"
                        f"{nearest(reason, groups)} (known: {', '.join(groups)})"
                    )

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
