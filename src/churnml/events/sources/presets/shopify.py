"""Shopify: the exports of orders and of customers, as the admin writes them.

The orders export has one row for each line item; what belongs to the order stands in its first row only. It names
customers by e-mail address, the customers export gives the address an id. Neither dates a refund or a consent.
"""

from __future__ import annotations

from churnml.events.sources.presets.phrases import counted, hashed, written
from churnml.events.sources.presets.preset import Filling, Preset

_NEVER_PAID = "('voided', 'expired')"
_NOT_YET_PAID = "('pending', 'authorized')"


def _in_utc(text: str) -> str:
    """Return SQL for a time such as 2024-01-15 10:00:00 -0500 as ISO 8601; any other text stays as it is."""
    parsed = f"try_strptime({text}, '%Y-%m-%d %H:%M:%S %z')"
    return f"coalesce({written(parsed)}, {text})"


# `part` keeps rows without an order's name apart, so that none of them vanishes behind another
_PLACED = f"""
    WITH line_items AS (SELECT *, coalesce("Name", 'row ' || source_row) AS part FROM orders),
    heads AS (
        SELECT * FROM line_items QUALIFY row_number() OVER (PARTITION BY part ORDER BY source_row) = 1
    ),
    named AS (
        SELECT lower(trim("Email")) AS address, min(ltrim("Customer ID", '''')) AS known_id
        FROM customers WHERE "Email" IS NOT NULL GROUP BY 1
    ),
    placed AS (
        SELECT heads.*, coalesce(known_id, {hashed('"Email"')}) AS customer_id, known_id IS NOT NULL AS known,
               {_in_utc('"Created at"')} AS placed_at
        FROM heads LEFT JOIN named ON address = lower(trim("Email"))
        WHERE "Email" IS NOT NULL AND lower(coalesce("Financial Status", '')) NOT IN {_NEVER_PAID}
          AND lower(coalesce("Financial Status", '')) NOT IN {_NOT_YET_PAID}
    ),
    met AS (
        SELECT customer_id, coalesce(min(placed_at) FILTER (placed_at LIKE '%Z'), min(placed_at)) AS first_placed_at,
               arg_min("Billing Country", source_row) AS country, arg_min("Billing Province", source_row) AS province,
               arg_min("Billing City", source_row) AS town, arg_min("Billing Name", source_row) AS billed,
               arg_min("Email", source_row) AS address, min(source_row) AS source_row
        FROM placed GROUP BY 1
    ),
    listed AS (SELECT *, ltrim("Customer ID", '''') AS listed_id FROM customers)
"""

_PAID_BACK = """NOT regexp_full_match(coalesce("Refunded Amount", '0'), '0*[.,]?0*')"""

# an export that begins later, as each of a series does, is no later first contact of who is a customer already
_CUSTOMERS = f"""
    {_PLACED}
    SELECT customer_id, least(standing.met_at, first_placed_at) AS occurred_at,
           nullif(concat_ws('-', coalesce("Default Address Country Code", country),
                            coalesce("Default Address Province Code", province)), '') AS region,
           coalesce("Default Address City", town) AS city,
           coalesce(nullif(concat_ws(' ', "First Name", "Last Name"), ''), billed) AS display_name,
           ltrim(coalesce("Phone", "Default Address Phone"), '''') AS phone, coalesce("Email", address) AS email,
           met.source_row
    FROM met LEFT JOIN listed ON listed_id = customer_id LEFT JOIN standing USING (customer_id)
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY listed.source_row) = 1
"""

_ORDERS = f"""
    {_PLACED}
    SELECT customer_id, placed_at AS occurred_at, "Name" AS order_id, "Total" AS amount,
           "Discount Amount" AS discount, "Source" AS channel, "Currency" AS currency, source_row
    FROM placed
"""

_LINES = f"""
    {_PLACED}
    SELECT placed.customer_id, placed.placed_at AS occurred_at, placed."Name" AS order_id,
           row_number() OVER (PARTITION BY part ORDER BY line_items.source_row) AS line,
           coalesce(line_items."Lineitem sku", line_items."Lineitem name") AS product_id,
           line_items."Lineitem quantity" AS quantity,
           coalesce(
               (try_cast(line_items."Lineitem quantity" AS DECIMAL(9, 0))
                * try_cast(line_items."Lineitem price" AS DECIMAL(18, 4))
                - try_cast(coalesce(line_items."Lineitem discount", '0') AS DECIMAL(18, 4)))::DECIMAL(18, 4)::VARCHAR,
               concat_ws(' x ', line_items."Lineitem quantity", line_items."Lineitem price",
                         '-' || line_items."Lineitem discount")
           ) AS amount,
           line_items."Lineitem discount" AS discount, placed."Currency" AS currency, line_items.source_row
    FROM line_items JOIN placed USING (part)
    WHERE line_items."Lineitem name" IS NOT NULL OR line_items."Lineitem price" IS NOT NULL
"""

