"""Who moved from which segment to which, between the beginning and the end of the span."""

from __future__ import annotations

from collections.abc import Mapping

from churnml.events.books import Books
from churnml.events.clock import moment
from churnml.measures.groups import BASE
from churnml.measures.measure import About, Asked, Measure
from churnml.measures.rfm import RFM_SEGMENTS, rfm_table
from churnml.measures.segmentations import VALUE_RISK
from churnml.wording import Text

NOT_KNOWN_YET = "not_known_yet"
_YET = {NOT_KNOWN_YET: Text("Not known yet", "当时尚未建档")}


def rfm_migration(books: Books, asked: Asked, window_days: int) -> Measure:
    """Return how customers moved between RFM segments; both days are scored by the steps of the earlier one.

    Returns
    -------
    Measure
        With `from_segment`, `to_segment`, `customers` and their `share` of those of `from_segment`. No rows, and a
        remark, where nobody had ordered before the span.
    """
    definition = Text(
        "RFM segment at the beginning of the span and at its end, both by the steps of its beginning, so "
        "that nobody moves because others did",
        "期初与期末的 RFM 分群，均采用期初的分数界限，因此不会因他人变化而移动",
    )
    words = {str(segment): text for segment, text in RFM_SEGMENTS.items()}
    title = Text("Moves between RFM segments", "RFM 分群迁移")
    ordered = f"SELECT 1 FROM {books.order_days} WHERE day < local_time($at)::DATE LIMIT 1"
    if books.frame(ordered, {"at": asked.begin}).empty:
        remark = Text(
            "nobody had ordered before the span begins: choose a later --from",
            "期初之前没有任何订单：请选择更晚的 --from",
        )
        return _measure(
            books, "segments_migration", title, definition, "", words, asked, ("customers", "orders"), (remark,)
        )
    before, after = (rfm_table(books, at, window_days, asked.begin) for at in (asked.begin, asked.end))
    query = _MOVES.format(
        before=f"SELECT customer_id, rfm AS segment FROM {before}",
        after=f"SELECT customer_id, rfm AS segment FROM {after}",
    )
    return _measure(books, "segments_migration", title, definition, query, words, asked, ("customers", "orders"))


def value_risk_migration(books: Books, asked: Asked, before: str | None, scored_on: tuple[str, str] | None) -> Measure:
    """Return how customers moved between the cells of value and risk.

    Parameters
    ----------
    before : str or None
        A table with `customer_id`, `segment` and `rung` of the scores at the beginning of the span; None where there
        are none, or none since.
    scored_on : tuple of str or None
        The cutoffs of both scores, ISO 8601.
    """
    title = Text("Moves between cells of value and risk", "价值与风险分群迁移")
    definition = Text(
        "by the latest scores up to the beginning of the span, and up to its end",
        "分别按期初之前和期末之前最近一次的评分",
    )
    if before is None or scored_on is None:
        remark = Text(
            "needs scores of two cutoffs, one up to the beginning of the span, one within it: `churnml score --cutoff`",
            "需要两次评分，一次不晚于期初，一次在期间内：`churnml score --cutoff`",
        )
        return _measure(books, _VALUE_RISK, title, definition, "", VALUE_RISK, asked, ("customers",), (remark,))
    query = _MOVES.format(
        before=f"SELECT customer_id, coalesce(segment, rung) AS segment FROM {before}",
        after="SELECT customer_id, segment FROM portrait",
    )
    remark = Text(
        f"scores of {scored_on[0]} against {scored_on[1]}; a model trained anew in between draws the cells anew",
        f"{scored_on[0]} 的评分对比 {scored_on[1]}；期间若重新训练模型，分群界限会随之改变",
    )
    return _measure(
        books, _VALUE_RISK, title, definition, query, VALUE_RISK, asked, ("customers", "records"), (remark,)
    )


_VALUE_RISK = "segments_migration_value_risk"
_MOVES = f"""
    SELECT coalesce(earlier.segment, '{NOT_KNOWN_YET}') AS from_segment, later.segment AS to_segment,
           count(*) AS customers
    FROM ({{after}}) AS later JOIN customers USING (customer_id) LEFT JOIN ({{before}}) AS earlier USING (customer_id)
    GROUP BY ALL
"""
_NO_MOVES = "SELECT NULL::VARCHAR AS from_segment, NULL::VARCHAR AS to_segment, NULL::BIGINT AS customers WHERE false"


def _measure(
    books: Books,
    name: str,
    title: Text,
    definition: Text,
    query: str,
    words: Mapping[str, Text],
    asked: Asked,
    sources: tuple[str, ...],
    remarks: tuple[Text, ...] = (),
) -> Measure:
    frame = books.frame(query or _NO_MOVES)
    whole = frame.groupby("from_segment")["customers"].transform("sum")
    frame["share"] = (frame["customers"] / whole).where(whole >= asked.smallest)
    place = {word: turn for turn, word in enumerate([*words, NOT_KNOWN_YET])}
    order = frame[["from_segment", "to_segment"]].apply(lambda column: column.map(place))
    frame = frame.loc[order.sort_values(["from_segment", "to_segment"]).index].reset_index(drop=True)
    told = {**words, **_YET}
    zone = books.time_zone
    return Measure(
        name=name,
        title=title,
        definition=definition,
        population=BASE,
        frame=frame,
        columns={
            "from_segment": About(Text("From", "从"), "word", words=told),
            "to_segment": About(Text("To", "到"), "word", words=told),
            "customers": About(Text("Customers", "客户数"), "number"),
            "share": About(Text("Share", "占比"), "share", Text("of those who were there", "占原分群的比例")),
        },
        begin=moment(asked.begin, zone).date().isoformat(),
        end=moment(asked.end, zone).date().isoformat(),
        sources=sources,
        remarks=remarks,
    )
