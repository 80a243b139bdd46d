"""`churnml backtest --origins N`: the configuration of configs/train.yaml at several cutoffs, beside the baselines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.config import BacktestConfig
from churnml.errors import UsageError
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, require_places
from churnml.wording import Language

if TYPE_CHECKING:
    from churnml.modeling.findings import Findings
    from churnml.modeling.judgement import Figure, Measure, Method
    from churnml.modeling.money import Earned
    from churnml.modeling.origins import Rolled

Json = dict[str, Any]  # Any: JSON
_KINDS = (".html", ".md", ".json")


def backtest_origins(
    session: Session, origins: int, *, reports: Sequence[Path] = (), language: Language = "en"
) -> Json:
    """Judge at several cutoffs in a row, show the mean over them and the last apart, and return it as plain data.

    Parameters
    ----------
    origins : int
        How many cutoffs, at least 2.
    reports : sequence of Path
        Where to write the same as a page (`.html`), Markdown (`.md`) or JSON (`.json`).
    language : {"en", "zh"}, default "en"
        Of the page.

    Raises
    ------
    UsageError
        If there are fewer than 2 origins, or the report is of another kind.
    NotEnoughDataError
        If history does not reach; the message says for how many it would.
    """
    from churnml.modeling.findings import findings  # noqa: PLC0415
    from churnml.modeling.origins import roll  # noqa: PLC0415  # LightGBM takes seconds to import

    _check(origins, reports)
    settings, (config, _) = session.load("backtest", BacktestConfig), train_config(session, session.cutoff(None))
    with session.step(f"Training and judging at {origins} cutoffs, with {settings.bootstrap} redraws") as tick:
        rolled = roll(
            session.store,
            of_session(session),
            config,
            session.settings.margin_rate,
            origins=origins,
            step_days=settings.origin_step_days,
            bootstrap=settings.bootstrap,
            progress=tick,
        )
        found = findings(rolled, settings.campaign, bootstrap=settings.bootstrap)
    body = rolled.to_json() | found.to_json()
    if not session.as_json:
        session.console.print("\n".join(verdicts(rolled)))
    for report in reports:
        whole = _written(rolled, found, body, report.suffix, language)
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(whole, encoding="utf-8")
    return body


def _written(rolled: Rolled, found: Findings, body: Json, kind: str, language: Language) -> str:
    if kind == ".html":
        from churnml.service.pages.reports.backtest import backtest_page  # noqa: PLC0415  # Jinja is not needed otherwise

        return backtest_page(body, language)
    return page(rolled, found) if kind == ".md" else json.dumps(body, indent=2) + "\n"


def _check(origins: int, reports: Sequence[Path]) -> None:
    if origins < 2:
        raise UsageError(
            f"--origins must be at least 2, got {origins}: the last is told apart, and one or more come before it"
        )
    for report in reports:
        if report.suffix not in _KINDS:
            kinds = f"{', '.join(_KINDS[:-1])} or {_KINDS[-1]}"
            raise UsageError(f"--report must end in {kinds} with --origins, got {report.name}; rename it")
    require_places(reports)


def verdicts(rolled: Rolled) -> list[str]:
    """Return a sentence for each baseline, and one on calibration: the mean over the origins before the last."""
    told = [f"{target}: {_against(method)}" for target, methods in rolled.mean.items() for method in methods[1:]]
    return [*told, _calibration(rolled)]


def _against(method: Method) -> str:
    """Return where ours is better or worse than a baseline beyond noise."""
    better = [metric for metric, lead in method.lead_of_ours.items() if lead.low > 0]
    worse = [metric for metric, lead in method.lead_of_ours.items() if lead.high < 0]
    parts = [f"better on {', '.join(better)}"] * bool(better) + [f"worse on {', '.join(worse)}"] * bool(worse)
    return f"against {method.name}, beyond noise: {'; '.join(parts) or 'no difference'}"


def _calibration(rolled: Rolled) -> str:
    found = [one for one in rolled.to_json()["origins"] if not one["last"]]
    kept = sum(next(iter(one["churn"].values()))["ece"] <= one["ece_perfect_95"] for one in found)
    return f"calibration: within what a perfect model shows 19 times in 20 at {kept} of {len(found)} origins"


_PAGE = """# Accuracy over rolling origins

