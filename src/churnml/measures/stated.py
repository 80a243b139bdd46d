"""What those who left said before: why contracts ended, what they complained of, what they wrote, by keyword.

What people state is one thing and what goes with leaving another: most say nothing, and who speaks is no sample of
those who do not. So the two stand beside each other. No comment is ever shown, only keywords that were looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from churnml.events import COMPLAINS
from churnml.events.books import Books
from churnml.measures.driver_tables import Told
from churnml.measures.exact import EXACT, exact_sum
from churnml.measures.intervals import wilson
from churnml.measures.last_days import WEEKS
from churnml.measures.matching import Matched
from churnml.measures.measure import About, Measure
from churnml.wording import Text

_DAYS = 7 * WEEKS
_KIND = f"CASE WHEN {COMPLAINS} THEN 'complaint' ELSE lower(trim(kind)) END"
Row = dict[str, Any]  # Any: texts, counts and shares of one line of the table
_WORDS_SHOWN = 3
_OTHER = "other"
_SOURCES = {
    "end_reason": Text("reason given at the end of a contract", "合同终止时所述原因"),
    "ticket": Text("kind of ticket in the 91 days before", "此前 91 天内的工单类型"),
    "return": Text("reason of a return in the 91 days before", "此前 91 天内的退货原因"),
    "comment": Text("theme of a survey comment in the 91 days before", "此前 91 天内问卷留言的主题"),
}


@dataclass(frozen=True)
class Theme:
    """What a comment may be about.

    Parameters
    ----------
    name : str
    label : Text
    words : tuple of str
        Any of them makes a comment one of this theme: as the beginning of a word, in Chinese anywhere.
    """

    name: str
    label: Text
    words: tuple[str, ...]

    @property
    def pattern(self) -> str:
        r"""The words as a regular expression of small letters.

        Examples
        --------
        >>> print(Theme("price", Text("price", "价格"), ("price", "贵")).pattern)
        (?:^|[^\p{L}])(?:price)|贵
        """
        by_letters = "|".join(re.escape(word.lower()) for word in self.words if word.isascii())
        anywhere = "|".join(re.escape(word.lower()) for word in self.words if not word.isascii())
        parts = [rf"(?:^|[^\p{{L}}])(?:{by_letters})" if by_letters else "", anywhere]
        return "|".join(part for part in parts if part)


def stated_reasons(books: Books, themes: Sequence[Theme], among: Matched, told: Told, begin: int, end: int) -> Measure:
    """Return what was said by those who left, and beside it by those who stayed; see `last_days.lay_compared`.

    Parameters
    ----------
    themes : sequence of Theme
        What is looked for in comments.
    begin, end : int
        Contracts that ended in it count, microseconds UTC.
    """
    found = [
        *_end_reasons(books, begin, end),
        *_told_in(books, "tickets", "ticket", _KIND, told.smallest),
        *_told_in(books, "returns", "return", "lower(trim(reason))", told.smallest),
        *_comments(books, themes, told.smallest),
    ]
    shown = [line for line in found if line["customers"] >= told.smallest]
    for line in shown:
        low, high = wilson([line["customers"]], [line["of"]])
        line |= {"share": line["customers"] / line["of"], "low": float(low[0]), "high": float(high[0])}
    columns = {
        "source": About(Text("Said", "来源"), "word", words=_SOURCES),
        "reason": About(Text("What", "原因"), "word", words=_worded(themes)),
        "customers": About(Text("Customers who left", "流失客户数"), "number"),
        "of": About(
            Text("Of", "其中"),
            "number",
            Text("customers who left and said anything there", "在该来源有所表示的流失客户数"),
        ),
        "share": About(Text("Share", "占比"), "share"),
        "low": About(Text("At least", "下限"), "share", Text("95 % interval", "95% 区间")),
        "high": About(Text("At most", "上限"), "share", Text("95 % interval", "95% 区间")),
        "stayed_share": About(
            Text("Of who stayed", "留存者占比"),
            "share",
            Text("of those alike who stayed and said anything there", "情况相近且有所表示的留存者中的占比"),
        ),
        "words": About(Text("Words found", "命中关键词"), "word"),
    }
    return Measure(
        "stated_reasons",
        Text("What they said themselves", "客户自述的原因"),
        Text(
            "Of the customers who left and said anything, how many said what; one may have said several things. "
            "Reasons of contracts are of all that ended, the others of the 91 days before the month start after which "
            "they left",
            "在有所表示的流失客户中，各类说法的人数，一人可有多种。合同原因取自期内全部终止的合同，其余取自流失所对应"
            "月初时点之前 91 天",
        ),
        told.population(among),
        pd.DataFrame(shown, columns=[*columns]),
        columns,
        told.begin,
        told.end,
        tuple(name for name in ("subscriptions", "tickets", "returns", "surveys") if name in books.tables),
        tuple(_remarks(books, found, shown, told)),
    )


def _end_reasons(books: Books, begin: int, end: int) -> Iterator[Row]:
    if "subscriptions" not in books.tables:
        return
    found = books.frame(
        """
        WITH said AS (
            SELECT customer_id, lower(trim(end_reason)) AS reason FROM subscriptions
            WHERE ended_at >= $begin AND ended_at < $end AND trim(end_reason) <> ''
        )
        SELECT reason, count(DISTINCT customer_id) AS customers, (SELECT count(DISTINCT customer_id) FROM said) AS of
        FROM said GROUP BY reason ORDER BY customers DESC, reason
        """,
        {"begin": begin, "end": end},
    )
    for row in found.itertuples():
        yield _line("end_reason", str(row.reason), int(row.customers), int(row.of), np.nan)


def _told_in(books: Books, table: str, source: str, reason: str, smallest: int) -> Iterator[Row]:
    """Yield the reasons in a table in the weeks before, with how many who left and who stayed have them."""
    if table not in books.tables:
        return
    said = f"""
        SELECT e.customer_id, r.gone, r.weight, e.reason
        FROM (SELECT customer_id, occurred_at, {reason} AS reason FROM {table}) AS e
        JOIN compared_days AS r USING (customer_id)
        WHERE local_time(e.occurred_at)::DATE < r.cutoff_day
          AND local_time(e.occurred_at)::DATE >= r.cutoff_day - {_DAYS} AND e.reason <> ''
    """
    yield from _counted(books, source, said, {}, smallest)


def _comments(books: Books, themes: Sequence[Theme], smallest: int) -> Iterator[Row]:
    if "surveys" not in books.tables:
        return
    written = f"""
        SELECT e.customer_id, r.gone, r.weight, lower(e.comment) AS comment
        FROM surveys AS e JOIN compared_days AS r USING (customer_id)
        WHERE local_time(e.answered_at)::DATE < r.cutoff_day
          AND local_time(e.answered_at)::DATE >= r.cutoff_day - {_DAYS} AND trim(e.comment) <> ''
    """
    books.keep("compared_comments", written)
    patterns = {f"pattern_{place}": theme.pattern for place, theme in enumerate(themes)}
    names = {f"name_{place}": theme.name for place, theme in enumerate(themes)}
    cases = [
        f"CASE WHEN regexp_matches(comment, $pattern_{place}) THEN $name_{place} END" for place in range(len(themes))
    ]
    found = f"list_filter([{', '.join(cases)}], lambda theme: theme IS NOT NULL)"
    said = f"""
        SELECT customer_id, gone, weight, unnest(CASE WHEN len(found) > 0 THEN found ELSE ['{_OTHER}'] END) AS reason
        FROM (SELECT customer_id, gone, weight, {found if themes else "[]::VARCHAR[]"} AS found FROM compared_comments)
    """
    by_name = {theme.name: theme for theme in themes}
    for line in _counted(books, "comment", said, patterns | names, smallest):
        theme = by_name.get(str(line["reason"]))
        yield line | {"words": None if theme is None else _words(books, theme)}


def _words(books: Books, theme: Theme) -> str:
    """Return the keywords of a theme that most of those who left wrote, as they stand in the settings."""
    asked = {f"word_{place}": Theme("", theme.label, (word,)).pattern for place, word in enumerate(theme.words)}
    counts = ", ".join(
        f"count(DISTINCT customer_id) FILTER (regexp_matches(comment, $word_{place}))"
        for place in range(len(theme.words))
    )
    found = books.frame(f"SELECT {counts} FROM compared_comments WHERE gone", asked).iloc[0].to_numpy()
    order = [place for place in np.argsort(-found, kind="stable")[:_WORDS_SHOWN] if found[place] > 0]
    return ", ".join(theme.words[place] for place in order)


def _counted(books: Books, source: str, said: str, given: Mapping[str, str], smallest: int) -> Iterator[Row]:
    """Yield each reason with its customers, weighted where they stayed, of all who said anything."""
    found = books.frame(
        f"""
        WITH said AS ({said}),
        of_customer AS (SELECT gone, reason, customer_id, max(weight) AS weight FROM said GROUP BY ALL),
        speaking AS (SELECT gone, customer_id, max(weight) AS weight FROM said GROUP BY ALL)
        SELECT reason, count(*) FILTER (gone) AS customers,
               coalesce(sum(weight::{EXACT}) FILTER (NOT gone), 0)::DOUBLE AS stayed,
               (SELECT count(*) FROM speaking WHERE gone) AS of,
               (SELECT {exact_sum("weight")} FROM speaking WHERE NOT gone) AS of_stayed,
               (SELECT count(*) FROM speaking WHERE NOT gone) AS speaking_stayed
        FROM of_customer GROUP BY reason ORDER BY customers DESC, reason
        """,
        given,
    )
    for row in found.itertuples():
        stayed = float(row.stayed) / float(row.of_stayed) if row.speaking_stayed >= smallest else np.nan
        yield _line(source, str(row.reason), int(row.customers), int(row.of), stayed)


def _line(source: str, reason: str, customers: int, of: int, stayed: float) -> Row:
    return {"source": source, "reason": reason, "customers": customers, "of": of, "stayed_share": stayed, "words": None}


def _worded(themes: Sequence[Theme]) -> dict[str, Text]:
    said = {
        "question": Text("question", "咨询"),
        "complaint": Text("complaint", "投诉"),
        _OTHER: Text("none of the themes", "未归入任何主题"),
    }
    return said | {theme.name: theme.label for theme in themes}


def _remarks(books: Books, found: Sequence[Row], shown: Sequence[Row], told: Told) -> Iterator[Text]:
    yield Text(
        "Most say nothing, and who speaks is no sample of those who do not.",
        "多数客户不作任何表示，发声者并不代表沉默者。",
    )
    hidden = len(found) - len(shown)
    if hidden:
        yield Text(
            f"{hidden} reasons of fewer than {told.smallest} customers are not shown.",
            f"有 {hidden} 个原因涉及客户不足 {told.smallest} 位，未列出。",
        )
    wanted = {
        "subscriptions": Text("reasons of contracts (`subscriptions`)", "合同终止原因（`subscriptions`）"),
        "tickets": Text("kinds of tickets (`tickets`)", "工单类型（`tickets`）"),
        "returns": Text("reasons of returns (`returns`)", "退货原因（`returns`）"),
        "surveys": Text("comments (`surveys`)", "问卷留言（`surveys`）"),
    }
    off = [text for name, text in wanted.items() if name not in books.tables]
    if off:
        yield Text(
            f"Not told, for the table has not landed: {', '.join(text.en for text in off)}.",
            f"数据表尚未导入，无法给出：{'、'.join(text.zh for text in off)}。",
        )
    silent = [source for source in _SOURCES if source not in {str(line["source"]) for line in found}]
    there = {"end_reason": "subscriptions", "ticket": "tickets", "return": "returns", "comment": "surveys"}
    nothing = [_SOURCES[source] for source in silent if there[source] in books.tables]
    if nothing:
        yield Text(
            f"Nothing was said there: {'; '.join(text.en for text in nothing)}.",
            f"以下来源没有任何内容：{'；'.join(text.zh for text in nothing)}。",
        )
