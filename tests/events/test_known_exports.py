"""Known exports that come again: what they do not date is not dated anew, and what they batch stays apart."""

import os

import pytest
from preset_files import (
    EVENTS,
    SHOPIFY_CUSTOMERS,
    SHOPIFY_ORDERS,
    STRIPE_CUSTOMERS,
    STRIPE_SUBSCRIPTIONS,
    WRITTEN,
    ZENDESK_VIEW,
    json_lines,
)

from churnml.errors import DataRefusedError
from churnml.events import ingest, marketing
from churnml.events.clock import DAY
from churnml.events.sources.mapping import sources_of

MARCH = WRITTEN * 1_000_000 + DAY
FEWER = "\n".join([SHOPIFY_ORDERS.splitlines()[0], *SHOPIFY_ORDERS.splitlines()[5:]]) + "\n"
SHOP = "shopify", {"orders": "o.csv", "customers": "c.csv"}
PAGE = {"event_timestamp": 1_620_000_000_000_000, "event_params": [], "user_id": "ann", "platform": "WEB", "items": []}
SITE = "google_analytics", {"events": "e.jsonl"}


def brought(tiny, export, now=MARCH, written=WRITTEN, **contents):
    """Write the files of an export, by name, and ingest what its preset makes of them; return the report by table."""
    name, files = export
    for file, content in contents.items():
        path = tiny.file(files[file], content)
        os.utime(path, (written, written))
    entry = f"sources:\n  - {{preset: {name}, files: {files}}}\n".replace("'", "")
    sources = sources_of(tiny.file("sources.yaml", entry), tiny.config.time_zone)
    return {one.table: one for one in ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, now).tables}


@pytest.fixture
def shop(tiny):
    """A workspace in euros in which the February export of a shop stands."""
    tiny = tiny.with_config(currency="EUR")
    brought(tiny, SHOP, orders=SHOPIFY_ORDERS, customers=SHOPIFY_CUSTOMERS)
    return tiny


def agrees(tiny):
    return marketing(tiny.store).may(["00777"], "email").tolist() == [True]


def test_an_old_export_copied_again_does_not_grant_what_was_withdrawn(shop):
    assert agrees(shop)
    withdrawal = "customer_id,occurred_at,purpose,channel,granted\n00777,2024-03-05 10:00,marketing,email,false\n"
    shop.ingest("consents", shop.file("withdrawn.csv", withdrawal), MARCH + 5 * DAY)
    again = SHOPIFY_CUSTOMERS.replace("vip, old", "vip")
    report = brought(shop, SHOP, MARCH + 12 * DAY, WRITTEN + 10 * 86_400, customers=again)
    assert (report["consents"].landed, report["consents"].skipped) == (0, 1)
    assert not agrees(shop)


def test_a_no_of_a_later_export_withdraws_though_the_customer_did_not_order_again(shop):
    refusing = SHOPIFY_CUSTOMERS.replace("A@example.com,yes", "A@example.com,no")
    guest_only = SHOPIFY_ORDERS.replace("a@example.com", "")
    brought(shop, SHOP, MARCH + 12 * DAY, WRITTEN + 10 * 86_400, orders=guest_only, customers=refusing)
    assert not agrees(shop)


def test_an_export_that_begins_later_moves_no_first_contact_and_adds_no_consent(shop):
    report = brought(shop, SHOP, MARCH + DAY, orders=FEWER)
    assert {table: (one.landed, one.skipped) for table, one in report.items() if table != "returns"} == {
        "customers": (0, 1),
        "consents": (0, 1),
        "orders": (0, 1),
        "order_lines": (0, 1),
    }


def test_a_pending_order_lands_when_an_export_shows_it_paid(shop):
    paid = SHOPIFY_ORDERS.replace("pending", "paid")
    report = brought(shop, SHOP, MARCH + DAY, orders=paid)["orders"]
    assert (report.landed, report.skipped, report.quarantined) == (1, 3, 0)


