"""A backtest over rolling origins as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from churnml.drawing import Line, chart
from churnml.modeling.satisfaction_trial import GROUPS, MEAN, OURS
from churnml.service.pages.rendering import document
from churnml.wording import Language, Text

Json = dict[str, Any]  # Any: JSON
_WITHOUT, _LEFT_OUT = "churnml without ", Text("churnml without {learner}", "churnml（不含 {learner}）")
_NAMES = {
    "recency rule": Text("recency rule", "按最近购买的规则"),
    "RFM table": Text("RFM table", "RFM 分格表"),
    "renewal rule": Text("renewal rule", "按续约日的规则"),
    "renewal table": Text("renewal table", "续约分格表"),
    "logistic on renewals": Text("logistic on renewals", "续约逻辑回归"),
    "renewals": Text("renewals", "续约规律"),
    "contract less churn": Text("contract less churn", "合同金额减流失"),
    "logistic on RFM": Text("logistic on RFM", "RFM 逻辑回归"),
    "LightGBM default, stacked": Text("LightGBM default, stacked", "默认 LightGBM（叠加快照）"),
    "last window repeated": Text("last window repeated", "重复上一窗口"),
    "linear regression on RFM": Text("linear regression on RFM", "RFM 线性回归"),
    "auroc": Text("AUROC", "AUROC"),
    "auprc": Text("AUPRC", "AUPRC"),
    "brier": Text("Brier", "Brier 分数"),
    "ece": Text("ECE", "校准误差（ECE）"),
    "empc": Text("EMPC", "期望最大利润（EMPC）"),
    "log_loss": Text("log loss", "对数损失"),
    "lift_5": Text("lift 5%", "前 5% 提升度"),
    "lift_10": Text("lift 10%", "前 10% 提升度"),
    "lift_20": Text("lift 20%", "前 20% 提升度"),
    "mae": Text("MAE", "平均绝对误差"),
    "rmse": Text("RMSE", "均方根误差"),
    "spearman": Text("Spearman", "Spearman 秩相关"),
    "gini": Text("nGini", "归一化基尼系数"),
    "bias": Text("bias", "总量偏差"),
    "tenure": Text("tenure", "客户时长"),
    "predicted_value_fifth": Text("fifth of predicted value", "预测价值五等分"),
    "region": Text("region", "地区"),
    "income_band": Text("income band", "收入区间"),
    "acquisition_channel": Text("acquisition channel", "获客渠道"),
    "under 90 days": Text("under 90 days", "不足 90 天"),
    "90 to 179 days": Text("90 to 179 days", "90 至 179 天"),
    "180 to 364 days": Text("180 to 364 days", "180 至 364 天"),
    "1 to 2 years": Text("1 to 2 years", "1 至 2 年"),
    "2 years and more": Text("2 years and more", "2 年及以上"),
    "trees": Text("trees", "决策树"),
    "ridge": Text("ridge", "岭回归"),
    "rhythm": Text("rhythm", "购买节奏"),
    "as before": Text("as before", "与之前无异"),
    "better": Text("better", "更好"),
    "worse": Text("worse", "更差"),
}
_DIGITS = {
    "brier": 4,
    "log_loss": 4,
    "empc": 2,
    "lift_5": 2,
    "lift_10": 2,
    "lift_20": 2,
    "mae": 1,
    "rmse": 1,
    "covered": 3,
    "lead": 2,
}
_TITLES = {
    "calibration": Text("Churn predicted against observed", "预测与实际流失对比"),
    "value": Text("Value predicted against observed", "预测与实际价值对比"),
    "gain": Text("Share of leavers found by share contacted", "按联系比例找到的流失比例"),
    "money": Text("Profit per customer by share contacted", "按联系比例的人均利润"),
}
_PERCENTS = [(k / 4, f"{k * 25}%") for k in range(5)]


def backtest_page(body: Mapping[str, Any], language: Language) -> str:  # Any: JSON
    """Return the report as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    body : mapping
        What `churnml backtest --origins N --json` prints.
    language : {"en", "zh"}
        Language of the page; what profile attributes say stays as it is.
    """

    def called(name: str) -> str:
        known = _NAMES.get(name)
        if known is None and name.startswith(_WITHOUT):
            return _LEFT_OUT.to(language).format(learner=name.removeprefix(_WITHOUT))
        return name if known is None else known.to(language)

    curves = body["curves"]
    title = {name: text.to(language) for name, text in _TITLES.items()}
    draw = {
        "calibration": _compared(curves["calibration"], title["calibration"], percent=True),
        "value": _compared(curves["value_tenths"], title["value"], percent=False),
        "gain": _gain(curves["gain"], title["gain"]),
        "money": _money([one["curve"] for one in body["money"]["methods"].values()], title["money"]),
    }
    context = {
        "body": body,
        "called": called,
        "figure": _figure,
        "draw": {name: Markup(svg) for name, svg in draw.items()},  # noqa: S704  # drawings escape what they are given
        "methods_called": {
            target: [called(name) for name in methods] for target, methods in body["mean_over_earlier_origins"].items()
        },
        "wins": _verdicts(body),
        "ours": OURS,
        "mean_of_all": MEAN,
        "origin_days": [one["cutoff"] for one in body["origins"]],
        "satisfied": _satisfied(body["origins"]),
    }
    return document("backtest_report.html", context, language)


def _satisfied(origins: Sequence[Json]) -> dict[str, list[Json]]:
    """Return what each origin found of satisfaction, by group; empty where no surveys have landed."""
    if all(one.get("satisfaction") is None for one in origins):
        return {}
    return {
        group: [{"cutoff": one["cutoff"], "trial": (one.get("satisfaction") or {}).get(group)} for one in origins]
        for group in GROUPS
    }


def _verdicts(body: Mapping[str, Any]) -> list[Json]:  # Any: JSON
    """Return, for each baseline, on which figures ours is better and worse beyond noise."""
    return [
        {
            "target": target,
            "name": name,
            "better": [m for m, (_, low, _high) in method["lead_of_ours"].items() if low > 0],
            "worse": [m for m, (_, _low, high) in method["lead_of_ours"].items() if high < 0],
        }
        for target, methods in body["mean_over_earlier_origins"].items()
        for name, method in methods.items()
        if method["lead_of_ours"]
    ]


def _figure(told: Sequence[float] | None, metric: str) -> str:
    if told is None:
        return ""
    value, low, high = (f"{one:.{_DIGITS.get(metric, 3)}f}" for one in told)
    return f"{value} [{low}, {high}]"


def _compared(points: Sequence[Json], title: str, *, percent: bool) -> str:
    top = max(max(one["predicted"], one["observed"][2]) for one in points) or 1.0
    ticks = [(top * k / 4, f"{top * k / 4:.0%}" if percent else f"{top * k / 4:,.0f}") for k in range(5)]
    came = [(one["predicted"], one["observed"][0]) for one in points]
    band = [(one["observed"][1], one["observed"][2]) for one in points]
    return chart([Line("plain", [(0.0, 0.0), (top, top)]), Line("ours", came, band)], title, ticks, ticks)


def _gain(points: Sequence[Json], title: str) -> str:
    found = [(one["share"], one["found"]) for one in points]
    return chart([Line("plain", [(0.0, 0.0), (1.0, 1.0)]), Line("ours", found)], title, _PERCENTS, _PERCENTS)


def _money(curves: Sequence[Sequence[Json]], title: str) -> str:
    lows, highs = ([one["profit"][k] for one in curves[0]] for k in (1, 2))
    every = [one["profit"][0] for curve in curves for one in curve]
    bottom, top = min(*every, *lows), max(*every, *highs, 0.01)
    ticks = sorted({bottom, 0.0, top})
    lines = [Line("plain", [(one["share"], one["profit"][0]) for one in curve]) for curve in curves[1:]]
    ours = [(one["share"], one["profit"][0]) for one in curves[0]]
    lines.append(Line("ours", ours, list(zip(lows, highs, strict=True))))
    return chart(lines, title, _PERCENTS, [(tick, f"{tick:.2f}") for tick in ticks])
