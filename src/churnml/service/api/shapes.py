"""What the API takes and gives: the decision record, field by field, and what goes around it.

The records come ready-made from the database and are not checked again on their way out; a test checks that what a
run writes has this shape.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Engine

from churnml.database.cases import Status
from churnml.database.lists import Sort, Wanted
from churnml.measures import Segment, Stage
from churnml.service.api import texts
from churnml.service.listing import days_between
from churnml.service.readings import Band, Readings

LONGEST_ID = 256
CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00]*$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Points = Annotated[float, Field(ge=0.0, le=100.0)]
Change = Annotated[float, Field(ge=-1.0, le=1.0)]
Amount = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Arm = Literal["treated", "control", "held_out", "none"]
Day = date
Rung = Literal[
    "blend", "logistic", "rhythm", "recency", "prospect", "trial", "gone", "contract", "no_contract", "no_profiling"
]
MAX_IDS = 500
MAX_PAGE = 500


class Shape(BaseModel):
    """A JSON object with no fields but these."""

    model_config = ConfigDict(extra="forbid")


class Bilingual(Shape):
    """One text in both languages."""

    en: str
    zh: str


class Reason(Shape):
    """Why the probability is what it is: one group of features and how it moves the score."""

    group: str = Field(description="what it is about, for example `rhythm`")
    feature: str = Field(description="the feature that says most in the group")
    value: float | str | None = Field(description="its value at the cutoff")
    direction: Literal["raises", "lowers"] = Field(
        description="what it does to the churn probability; of a prospect or trial, to the conversion probability"
    )
    weight: float = Field(description="contribution of the group to the logit of that probability")
    sentence: Bilingual


class Silence(Shape):
    """How likely no order comes within so many days."""

    days: int = Field(description="days after the cutoff")
    probability: Share = Field(description="of no order within them; never higher for more days")
    extrapolated: bool = Field(description="whether they reach beyond the horizon that the model was taught")


class Over(Shape):
    """How likely a contract is over within so many days."""

    days: int = Field(description="days after the cutoff")
    probability: Share = Field(
        description="of its end within them, without another that continues it; never lower for more days"
    )
    extrapolated: bool = Field(description="whether they reach beyond the horizon that the model was taught")


class Leaving(Shape):
    """By which day someone has left for good, with a probability."""

    quantile: Share = Field(description="with at least this probability they have left by the date")
    date: Day | None = Field(
        description="that of the last order, or of the end of the contract; of a day that has passed, the cutoff's; "
        "null beyond ten years"
    )


class StageStay(Shape):
    """An unbroken stay in a stage, as it is seen at the ends of months."""

    stage: Stage
    first: Day = Field(description="the first month's end at which they were seen in it, by what was known then")
    last: Day = Field(description="the last one, or the last day that was looked at")
    periods: int = Field(description="at how many ends they were seen in it")


class NextOrder(Shape):
    """By which day the next order comes, with a probability."""

    quantile: Share = Field(description="with at least this probability the next order comes by the date")
    date: Day | None = Field(
        description="a day of the company's time zone, that of the cutoff or a later one; null beyond the longest of "
        "`no_order_within`"
    )


class CategoryOffer(Shape):
    """A category to offer a customer."""

    category: str
    kind: Literal["cross_sell", "replenish"] = Field(
        description="`cross_sell`: not bought within the lookback; `replenish`: due by the customer's own interval"
    )
    basis: Literal["co_purchase", "popularity", "own_interval"] = Field(
        description="what tells it: `co_purchase`: it goes with what they buy; `popularity`: what others take up, "
        "where co-purchase was no better out of time; `own_interval`: how often they buy it, and when last"
    )
    score: Share = Field(description="probability that they buy it in the horizon of categories, without an offer")


class NextCategory(CategoryOffer):
    """The category to offer first, and why."""

    within_days: int = Field(description="days after the cutoff that `score` is about")
    why: Bilingual


class CaseTold(Shape):
    """How far a team is with a customer; `/v1/cases` tells and changes it."""

    status: Status
    owner: str | None = Field(description="who holds it")
    follow_up_on: Day | None
    snoozed_until: Day | None
    version: int


class DecisionRecord(Shape):
    """What is known and decided about one customer, at one cutoff, by one run."""

    customer_id: str
    cutoff: datetime = Field(description="nothing that happened at or after this instant was known")
    run_id: str
    fresh: bool = Field(
        False, description="whether it was made anew after the run, because something had arrived of the customer"
    )
    scored_at: datetime | None = Field(None, description="of a fresh record: when it was made")
    model_version: str = Field(description="hash of the model bundle")
    rung: Rung = Field(
        description="how it was scored: `blend`: by the whole model; `logistic`: without trees, where few left; "
        "`rhythm`: by the rhythm of buying alone; `recency`: by a rule on how long the last order is ago; or why not: "
        "`prospect`: never paid for anything; `trial`: likewise, but has tried it out; "
        "`gone`: no order within `population_days`; "
        "`contract`: holds a contract and has never ordered, where churn goes by orders; "
        "`no_contract`: orders and never held a contract, where churn goes by contracts; "
        "`no_profiling`: refuses to be profiled, so nothing is said of them"
    )
    churn_by: Literal["orders", "contracts"] = Field(
        "orders",
        description="what leaving is: no order in the horizon, or the end of a contract in it that none continued",
    )
    horizon_days: int = Field(description="days after the cutoff in which leaving is churn")
    population_days: int = Field(description="a customer ordered within so many days before the cutoff")
    churn_probability: Share | None = Field(
        description="probability of leaving in the horizon, as `churn_by` says; null if not scored"
    )
    churn_probability_low: Share | None = Field(
        description="made to hold the probability nine times in ten: from here; null on the rung `blend`, or if not "
        "scored"
    )
    churn_probability_high: Share | None = Field(description="up to here")
    risk_band: Band | None
    lifecycle_stage: Stage | None = Field(
        None, description="where they stand by their own rhythm (docs/lifecycle.md); null for who refuses profiling"
    )
    lifecycle_path: list[StageStay] = Field(
        default_factory=list,
        description="in which stages they were, the first first, as `churnml measure lifecycle` last kept it; told of "
        "one customer alone, elsewhere empty",
    )
    funnel_stage: str | None = Field(
        None,
        description="the furthest stage of the funnel they have reached (docs/funnel.md); null where none, for who "
        "refuses profiling, and in records of earlier versions",
    )
    funnel_stage_label: Bilingual | None = Field(None, description="its name by language")
    segment: Segment | None = Field(
        None,
        description="the third of what they bring in the horizon if they stay, among the customers when the model "
        "was trained, and their risk band; null if not scored",
    )
    conversion_probability: Share | None = Field(
        None,
        description="of a prospect or trial: probability of a first order, or a first contract that is paid for, in "
        "the horizon; null for everyone else, or where no model of conversion stands",
    )
    conversion_low: Share | None = Field(
        None,
        description="made to hold it nine times in ten: from here; null where `conversion_rung` is `blend` or null",
    )
    conversion_high: Share | None = Field(None, description="up to here")
    conversion_rung: Literal["blend", "logistic", "rate"] | None = Field(
        None,
        description="how it was told: `blend`: by the whole model; `logistic`: without trees, where few became "
        "customers; `rate`: by how long they have been known alone",
    )
    expected_margin: float | None = Field(
        description="money: margin expected in the horizon, the mean over many such customers; sum this one"
    )
    margin_median: float | None = Field(description="money: half of such customers bring less in the horizon")
    margin_low: float | None = Field(description="money: of ten such customers nine bring from here")
    margin_high: float | None = Field(description="money: up to here")
    clv: float | None = Field(
        description="money: margin expected over `clv_days`, discounted by `discount_rate`, less `cost_to_serve`; "
        "below zero for who costs more than they bring"
    )
    clv_days: int
    discount_rate: float = Field(description="per year; money of next year counts 1 / (1 + rate)")
    cost_to_serve: float | None = Field(
        description="money: expected over `clv_days`, discounted; already taken off `clv`"
    )
    acquisition_cost: float | None = Field(description="money: what winning the customer cost; null if not known")
    clv_to_cac: float | None = Field(
        description="`clv` ÷ `acquisition_cost`, of the value to come; null where the cost is not known or nothing"
    )
    value_if_retained: float | None = Field(
        description="money: what staying brings over `clv_days` beyond falling silent, discounted, less costs of orders"
    )
    value_at_risk: float | None = Field(description="money: churn_probability × value_if_retained")
    p_alive: Share | None = Field(description="probability, by buying rhythm alone, of still being a customer")
    satisfaction: Points | None = Field(
        description="expected of their answer to a survey in the weeks to come, from 0 worst to 100 best; null where "
        "nothing is told"
    )
    satisfaction_low: Points | None = Field(description="of ten such customers nine would answer from here")
    satisfaction_high: Points | None = Field(description="up to here")
    satisfaction_from: Literal["answers", "estimate", "none"] = Field(
        description="`answers`: their own, and what they do; `estimate`: they never answered, what they do says it; "
        "`none`: not told, for too few answered surveys, or nothing is nearer than their mean"
    )
    next_order: list[NextOrder] = Field(
        description="quantiles of the day of the next order, ascending: .25, .5 and .75; two are the same day only for "
        "who orders nearly every day; empty if not scored, or by contracts"
    )
    no_order_within: list[Silence] = Field(
        description="the churn probability by other horizons, ascending; at `horizon_days` it is `churn_probability`; "
        "empty if not scored, or by contracts"
    )
    contract_over_within: list[Over] = Field(
        default_factory=list, description="the same by contracts; empty if not scored, or by orders"
    )
    remaining_life: list[Leaving] = Field(
        default_factory=list,
        description="quantiles of the day by which they have left for good, ascending: .25, .5 and .75; empty if not "
        "scored, or on the rung `recency`",
    )
    next_category: NextCategory | None = Field(
        None,
        description="the category to offer first: one not bought before if any, else one that is due; null where order "
        "lines name no category, or nothing was bought in `population_days`",
    )
    category_offers: list[CategoryOffer] = Field(
        default_factory=list, description="three at most of each kind, the likeliest of each first"
    )
    renews_on: Day | None = Field(None, description="when a contract renews next, where that is known")
    currency: str = Field(description="ISO 4217 code of every amount")
    last_order_on: datetime | None
    order_days: int | None
    tenure_days: int | None = Field(description="days since the first order; null before it")
    expected_basket: float | None = Field(
        None,
        description="money: what the next order may come to: the mean of 90 days, or so far, or a contract's price",
    )
    churn_probability_before: Share | None = Field(
        None,
        description="that of the run before, see `compared_with` of the list; told on the list at risk alone, "
        "elsewhere null; null as well where that run did not score them",
    )
    churn_probability_change: float | None = Field(
        None, ge=-1.0, le=1.0, description="`churn_probability` less `churn_probability_before`: 0.05 is 5 points up"
    )
    case: CaseTold | None = Field(
        None, description="told on the list at risk alone, elsewhere null; null as well where nobody has opened one"
    )
    reasons: list[Reason] = Field(description="at most five, the weightiest first")
    action: str | None = Field(description="suggested action; null where `churnml assign` decided nothing")
    action_label: Bilingual | None
    action_script: Bilingual | None
    arm: Arm | None = Field(
        description="`treated`: carry the action out; `control`: withheld to measure its effect, do not approach; "
        "`held_out`: in the hold-out of every campaign, do not approach; `none`: the choice is to do nothing"
    )
    propensity: Share | None = Field(
        description="of an action that was chosen, the probability that it is carried out; of what was drawn by lot, "
        "that of the draw; 0 where the arm is `held_out` or `none`"
    )
    drawn_by: Literal["choice", "explore"] | None = Field(
        None,
        description="`choice`: the action is the best for them; `explore`: it, or nothing, was drawn by lot among what "
        "was open to them; null where the campaign assigned nothing",
    )
    campaign: str | None = Field(
        None, description="the one whose budget pays; null where `churnml assign` decided nothing"
    )
    assignment_id: str | None = Field(
        None,
        description="of this customer in this campaign; give it back in the file of `churnml measure outcomes`; null "
        "where the campaign assigned nothing",
    )
    action_cost: float | None = Field(
        None, description="money: what the action is expected to cost for this customer, by what they usually buy"
    )
    expected_net_value: float | None = Field(description="money: expected gain of the action less its cost")
    effect_source: Literal["definition", "prior", "measured", "uplift"] | None = Field(
        description="where the expected effect comes from: `prior`: assumed, not yet measured; `measured`: on average, "
        "against controls; `uplift`: learned customer by customer; `definition`: doing nothing changes nothing"
    )
    no_action_because: str | None = Field(
        None,
        description="why the suggestion is to do nothing: the rule that closed most actions to the customer "
        "(`held_out`, `no_consent`, `open_complaint`, `contact_cap`, `cool_down`, `stage`, …); `not_worthwhile`: "
        "nothing open is worth its cost; `limits`: budget or capacity went where they bring more; `no_score`; null "
        "where something is done or was drawn",
    )


class ScoresRequest(Shape):
    """Whose records are wanted."""

    model_config = ConfigDict(json_schema_extra={"example": {"customer_ids": ["1", "42", "nobody"]}})

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MAX_IDS, description="repeats are answered once")


class Scores(Shape):
    """The records found, in the order asked for, and the ids that no record bears."""

    records: list[DecisionRecord]
    unknown: list[str]
    withheld: list[str] = Field(
        default_factory=list,
        description="those of colleagues, where whoever asks is an agent who sees their own alone; left out elsewhere",
    )


class PeopleList(Shape):
    """A page of a list of people, and the facts of the run whose list it is."""

    items: list[DecisionRecord]
    next_cursor: str | None = Field(description="give it back as `cursor` for what follows; null on the last page")
    run_id: str
    model_version: str | None
    cutoff: datetime | None
    horizon_days: int | None
    currency: str | None


class ListQuery(Shape):
    """What may stand behind the question mark of any list of people."""

    limit: int | None = Field(None, ge=1, le=MAX_PAGE, description="records on a page of JSON; 50 if left out")
    cursor: str | None = Field(None, max_length=2_000, description="`next_cursor` of the page before")
    format: Literal["json", "csv", "xlsx", "jsonl"] = Field(
        "json", description="all but `json` give the whole list, streamed: `csv`, a workbook, or a record a line"
    )
    lang: Literal["en", "zh"] = Field("en", description="language of header and words in `csv` and `xlsx`")
    fields: str | None = Field(
        None,
        max_length=2_000,
        description="fields of a record apart by commas, for `json` and `jsonl`; `customer_id` is always there",
    )


class AtRiskList(PeopleList):
    """A page of the at-risk list, greatest value at risk first unless sorted otherwise."""

    total: int = Field(description="customers in the list as filtered, over all pages")
    compared_with: str | None = Field(
        None, description="the run of the cutoff before, of the same horizon; null where there was none to compare with"
    )
    compared_cutoff: datetime | None = Field(None, description="its cutoff")


class AtRiskQuery(ListQuery):
    """What may stand behind the question mark of `/v1/at-risk`; filters may be given more than once."""

    band: list[Band] = Field([], max_length=3, description="keep these risk bands")
    action: list[Word] = Field([], max_length=50, description="keep these suggested actions")
    stage: list[Stage] = Field([], max_length=50, description="keep these lifecycle stages")
    segment: list[Segment] = Field([], max_length=50, description="keep these segments of value and risk")
    reason: list[Word] = Field([], max_length=50, description="keep whose weightiest reason is of these groups")
    arm: list[Arm] = Field([], max_length=4, description="keep these arms of the experiment")
    owner: list[Word] = Field([], max_length=50, description="keep whose case one of these holds")
    unowned: bool = Field(default=False, description="keep whose case nobody holds, or who has none")
    status: list[Status] = Field([], max_length=5, description="keep whose case stands so; `open`: those without too")
    contactable: bool | None = Field(
        None,
        description="true keeps whom the run lets be approached: an action to carry out, or none because nothing was "
        "worth it; false keeps all others: controls, held out, without consent, with an open complaint, contacted "
        "enough, assigned before, …",
    )
    min_value_at_risk: Amount | None = Field(None, description="money: keep from here")
    max_value_at_risk: Amount | None = Field(None, description="money: keep up to here")
    min_churn_probability: Share | None = Field(None, description="keep from here")
    max_churn_probability: Share | None = Field(None, description="keep up to here")
    min_churn_probability_change: Change | None = Field(
        None, description="keep from here: 0.05 keeps who is 5 points likelier to leave than in the run before, or more"
    )
    max_churn_probability_change: Change | None = Field(None, description="keep up to here")
    new: bool | None = Field(None, description="true keeps whom the run before did not score, false all others")
    ordered_from: texts.Day | None = Field(None, description="keep whose last order was on this day or later")
    ordered_to: texts.Day | None = Field(None, description="keep whose last order was on this day or before")
    sort: Sort = Field("value_at_risk", description="what the list is sorted by; who has no such value comes last")
    order: Literal["desc", "asc"] = Field("desc", description="`desc`: greatest, or latest, first")

    def wanted(self, time_zone: str) -> Wanted:
        """Return the same as the list is asked for it; days are those of a zone."""
        return Wanted(
            bands=tuple(self.band),
            actions=tuple(self.action),
            stages=tuple(self.stage),
            segments=tuple(self.segment),
            reasons=tuple(self.reason),
            arms=tuple(self.arm),
            value_at_risk=(self.min_value_at_risk, self.max_value_at_risk),
            churn_probability=(self.min_churn_probability, self.max_churn_probability),
            change=(self.min_churn_probability_change, self.max_churn_probability_change),
            last_order=days_between(self.ordered_from, self.ordered_to, time_zone),
            new=self.new,
            contactable=self.contactable,
            sort=self.sort,
            ascending=self.order == "asc",
            owners=tuple(self.owner),
            statuses=tuple(self.status),
            unowned=self.unowned,
        )


class NoConversion(Shape):
    """Why nothing is said of who becomes a customer."""

    code: str = Field(
        description="stable, for programs: `everyone_has_paid`, `known_by_first_order`, `refused`, `not_taught`, …"
    )
    detail: str = Field(description="the same as an English sentence")
    figures: dict[str, Any] = Field(
        description="what was found; `code` tells which keys there are"
    )  # Any: of all kinds


class ProspectList(PeopleList):
    """A page of the prospects and trials, the likeliest to become customers first."""

    total: int = Field(description="prospects and trials of whom something is said, over all pages")
    expected_conversions: float | None = Field(description="how many of them are expected to become customers")
    no_conversion: NoConversion | None = Field(description="why nothing is said of any; null where something is")


class ProspectQuery(ListQuery):
    """What may stand behind the question mark of `/v1/prospects`."""


class RecordQuery(Shape):
    """What may stand behind the question mark of one record."""

    fields: str | None = Field(
        None, max_length=2_000, description="fields apart by commas; `customer_id` is always there"
    )


class Health(Shape):
    """How the service is."""

    status: Literal["ok"]


class Readiness(Shape):
    """What the service serves."""

    status: Literal["ready"]
    run_id: str
    cutoff: datetime | None


def engine(request: Request) -> Engine:
    """Return the connection to the SQL database."""
    found: Engine = request.app.state.engine
    return found


def readings(request: Request) -> Readings:
    """Return what the application reads from."""
    found: Readings = request.app.state.readings
    return found
