"""What can be set, with its default, unit and meaning: one frozen model per YAML file in `configs/`.

Nothing is read at import. A verb loads its own file once, at the door, and passes the values on as arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from churnml.errors import ConfigError, UsageError, nearest
from churnml.refusals import broken_rule, keys_beside, place, shown

Share = Annotated[float, Field(ge=0.0, le=1.0)]
LONGEST_DAYS = 3650
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]


class Settings(BaseModel):
    """A configuration file; unknown keys are refused, values cannot be changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(Settings):
    """A name in both languages, where only the company knows it."""

    en: str
    zh: str


class WorkspaceConfig(Settings):
    """`configs/workspace.yaml`: what is true of the company's data as a whole."""

    time_zone: str = Field("UTC", description="IANA name; days, cutoffs and times without an offset are read in it")
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of every amount")
    margin_rate: Share = Field(0.25, description="margin per unit of revenue, where orders carry no cost")
    consent: Literal["assumed", "required"] = Field("assumed", description="what holds without a consents table")
    max_bad_share: Share = Field(0.01, description="share of broken rows above which a whole file is refused")
    attributes: dict[str, Label] = Field(
        default_factory=dict, description="free customer attributes to use as profile features, and their names"
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = nearest(value, available_timezones())
            raise ValueError(f"must be an IANA time zone such as Europe/Berlin, got {value!r}{near}")
        return value


Learner = Literal["trees", "ridge", "rhythm"]
LEARNERS: tuple[Learner, ...] = ("trees", "ridge", "rhythm")
CalibrationKind = Literal["raw", "prior", "platt", "beta"]
CALIBRATIONS: tuple[CalibrationKind, ...] = ("raw", "prior", "platt", "beta")
CalibrationAsked = Literal["auto", "raw", "prior", "platt", "beta"]
"""The learners of the blend that come with the house."""


class TreeSettings(Settings):
    """How boosted trees grow; LightGBM's own names."""

    num_leaves: int = Field(7, ge=2, le=1_024, description="leaves of a tree at most")
    min_leaf: int = Field(
        150, ge=10, le=100_000, description="rows in a leaf at least, but never more than a fortieth of all rows"
    )
    feature_fraction: float = Field(0.3, gt=0.0, le=1.0, description="share of the columns that a tree may use")
    bagging_fraction: float = Field(0.8, gt=0.0, le=1.0, description="share of the rows that teach a tree")
    lambda_l2: float = Field(20.0, ge=0.0, allow_inf_nan=False, description="penalty on the square of a leaf's value")
    learning_rate: float = Field(0.03, gt=0.0, le=1.0, description="how much of a tree is believed")


class RidgeSettings(Settings):
    """How the logistic regression is held back."""

    variance: float = Field(
        0.003, gt=0.0, le=1_000.0, description="of the prior on a scaled column's coefficient; less holds it nearer 0"
    )


class BlendSettings(Settings):
    """How the weights of the learners are found."""

    shrinkage: float = Field(
        0.02, ge=0.0, allow_inf_nan=False, description="how strongly the weights are drawn to equal ones"
    )


class ValueSettings(Settings):
    """How the models of the margin are taught."""

    rounds: int = Field(300, ge=10, le=10_000, description="boosting rounds of their trees")
    penalty: float = Field(1_000.0, gt=0.0, allow_inf_nan=False, description="of their ridge regressions")
    tweedie_power: float = Field(
        1.3, gt=1.0, lt=2.0, description="between counts of equal sums (1) and one sum of any size (2)"
    )
    trees: TreeSettings = Field(default_factory=TreeSettings, description="how their trees grow")


class LearnersSettings(Settings):
    """Which learners are blended."""

    use: Annotated[tuple[Learner, ...], Field(min_length=1)] = Field(LEARNERS, description="those of the house")
    files: tuple[str, ...] = Field((), description="Python files that declare learners of your own, beside this one")
    _folder: Path = PrivateAttr(default_factory=Path)

    @field_validator("use")
    @classmethod
    def _each_once(cls, value: tuple[Learner, ...]) -> tuple[Learner, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"must name each learner once, got {', '.join(value)}")
        return value

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files of one's own learners are; known once the settings were read from a folder."""
        return tuple((self._folder / name).resolve() for name in self.files)


class CategorySettings(Settings):
    """Which category to offer next, from the lines of orders."""

    horizon_days: Days = Field(28, description="days ahead in which the category is bought: how long an offer holds")
    lookback_days: Days = Field(365, description="a category not bought within so many days is new to a customer")
    most: int = Field(300, ge=3, le=2_000, description="categories at most, those that most customers buy")
    never: tuple[str, ...] = Field((), description="categories that are never offered, such as deposits and bags")


class TrainConfig(Settings):
    """`configs/train.yaml`: what is learned, and from which cutoffs."""

    churn: Literal["auto", "orders", "contracts"] = Field(
        "auto",
        description="what leaving is: no order in the horizon, or the end of a contract in it that none continued; by "
        "itself, contracts where most of the population hold one that is paid for",
    )
    grace_days: int = Field(
        30, ge=0, le=365, description="days after the end of a contract in which another still continues it"
    )
    horizon_days: Days = Field(60, description="days ahead in which silence is churn and spend is value")
    horizon_share: Annotated[float, Field(gt=0.0, lt=1.0)] | None = Field(
        None, description="take the horizon that this share of the gaps between orders outlasts, not `horizon_days`"
    )
    population_days: Days = Field(90, description="a customer at a cutoff ordered within so many days before it")
    step_days: Days = Field(14, description="days between training cutoffs")
    max_cutoffs: int = Field(16, ge=2, le=200, description="training cutoffs, counted back from the last")
    min_history_days: Days = Field(90, description="days of data the first training cutoff must have behind it")
    return_window_days: int = Field(
        30, ge=0, le=365, description="days in which goods come back; a label waits for them where returns have landed"
    )
    folds: int = Field(3, ge=1, le=20, description="rolling origins that learn the blend weights")
    rounds: int = Field(300, ge=10, le=10_000, description="boosting rounds of the trees of churn")
    seed: int = Field(0, ge=0, description="seed of everything random")
    learners: LearnersSettings = Field(default_factory=LearnersSettings, description="which are blended")
    trees: TreeSettings = Field(default_factory=TreeSettings, description="how the trees of churn grow")
    ridge: RidgeSettings = Field(default_factory=RidgeSettings, description="of the logistic regression of churn")
    blend: BlendSettings = Field(default_factory=BlendSettings, description="of the learners of churn")
    calibration: CalibrationAsked = Field(
        "auto", description="of churn: auto tries all out of time and takes what beats the blend as it is, else raw"
    )
    value: ValueSettings = Field(default_factory=ValueSettings, description="of the margin")
    categories: CategorySettings = Field(
        default_factory=CategorySettings, description="of the category that is offered next"
    )
    bootstrap: int = Field(200, ge=50, le=10_000, description="redraws behind each interval of the report")
    max_calibration_error: Share = Field(
        0.05, description="calibration error out of time (ECE) above which, beyond noise, a model is not promoted"
    )
    known_in_time: tuple[str, ...] = Field(
        (), description="features that someone has made sure were known in time, whatever they tell alone"
    )
    bounds_rows: int = Field(20_000, ge=1_000, le=10_000_000, description="random rows a new model is asked of")
    max_auroc_drop: Share = Field(
        0.05, description="loss of AUROC at the last rolling origin above which, beyond noise, it is not promoted"
    )

    @property
    def by(self) -> Literal["orders", "contracts"]:
        """What makes a customer, as a verb has settled it; where nobody did, orders."""
        return "contracts" if self.churn == "contracts" else "orders"

    def read_from(self, folder: Path) -> TrainConfig:
        """Return the same settings, knowing beside which file the learners of one's own lie."""
        learners = self.learners.model_copy()
        learners._folder = folder  # noqa: SLF001  # its own
        return self.model_copy(update={"learners": learners})


class FeaturesConfig(Settings):
    """`configs/features.yaml`: features of your own."""

    files: tuple[str, ...] = Field((), description="Python files that declare them, beside this one")


class CostToServe(Settings):
    """What serving a customer costs beyond the goods; taken off lifetime value."""

    per_order_day: float = Field(
        0.0, ge=0.0, allow_inf_nan=False, description="for each day with an order: packing, delivery, fees"
    )
    per_30_days: float = Field(
        0.0, ge=0.0, allow_inf_nan=False, description="for each 30 days of `value_days`, with orders or without"
    )


class ScoreConfig(Settings):
    """`configs/score.yaml`: what a decision record carries."""

    reasons: int = Field(5, ge=1, le=20, description="reasons shown per customer")
    value_days: Days = Field(365, description="days over which lifetime value is counted")
    discount_rate: float = Field(
        0.10,
        ge=0.0,
        le=10.0,
        description="per year: money of next year is worth 1 / (1 + rate) of today's; 0.1 is 10 %",
    )
    cost_to_serve: CostToServe = Field(
        default_factory=CostToServe, description="in the currency, taken off lifetime value"
    )


class MonitorConfig(Settings):
    """`configs/monitor.yaml`: when a workspace counts as stale."""

    scores_days: Days = Field(7, description="days of data after which the last scores are old")
    landing_days: Days = Field(7, description="days without a landing after which data are stale")


class LifecycleRules(Settings):
    """When a customer is in which stage, counted in their own gaps between orders."""

    churned_gaps: float = Field(
        3.0, ge=1.0, le=100.0, description="usual gaps of silence after which someone has churned"
    )
    declining_gaps: float = Field(2.0, ge=1.0, le=100.0, description="usual gaps of silence after which they decline")
    new_gaps: float = Field(3.0, ge=1.0, le=100.0, description="usual gaps, or contract periods, of being new")
    new_days: tuple[Days, Days] = Field((30, 365), description="days for which one is new at least and at most")
    shortest_days: Days = Field(14, description="days of silence that are never too long, whatever the rhythm")
    window_gaps: float = Field(
        6.0, ge=1.0, le=100.0, description="usual gaps that the window must hold whose pace is held against before"
    )
    fewest: int = Field(4, ge=1, le=1_000, description="days with an order, in both, below which no pace is told")
    chance: float = Field(
        0.1, gt=0.0, lt=0.5, description="how often a pace that did not change is called rising, and falling"
    )

    @model_validator(mode="after")
    def _declines_first(self) -> LifecycleRules:
        if self.declining_gaps > self.churned_gaps:
            raise ValueError(
                "`declining_gaps` must be at most `churned_gaps`, "
                f"got {self.declining_gaps:g} and {self.churned_gaps:g}"
            )
        if self.new_days[0] > self.new_days[1]:
            raise ValueError(
                f"`new_days` must begin with the fewer days, got {self.new_days[0]} and {self.new_days[1]}"
            )
        return self


Sector = Literal["retail", "subscription", "finance", "b2b"]
SECTORS: tuple[Sector, ...] = ("retail", "subscription", "finance", "b2b")


class AssignConfig(Settings):
    """`configs/assign.yaml`: what may be spent, and who is left out or drawn by lot to measure it."""

    campaign: str = Field(
        "retention-{year}-{month}",
        min_length=1,
        description="names a budget and who was assigned from it; {year}, {month} and {week} are those of the cutoff",
    )
    budget: float = Field(
        2_000.0,
        ge=0.0,
        allow_inf_nan=False,
        description="most that all actions of a campaign may cost, in the currency",
    )
    control_share: float = Field(0.1, gt=0.0, lt=1.0, description="share of the chosen who get nothing, at random")
    holdout_share: float = Field(
        0.05, ge=0.0, lt=1.0, description="share of all customers who are left in peace by every campaign, at random"
    )
    holdout_salt: str = Field("churnml", min_length=1, description="names the hold-out; another salt draws another one")
    explore_share: float = Field(
        0.1,
        ge=0.0,
        lt=1.0,
        description="share who draw their action by lot, where an effect is not known beyond noise",
    )
    explore_share_measured: float = Field(0.02, ge=0.0, lt=1.0, description="the same of all others")
    explore_budget_share: Share = Field(0.1, description="most of the budget, and of each action's places, for lots")
    effect_horizon_days: Days = Field(90, description="days after an assignment in which its effect is looked for")
    salt: str = Field("churnml", min_length=1, description="draws controls and lots, together with the campaign's name")
    sector: Literal["auto", "retail", "subscription", "finance", "b2b"] = Field(
        "auto",
        description="whose actions are open; by itself, those of subscriptions where leaving is the end of a contract, "
        "else those of retail",
    )
    contacts_per_week: int = Field(
        2, ge=1, le=100, description="contacts that a customer may have had in seven days, the next one included"
    )
    open_complaint_days: Days = Field(
        60, description="days after which a complaint whose end was never recorded no longer counts as open"
    )

    @field_validator("campaign")
    @classmethod
    def _known_places(cls, value: str) -> str:
        try:
            value.format(year=2018, month="01", week="01")
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise ValueError(f"may hold {{year}}, {{month}} and {{week}} and no other braces, got {value!r}") from error
        return value


class GroupSettings(Settings):
    """How groups of behaviour and of interests are found."""

    sample: int = Field(20_000, ge=200, le=100_000, description="customers, drawn by lot, by whom groups are found")
    most: int = Field(8, ge=2, le=20, description="groups that are tried at most, from two")
    draws: int = Field(12, ge=5, le=200, description="halves of the customers on which groups must be found again")
    agreement: float = Field(
        0.8, gt=0.0, lt=1.0, description="least adjusted Rand index, on average, between what halves and all find"
    )
    days: Days = Field(365, description="days before the end in which acts count")
    fewest_acts: int = Field(10, ge=1, le=1_000, description="acts in these days below which a customer is in no group")
    refit_days: Days = Field(180, description="days after which groups are found anew")


class OwnSegment(Settings):
    """A segment of the company's own: whoever meets a condition over what is known of each customer."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="for programs and `--by`")
    label: Label
    query: str = Field(min_length=1, max_length=2_000, description="an SQL condition, such as `orders >= 10`")


class FunnelStage(Settings):
    """One stage of the funnel: its name, and what has to have happened."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="the stage's name in files and addresses")
    label: Label = Field(description="what people read")
    when: dict[str, dict[str, bool | int | str | tuple[str, ...]]] = Field(
        min_length=1,
        description="by table, what its rows must say: a column and its value or values, `at_least` so many of them, "
        "of subscriptions `held_days`; of several tables any will do, whichever comes first",
    )

    @field_validator("when", mode="before")
    @classmethod
    def _a_table_alone_is_any_row_of_it(cls, value: object) -> object:
        if isinstance(value, str):
            return {value: {}}
        if isinstance(value, dict):
            return {table: {} if wanted is None else wanted for table, wanted in value.items()}
        return value


FunnelPreset = Literal["auto", "default", "short", "retail", "finance", "b2b", "ecommerce"]


class FunnelRules(Settings):
    """What the stages are that customers go through, and what skipping one means."""

    preset: FunnelPreset = Field("auto", description="stages that come along; `auto` chooses by what has landed")
    stages: tuple[FunnelStage, ...] = Field((), description="stages of your own, in order, in place of a preset's")
    skipped: Literal["counted", "required"] = Field(
        "counted",
        description="`counted`: a later stage counts for those skipped; `required`: each stage has to be seen",
    )

    @field_validator("stages")
    @classmethod
    def _apart_and_more_than_one(cls, value: tuple[FunnelStage, ...]) -> tuple[FunnelStage, ...]:
        names = [stage.name for stage in value]
        if len(value) == 1 or len(set(names)) < len(names):
            raise ValueError(f"need two stages or more, each with a name of its own, got {', '.join(names)}")
        return value


class Theme(Settings):
    """What a survey comment may be about, by the words that tell it."""

    label: Label
    words: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = Field(
        description="each as the beginning of a word, in Chinese anywhere; small and capital letters are the same"
    )


def _theme(en: str, zh: str, words: str) -> Theme:
    return Theme(label=Label(en=en, zh=zh), words=tuple(words.split(", ")))


class DriversRules(Settings):
    """How those who left are compared with those who stayed."""

    rows: int = Field(
        100_000, ge=1_000, le=10_000_000, description="rows of customers and month starts that are compared at most"
    )
    false_claims: float = Field(
        0.05, gt=0.0, lt=0.5, description="share of false claims among all that are made (false-discovery rate)"
    )
    themes: dict[str, Theme] = Field(
        default_factory=lambda: {
            "price": _theme("price", "价格", "price, pricey, expensive, cost, cheaper, 贵, 价格, 涨价, 便宜, 划算"),
            "quality": _theme(
                "quality", "质量", "quality, broken, broke, defect, damaged, faulty, 质量, 坏, 破损, 瑕疵, 次品"
            ),
            "delivery": _theme(
                "delivery",
                "配送",
                "deliver, late, shipping, shipment, courier, parcel, 配送, 快递, 物流, 送货, 发货, 迟到",
            ),
            "service": _theme(
                "service", "服务", "service, support, rude, unfriendly, answer, waiting, 服务, 客服, 态度, 回复, 等待"
            ),
            "range": _theme(
                "range of goods",
                "商品种类",
                "choice, selection, assortment, out of stock, sold out, 种类, 款式, 缺货, 断货, 选择少",
            ),
            "competitor": _theme(
                "another supplier", "转向他家", "competitor, elsewhere, switched, switching, 别家, 其他平台, 竞品, 换了"
            ),
            "moved": _theme("moved away", "搬迁", "moved, moving, relocat, 搬家, 搬走, 搬到"),
            "need": _theme(
                "no longer needed",
                "不再需要",
                "no longer need, don't need, do not need, not using, 不需要, 用不上, 不再用",
            ),
        },
        description="what survey comments are searched for",
    )


class RhythmRules(Settings):
    """Which days are called unusual."""

    error: float = Field(
        0.05, gt=0.0, lt=1.0, description="how likely it is, at most, that any day is called unusual where none is"
    )
    longest_days: int = Field(28, ge=1, le=30, description="days that an unusual period lasts at most; longer is usual")


class MeasureConfig(Settings):
    """`configs/measure.yaml`: what stage a customer is in, and when an experiment ends, settled at its first look."""

    lifecycle: LifecycleRules = Field(default_factory=LifecycleRules, description="which stage a customer is in")
    rhythm: RhythmRules = Field(default_factory=RhythmRules, description="which days are unusual")

    planned_days: Days = Field(90, description="days from a campaign's first case in which cases are taken in")
    planned_customers: int | None = Field(
        None, ge=100, description="cases after which it ends, in place of days; none leaves it to `planned_days`"
    )
    longest_weeks: int = Field(
        104, ge=1, le=520, description="who would have to wait longer is told that it will never be conclusive"
    )
    seed: int = Field(0, ge=0, description="of the folds in which outcomes are expected by what was known before")
    smallest_group: int = Field(
        10, ge=1, le=10_000, description="figures of fewer customers are not shown, for they would tell of persons"
    )
    rfm_days: Days = Field(365, description="days before the end in which orders count for frequency and money")
    groups: GroupSettings = Field(default_factory=GroupSettings, description="of behaviour and of interests")
    largest_groups: int = Field(
        20, ge=1, le=1_000, description="regions, cities and channels told apart; others are one"
    )
    segments: tuple[OwnSegment, ...] = Field((), description="segments of your own, each by a condition")
    strategy_share: Share = Field(
        0.01, description="share of all customers below which a stage's segment is told with the others on the sheet"
    )
    funnel: FunnelRules = Field(default_factory=FunnelRules, description="the stages that customers go through")
    drivers: DriversRules = Field(
        default_factory=DriversRules, description="how those who left are compared with those who stayed"
    )

    @field_validator("segments")
    @classmethod
    def _each_named_once(cls, value: tuple[OwnSegment, ...]) -> tuple[OwnSegment, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError(f"must name each segment once, got {', '.join(names)}")
        return value


class Aim(Settings):
    """What a figure should be: no more than something, or no less."""

    at_most: float | None = Field(None, allow_inf_nan=False, description="the most it should be, in its unit")
    at_least: float | None = Field(None, allow_inf_nan=False, description="the least it should be, in its unit")

    @model_validator(mode="after")
    def _one_side(self) -> Aim:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("must have one of `at_most` and `at_least`, not both or none")
        return self

    @property
    def aim(self) -> tuple[Literal["at_most", "at_least"], float]:
        """Which side, and the value."""
        if self.at_most is not None:
            return "at_most", self.at_most
        return "at_least", float(self.at_least or 0.0)


class KpiTarget(Aim):
    """A target, and those of parts that have one of their own."""

    parts: dict[str, Aim] = Field(default_factory=dict, description="by part, as `--by` names them")


class KpiConfig(Settings):
    """`configs/kpis.yaml`: the windows of the figures of the business, and their targets."""

    horizon_days: Days | None = Field(
        None, description="silence that is churn; none takes the served model's, else train.yaml's"
    )
    population_days: Days | None = Field(None, description="who is active ordered within so many days; none likewise")
    conversion_days: Days = Field(30, description="days in which a prospect converts")
    repeat_days: Days = Field(90, description="days in which a first order is followed by a second")
    answer_days: Days = Field(14, description="days in which a survey is answered")
    category_days: Days = Field(180, description="days of history before a period for a category to be called new")
    price_days: Days = Field(90, description="days before a period with which unit prices are compared")
    price_rise: float = Field(0.1, ge=0.0, le=10.0, description="rise of a customer's unit price that counts")
    targets: dict[str, KpiTarget] = Field(default_factory=dict, description="by name of the figure")


class StoreConfig(Settings):
    """`configs/store.yaml`: how long decision records of past runs, models nobody uses, and jobs are kept."""

    keep_runs: int = Field(30, ge=1, le=100_000, description="the latest runs of each verb that keep their records")
    keep_days: Days = Field(90, description="days for which every run keeps its records")
    keep_delivered_days: int = Field(
        7, ge=1, le=3_650, description="days for which what a webhook was sent can be sent again"
    )
    keep_failed_days: int = Field(30, ge=1, le=3_650, description="days for which what a webhook did not take is kept")
    keep_bundles: int = Field(
        5, ge=0, le=100_000, description="the latest models that no run made or used, and no alias ever was, that stay"
    )
    keep_jobs_days: Days = Field(30, description="days for which it can be asked how a job of the service ended")


class LoadLimits(Settings):
    """How much the service takes on at once, and how long it waits for whom."""

    light: int = Field(4, ge=1, le=1000, description="reads in progress at once, in each process")
    heavy: int = Field(2, ge=1, le=1000, description="writes and scores from history in progress at once, likewise")
    files: int = Field(2, ge=1, le=1000, description="lists sent as files at once, likewise")
    waiting: int = Field(48, ge=0, le=10_000, description="requests of each kind that wait for a place, likewise")
    wait_seconds: float = Field(1.0, gt=0, le=60, description="seconds that a request waits for a place before a 503")
    per_key_per_second: float | None = Field(
        None, gt=0, le=100_000, description="requests per second that one caller may make of each process, on average"
    )
    per_key_burst: int = Field(50, ge=1, le=100_000, description="requests that one caller may make at once")
    request_seconds: float = Field(30.0, gt=0, le=3600, description="seconds within which a request is answered")
    file_seconds: float = Field(300.0, gt=0, le=86_400, description="seconds within which a list as a file is sent")
    connections: int = Field(1000, ge=1, le=100_000, description="connections held at once, in each process")
    header_seconds: float = Field(10.0, gt=0, le=600, description="seconds that a client may take to say what it wants")
    send_seconds: float = Field(20.0, gt=0, le=3600, description="seconds that a client may take nothing of its answer")
    drain_seconds: float = Field(
        1.0, ge=0, le=600, description="seconds between SIGTERM, when /readyz turns to 503, and no longer accepting"
    )
    grace_seconds: float = Field(20.0, ge=0, le=3600, description="seconds that requests in progress then have left")
    least_free_mb: int = Field(100, ge=0, description="megabytes that the workspace's disk must have free to be ready")


class OidcConfig(Settings):
    """`oidc` in `configs/serve.yaml`: the identity provider by which people may sign in; its secret is no setting."""

    issuer: str = Field(max_length=255, description="the provider's address, exactly as its tokens say it in `iss`")
    client_id: str = Field(min_length=1, max_length=255, description="what the provider calls this service")
    name: Label = Field(description="what people call the provider, on the button")
    roles: dict[str, Literal["agent", "analyst", "admin"]] = Field(
        min_length=1, description="the provider's groups and the role of each; who is in none is not let in"
    )
    roles_claim: tuple[str, ...] = Field(
        ("groups",), min_length=1, description="where the ID token says the groups, from the outside in"
    )
    scopes: tuple[str, ...] = Field(("profile",), description="asked for besides `openid`")
    create: bool = Field(default=False, description="whether who signs in for the first time gets an account")
    name_claim: str = Field(
        "preferred_username", min_length=1, description="by which a new account is named; `email` must be verified"
    )
    session_hours: int | None = Field(
        None, ge=1, le=168, description="hours after which such a session ends; null: as others, never longer"
    )

    @field_validator("issuer")
    @classmethod
    def _address(cls, value: str) -> str:
        if not is_safe_url(value) or any(mark in value for mark in "?#"):
            raise ValueError(f"must be an address such as https://id.example.com without `?` or `#`, got {value!r}")
        return value

    @field_validator("scopes")
    @classmethod
    def _one_word_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for scope in value:
            if not scope or not scope.isascii() or not scope.isprintable() or any(one in scope for one in ' "\\'):
                raise ValueError(f"must be words without blanks, got {scope!r}")
        return tuple(scope for scope in dict.fromkeys(value) if scope != "openid")


def is_safe_url(url: str) -> bool:
    """Tell whether what is sent to a URL can be read by its owner alone: by TLS, or on this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not any(letter in url for letter in ' \\"<>^`{|}')
    if not plain or not parts.hostname or parts.username is not None or parts.password is not None or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"})


class ServeConfig(Settings):
    """`configs/serve.yaml`: where the service listens, under which names, and how long a person stays signed in."""

    host: str = Field("127.0.0.1", description="address to bind; any but a loopback address needs what follows")
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 takes a free one")
    public_hosts: tuple[str, ...] = Field(
        (), description="names under which others reach it, such as churn.example.com; others are not answered"
    )
    tls_certificate: str | None = Field(None, description="PEM file with the certificate and its chain")
    tls_key: str | None = Field(None, description="PEM file with its private key, without a passphrase")
    trusted_proxy: str | None = Field(
        None, description="address of the proxy that ends TLS in front of it; what it says of clients is believed"
    )
    session_idle_minutes: int = Field(120, ge=5, le=1440, description="minutes without a request that end a session")
    session_hours: int = Field(12, ge=1, le=168, description="hours after which a session ends whatever happens")
    land_every_seconds: float = Field(
        2.0, ge=0.05, le=3600.0, description="seconds between two landings of what came in through /v1/events"
    )
    webhook_allowed_hosts: tuple[str, ...] = Field(
        (), description="hosts of your own that webhooks may reach though they are private, without TLS as well"
    )
    jobs_at_once: int = Field(1, ge=1, le=64, description="commands asked for through /v1/jobs that run at a time")
    jobs_queued: int = Field(20, ge=1, le=1000, description="how many more may wait for their turn")
    workers: int = Field(1, ge=1, le=64, description="processes that answer, sharing one address and one store")
    calls_per_day: int = Field(30, ge=1, le=500, description="customers that one agent can call in a day")
    agents_see: Literal["own", "all"] = Field(
        "own", description="which customers an agent sees: own: theirs and nobody's; all: those of colleagues as well"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="a line of JSON per event, or of text; auto: text on a terminal only"
    )
    oidc: OidcConfig | None = Field(None, description="the identity provider by which people may sign in; null: none")
    limits: LoadLimits = Field(default_factory=LoadLimits, description="how much is taken on, and how long it may take")

    @field_validator("public_hosts", "webhook_allowed_hosts")
    @classmethod
    def _names_only(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not name or any(letter in name for letter in "/:*@ "):
                raise ValueError(
                    f"must be names without scheme, port or wildcard, such as churn.example.com, got {name!r}"
                )
        return tuple(name.lower() for name in value)

    @model_validator(mode="after")
    def _whole_pair(self) -> ServeConfig:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("`tls_certificate` and `tls_key` go together, found one of them; name both files")
        return self


class HandoffTarget(Settings):
    """What one tool calls our fields."""

    columns: dict[str, str] = Field(
        default_factory=dict, description="our field: the name of theirs; all fields under usual names if empty"
    )

    @field_validator("columns")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        for name, header in value.items():
            if not header.strip() or any(letter in header for letter in "\r\n\0"):
                raise ValueError(f"must give `{name}` a name on one line, got {header!r}")
        return value


class HandoffConfig(Settings):
    """`configs/handoff.yaml`: what other tools call our fields."""

    targets: dict[str, HandoffTarget] = Field(default_factory=dict, description="by tool: salesforce, hubspot, …")


DigestField = Literal["value_at_risk", "churn_probability", "reason", "action"]
Address = Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=320)]


class DigestConfig(Settings):
    """`configs/digest.yaml`: the day's list by e-mail."""

    host: str = Field("127.0.0.1", min_length=1, description="of the mail server")
    port: int = Field(25, ge=1, le=65535, description="TCP port")
    security: Literal["starttls", "tls", "none"] = Field("none", description="none: for a server on this machine alone")
    user: str = Field("", description="empty: no sign-in; the password comes from the environment")
    sender: Address = "churnml@localhost"
    to: tuple[Address, ...] = Field((), max_length=100, description="addresses")
    language: Literal["en", "zh"] = "en"
    customers: int = Field(0, ge=0, le=500, description="how many customers are named; 0: figures alone")
    show: tuple[DigestField, ...] = Field(
        ("value_at_risk", "churn_probability", "reason", "action"), description="what is told of each beside the id"
    )
    link: str = Field("", pattern=r"^(https?://[^\s\"'<>]+)?$", description="where the list is read")

    @model_validator(mode="after")
    def _encrypted(self) -> DigestConfig:
        if self.security == "none" and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"`security` must be starttls or tls for a server elsewhere, got none for {self.host}")
        return self


class Protocol(Settings):
    """One out-of-time test: which cutoffs teach, which cutoff judges."""

    target: Literal["churn", "value"]
    horizon_days: Days
    population_days: Days = 90
    first_cutoff: date
    last_cutoff: date
    step_days: Days
    test_cutoff: date
    goal: dict[str, float] = Field(default_factory=dict, description="figures to beat, by metric")


class Campaign(Settings):
    """What a retention campaign costs and brings, for the money of a backtest; the defaults are Verbraken's."""

    clv: float = Field(200.0, gt=0.0, allow_inf_nan=False, description="value of a customer kept, in the currency")
    incentive: float = Field(10.0, ge=0.0, allow_inf_nan=False, description="cost of the incentive, paid if accepted")
    contact: float = Field(1.0, ge=0.0, allow_inf_nan=False, description="cost of a contact, always paid")
    alpha: float = Field(6.0, gt=0.0, allow_inf_nan=False, description="acceptance is Beta(alpha, beta)")
    beta: float = Field(14.0, gt=0.0, allow_inf_nan=False, description="acceptance is Beta(alpha, beta)")

    @model_validator(mode="after")
    def _worth_keeping(self) -> Campaign:
        if self.incentive >= self.clv:
            raise ValueError(f"`incentive` must be below `clv`, got {self.incentive:g} and {self.clv:g}")
        return self


class BacktestConfig(Settings):
    """`configs/backtest.yaml`: the protocols that `churnml backtest` runs."""

    protocols: dict[str, Protocol] = Field(default_factory=dict)
    bootstrap: int = Field(300, ge=50, le=10_000, description="redraws of customers behind each interval")
    origin_step_days: Days = Field(14, description="days between the origins of `--origins`")
    campaign: Campaign = Field(default_factory=Campaign, description="what the money of `--origins` is counted with")


AnySettings = TypeVar("AnySettings", bound=BaseModel)


def flat(values: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Return settings without nesting, a key inside another written as `trees.num_leaves`."""
    found: dict[str, object] = {}
    for name, value in values.items():
        found |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found


def load_config(path: Path, model: type[AnySettings], *, required: bool = False) -> AnySettings:
    """Read one YAML file into its model.

    Parameters
    ----------
    path : Path
        The file. One that is absent gives the defaults, unless `required`.
    model : type of pydantic model
        What the file must say.

    Raises
    ------
    ConfigError
        If the file is missing though required, is not YAML, or has an unknown key or a value out of range.
    """
    if not path.exists():
        if required:
            raise ConfigError(f"{path} does not exist; name a configuration file that does")
        return model()
    return parse_config(path.read_text(encoding="utf-8"), model, str(path))


def parse_config(text: str, model: type[AnySettings], origin: str) -> AnySettings:
    """Read YAML text into its model; `origin` names the text in errors."""
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin} is not valid YAML: {_one_line(error)}") from error
    return validated(loaded, model, origin)


def validated(loaded: object, model: type[AnySettings], origin: str) -> AnySettings:
    """Return what was read from YAML as its model; `origin` names the text in errors.

    Raises
    ------
    ConfigError
        If it does not hold keys, or has an unknown key or a value out of range.
    """
    if loaded is not None and not isinstance(loaded, dict):
        raise ConfigError(f"{origin} must hold `key: value` pairs, found {shown(loaded)}")
    try:
        return model.model_validate(loaded or {})
    except ValidationError as error:
        raise ConfigError(_explain(error, model, origin)) from error


def with_options(settings: AnySettings, given: Mapping[str, object]) -> AnySettings:
    """Return settings with what the options of a command say above them.

    Parameters
    ----------
    given : mapping of str to object
        By field; the option `--horizon-days` gives `horizon_days`.

    Raises
    ------
    UsageError
        If an option has a value out of range; the message names the option.
    """
    try:
        return type(settings).model_validate(settings.model_dump() | dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{str(first['loc'][0]).replace('_', '-')}"
        raise UsageError(f"{option} {broken_rule(first, type(settings))}") from error


def _explain(error: ValidationError, model: type[BaseModel], origin: str) -> str:
    # a misspelt key is reported before the key it should have been, which it leaves missing
    first = next((one for one in error.errors() if one["type"] == "extra_forbidden"), error.errors()[0])
    entry, path = place(first["loc"])
    if first["type"] == "extra_forbidden":
        known = keys_beside(model, first["loc"])
        near = nearest(str(first["loc"][-1]), known)
        return ": ".join(filter(None, (origin, entry, f"unknown key {path}{near} (known: {', '.join(known)})")))
    where, rule = ", ".join(filter(None, (entry, path))), broken_rule(first, model)
    return (
        f"{origin}: {where} {rule}"
        if where and rule.startswith(("must", "is "))
        else (": ".join(filter(None, (origin, where, rule))))
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
