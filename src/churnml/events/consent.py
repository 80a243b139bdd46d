"""Who has refused what: profiling, which ends every use of their data here, and marketing, by channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt

from churnml.events.clock import midnight
from churnml.events.facts import Facts
from churnml.events.point_in_time import Store, history

_ALL_TIMES = midnight(date(2200, 1, 1), "UTC")
"""After everything that may land: a withdrawal counts from when it landed, whatever cutoff is asked about."""

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Marketing:
    """Who agreed to be approached, by channel.

    Parameters
    ----------
    agreed : dict of str to frozenset of str
        The customers who may be approached by a channel; under the empty name those of any other channel.
    declined : dict of str to frozenset of str
        Likewise those whose last word is that they may not.
    """

    agreed: dict[str, frozenset[str]]
    declined: dict[str, frozenset[str]]

    @property
    def tells_who_agreed(self) -> bool:
        """Whether anybody agreed; a table of nothing but withdrawals says nothing of those who are not in it."""
        return any(self.agreed.values())

    def may(self, customer_ids: Sequence[str], channel: str) -> npt.NDArray[np.bool_]:
        """Return who of some customers agreed to a channel, however it is written; shape (n_customers,)."""
        return _among(customer_ids, self.agreed, channel)

    def may_not(self, customer_ids: Sequence[str], channel: str) -> npt.NDArray[np.bool_]:
        """Return who of some customers declined a channel, however it is written; shape (n_customers,)."""
        return _among(customer_ids, self.declined, channel)


def _among(customer_ids: Sequence[str], by_channel: dict[str, frozenset[str]], channel: str) -> npt.NDArray[np.bool_]:
    who = by_channel.get(_plain(channel), by_channel[""])
    return np.fromiter((customer in who for customer in customer_ids), dtype=np.bool_, count=len(customer_ids))


def marketing(store: Store) -> Marketing:
    """Return what the customers last said of being approached; who never said anything did not agree.

    What was said of no channel holds for all; of what was said of all and of one, the later counts for that one. Where
    one moment holds both, the refusal does.
    """
    agreed: dict[str, set[str]] = {"": set()}
    declined: dict[str, set[str]] = {"": set()}
    blocks = [history(store, number, [_ALL_TIMES], _WANTED) for number in range(store.n_blocks)]
    channels = {_plain(word) for block in blocks for word in block.facts["consents"].words["channel"]} - {""}
    for block in blocks:
        for channel in ("", *channels):
            granted, taken_back = _last_word(block.facts["consents"], channel)
            agreed.setdefault(channel, set()).update(block.customer_ids[granted])
            declined.setdefault(channel, set()).update(block.customer_ids[taken_back])
    return Marketing(*({channel: frozenset(who) for channel, who in told.items()} for told in (agreed, declined)))


_WANTED = {"consents": ("purpose", "channel", "granted")}


def _plain(channel: str) -> str:
    """Return a channel as channels are compared: who withdraws from `Email` is not to be sent an `email`."""
    return channel.strip().casefold()


def _last_word(facts: Facts, channel: str) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return whose latest word on one channel, or on all, grants it, and whose does not; shape (n_customers,) each."""
    named = [place for place, word in enumerate(facts.words["channel"]) if _plain(word) in {channel, ""}]
    about = np.isin(facts.columns["channel"], [*named, -1])
    purpose = {word: place for place, word in enumerate(facts.words["purpose"])}.get("marketing", -2)
    rows = np.flatnonzero(about & (facts.columns["purpose"] == purpose))
    granted = facts.columns["granted"][rows].astype(np.bool_)
    order = rows[np.lexsort((~granted, facts.event_at[rows], facts.customer[rows]))]
    says, said = (np.zeros(len(facts.offsets) - 1, dtype=np.bool_) for _ in range(2))
    says[facts.customer[order]] = facts.columns["granted"][order]  # of several the last is the one that stays
    said[facts.customer[order]] = True
    return says, said & ~says


def refusals_changed(connection: duckdb.DuckDBPyConnection, landed: Sequence[str]) -> dict[str, bool]:
    """Return who of the customers in the staged consents now refuses to be profiled, and who no longer does.

    The latest word counts, by when it was said; where one moment holds both, the refusal does.

    Parameters
    ----------
    landed : sequence of str
        The Parquet files of consents that count already.
    """
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'staged_consents'").fetchall():
        return {}
    said = "SELECT customer_id, occurred_at, granted FROM"
    standing = f"UNION ALL {said} read_parquet($files) WHERE purpose = 'profiling'" if landed else ""
    rows = connection.execute(
        f"""
        WITH touched AS (SELECT DISTINCT customer_id FROM staged_consents WHERE broken <= 0 AND purpose = 'profiling'),
        said AS ({said} staged_consents WHERE broken = 0 AND purpose = 'profiling' {standing})
        SELECT customer_id, NOT arg_max(granted, (occurred_at, NOT granted))
        FROM said SEMI JOIN touched USING (customer_id) GROUP BY customer_id ORDER BY customer_id
        """,
        {"files": list(landed)} if landed else None,
    ).fetchall()
    return {str(customer): bool(refuses) for customer, refuses in rows}
