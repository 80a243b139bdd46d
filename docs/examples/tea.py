"""Tea drinkers: what share of their spend goes on tea."""

from churnml.features import Aggregate, Feature, Text, share

TEA = Aggregate("order_lines", "sum", "amount", days=180, where={"category": "tea"})
ALL = Aggregate("order_lines", "sum", "amount", days=180)
FEATURES = [
    Feature(
        name="tea_share_180d", family="own", group="tea", unit="share", table="order_lines",
        needs=(TEA, ALL), derive=share, missing="nothing bought in 180 days",
        meaning=Text("share of spend that went on tea, 180 days", "最近 180 天茶叶消费占比"),
        sentence=Text("{value} of what they spent in 180 days went on tea", "180 天内消费的 {value} 用于茶叶"),
    ),
]  # fmt: skip
