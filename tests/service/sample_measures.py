"""Bodies of measures, made by hand from what the measures themselves are made of; some of their words hostile."""

import pandas as pd

from churnml.database import Catalogue, open_engine
from churnml.measures import STAGES
from churnml.measures.measure import About, Measure
from churnml.policy.strategy_words import COLUMNS
from churnml.wording import Text

HOSTILE = "<script>alert(1)</script>"
FROM, TO = "2017-01-01", "2017-04-01"
MONTHS = ("2017-01-01", "2017-02-01", "2017-03-01")
CUSTOMERS = About(Text("Customers", "客户数"), "number")
SHARE = About(Text("Share", "占比"), "share")
LOW, HIGH = About(Text("At least", "下限"), "share"), About(Text("At most", "上限"), "share")
STAGE = About(Text("Stage", "阶段"), "word", words=dict(STAGES))


def measure(name, columns, rows, **changes):
    """Return a measure from rows written as tuples."""
    told = {
        "title": Text(f"About {name}", f"关于 {name}"),
        "definition": Text("Counted once a month", "每月统计一次"),
        "population": Text("Everybody", "全部客户"),
        "begin": FROM,
        "end": TO,
        "sources": ("orders", "records"),
        "remarks": (),
    }
    return Measure(name, frame=pd.DataFrame(rows, columns=list(columns)), columns=columns, **told | changes)


def word(title, zh="词"):
    return About(Text(title, zh), "word")


def stages(remarks=()):
    rows = [(month, stage, 30 + 10 * n, 0.5) for month in MONTHS for n, stage in enumerate(("new", "mature"))]
    columns = {"month": About(Text("Month", "月份"), "day"), "stage": STAGE, "customers": CUSTOMERS, "share": SHARE}
    return measure("lifecycle_stages", columns, rows, remarks=remarks)


def transitions():
    rows = [
        ("new", "mature", 12, 0.4, 0.2, 0.6),
        ("new", "new", 18, 0.6, 0.4, 0.8),
        ("mature", "mature", 40, 1.0, 0.9, 1.0),
    ]
    columns = {"from_stage": STAGE, "to_stage": STAGE, "customers": CUSTOMERS, "share": SHARE, "low": LOW, "high": HIGH}
    return measure("lifecycle_transitions", columns, rows)


def stays():
    columns = {"stage": STAGE, "median_days": About(Text("Half left after", "半数离开所需时间"), "days")}
    return measure("lifecycle_time", columns, [("new", 61.0), ("mature", 91.5)])


def segments(name="segments_region", rows=(("north", 40, 0.8), (HOSTILE, None, None))):
    return measure(name, {"segment": word("Segment"), "customers": CUSTOMERS, "share": SHARE}, rows)


def kpis(parts=(None,)):
    columns = {"kpi": word("Figure", "指标"), "period": About(Text("Period", "时期"), "day")}
    columns |= {"part": word("Part", "部分")} if parts != (None,) else {}
    value = {
        "value": About(Text("Value", "值"), "number", Text("In its own unit", "按其单位"), unit_in="unit"),
        "low": About(Text("At least", "下限"), "number", unit_in="unit"),
        "high": About(Text("At most", "上限"), "number", unit_in="unit"),
        "target": About(Text("Target", "目标"), "number", unit_in="unit"),
        "unit": word("Unit", "单位"),
    }
    rows = [
        (kpi, month, *([part] if part else []), size + n, size + n - 0.1, size + n + 0.1, target, unit)
        for kpi, size, target, unit in (("basket", 21.0, None, "money"), ("churn_rate", 0.05, 0.04, "share"))
        for part in parts
        for n, month in enumerate(MONTHS)
    ]
    return measure("kpis", columns | value, rows)


def drivers():
    effect = {
        "effect": About(Text("Difference", "差异"), "number"),
        "low": About(Text("At least", "下限"), "number"),
        "high": About(Text("At most", "上限"), "number"),
    }
    rows = [("complaints_90d", 0.31, 0.2, 0.4), ("spend_90d", -0.2, -0.3, -0.1)]
    return measure("drivers", {"feature": word("Feature", "特征")} | effect, rows)


def days():
    columns = {
        "day": About(Text("Day", "日期"), "day"),
        **{one: About(Text(one, one), "number") for one in ("orders", "expected", "low", "high")},
        "unusual": word("Unusual"),
        "campaign": word("Campaign"),
        "name": word("Name"),
    }
    rows = [
        (f"2017-01-{n:02d}", 90 if n == 9 else 50, 50, 40, 60, n == 9, "spring" if n in (5, 6) else None, None)
        for n in range(1, 21)
    ]
    return measure("rhythm_days", columns, rows)


def indices(name="rhythm_weekday", column="weekday"):
    numbers = {one: About(Text(one, one), "ratio") for one in ("index", "low", "high")}
    words = {str(n): Text(f"Day {n}", f"第 {n} 天") for n in range(7)}
    rows = [(str(n), 0.7 + 0.1 * n, 0.6 + 0.1 * n, 0.8 + 0.1 * n) for n in range(7)]
    return measure(name, {column: About(Text(column, "时间"), "word", words=words)} | numbers, rows)


def funnel():
    columns = {
        "stage": word("Stage", "阶段"), "customers": CUSTOMERS, "reached_share": SHARE, "conversion": SHARE,
    }  # fmt: skip
    return measure("funnel", columns, [("seen", 200, 1.0, None), ("paid", 50, 0.25, 0.25)])


def last_weeks():
    numbers = {one: About(Text(one, f"{one} 组"), "number") for one in ("left", "stayed", "low", "high")}
    columns = {"measure": word("What", "内容"), "weeks_before": About(Text("Weeks", "周"), "number")} | numbers
    return measure(
        "last_days", columns, [("visits", week, 1.0 + week, 3.0, 0.5 + week, 1.5 + week) for week in (3, 2, 1)]
    )


def strategy():
    row = dict.fromkeys(COLUMNS) | {"action": "call", "evidence": "assumed", "open_to": 4, "cost": 6.0, "share": 0.5}
    told = {"customers": 20, "value": 90.0, "value_at_risk": 30.0, "churn_probability": 0.3, "expected_return": 12.0}
    rows = [row | told | {"stage": stage, "segment": "others"} for stage in ("new", "churned")]
    return measure("strategy", COLUMNS, [tuple(one.values()) for one in rows], remarks=(Text("Pooled", "合并"),))


def body(name, *measures, **changes):
    """Return what `churnml measure NAME --json` would print."""
    told = {"measure": name, "from": FROM, "to": TO, "every": "month", "by": None, "currency": "USD"}
    counts = {"time_zone": "UTC", "base": 70, "refused": 3, "smallest_group": 10}
    return told | counts | {"measures": [one.to_json() for one in measures]} | changes


def keep(workspace, told, now=1_514_880_843_000_000):
    """Keep a body as the run of its measure, as the verb does, and return the run's id."""
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start(told["measure"], "inputs", 1)
    catalogue.finish(run_id, now, told)
    engine.dispose()
    return run_id
