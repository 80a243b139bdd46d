"""What each tool takes: how a file is written, what its header is called, and how much it may hold.

docs/handoff.md tells it to people, with how to import.

References
----------
Each shape names the page of its maker that it follows in `says`; where none was found it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Naming = Literal["custom_field", "api_name", "label", "camel", "snake", "chinese"]
"""How columns are called unless configs/handoff.yaml says otherwise: `Risk_Band__c`, `Risk_Band`, `Risk Band`, …"""


@dataclass(frozen=True)
class Shape:
    """The file that a tool imports.

    Parameters
    ----------
    title : str
        What the tool is called.
    kind : {'csv', 'xlsx', 'hyper'}
        What is written.
    naming : str
        How columns are called.
    says : str
        The page that was followed; empty where none of its maker was found.
    line_end : str
        Between the lines of a CSV.
    byte_order_mark : bool
        Whether the CSV begins with one.
    yes, no, empty : str
        How a truth value is written, and what is not told.
    most_rows, most_bytes : int
        What one file may hold; more goes into further files.
    longest_text : int or None
        Bytes of a text in UTF-8; longer ones are cut between letters.
    forbidden : str
        Letters that no text may hold.
    mails : bool
        Whether it is a tool that writes to people, so that only those who may be approached are handed over.
    key : str
        The field that the tool finds its own records by.
    """

    title: str
    kind: Literal["csv", "xlsx", "hyper"]
    naming: Naming
    says: str
    line_end: str = "\n"
    byte_order_mark: bool = False
    yes: str = "true"
    no: str = "false"
    empty: str = ""
    most_rows: int = 1_048_575
    most_bytes: int = 1_000_000_000
    longest_text: int | None = None
    forbidden: str = ""
    mails: bool = False
    key: str = "customer_id"


SHAPES: Mapping[str, Shape] = {
    "salesforce": Shape(
        "Salesforce (Bulk API 2.0)",
        "csv",
        "custom_field",
        "https://developer.salesforce.com/docs/platform/api-asynch/guide/datafiles-prepare-csv.md",
        empty="#N/A",  # an empty value would leave what stood there before
        most_rows=10_000_000,
        most_bytes=100_000_000,
    ),
    "hubspot": Shape(
        "HubSpot",
        "csv",
        "snake",
        "https://knowledge.hubspot.com/import-and-export/set-up-your-import-file",
        most_rows=1_048_575,  # with the header 1,048,576
        most_bytes=20_000_000,  # what a free account takes; paid ones take 512 MB
    ),
    "dynamics": Shape(
        "Dynamics 365",
        "csv",
        "label",
        "https://github.com/MicrosoftDocs/powerapps-docs/blob/main/powerapps-docs/user/import-data.md",
        line_end="\r\n",
        byte_order_mark=True,  # the page asks for it where letters are not Latin
        yes="Yes",
        no="No",
        most_bytes=8_000_000,
    ),
    "zoho": Shape(
        "Zoho CRM",
        "csv",
        "api_name",
        "https://www.zoho.com/crm/developer/docs/api/bulk-write/limitations.html",
        most_rows=25_000,
        most_bytes=25_000_000,
        forbidden='"|<>',
    ),
    "fxiaoke": Shape("Fxiaoke (纷享销客)", "xlsx", "chinese", "", yes="是", no="否", most_rows=10_000),
    "mailchimp": Shape(
        "Mailchimp",
        "csv",
        "label",
        "https://mailchimp.com/help/format-guidelines-for-your-import-file/",
        longest_text=255,
        mails=True,
        key="email",
    ),
    "marketo": Shape(
        "Marketo",
        "csv",
        "camel",
        "https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import",
        most_bytes=9_900_000,  # less than 10 MB
        longest_text=255,
        mails=True,
    ),
    "excel": Shape("Excel", "xlsx", "label", ""),
    "tableau": Shape("Tableau", "hyper", "snake", "https://pantab.readthedocs.io/en/latest/index.html"),
}
"""The tools by the name that `--to` takes."""
