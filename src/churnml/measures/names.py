"""The sides of the customer base that are measured, as `churnml measure NAME`, its page and its route are called."""

from __future__ import annotations

from churnml.wording import Text

MEASURES: dict[str, Text] = {
    "lifecycle": Text("Lifecycle", "生命周期"),
    "funnel": Text("Funnel", "转化漏斗"),
    "segments": Text("Segments", "客户分群"),
    "kpis": Text("KPIs", "关键指标"),
    "drivers": Text("Drivers of churn", "流失因素"),
    "rhythm": Text("Rhythm", "购买节奏"),
    "strategy": Text("Strategy", "策略一览"),
}
"""By name, in the order in which a report tells them, and how each is worded."""
