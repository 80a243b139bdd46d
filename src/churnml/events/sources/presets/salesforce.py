"""Salesforce: contacts or accounts, by the names of the API, as Data Loader and the weekly data export write them."""

from __future__ import annotations

from churnml.events.sources.presets.phrases import counted
from churnml.events.sources.presets.preset import Filling, Preset

_YES = "('true', 'yes', '1')"
_DELETED = f"lower(coalesce(\"IsDeleted\", 'false')) IN {_YES}"
_REFUSED = f'lower("HasOptedOutOfEmail") IN {_YES} AND NOT {_DELETED}'

_CONTACTS = f"""
    SELECT "Id" AS customer_id, "CreatedDate" AS occurred_at, substr("Birthdate", 1, 4) AS birth_year,
           coalesce("MailingState", "MailingCountry") AS region, "MailingCity" AS city,
           "LeadSource" AS acquisition_channel, nullif(concat_ws(' ', "FirstName", "LastName"), '') AS display_name,
           coalesce("Phone", "MobilePhone") AS phone, "Email" AS email, "OwnerId" AS owner, source_row
    FROM contacts WHERE NOT {_DELETED}
"""

_CONSENTS = f"""
    SELECT "Id" AS customer_id, file_time AS occurred_at, 'marketing' AS purpose, 'email' AS channel,
           'false' AS granted, source_row
    FROM contacts WHERE {_REFUSED}
"""

_ACCOUNTS = f"""
    SELECT "Id" AS customer_id, "CreatedDate" AS occurred_at, coalesce("BillingState", "BillingCountry") AS region,
           "BillingCity" AS city, "AccountSource" AS acquisition_channel,
           CASE WHEN "Industry" IS NOT NULL THEN to_json({{industry: "Industry"}})::VARCHAR END AS attributes,
           "Name" AS display_name, "Phone" AS phone, "OwnerId" AS owner, source_row
    FROM accounts WHERE NOT {_DELETED}
"""

_DOCUMENTED = "https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/"

SALESFORCE_CONTACTS = Preset(
    name="salesforce_contacts",
    meaning=(
        "Salesforce: the object Contact by Data Loader or Data Export, one person a customer. Ids keep their 15 or 18 "
        "characters, capitals and all. Times are in UTC. Who opted out of e-mail has refused it, from the time the "
        "file was written; who did not has not thereby agreed. Deleted records are left out."
    ),
    documented=f"{_DOCUMENTED}sforce_api_objects_contact.htm",
    files={"contacts": ("Id", "LastName", "Email", "CreatedDate")},
    optional={
        "contacts": (
            "IsDeleted",
            "FirstName",
            "Birthdate",
            "MailingCity",
            "MailingState",
            "MailingCountry",
            "LeadSource",
            "Phone",
            "MobilePhone",
            "OwnerId",
            "HasOptedOutOfEmail",
        )
    },
    tables={
        "customers": Filling(
            ("contacts",), _CONTACTS, notes=counted("deleted contacts left out", f"FROM contacts WHERE {_DELETED}")
        ),
        "consents": Filling(
            ("contacts",),
            _CONSENTS,
            notes="SELECT 'the export dates no refusal; it counts from when the file was written, ' || max(file_time) "
            f"AS note FROM contacts WHERE {_REFUSED}",
        ),
    },
    time_zone="UTC",
)

SALESFORCE_ACCOUNTS = Preset(
    name="salesforce_accounts",
    meaning=(
        "Salesforce: the object Account by Data Loader or Data Export, one company a customer. Ids keep their 15 or 18 "
        "characters, capitals and all. Times are in UTC. Deleted records are left out, and so is `Type`, which changes "
        "without a date."
    ),
    documented=f"{_DOCUMENTED}sforce_api_objects_account.htm",
    files={"accounts": ("Id", "Name", "CreatedDate", "BillingCountry")},
    optional={
        "accounts": ("IsDeleted", "BillingCity", "BillingState", "AccountSource", "Industry", "Phone", "OwnerId")
    },
    tables={
        "customers": Filling(
            ("accounts",), _ACCOUNTS, notes=counted("deleted accounts left out", f"FROM accounts WHERE {_DELETED}")
        )
    },
    time_zone="UTC",
)
