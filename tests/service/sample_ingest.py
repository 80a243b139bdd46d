"""Reports of ingest of every outcome, as JSON, some of what they quote hostile."""

NASTY = {
    "markup": "<script>alert(1)</script>",
    "nul": "12\0.50",
    "lines": "two\r\nlines",
    "backwards": "abc\u202egnp.exe",
    "blanks": "  9.50 ",
    "half": "\ud83d",
    "long": "x" * 5_000,
}
CUSTOMERS_AT, ORDERS_AT, ENDS_AT = 1_451_606_400_000_000, 1_483_228_800_000_000, 1_514_764_799_000_000
ROWS_FILE = "/srv/churnml/workspace/quarantine/000007.jsonl"


def example(kind, table, file, row, column, value, **changes):
    """Return a row that was set aside or warned about."""
    body = {
        "kind": kind,
        "table": table,
        "file": file,
        "row": row,
        "customer_id": f"{1000 + row}",
        "column": column,
        "value": value,
        "rule": "",
        "remedy": "",
        "whole_row": {"customer_id": f"{1000 + row}", column: value},
    }
    return body | changes


def finding(kind, column, rule, remedy, examples, count=None):
    """Return a finding with these examples; there are `count` rows, or as many as examples."""
    told = [one | {"rule": rule, "remedy": remedy} for one in examples]
    return {
        "kind": kind,
        "column": column,
        "rule": rule,
        "remedy": remedy,
        "count": count or len(told),
        "examples": told,
    }


def table(name, origin, read, landed, skipped=0, quarantined=0, **changes):
    """Return what became of one source."""
    body = {
        "table": name,
        "origin": origin,
        "read": read,
        "landed": landed,
        "skipped": skipped,
        "quarantined": quarantined,
        "fills": 0,
        "newer": 0,
        "findings": [],
        "missing": {"customer_id": 0.0, "occurred_at": 0.0},
        "first_at": ORDERS_AT,
        "last_at": ENDS_AT,
        "ignored_columns": [],
        "notes": [],
        "backfill": True,
        "learned_now": False,
        "undated": landed,
    }
    return body | changes


def findings():
    """Return findings of both kinds about orders, hostile values among them."""

    def rows(kind, column, values):
        return [example(kind, "orders", "orders-2017.csv", 17 + 31 * n, column, one) for n, one in enumerate(values)]

    amounts = [*NASTY.values(), *(f"{n},50" for n in range(13))]
    broken_record = example("quarantine", "orders", "orders-2017.csv", 9_411, "order_id", None, customer_id=None)
    return [
        finding(
            "quarantine",
            "amount",
            "must be an amount",
            "write it with digits and a point and no currency sign, or declare `decimal` and `thousands` in "
            "sources.yaml",
            rows("quarantine", "amount", amounts),
            1_240,
        ),
        finding(
            "quarantine",
            "customer_id",
            "must be a customer of the table `customers`",
            "land the customer first, or write the id as there",
            rows("quarantine", "customer_id", ["00123", "NA", "客户 7"]),
        ),
        finding(
            "quarantine",
            "",
            "has 7 values where the header has 6",
            "quote the values that hold a comma",
            [broken_record | {"whole_row": "9411,2017-03-04,A-77,9,50,web,<b>extra</b>"}],
        ),
        finding(
            "warning",
            "occurred_at",
            "was there twice: clocks went back; the second is taken",
            "export times with their offset, or in UTC",
            rows("warning", "occurred_at", ["2017-10-29 02:15:00", "2017-10-29 02:40:10"]),
            38,
        ),
    ]


def preflight():
    """Return what stands in the workspace."""
    return {
        "rows": {"customers": 5_210, "orders": 120_431, "tickets": 892},
        "first_at": ORDERS_AT,
        "last_at": ENDS_AT,
        "span_days": 365,
        "missing_tables": [],
    }


def outlook(**changes):
    """Return the answer of the pre-flight."""
    body = {
        "suffices": True,
        "horizon_days": 60,
        "needs_days": 270,
        "has_days": 365,
        "says": "365 days of history suffice for a horizon of 60 days, which needs 270",
        "families_on": ["engagement", "profile", "purchase"],
        "families_off": {
            "behavior": "needs interactions",
            "satisfaction": "needs surveys or tickets or returns",
            "subscription": "needs subscriptions",
        },
    }
    return body | changes


def landed(**changes):
    """Return the report of a landing of three sources, one with findings."""
    orders = table(
        "orders",
        "orders-2017.csv",
        121_702,
        120_431,
        27,
        1_244,
        findings=findings(),
        missing={"customer_id": 0.0, "occurred_at": 0.0, "order_id": 0.0, "amount": 0.0, "discount": 0.62,
                 "cost": 1.0, "quantity": 0.0004, "channel": 0.25},
        ignored_columns=["Notes (internal)", "<img src=x>"],
        notes=["read as gb18030, since it is not UTF-8", "the delimiter is `;`"],
    )  # fmt: skip
    tickets = table(
        "tickets", "tickets.json", 905, 892, 13, backfill=False, learned_now=True, fills=41, newer=0,
        missing={"customer_id": 0.0, "resolved_at": 0.31},
    )  # fmt: skip
    customers = table("customers", "customers.xlsx", 5_210, 5_210, first_at=CUSTOMERS_AT)
    body = {
        "batch_id": 7,
        "tables": [customers, orders, tickets],
        "refused": [],
        "already_landed": ["surveys-2016.csv"],
        "rows_file": ROWS_FILE,
        "preflight": preflight(),
        "outlook": outlook(),
    }
    return body | changes


def checked():
    """Return the report of a check without a finding, of too short a history."""
    says = (
        "a horizon of 60 days needs 270 days of history, found 91: bring more, or shorten `horizon_days` or "
        "`min_history_days` in configs/train.yaml"
    )
    short = outlook(suffices=False, has_days=91, says=says)
    return landed(batch_id=None, tables=[table("customers", "customers.csv", 210, 210)], rows_file="", outlook=short)


def refused():
    """Return the report of a refusal of two sources for two reasons."""
    too_many = (
        "orders-2017.csv: no more rows may break a rule than `max_bad_share` of configs/workspace.yaml allows, found "
        "1,244 of 121,702; first: data row 17, column `amount` must be a number, found '<script>': write it with "
        "digits only. Correct the file, or raise `max_bad_share`"
    )
    no_column = (
        "returns.csv: table `returns` needs the column `order_id`, found `customer_id`, `order_no`; add or rename the "
        "column, or map it in sources.yaml; did you mean `order_no`?"
    )
    reasons = [("orders", "orders-2017.csv", too_many), ("returns", "returns.csv", no_column)]
    told = [dict(zip(("table", "origin", "reason"), one, strict=True)) for one in reasons]
    body = landed(batch_id=None, refused=told)
    del body["outlook"]
    return body


def unchanged():
    """Return the report of an ingest whose sources had all landed before."""
    return landed(batch_id=None, tables=[], rows_file="", already_landed=["customers.csv", "orders.csv"])