def test_amounts_in_another_currency_are_set_aside_with_all_that_belongs_to_them(tiny):
    mixed = SHOPIFY_ORDERS.replace("no,EUR,20.00", "no,jpy,20.00")
    report = brought(tiny.with_config(currency="EUR"), SHOP, orders=mixed, customers=SHOPIFY_CUSTOMERS)
    (finding,) = report["orders"].of("quarantine")
    assert (finding.column, finding.rule, finding.count) == ("currency", "must be in EUR, the workspace's currency", 1)
    assert finding.remedy == "bring them converted, or in a workspace of their own"
    assert finding.examples[0]["value"] == "jpy"
    assert (report["orders"].landed, report["order_lines"].quarantined) == (2, 1)


def test_a_shop_whose_only_refund_is_in_another_currency_is_not_refused_for_it(tiny):
    strict, mixed = (
        tiny.with_config(currency="EUR", max_bad_share=0.01),
        SHOPIFY_ORDERS.replace("EUR,30.00", "JPY,30.00"),
    )
    report = brought(strict, SHOP, orders=mixed, customers=SHOPIFY_CUSTOMERS)
    assert (report["orders"].landed, report["returns"].quarantined) == (2, 1)


def test_a_file_all_in_another_currency_is_refused_with_the_setting_that_would_suit(tiny):
    strict = tiny.with_config(max_bad_share=0.01)
    files = {"customers": STRIPE_CUSTOMERS, "subscriptions": STRIPE_SUBSCRIPTIONS.replace(",usd,", ",jpy,")}
    with pytest.raises(DataRefusedError) as refused:
        brought(strict, ("stripe", {role: f"{role}.csv" for role in files}), **files)
    assert str(refused.value).startswith(
        "subscriptions.csv: every amount must be in USD, the workspace's currency, and none is, found 'jpy'; set "
        "`currency` in configs/workspace.yaml if that is the company's, else bring them converted"
    )


def test_events_of_one_moment_all_land_and_the_same_file_twice_changes_nothing(tiny):
    tiny.land(customers="customer_id occurred_at\nann 2020-01-01")
    names = ("page_view", "view_item", "scroll", "scroll", "session_start")
    lines = [PAGE | {"event_name": name} for name in names]
    report = brought(tiny, SITE, events=json_lines(lines))["interactions"]
    assert (report.landed, report.skipped, report.quarantined) == (5, 0, 0)
    turned = brought(tiny, SITE, events=json_lines(lines[::-1]))["interactions"]
    assert (turned.landed, turned.skipped, turned.quarantined) == (0, 5, 0)


def test_an_event_that_analytics_exports_twice_is_one_act(tiny):
    tiny.land(customers="customer_id occurred_at\n00777 2020-01-01")
    report = brought(
        tiny, SITE, MARCH + 9 * DAY, events=json_lines([*EVENTS[:1] * 2, EVENTS[0] | {"batch_event_index": 4}])
    )
    assert (report["interactions"].landed, report["interactions"].quarantined) == (2, 0)


def test_acts_alike_in_all_but_their_own_id_are_kept_apart(tiny):
    tiny.land(customers="customer_id occurred_at\nann 2020-01-01")
    acts = "customer_id,occurred_at,kind,interaction_id\n" + "".join(
        f"ann,2021-05-01,email_open,{number}\n" for number in range(3)
    )
    assert tiny.ingest("interactions", tiny.file("acts.csv", acts)).tables[0].landed == 3


def test_a_zendesk_view_exported_nightly_adds_the_solution(tiny):
    tiny.land(customers="customer_id occurred_at\n00777 2020-01-01\n360003 2020-01-01")
    view, desk = ZENDESK_VIEW.replace("S@example.com", ""), ("zendesk_csv", {"tickets": "z.csv"})
    brought(tiny, desk, MARCH + 60 * DAY, tickets=view)
    solved = view.replace("2024-03-02 10:00,,,0,0,,", "2024-03-02 10:00,,2024-03-03 10:00,0,1,60,1440")
    assert brought(tiny, desk, MARCH + 61 * DAY, tickets=solved)["tickets"].fills == 1
