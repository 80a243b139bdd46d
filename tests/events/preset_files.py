"""Sample files in the documented shape of each known export, and what presets make of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.events.sources import Rows, Source
from churnml.events.sources.presets import Preset, preset_sources

WRITTEN = 1_709_287_200  # 2024-03-01 10:00 UTC

SHOPIFY_ORDERS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,"
    "Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,"
    "Lineitem discount,Billing Name,Billing City,Billing Province,Billing Country,Notes,Cancelled at,Refunded Amount,"
    "Id,Source\n"
    "#1001,a@example.com,paid,2024-01-15 10:01:00 -0500,fulfilled,no,EUR,50.00,5.00,0.00,55.00,"
    "TEN,10.00,2024-01-15 10:00:00 -0500,2,Cup,20.00,CUP-1,"
    '0.00,A A,Bern,BE,CH,"ring twice,\nthen wait",,0.00,9001,web\n'
    "#1001,a@example.com,,,,,,,,,,,,,1,Plate,20.00,,5.00,,,,,,,,,\n"
    "#1002,Guest@Example.com,refunded,2024-01-16 09:00:00 +0100,,no,EUR,30.00,0.00,0.00,30.00,,0.00,"
    "2024-01-16 09:00:00 +0100,1,Bowl,30.00,BOWL,0.00,G G,Wien,,AT,,2024-01-18 12:00:00 +0100,30.00,9002,pos\n"
    "#1003,a@example.com,partially_refunded,2024-02-01 00:30:00 +0100,,no,EUR,20.00,0.00,0.00,20.00,,0.00,"
    "2024-02-01 00:30:00 +0100,1,Cup,20.00,CUP-1,0.00,A A,Bern,BE,CH,,,5.00,9003,web\n"
    "#1004,,paid,2024-02-02 10:00:00 +0100,,no,EUR,7.00,0.00,0.00,7.00,,0.00,2024-02-02 10:00:00 +0100,1,Card,7.00,,"
    "0.00,,,,,,,0.00,9004,pos\n"
    "#1005,a@example.com,voided,,,no,EUR,99.00,0.00,0.00,99.00,,0.00,2024-02-03 10:00:00 +0100,1,Vase,99.00,VASE,"
    "0.00,A A,Bern,BE,CH,,2024-02-03 11:00:00 +0100,0.00,9005,web\n"
    "#1006,a@example.com,pending,,,no,EUR,9.00,0.00,0.00,9.00,,0.00,2024-02-04 10:00:00 +0100,1,Mug,9.00,MUG,"
    "0.00,A A,Bern,BE,CH,,,0.00,9006,web\n"
)

SHOPIFY_CUSTOMERS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Phone,Total Spent,Total Orders,Tags\n"
    "'00777,Ada,Adams,A@example.com,yes,Bern,BE,CH,'+41000000000,75.00,2,\"vip, old\"\n"
    "'00778,,,never@example.com,no,,,,,0.00,0,\n"
)

STRIPE_CUSTOMERS = (
    "id,Description,Email,Name,Created (UTC),Delinquent\n"
    "cus_1,,one@example.com,One,2023-01-02 10:00,false\n"
    "cus_2,the second,,,2023-02-03 11:30,true\n"
)

STRIPE_SUBSCRIPTIONS = (
    "id,Customer ID,Customer Email,Plan,Quantity,Currency,Interval,Interval Count,Amount,Status,Created (UTC),"
    "Start (UTC),Start Date (UTC),Current Period Start (UTC),Current Period End (UTC),Cancel At Period End,"
    "Canceled At (UTC),Ended At (UTC),Cancellation Reason\n"
    "sub_1,cus_1,one@example.com,Pro,1,usd,month,1,29.00,active,2023-01-02 10:00,2023-06-02 10:00,2023-01-02 10:00,"
    "2024-02-02 10:00,2024-03-02 10:00,false,,,\n"
    "sub_2,cus_2,,Basic,3,usd,month,3,30.00,canceled,2023-02-03 11:30,2023-02-03 11:30,2023-02-03 11:30,"
    "2023-05-03 11:30,2023-08-03 11:30,false,2023-07-01 08:00,2023-08-03 11:30,unpaid\n"
    "sub_3,cus_2,,Basic,1,usd,year,1,100.00,active,2023-09-01 00:00,,,2023-09-01 00:00,2024-09-01 00:00,true,"
    "2024-01-05 00:00,,wish\n"
    "sub_4,cus_2,,Basic,1,usd,month,1,10.00,incomplete_expired,2023-10-01 00:00,,,,,false,,,\n"
)

STRIPE_INVOICES = (
    "id,Amount Due,Amount Paid,Currency,Customer,Subscription,Status,Date (UTC),Paid At (UTC),"
    "Marked Uncollectible At (UTC),Number\n"
    "in_1,29.00,29.00,usd,cus_1,sub_1,paid,2023-01-02 10:00,2023-01-02 10:01,,A-1\n"
    "in_2,30.00,0.00,usd,cus_2,sub_2,uncollectible,2023-05-03 11:30,,2023-06-01 00:00,A-2\n"
    "in_3,0.00,0.00,usd,cus_1,sub_1,paid,2023-02-02 10:00,2023-02-02 10:00,,A-3\n"
    "in_4,29.00,0.00,usd,cus_1,sub_1,open,2024-02-02 10:00,,,A-4\n"
)

ZENDESK_VIEW = (
    "Summation column,Id,Requester,Requester id,Requester external id,Requester email,Subject,Status,Priority,Via,"
    "Ticket type,Created at,Initially assigned at,Solved at,Reopens,Replies,First reply time in minutes,"
    "First resolution time in minutes\n"
    '1,41,R,360001,00777,a@example.com,"It broke,\nagain",Solved,High,Mail,Problem,2024-03-30 23:00,,'
    "2024-04-02 09:00,1,3,240,600\n"
    "1,42,S,360002,,S@example.com,Where,Solved,-,Web form,-,2024-03-01 10:00,,2024-03-01 12:00,0,1,,\n"
    "1,43,T,360003,,,Why,New,Normal,Chat,Question,2024-03-02 10:00,,,0,0,,\n"
)

HUBSPOT_CONTACTS = (
    "Record ID,First Name,Last Name,Email,Phone Number,Lead Status,Create Date,City,Country/Region,Original Source,"
    "Contact owner,Unsubscribed from all email\n"
    "901,Ada,,a@example.com,+41 00,NEW,2024-03-12 09:14,Bern,Switzerland,Organic Search,Rep One,\n"
    "902,,,b@example.com,,OPEN_DEAL,2024-03-15 14:30,,,Offline Sources,,true\n"
)

SALESFORCE_CONTACTS = (
    '"Id","IsDeleted","AccountId","LastName","FirstName","MailingCity","MailingState","Email","LeadSource","Birthdate",'
    '"OwnerId","HasOptedOutOfEmail","CreatedDate"\n'
    '"003A000001aBcDEFGH","false","001A000001xYzABCDE","Adams","Ada","Bern","BE","a@example.com","Web","1980-05-06",'
    '"005A0000001","true","2024-01-02T03:04:05.000Z"\n'
    '"003a000001aBcDEFGH","0","","Brown","","","","","","","","0","2024-01-03 03:04:05"\n'
    '"003A000001gone","1","","Gone","","","","","","","","1","2024-01-04T03:04:05.000+0000"\n'
)

SALESFORCE_ACCOUNTS = (
    '"Id","IsDeleted","Name","Type","BillingCity","BillingState","BillingCountry","Industry","OwnerId","CreatedDate"\n'
    '"001A000001xYzABCDE","false","First ""Mill"" Ltd","Customer","Bern","","CH","Energy","005A0000001",'
    '"2023-01-02T03:04:05.000Z"\n'
)

EVENTS = [
    {
        "event_date": "20240305",
        "event_timestamp": 1_709_632_800_000_001,
        "event_name": "page_view",
        "event_params": [
            {"key": "ga_session_id", "value": {"string_value": None, "int_value": 1_709_632_790}},
            {"key": "page_location", "value": {"string_value": "https://shop.example/cups?u=a", "int_value": None}},
            {"key": "engagement_time_msec", "value": {"string_value": None, "int_value": 2600}},
        ],
        "user_id": "00777",
        "user_pseudo_id": "1.2",
        "platform": "WEB",
        "items": [],
        "event_bundle_sequence_id": 9,
        "batch_page_id": 1,
        "batch_ordering_id": 2,
        "batch_event_index": 3,
    },
    {
        "event_date": "20240305",
        "event_timestamp": 1_709_632_801_000_000,
        "event_name": "add_to_cart",
        "event_params": [],
        "user_id": "A@example.com",
        "user_pseudo_id": "1.3",
        "platform": "IOS",
        "items": [{"item_id": "CUP-1", "item_name": "Cup", "item_category": "kitchen"}],
    },
    {
        "event_date": "20240305",
        "event_timestamp": 1_709_632_802_000_000,
        "event_name": "view_search_results",
        "event_params": [{"key": "search_term", "value": {"string_value": "blue cup", "int_value": None}}],
        "user_id": "00777",
        "user_pseudo_id": "1.2",
        "platform": "WEB",
        "items": [],
    },
    *(
        {
            "event_date": "20240305",
            "event_timestamp": 1_709_632_803_000_000,
            "event_name": name,
            "event_params": [],
            "user_id": who,
            "user_pseudo_id": "1.4",
            "platform": "WEB",
            "items": [],
        }
        for name, who in (("quiz_done", "00777"), ("purchase", "00777"), ("page_view", None))
    ),
]

TICKETS = [
    {
        "id": 41,
        "requester_id": 360001,
        "created_at": "2024-03-05T10:00:00Z",
        "type": "problem",
        "priority": "high",
        "via": {"channel": "email", "source": {}},
    },
    {"id": 42, "requester_id": 360002, "created_at": "2024-03-06T10:00:00Z", "type": None, "via": None},
]

METRICS = [
    {
        "id": 7,
        "ticket_id": 41,
        "reopens": 2,
        "solved_at": "2024-03-09T10:00:00Z",
        "reply_time_in_minutes": {"calendar": 90, "business": 30},
        "first_resolution_time_in_minutes": {"calendar": 1440, "business": 480},
    }
]

USERS = [
    {"id": 360001, "external_id": "00777", "email": "a@example.com"},
    {"id": 360002, "external_id": None, "email": None},
]

RESPONSES = [
    {
        "id": "1",
        "person": "10",
        "survey_type": "nps",
        "score": 9,
        "comment": 'fine,\n"really"',
        "created_at": 1_709_632_800,
        "person_properties": {"customer_id": "00777", "country": "CH"},
    },
    {
        "id": "2",
        "person": {"id": "11", "email": "B@Example.com", "name": "B"},
        "survey_type": "csat",
        "score": 2,
        "comment": None,
        "created_at": 1_709_632_900,
        "person_properties": {},
    },
    {
        "id": "3",
        "person": "12",
        "survey_type": "pmf",
        "score": 3,
        "comment": None,
        "created_at": 1_709_633_000,
        "person_properties": {},
    },
]


def json_lines(records: Iterable[dict]) -> str:
    """Return records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def write_events(path: Path, *, wrapped: bool = False) -> Path:
    """Write the events as Parquet; `wrapped` as BigQuery may, each list an object that holds objects."""
    value = pa.struct([("string_value", pa.string()), ("int_value", pa.int64()), ("double_value", pa.float64())])
    parameter = pa.struct([("key", pa.string()), ("value", value)])
    item = pa.struct([("item_id", pa.string()), ("item_name", pa.string()), ("item_category", pa.string())])
    events = EVENTS
    if wrapped:
        events = [
            event | {key: {"list": [{"element": one} for one in event[key]]} for key in ("event_params", "items")}
            for event in EVENTS
        ]
    lists = [
        pa.struct([("list", pa.list_(pa.struct([("element", kind)])))]) if wrapped else pa.list_(kind)
        for kind in (parameter, item)
    ]
    schema = pa.schema(
        [
            ("event_date", pa.string()),
            ("event_timestamp", pa.int64()),
            ("event_name", pa.string()),
            ("event_params", lists[0]),
            ("user_id", pa.string()),
            ("user_pseudo_id", pa.string()),
            ("platform", pa.string()),
            ("items", lists[1]),
            ("event_bundle_sequence_id", pa.int64()),
            ("batch_page_id", pa.int64()),
            ("batch_ordering_id", pa.int64()),
            ("batch_event_index", pa.int64()),
        ]
    )
    pq.write_table(pa.Table.from_pylist(events, schema), path)
    return path


