"""Stripe: the dashboard's exports of customers, subscriptions and invoices, with times in UTC and amounts in units."""

from __future__ import annotations

from churnml.events.sources.presets.phrases import counted
from churnml.events.sources.presets.preset import Filling, Preset

_NEVER_BEGAN = "('incomplete', 'incomplete_expired')"
_BEGAN = f"FROM subscriptions WHERE lower(coalesce(\"Status\", '')) NOT IN {_NEVER_BEGAN}"
# A cancellation asked for is dated at once, an end only when it has come. Not every export has the flag that says so.
_ENDED = """CASE WHEN lower("Status") = 'canceled' THEN coalesce("Ended At (UTC)", "Canceled At (UTC)")
                 ELSE "Ended At (UTC)" END"""
_LEAVES = """CASE WHEN "Cancel At Period End" IS NULL THEN "Canceled At (UTC)" IS NOT NULL
                 ELSE lower("Cancel At Period End") IN ('true', 'yes', '1') END"""

_CUSTOMERS = """
    SELECT "id" AS customer_id, "Created (UTC)" AS occurred_at, coalesce("Name", "Description") AS display_name,
           "Phone" AS phone, "Email" AS email, source_row
    FROM customers
"""

# `Start (UTC)` is the last change of plan, `Start Date (UTC)` the first day
_SUBSCRIPTIONS = f"""
    SELECT "Customer ID" AS customer_id, coalesce("Start (UTC)", "Start Date (UTC)", "Created (UTC)") AS occurred_at,
           "id" AS subscription_id, coalesce("Plan", "Product") AS plan, "Amount" AS amount,
           CASE WHEN coalesce("Interval Count", '1') = '1' THEN lower("Interval")
                WHEN lower("Interval") = 'month' AND "Interval Count" = '3' THEN 'quarter'
                WHEN lower("Interval") = 'month' AND "Interval Count" = '12' THEN 'year'
           END AS period,
           coalesce("Start Date (UTC)", "Created (UTC)") AS started_at,
           CASE WHEN {_ENDED} IS NULL AND NOT {_LEAVES} THEN "Current Period End (UTC)" END AS renews_at,
           CASE WHEN {_ENDED} IS NULL AND {_LEAVES} THEN "Current Period End (UTC)" ELSE {_ENDED} END AS ended_at,
           CASE WHEN coalesce({_ENDED}, CASE WHEN {_LEAVES} THEN "Current Period End (UTC)" END) IS NOT NULL
                THEN "Cancellation Reason" END AS end_reason,
           "Currency" AS currency, source_row
    {_BEGAN}
"""

_OWED = r"""NOT regexp_full_match(coalesce("Amount Due", '1'), '0*[.,]?0*')"""
_SETTLED = "lower(\"Status\") IN ('paid', 'uncollectible')"
_PAYMENTS = f"""
    SELECT "Customer" AS customer_id,
           CASE lower("Status") WHEN 'paid' THEN coalesce("Paid At (UTC)", "Date (UTC)")
                ELSE coalesce("Marked Uncollectible At (UTC)", "Date (UTC)") END AS occurred_at,
           CASE lower("Status") WHEN 'paid' THEN 'payment' ELSE 'payment_failed' END AS kind, "id" AS item,
           "Subscription" AS category, source_row
    FROM invoices WHERE {_SETTLED} AND {_OWED}
"""

STRIPE = Preset(
    name="stripe",
    meaning=(
        "Stripe dashboard: Customers, Subscriptions and Invoices, each by Export with all columns, times in UTC. "
        "Amounts are in units of the currency, as the dashboard writes them (the API counts cents: its JSON is no such "
        "export). `Amount` of a subscription is taken as it stands. One that was cancelled and has "
        "not ended yet ends with its period. When it renews is what the export says on its day. Subscriptions whose "
        "first payment never came are left out. An invoice is a payment where it is paid and a "
        "failed one where it is uncollectible; open, void, draft and free ones are no act of the customer."
    ),
    documented=(
        "https://docs.stripe.com/api/subscriptions/object and https://docs.stripe.com/api/invoices/object for what the "
        "columns mean; the dashboard's export dialogue lists their names"
    ),
    files={
        "customers": ("id", "Email", "Created (UTC)"),
        "subscriptions": ("id", "Customer ID", "Status", "Amount", "Interval", "Created (UTC)"),
        "invoices": ("id", "Customer", "Status", "Date (UTC)"),
    },
    optional={
        "customers": ("Name", "Description", "Phone"),
        "subscriptions": (
            "Plan",
            "Product",
            "Quantity",
            "Currency",
            "Interval Count",
            "Start (UTC)",
            "Start Date (UTC)",
            "Current Period End (UTC)",
            "Cancel At Period End",
            "Canceled At (UTC)",
            "Ended At (UTC)",
            "Cancellation Reason",
        ),
        "invoices": ("Subscription", "Amount Due", "Paid At (UTC)", "Marked Uncollectible At (UTC)"),
    },
    tables={
        "customers": Filling(("customers",), _CUSTOMERS),
        "subscriptions": Filling(
            ("subscriptions",),
            _SUBSCRIPTIONS,
            notes=counted(
                "subscriptions left out, their first payment never came",
                f'FROM subscriptions WHERE lower("Status") IN {_NEVER_BEGAN}',
            )
            + " UNION ALL "
            + counted(
                "subscriptions of a quantity other than one, check that `Amount` is their whole price",
                f"{_BEGAN} AND coalesce(\"Quantity\", '1') <> '1'",
            ),
        ),
        "interactions": Filling(
            ("invoices",),
            _PAYMENTS,
            notes=counted(
                "invoices left out, neither paid nor uncollectible, or of nothing",
                f"FROM invoices WHERE NOT (coalesce({_SETTLED}, false) AND {_OWED})",
            ),
        ),
    },
    time_zone="UTC",
)
