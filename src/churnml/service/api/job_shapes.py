"""What a job can be asked to do: each command with its options, strictly, and as words of the command line.

Nothing here is a path, a command or a setting: a caller chooses among what a person could do at the command line, in
the workspace that is served and by its configuration.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from churnml.config import LONGEST_DAYS
from churnml.database.jobs import State
from churnml.service.api.batches import Json
from churnml.service.api.shapes import MAX_PAGE, Shape, Word

Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
Origins = Annotated[int, Field(ge=1, le=100)]
Language = Annotated[Literal["en", "zh"], Field(description="of the page it writes")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
JobVerb = Literal[
    "train", "score", "assign", "measure", "report", "monitor", "backtest", "promote", "rollback", "vacuum"
]


class Options(Shape):
    """What may be said beside a verb; what is left out is as `configs/` says."""

    def words(self) -> list[str]:
        """Return them as the command line takes them; each in one word, so that no value can pass for an option."""
        told = []
        for name, value in self.model_dump(mode="json", by_alias=True, exclude_none=True).items():
            option = f"--{name.replace('_', '-')}"
            if isinstance(value, bool):
                told += [option] if value else []
            else:
                told += [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]
        return told


class Nothing(Options):
    """No options."""


class AtCutoff(Options):
    """As of when."""

    cutoff: date | None = Field(None, description="midnight in the workspace's zone; by default after the last order")


class TrainOptions(AtCutoff):
    """How the model is trained."""

    horizon_days: Days | None = Field(None, description="days ahead in which silence is churn")
    population_days: Days | None = Field(None, description="a customer ordered within so many days")


class AssignOptions(Options):
    """Within which budget actions are chosen."""

    budget: float | None = Field(None, ge=0, le=1e12, allow_inf_nan=False, description="in the workspace's currency")
    campaign: Name | None = Field(None, description="whose budget it is")
    anew: bool = Field(False, description="first take back what has no outcome yet")


class Span(Options):
    """Of which days, in which steps, and by what."""

    begin: date | None = Field(None, alias="from", description="first day; by default the last twelve months")
    end: date | None = Field(None, alias="to", description="the day after the last")
    every: Literal["week", "month", "quarter", "year"] = "month"
    by: Name | None = Field(None, description="also by an attribute such as region, channel, stage or segment")
    language: Language = "en"


class BaseMeasured(Span):
    """A measure of the customer base."""

    what: Literal["funnel", "segments", "lifecycle", "kpis", "drivers", "rhythm", "strategy"]


class EffectMeasured(Options):
    """What actions did."""

    what: Literal["effect"]
    campaign: Name | None = Field(None, description="only this; by default all that were ever run")
    by: Name | None = Field(None, description="also by an attribute such as region or segment")
    outcome: Literal["orders", "posted"] = "orders"


class UpliftMeasured(AtCutoff):
    """Whom each action helps."""

    what: Literal["uplift"]


class BacktestOptions(Options):
    """Which of five kinds of backtest; without any, the protocols of configs/backtest.yaml."""

    protocol: list[Name] = Field([], max_length=20)
    within: list[Days] = Field([], max_length=20, description="other horizons of so many days")
    origins: Origins | None = Field(None, description="so many cutoffs in a row")
    conversion: Origins | None = Field(None, description="who became a customer, at so many cutoffs")
    categories: Origins | None = Field(None, description="which category was bought next, at so many cutoffs")

    @model_validator(mode="after")
    def _one_kind(self) -> BacktestOptions:
        kinds = [name for name in type(self).model_fields if getattr(self, name)]
        if len(kinds) > 1:
            raise ValueError(f"must be of one kind, found {', '.join(kinds)}; give one")
        return self


class PromoteOptions(Options):
    """Which model becomes the champion; one that a gate refused is promoted by a person at the command line alone."""

    model: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4,64}$")] | None = Field(
        None, description="the first characters of its version; by default the latest trained"
    )

    def words(self) -> list[str]:
        """Return it as the command line takes it: without the name of an option."""
        return [] if self.model is None else [self.model]


class TrainJob(Shape):
    """`churnml train`."""

    verb: Literal["train"]
    options: TrainOptions = TrainOptions()


class ScoreJob(Shape):
    """`churnml score`."""

    verb: Literal["score"]
    options: AtCutoff = AtCutoff()


class AssignJob(Shape):
    """`churnml assign`."""

    verb: Literal["assign"]
    options: AssignOptions = AssignOptions()


class MeasureJob(Shape):
    """`churnml measure WHAT`."""

    verb: Literal["measure"]
    options: Annotated[BaseMeasured | EffectMeasured | UpliftMeasured, Field(discriminator="what")]


class ReportJob(Shape):
    """`churnml report`, into the workspace's folder `reports`."""

    verb: Literal["report"]
    options: Span = Span()


