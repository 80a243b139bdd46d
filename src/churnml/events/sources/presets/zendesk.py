"""Zendesk: tickets, from the CSV a view exports or from JSON lines with their metrics.

Zendesk counts minutes to the first reply and to the first resolution from the creation, by the calendar; we give them
back their date. It counts how often a ticket was opened again but not when, so `reopened_at` stays empty.
"""

from __future__ import annotations

from churnml.events.sources.presets.phrases import counted, hashed, instant, written
from churnml.events.sources.presets.preset import Filling, Preset, Shape


def _after(created: str, minutes: str) -> str:
    """Return SQL for the text of the instant some minutes after a creation; what is no number stays as it is."""
    return (
        f"coalesce({written(f'{instant(created)} + to_minutes(try_cast({minutes} AS BIGINT))')}, "
        f"CASE WHEN try_cast({minutes} AS BIGINT) IS NULL THEN {minutes} END)"
    )


def _query(head: str, facts: dict[str, str]) -> str:
    """Return the query over `head`, in which each fact has the name the two exports share."""
    named = ", ".join(f"{column} AS {name}" for name, column in facts.items())
    return f"""
        WITH told AS (SELECT {named} {head})
        SELECT coalesce(external_id, {hashed("address")}, requester) AS customer_id, created AS occurred_at, ticket_id,
               kind, channel, priority, {_after("created", "reply_minutes")} AS first_response_at,
               CASE WHEN resolution_minutes IS NOT NULL THEN {_after("created", "resolution_minutes")}
                    WHEN coalesce(reopens, '0') = '0' THEN solved END AS resolved_at, source_row
        FROM told
    """


_REOPENED = "tickets opened again, the export says how often but not when, so `reopened_at` stays empty"
_WHO = (
    "A customer is named by the requester's external id, else by the MD5 of the lower-cased e-mail address, else by "
    "Zendesk's own id: set external ids, or the other tables will not know the customer. "
)
_WHEN = (
    "The first reply and the first resolution are dated by their minutes since the creation; without those, a ticket "
    "that was never opened again was resolved when it was solved. Type, priority and external id may change, undated: "
    "they are taken as first exported, which for tickets older than the first export is as they were by then."
)

_CSV = _query(
    "FROM tickets",
    {
        "external_id": '"Requester external id"',
        "address": '"Requester email"',
        "requester": '"Requester id"',
        "created": '"Created at"',
        "ticket_id": '"Id"',
        "kind": "lower(nullif(\"Ticket type\", '-'))",
        "channel": 'lower("Via")',
        "priority": "lower(nullif(\"Priority\", '-'))",
        "reply_minutes": '"First reply time in minutes"',
        "resolution_minutes": '"First resolution time in minutes"',
        "solved": '"Solved at"',
        "reopens": '"Reopens"',
        "source_row": "source_row",
    },
)

ZENDESK_CSV = Preset(
    name="zendesk_csv",
    meaning=f"Zendesk Support: a view of tickets by Export CSV. {_WHO}{_WHEN} Times are in the account's time zone.",
    documented="https://support.zendesk.com/hc/en-us/articles/4408886165402",
    files={"tickets": ("Id", "Requester id", "Created at", "Status")},
    optional={
        "tickets": (
            "Requester external id",
            "Requester email",
            "Ticket type",
            "Via",
            "Priority",
            "Solved at",
            "Reopens",
            "First reply time in minutes",
            "First resolution time in minutes",
        )
    },
    tables={
        "tickets": Filling(
            ("tickets",), _CSV, notes=counted(_REOPENED, "FROM tickets WHERE coalesce(\"Reopens\", '0') <> '0'")
        )
    },
)

_MINUTES: Shape = {"calendar": "VARCHAR"}
_METRICS: Shape = {
    "solved_at": "VARCHAR",
    "reopens": "VARCHAR",
    "reply_time_in_minutes": _MINUTES,
    "first_resolution_time_in_minutes": _MINUTES,
}
_JOINED = """
    FROM tickets LEFT JOIN metrics ON metrics.ticket_id = tickets.id LEFT JOIN users ON users.id = tickets.requester_id
"""
_JSON = _query(
    _JOINED,
    {
        "external_id": "users.external_id",
        "address": "users.email",
        "requester": "tickets.requester_id",
        "created": "tickets.created_at",
        "ticket_id": "tickets.id",
        "kind": "tickets.type",
        "channel": "tickets.via.channel",
        "priority": "tickets.priority",
        "reply_minutes": "coalesce(metrics.reply_time_in_minutes, tickets.metric_set.reply_time_in_minutes).calendar",
        "resolution_minutes": "coalesce(metrics.first_resolution_time_in_minutes, "
        "tickets.metric_set.first_resolution_time_in_minutes).calendar",
        "solved": "coalesce(metrics.solved_at, tickets.metric_set.solved_at)",
        "reopens": "coalesce(metrics.reopens, tickets.metric_set.reopens)",
        "source_row": "tickets.source_row",
    },
)

ZENDESK_JSON = Preset(
    name="zendesk_json",
    meaning=(
        "Zendesk Support: the JSON export or the API, one ticket a line; beside it, or inside as `metric_set`, the "
        f"ticket metrics, and the users. {_WHO}{_WHEN}"
    ),
    documented=(
        "https://developer.zendesk.com/rest_api/docs/core/ticket_metrics and "
        "https://support.zendesk.com/hc/en-us/articles/4408886165402"
    ),
    files={
        "tickets": ("id", "requester_id", "created_at"),
        "metrics": ("ticket_id", "reply_time_in_minutes"),
        "users": ("id", "external_id"),
    },
    optional={
        "tickets": ("type", "priority", "via", "metric_set"),
        "metrics": ("solved_at", "reopens", "first_resolution_time_in_minutes"),
        "users": ("email",),
    },
    nested={
        "via": {"channel": "VARCHAR"},
        "metric_set": _METRICS,
        "reply_time_in_minutes": _MINUTES,
        "first_resolution_time_in_minutes": _MINUTES,
    },
    tables={
        "tickets": Filling(
            ("tickets",),
            _JSON,
            helped_by=("metrics", "users"),
            notes=counted(
                _REOPENED, f"{_JOINED} WHERE coalesce(metrics.reopens, tickets.metric_set.reopens, '0') <> '0'"
            ),
        )
    },
    time_zone="UTC",
)
