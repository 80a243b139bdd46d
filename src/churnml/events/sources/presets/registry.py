"""The presets by the names `sources.yaml` knows them by, and the data sets that come with a package."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from churnml.events.sources import Source
from churnml.events.sources.presets.analytics import GOOGLE_ANALYTICS
from churnml.events.sources.presets.cdnow import cdnow_sources
from churnml.events.sources.presets.completejourney import completejourney_sources
from churnml.events.sources.presets.delighted import DELIGHTED
from churnml.events.sources.presets.hubspot import HUBSPOT
from churnml.events.sources.presets.preset import Preset
from churnml.events.sources.presets.salesforce import SALESFORCE_ACCOUNTS, SALESFORCE_CONTACTS
from churnml.events.sources.presets.shopify import SHOPIFY
from churnml.events.sources.presets.stripe import STRIPE
from churnml.events.sources.presets.zendesk import ZENDESK_CSV, ZENDESK_JSON

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        SHOPIFY,
        STRIPE,
        GOOGLE_ANALYTICS,
        ZENDESK_CSV,
        ZENDESK_JSON,
        HUBSPOT,
        SALESFORCE_CONTACTS,
        SALESFORCE_ACCOUNTS,
        DELIGHTED,
    )
}

INSTALLED: dict[str, Callable[[], list[Source]]] = {
    "completejourney": completejourney_sources,
    "cdnow": partial(cdnow_sources, sample=False),
    "cdnow_sample": partial(cdnow_sources, sample=True),
}