class MonitorJob(Shape):
    """`churnml monitor`."""

    verb: Literal["monitor"]
    options: AtCutoff = AtCutoff()


class BacktestJob(Shape):
    """`churnml backtest`."""

    verb: Literal["backtest"]
    options: BacktestOptions = BacktestOptions()


class PromoteJob(Shape):
    """`churnml promote`."""

    verb: Literal["promote"]
    options: PromoteOptions = PromoteOptions()


class RollbackJob(Shape):
    """`churnml rollback`: the champion is again what it was before it moved last."""

    verb: Literal["rollback"]
    options: Nothing = Nothing()


class VacuumJob(Shape):
    """`churnml vacuum`."""

    verb: Literal["vacuum"]
    options: Nothing = Nothing()


JobWanted = Annotated[
    TrainJob
    | ScoreJob
    | AssignJob
    | MeasureJob
    | ReportJob
    | MonitorJob
    | BacktestJob
    | PromoteJob
    | RollbackJob
    | VacuumJob,
    Field(discriminator="verb"),
]


def arguments(wanted: JobWanted) -> list[str]:
    """Return a job as words of the command line."""
    if isinstance(wanted, MeasureJob):
        what = f"--what={wanted.options.what}"
        return ["measure", wanted.options.what, *(word for word in wanted.options.words() if word != what)]
    return [wanted.verb, *wanted.options.words()]


def options(wanted: JobWanted) -> Json:
    """Return the options of a job as they are told again: what was left out and has no default is left out."""
    return wanted.options.model_dump(mode="json", by_alias=True, exclude_none=True)


class Failure(Shape):
    """Why a job did not get to its end."""

    code: str = Field(description="as the command line's `--json` tells it, or `lost`, `stopped`, `internal`")
    message: str = Field(description="in the words of the command line")


class JobTold(Shape):
    """A job, and how far it is."""

    job_id: str
    verb: JobVerb
    options: Json
    state: State = Field(
        description="`queued`, `running`; `done`: it got to its end; `failed`: see `error`; `cancelled`; `lost`: its "
        "process was killed by somebody else"
    )
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stopping: bool = Field(description="whether it was cancelled and has not ended yet")
    step: str | None = Field(description="what it does, in words")
    share: float | None = Field(description="of that step, 0 to 1; null where it does not count")
    run_id: str | None = Field(description="its latest run, see /v1/runs")
    exit_code: int | None = Field(description="of the command; 4 with `done`: it found something, as `monitor` does")
    error: Failure | None


class JobList(Shape):
    """A page of the jobs, the latest first."""

    items: list[JobTold]
    next_cursor: str | None = Field(description="give it back as `cursor` for what follows; null on the last page")


class JobLog(Shape):
    """What a job printed last."""

    lines: list[str]
    whole: bool = Field(description="whether these are all of them; else earlier ones were left out")
    withheld: bool = Field(description="whether the traceback of a bug follows, which stays on the machine")


class JobQuery(Shape):
    """What may stand behind the question mark of `/v1/jobs`."""

    limit: int = Field(50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=2_000, description="`next_cursor` of the page before")
    verb: list[Word] = Field([], max_length=50, description="keep these verbs; repeatable")
    state: list[State] = Field([], max_length=6, description="keep these; repeatable")
