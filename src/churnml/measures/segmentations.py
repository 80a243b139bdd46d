"""The groupings that rules make: RFM, value and risk, attributes, and segments of a company's own."""

from __future__ import annotations

from churnml.config import OwnSegment
from churnml.events.books import Books
from churnml.measures.groups import OTHERS, Grouping
from churnml.measures.own_segments import IN, IN_OR_OUT, OUT, asked_columns, members
from churnml.measures.parts import UNKNOWN, parts
from churnml.measures.portrait import NOT_SCORED, tables_of
from churnml.measures.rfm import RFM_SEGMENTS
from churnml.measures.segments import SEGMENTS
from churnml.wording import Text

UNSCORED: dict[str, Text] = {
    "prospect": Text("Prospect", "潜在客户"),
    "trial": Text("On trial", "试用中"),
    "gone": Text("No longer a customer", "已不再是客户"),
    "contract": Text("Contract, not scored yet", "合同客户，尚未评分"),
    "no_contract": Text("Orders without a contract", "有订单但无合同"),
    NOT_SCORED: Text("Not known when scores were made", "评分时尚未建档"),
}
"""Why somebody has no cell of value and risk, and how it is worded."""

VALUE_RISK: dict[str, Text] = {**{str(cell): text for cell, text in SEGMENTS.items()}, **UNSCORED}
"""The cells of value and risk, then those of who has none."""


def rfm_grouping(window_days: int) -> Grouping:
    """Return the grouping by RFM segment, see `measures.rfm`."""
    return Grouping(
        "segments_rfm",
        Text("RFM segments", "RFM 分群"),
        Text(
            f"by fifths of recency, and of orders and money in {window_days} days, of all who ever ordered",
            f"按最近一次购买、{window_days} 天内购买次数和金额在所有下过单的客户中的五分位划分",
        ),
        "SELECT customer_id, rfm AS segment FROM portrait",
        {str(segment): text for segment, text in RFM_SEGMENTS.items()},
        ("orders",),
    )


def value_risk_grouping() -> Grouping:
    """Return the grouping by the cells of value and risk that the latest scores told."""
    return Grouping(
        "segments_value_risk",
        Text("Value and risk", "价值与风险"),
        Text(
            "thirds of value against the band of risk, by the latest scores; of who was not scored, why",
            "按最近一次评分的价值三分位与风险等级划分；未评分的客户注明原因",
        ),
        "SELECT customer_id, segment FROM portrait",
        VALUE_RISK,
    )


def attribute_groupings(books: Books, largest: int) -> tuple[Grouping, ...]:
    """Return the groupings by what customers are, as far as it is known of anybody.

    Parameters
    ----------
    largest : int
        How many places or channels are told apart, the largest first; the others are one group.
    """
    known = _known(books)
    told = tuple(_attribute(name, title, column, largest) for name, column, title in _ATTRIBUTES if column in known)
    return (*told, _ages(books)) if "birth_year" in known else told


def unknown_attributes(books: Books) -> tuple[Text, ...]:
    """Return a remark that names the attributes by which nobody can be told apart, none where there are none."""
    known = _known(books)
    names = ", ".join(
        f"`{column}`" for column in (*(one for _, one, _ in _ATTRIBUTES), "birth_year") if column not in known
    )
    if not names:
        return ()
    return (
        Text(
            f"not told apart by {names}: nobody has one; these columns of `customers` would tell",
            f"未按 {names} 划分：没有客户具备这些信息；在 `customers` 中导入这些列即可",
        ),
    )


def _known(books: Books) -> set[str]:
    """Return the columns of `customers` in which anybody has anything."""
    names = [*(column for _, column, _ in _ATTRIBUTES), "birth_year"]
    counts = ", ".join(f"count({column})" for column in names)
    [found] = books.connection.execute(f"SELECT {counts} FROM customers").fetchall()
    return {name for name, times in zip(names, found, strict=True) if times}


_ATTRIBUTES = (
    ("segments_region", "region", Text("Regions", "地区")),
    ("segments_city", "city", Text("Cities", "城市")),
    ("segments_gender", "gender", Text("Gender", "性别")),
    ("segments_income", "income_band", Text("Income", "收入水平")),
    ("segments_channel", "acquisition_channel", Text("How they came", "获客渠道")),
)


def _attribute(name: str, title: Text, column: str, largest: int) -> Grouping:
    ranked = f"""
        SELECT {column}, row_number() OVER (ORDER BY count(*) DESC, {column}) AS place
        FROM customers WHERE {column} IS NOT NULL GROUP BY {column}
    """
    query = f"""
        SELECT customer_id, CASE WHEN place <= {largest} THEN {column}
                                 WHEN {column} IS NOT NULL THEN '{OTHERS}' END AS segment
        FROM customers LEFT JOIN ({ranked}) USING ({column})
    """
    return Grouping(
        name,
        title,
        Text(
            f"by `{column}` of `customers`; beyond the {largest} largest, together",
            f"按 `customers` 中的 `{column}`；最大的 {largest} 个之外合并显示",
        ),
        query,
    )


def _ages(books: Books) -> Grouping:
    table = parts(books, "age_band")
    bands = books.connection.execute(f"SELECT DISTINCT part FROM {table} WHERE part <> '{UNKNOWN}'").fetchall()
    ascending = sorted((str(band) for (band,) in bands), key=lambda band: int(band.split("–")[0]))
    words = {band: Text(band, band) for band in ascending}
    return Grouping(
        "segments_age",
        Text("Age", "年龄"),
        Text("in tens of years, by the year of birth", "按出生年份，每十岁一段"),
        f"SELECT customer_id, part AS segment FROM {table}",
        words,
    )


def own_grouping(books: Books, segment: OwnSegment, where: str) -> Grouping:
    """Return the grouping by a segment of one's own, which stands in a file: who is in, and who is out.

    Raises
    ------
    ConfigError
        See `measures.own_segments.members`.
    """
    label = Text(segment.label.en, segment.label.zh)
    table = members(books, segment, where)
    return Grouping(
        f"segments_{segment.name}",
        label,
        Text(f"who meets `{segment.query}`", f"满足 `{segment.query}` 的客户"),
        f"SELECT customer_id, CASE WHEN member THEN '{IN}' ELSE '{OUT}' END AS segment FROM portrait "
        f"LEFT JOIN {table} USING (customer_id)",
        IN_OR_OUT,
        tables_of(books, asked_columns(segment, books.columns("portrait"), where)),
        _unknown(books, segment),
    )


def _unknown(books: Books, segment: OwnSegment) -> tuple[Text, ...]:
    """Say of which columns that a condition names nothing is known of anybody, so that it may hold of nobody."""
    asked = asked_columns(segment, books.columns("portrait"))
    counts = ", ".join(f'count("{column}")' for column in asked)
    [found] = books.connection.execute(f"SELECT {counts} FROM portrait").fetchall()
    names = ", ".join(f"`{column}`" for column, times in zip(asked, found, strict=True) if not times)
    if not names:
        return ()
    return (Text(f"{names}: known of nobody", f"{names}：没有任何客户具备该信息"),)
