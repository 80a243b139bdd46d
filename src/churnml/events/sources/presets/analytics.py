"""Google Analytics 4: the events its export to BigQuery holds, saved as Parquet or JSON lines."""

from __future__ import annotations

from churnml.events.sources import Format
from churnml.events.sources.presets.phrases import counted, not_an_address
from churnml.events.sources.presets.preset import Filling, Preset

_KINDS = {
    "session_start": "visit",
    "page_view": "view",
    "screen_view": "view",
    "view_item": "view",
    "view_search_results": "search",
    "add_to_cart": "cart",
    "add_to_wishlist": "wishlist",
}
"""Our word for theirs; login, share, search and every other name are kept as they are."""

_MONEY = "('purchase', 'in_app_purchase', 'refund')"


def _parameter(key: str, kind: str) -> str:
    return f'list_filter(event_params, lambda one: one."key" = \'{key}\')[1]."value".{kind}'


_TIME = _parameter("engagement_time_msec", "int_value")
_CASES = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in _KINDS.items())
_SENT = ("event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index")
_ALIKE = "customer_id, occurred_at, event_name, session_id, channel, item, category, query, duration_seconds"

# One page sends several events under one timestamp, and several of them are views. An act bears the name of its event,
# its place in what was sent, a digest of what is no part of the key, and, where the export has no place, its number
# among events that are alike in all we take: whatever the order of the rows, the same events get the same names.
_EVENTS = f"""
    WITH told AS (
        SELECT {not_an_address("user_id")} AS customer_id, event_timestamp AS occurred_at, event_name,
               CASE event_name {_CASES} ELSE event_name END AS kind,
               {_parameter("ga_session_id", "int_value")} AS session_id,
               CASE upper(platform) WHEN 'WEB' THEN 'web' WHEN 'IOS' THEN 'app' WHEN 'ANDROID' THEN 'app'
                    ELSE lower(platform) END AS channel,
               coalesce(items[1].item_id,
                        split_part(split_part({_parameter("page_location", "string_value")}, '?', 1), '#', 1)) AS item,
               items[1].item_category AS category, {_parameter("search_term", "string_value")} AS query,
               coalesce(round(try_cast({_TIME} AS BIGINT) / 1000)::BIGINT::VARCHAR, {_TIME}) AS duration_seconds,
               {", ".join(_SENT)}, source_row
        FROM events WHERE user_id IS NOT NULL AND coalesce(event_name, '') NOT IN {_MONEY}
    )
    SELECT customer_id, occurred_at, kind,
           concat_ws('/', event_name,
                     CASE WHEN batch_event_index IS NOT NULL
                          THEN concat_ws('.', {", ".join(f"coalesce({name}, '')" for name in _SENT)}) END,
                     left(md5(to_json([channel, category, duration_seconds])), 8),
                     CASE WHEN batch_event_index IS NULL
                          THEN nullif(row_number() OVER (PARTITION BY {_ALIKE}, batch_event_index), 1) END
           ) AS interaction_id,
           session_id, channel, item, category, query, duration_seconds, source_row
    FROM told
"""

GOOGLE_ANALYTICS = Preset(
    name="google_analytics",
    meaning=(
        "Google Analytics 4, linked to BigQuery: the tables events_YYYYMMDD exported as Parquet or JSON lines. Only "
        "events with a user_id count, which the site must set to the id the other tables use; one that is an e-mail "
        "address is replaced by the MD5 of its small letters. Purchases and refunds are left out: orders tell them. "
        "Each act bears the name of its event and its place among those sent together. Leave out the tables "
        "events_intraday_YYYYMMDD, which hold the same events; a day is complete after three more."
    ),
    documented="https://support.google.com/analytics/answer/7029846",
    files={"events": ("event_timestamp", "event_name", "event_params", "user_id")},
    optional={"events": ("platform", "items", *_SENT)},
    nested={
        "event_params": [{"key": "VARCHAR", "value": {"string_value": "VARCHAR", "int_value": "VARCHAR"}}],
        "items": [{"item_id": "VARCHAR", "item_category": "VARCHAR"}],
    },
    tables={
        "interactions": Filling(
            ("events",),
            _EVENTS,
            notes=counted("events without a user_id left out", "FROM events WHERE user_id IS NULL")
            + " UNION ALL "
            + counted(
                "purchases and refunds left out, bring them as orders",
                f"FROM events WHERE user_id IS NOT NULL AND event_name IN {_MONEY}",
            ),
        )
    },
    formats={"occurred_at": Format(unit="epoch_microseconds")},
)
