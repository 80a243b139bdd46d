"""HubSpot: the export of contacts, all properties under their English labels."""

from __future__ import annotations

from churnml.events.sources.presets.preset import Filling, Preset

# What may change later (lifecycle stage, lead status) is left out: it would be known from first contact on.
_CUSTOMERS = """
    SELECT "Record ID" AS customer_id, "Create Date" AS occurred_at,
           coalesce("State/Region", "Country/Region") AS region, "City" AS city,
           coalesce("Original Source", "Original Traffic Source") AS acquisition_channel,
           nullif(concat_ws(' ', "First Name", "Last Name"), '') AS display_name,
           coalesce("Phone Number", "Mobile Phone Number") AS phone, "Email" AS email, "Contact owner" AS owner,
           source_row
    FROM contacts
"""

_REFUSED = "lower(\"Unsubscribed from all email\") IN ('true', 'yes', '1')"
_CONSENTS = f"""
    SELECT "Record ID" AS customer_id, file_time AS occurred_at, 'marketing' AS purpose, 'email' AS channel,
           'false' AS granted, source_row
    FROM contacts WHERE {_REFUSED}
"""

HUBSPOT = Preset(
    name="hubspot",
    meaning=(
        "HubSpot CRM: Contacts > Export, all properties, column headers as labels in English. Times are in the time "
        "zone of the account. Who is unsubscribed from all e-mail has refused it, from the time the file was written; "
        "who is not has not thereby agreed, so no consent is made of that. Lifecycle stage and lead status are left "
        "out: they change, and the export does not say when."
    ),
    documented="https://knowledge.hubspot.com/crm-setup/set-up-your-import-file",
    files={"contacts": ("Record ID", "Email", "Create Date")},
    optional={
        "contacts": (
            "First Name",
            "Last Name",
            "Phone Number",
            "Mobile Phone Number",
            "City",
            "State/Region",
            "Country/Region",
            "Original Source",
            "Original Traffic Source",
            "Contact owner",
            "Unsubscribed from all email",
        )
    },
    tables={
        "customers": Filling(("contacts",), _CUSTOMERS),
        "consents": Filling(
            ("contacts",),
            _CONSENTS,
            notes="SELECT 'the export dates no refusal; it counts from when the file was written, ' || max(file_time) "
            f"AS note FROM contacts WHERE {_REFUSED}",
        ),
    },
)