_RETURNS = f"""
    {_PLACED}
    SELECT customer_id, {_in_utc('"Cancelled at"')} AS occurred_at, "Name" AS order_id, 'refund' AS return_id,
           "Refunded Amount" AS amount, 'order cancelled' AS reason, "Currency" AS currency, source_row
    FROM placed WHERE "Cancelled at" IS NOT NULL AND {_PAID_BACK}
"""

# Undated words: a yes may be as old as the first contact and is never newer than a word someone dates, while a no holds
# from when the file says it. So an old export that is copied again takes nothing back.
_CONSENTS = f"""
    {_PLACED}
    SELECT listed_id AS customer_id,
           CASE lower("Accepts Email Marketing") WHEN 'yes' THEN coalesce(standing.met_at, first_placed_at)
                ELSE file_time END AS occurred_at,
           'marketing' AS purpose, 'email' AS channel,
           CASE lower("Accepts Email Marketing") WHEN 'yes' THEN 'true' WHEN 'no' THEN 'false'
                ELSE "Accepts Email Marketing" END AS granted, listed.source_row
    FROM listed LEFT JOIN met ON met.customer_id = listed_id LEFT JOIN standing ON standing.customer_id = listed_id
    WHERE "Accepts Email Marketing" IS NOT NULL AND coalesce(met.customer_id, standing.customer_id) IS NOT NULL
"""

SHOPIFY = Preset(
    name="shopify",
    meaning=(
        "Shopify admin: Orders > Export and Customers > Export, as CSV. Customers are those who ordered; one who is "
        "not in the customers export is named by the MD5 of the lower-cased e-mail address, so bring that export every "
        "time or never. First contact is the first order, here or in an earlier landing. The amount of an order is its "
        "`Total`, with shipping and taxes; that of a line is quantity times price less its own discount. Orders voided "
        "or expired are left out, and those pending or authorized until an export shows them paid, for what has landed "
        "is not taken back: let each export begin earlier than the last ended, by as long as a payment takes. A refund "
        "counts where the order was cancelled, at that time; the export dates no other. Consent to e-mail is not dated "
        "either: a yes counts from first contact and so never outlives a dated withdrawal, a no from the time the file "
        "was written. Who agrees again after a no is told by `consents` of your own, with the date."
    ),
    documented=(
        "https://help.shopify.com/en/manual/migrating-to-shopify/transporter-app/csv-orders and "
        "https://help.shopify.com/en/manual/migrating-to-shopify/transporter-app/csv-customers"
    ),
    files={
        "orders": ("Name", "Email", "Financial Status", "Total", "Created at", "Lineitem quantity", "Lineitem price"),
        "customers": ("Customer ID", "Email"),
    },
    optional={
        "orders": (
            "Currency",
            "Discount Amount",
            "Source",
            "Refunded Amount",
            "Cancelled at",
            "Lineitem name",
            "Lineitem sku",
            "Lineitem discount",
            "Billing Name",
            "Billing City",
            "Billing Province",
            "Billing Country",
        ),
        "customers": (
            "First Name",
            "Last Name",
            "Phone",
            "Default Address Phone",
            "Default Address City",
            "Default Address Province Code",
            "Default Address Country Code",
            "Accepts Email Marketing",
        ),
    },
    tables={
        "customers": Filling(
            ("orders",),
            _CUSTOMERS,
            helped_by=("customers",),
            notes=_PLACED
            + counted(
                "orders of customers named by a hash, whom the customers export does not list",
                "FROM placed WHERE NOT known",
            )
            + " UNION ALL "
            + counted(
                "customers left out, who never ordered and whom the export does not date",
                "FROM listed ANTI JOIN (FROM met UNION ALL BY NAME FROM standing) ON customer_id = listed_id",
            ),
        ),
        "orders": Filling(
            ("orders",),
            _ORDERS,
            helped_by=("customers",),
            notes=_PLACED
            + counted(
                "orders without an e-mail address left out, no customer can be told", 'FROM heads WHERE "Email" IS NULL'
            )
            + " UNION ALL "
            + counted(
                "orders voided or expired left out, they were never paid",
                f"""FROM heads WHERE "Email" IS NOT NULL AND lower("Financial Status") IN {_NEVER_PAID}""",
            )
            + " UNION ALL "
            + counted(
                "orders not paid yet left out, bring them again when they are",
                f"""FROM heads WHERE "Email" IS NOT NULL AND lower("Financial Status") IN {_NOT_YET_PAID}""",
            ),
        ),
        "order_lines": Filling(("orders",), _LINES, helped_by=("customers",)),
        "returns": Filling(
            ("orders",),
            _RETURNS,
            helped_by=("customers",),
            notes=_PLACED
            + counted(
                "refunds left out, the export says that they were made but not when",
                f'FROM placed WHERE "Cancelled at" IS NULL AND {_PAID_BACK}',
            ),
        ),
        "consents": Filling(
            ("customers", "orders"),
            _CONSENTS,
            notes="SELECT 'the export dates no consent: a yes counts from first contact, a no from when the file was "
            "written, ' || max(file_time) AS note FROM customers",
        ),
    },
)