def open_plainly(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Rows:
    """Open a file as the readers do: texts from CSV and JSON lines, types from Parquet."""
    if path.suffix == ".parquet":
        return Rows(connection.read_parquet(str(path)))
    if path.suffix == ".jsonl":
        names = json.loads(path.read_text().partition("\n")[0])
        columns = dict.fromkeys(names, "VARCHAR")
        return Rows(connection.read_json(str(path), format="newline_delimited", columns=columns))
    names = path.read_text().partition("\n")[0].replace('"', "").split(",")
    columns = dict.fromkeys(names, "VARCHAR")
    return Rows(
        connection.read_csv(
            str(path), auto_detect=False, header=True, columns=columns, delimiter=",", quotechar='"', escapechar='"',
            parallel=False,
        )
    )  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """The sources of an export, and what they give."""

    sources: dict[str, Source]
    connection: duckdb.DuckDBPyConnection
    folder: Path

    def rows(self, table: str) -> Rows:
        """Return what a reader gives for a table."""
        return self.sources[table].rows(self.connection, self.folder)

    def table(self, table: str, columns: str = "") -> list[str]:
        """Return the rows in the order of the file, some columns of each as one text; `-` where empty."""
        relation = self.rows(table).relation
        names = columns.split() or [name for name in relation.columns if name != "source_row"]
        texts = ", ".join(f"coalesce({name}::VARCHAR, '-')" for name in names)
        query = relation.query("given", f"SELECT concat_ws(' | ', {texts}) FROM given ORDER BY source_row")
        return [text for (text,) in query.fetchall()]


def filled(folder: Path, preset: Preset, zone: str = "Europe/Berlin", **files: str | Path) -> Filled:
    """Write the files of an export, by role, and return what its preset makes of them.

    A text becomes a CSV file, one that starts with a brace JSON lines; all were written at `WRITTEN`.
    """
    paths = {role: [_file(folder, role, content)] for role, content in files.items()}
    sources = preset_sources(preset, paths, zone, open_plainly)
    return Filled({source.table: source for source in sources}, duckdb.connect(), folder)


def _file(folder: Path, role: str, content: str | Path) -> Path:
    if isinstance(content, Path):
        return content
    path = folder / f"{role}{'.jsonl' if content.startswith('{') else '.csv'}"
    path.write_text(content)
    os.utime(path, (WRITTEN, WRITTEN))
    return path