Each origin teaches only with labels that were final before it and is judged {horizon} days ahead. The mean is over
{earlier} origins, from {first} to {before}; the last, {last}, is told apart: whoever looks at it and then changes the
model has used it up. In brackets, 95 % intervals over redrawn customers, each with all rows. A baseline marked \\* is
worse than churnml beyond noise (paired, 95 %), one marked ! is better.
"""


_SATISFACTION = """Of the answers to surveys that were sent in the horizon after each origin, in points of 100: the
error (RMSE), that of everyone's mean, by how much ours is less (paired over customers), and the share of answers within
the interval for nine of ten. Taught by the answers that were known at the origin.
"""


def page(rolled: Rolled, found: Findings) -> str:
    """Return the sentences and the tables as a page of Markdown."""
    first, before = rolled.earlier[0].cutoff, rolled.earlier[-1].cutoff
    head = _PAGE.format(
        horizon=rolled.horizon_days, earlier=len(rolled.earlier), first=first, before=before, last=rolled.last.cutoff
    )
    parts = [head, *(f"- {one}" for one in verdicts(rolled)), ""]
    parts += _sections("Mean over the origins before the last", rolled.mean)
    parts += _sections(f"The last origin, {rolled.last.cutoff}", rolled.at_last)
    parts += [*_stability(rolled), *_courses(rolled, found), *_intervals(rolled), *_satisfaction(rolled)]
    return "\n".join([*parts, *_learners(rolled), *_money(found), *_segments(found), *_grades(found)])


def _courses(rolled: Rolled, found: Findings) -> list[str]:
    from churnml.modeling.origins import MEASURED  # noqa: PLC0415

    days = [*(one.cutoff for one in rolled.earlier), f"{rolled.last.cutoff} (last)"]
    head = (
        "Ours with its interval. *Spread* is the standard deviation before the last; *the last is* compares it with "
        "the mean before, paired over customers. A season or a sale is no such luck and may be the reason.\n"
    )
    lines = ["## Stability\n", head, _row(["figure", *days, "spread", "the last is"])]
    lines.append(_row(["---", *(["---:"] * (len(days) + 1)), "---"]))
    for one in found.stability:
        measure = MEASURED[one.target][one.metric]
        shown = [_figure(figure, measure.digits) for figure in one.figures]
        lines.append(_row([measure.label, *shown, f"{one.spread:.{measure.digits}f}", one.verdict]))
    return [*lines, ""]


def _intervals(rolled: Rolled) -> list[str]:
    head = (
        "For nine of ten customers, by fifths of the forecast at each origin before the last. *Kept* means 88 to 92 of "
        "100 covered, but for chance; more is no fault where a tenth or more bring nothing.\n"
    )
    found = coverage_rows(rolled.to_json()["value_intervals"]["earlier_origins"])
    last = rolled.to_json()["value_intervals"]["last_origin"]
    lines = ["## Intervals of value\n", head, *(_row(cells) for cells in found), ""]
    return [*lines, f"At the last origin {last['covered']:.1%} of all were covered.\n"]


def _satisfaction(rolled: Rolled) -> list[str]:
    """Return how satisfaction did at each origin; nothing where no surveys have landed."""
    from churnml.modeling.satisfaction_trial import CALLED, GROUPS, MEAN, OURS  # noqa: PLC0415

    each = [*rolled.earlier, rolled.last]
    if all(one.satisfaction is None for one in each):
        return []
    columns = ["cutoff", "answers", "error", "error of the mean of all", "less by ours", "within the interval"]
    lines = ["## Satisfaction\n", _SATISFACTION]
    for group in GROUPS:
        lines += [f"Customers {CALLED[group]}:\n", _row(columns), _row(["---", *(["---:"] * 5)])]
        for one in each:
            trial, day = (one.satisfaction or {}).get(group), f"{one.cutoff}{' (last)' * (one is rolled.last)}"
            if trial is None:
                lines.append(_row([day, *(["too few"] * 5)]))
                continue
            ours, mean = trial.methods[OURS], trial.methods[MEAN]
            told = [_figure(ours.rmse, 1), _figure(mean.rmse, 1), _figure(mean.lead, 2), _figure(trial.covered, 3)]
            lines.append(_row([day, f"{trial.answers:,}", *told]))
        lines.append("")
    return lines


def coverage_rows(found: Json) -> list[list[str]]:
    """Return the cells of a table of Markdown on how intervals did, from `Coverage.to_json`."""
    rows = [["fifth", "customers", "brought nothing", "mean interval", "covered", "kept"]]
    rows.append(["---", "---:", "---:", "---:", "---:", "---"])
    for place, one in enumerate(found["fifths"], 1):
        between = f"{one['low']:,.0f} to {one['high']:,.0f}"
        kept = "yes" if one["kept"] else "no"
        rows.append([str(place), f"{one['rows']:,}", f"{one['zeros']:.1%}", between, f"{one['covered']:.1%}", kept])
    return rows


def _learners(rolled: Rolled) -> list[str]:
    each = [*rolled.earlier, rolled.last]
    head = (
        "The weight of each learner of the blend at each origin, learned before it. A row *churnml without …* of the "
        "tables above tells what the blend would be without a learner of one's own.\n"
    )
    rows = [["learner", *(one.cutoff for one in each)], ["---", *(["---:"] * len(each))]]
    rows += [[name, *(f"{one.weights[name]:.2f}" for one in each)] for name in each[0].weights]
    return ["## Learners\n", head, *(_row(cells) for cells in rows), ""]


def _money(found: Findings) -> list[str]:
    money, money_of = found.money, found.money.campaign
    head = (
        f"Profit per customer of the base, by a campaign with `clv` {money_of.clv:g}, `incentive` "
        f"{money_of.incentive:g}, `contact` {money_of.contact:g} and acceptance Beta({money_of.alpha:g}, "
        f"{money_of.beta:g}); all customers of the origins before the last. A contact pays above a churn probability "
        f"of {money.pays_above:.1%}. The best share is chosen with hindsight, the paying one is not.\n"
    )
    lines = ["## Money\n", head, _row(["method", "best share", "profit there", "paying share", "profit there", "EMPC"])]
    lines.append(_row(["---", *(["---:"] * 5)]))
    for one in money.methods:
        profits = [_lead_cell(one, metric) for metric in ("best_profit", "paying_profit", "empc")]
        shares = [f"{share.value:.0%}" for share in (one.best_share, one.paying_share)]
        lines.append(_row([one.name, shares[0], profits[0], shares[1], *profits[1:]]))
    return [*lines, ""]


def _segments(found: Findings) -> list[str]:
    columns = ["by", "segment", "customers", "left", "predicted", "AUROC", "Brier", "value bias", "value MAE"]
    from churnml.modeling.segments import RULE  # noqa: PLC0415

    head = f"Ours, all rows of the origins before the last. {RULE}\n"
    lines = ["## By segment\n", head, _row(columns), _row(["---", "---", *(["---:"] * 7)])]
    for one in found.segments:
        shown = [_figure(one.figures.get(name), digits) for name, digits in _SEGMENT_DIGITS.items()]
        lines.append(_row([one.cut.replace("_", " "), one.name, f"{one.customers:,}", *shown]))
    return [*lines, ""]


_SEGMENT_DIGITS = {"observed": 3, "predicted": 3, "auroc": 3, "brier": 4, "bias": 3, "mae": 1}


_LETTER = """The letter that Dynamics 365 Customer Insights would give; its rule and our reading of it stand in
docs/backtest-report.md. It says little: it asks only who was called above 50 %, so it sees no calibration, no luck of
the draw and no money, and where few leave an honest model calls hardly anybody. Those are told above.
"""


def _grades(found: Findings) -> list[str]:
    columns = ["method", "letter", "accurate of all", "foreseen of who left", "historical rate"]
    columns += ["if 10 % means points", "if as many are called as left historically"]
    lines = ["## The letter of another product\n", _LETTER, _row(columns), _row(["---", "---", *(["---:"] * 5)])]
    for one in found.grades:
        shares = [f"{share:.1%}" for share in (one.accurate, one.found, one.past_rate)]
        lines.append(_row([one.name, f"**{one.letter}**", *shares, one.if_points, one.if_as_many]))
    return [*lines, ""]


def _figure(figure: Figure | None, digits: int) -> str:
    if figure is None:
        return "too few"
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _lead_cell(one: Earned, metric: str) -> str:
    figure: Figure = getattr(one, metric)
    lead = one.lead_of_ours.get(metric)
    mark = "" if lead is None else "\\*" if lead.low > 0 else "!" if lead.high < 0 else ""
    return f"{figure.value:.2f}{mark} [{figure.low:.2f}, {figure.high:.2f}]"


def _sections(title: str, found: Mapping[Any, tuple[Method, ...]]) -> list[str]:  # Any: a Target, known to modeling
    from churnml.modeling.origins import MEASURED  # noqa: PLC0415

    lines = []
    for target, (ours, *others) in found.items():
        measures: Mapping[str, Measure] = MEASURED[target]
        lines += [f"## {title}: {target}\n", _row(["metric", "better", ours.name, *(one.name for one in others)])]
        lines += [_row(["---", "---", *(["---:"] * (1 + len(others)))])]
        for metric, measure in measures.items():
            cells = [_cell(one, metric, measure.digits) for one in others]
            lines.append(_row([measure.label, measure.better, _own(ours.figures[metric], measure.digits), *cells]))
        lines.append("")
    return lines


def _stability(rolled: Rolled) -> list[str]:
    lines = ["## By origin, ours\n", _row(["cutoff", "customers", "left", "AUROC", "ECE", "a perfect ECE", "nGini"])]
    lines.append(_row(["---", *(["---:"] * 6)]))
    for one in rolled.to_json()["origins"]:
        churn, value = next(iter(one["churn"].values())), next(iter(one["value"].values()))
        figures = [f"{churn['auroc']:.3f}", f"{churn['ece']:.3f}", f"{one['ece_perfect_95']:.3f}"]
        day = f"{one['cutoff']} (last)" if one["last"] else one["cutoff"]
        lines.append(_row([day, f"{one['customers']:,}", f"{one['churn_rate']:.1%}", *figures, f"{value['gini']:.3f}"]))
    return [*lines, ""]


def _own(figure: Figure, digits: int) -> str:
    return f"**{figure.value:.{digits}f}** [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _cell(method: Method, metric: str, digits: int) -> str:
    lead = method.lead_of_ours[metric]
    mark = "\\*" if lead.low > 0 else "!" if lead.high < 0 else ""
    return f"{method.figures[metric].value:.{digits}f}{mark}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
