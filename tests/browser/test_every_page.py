"""What holds for every page: nothing from outside runs, nothing is wider than the screen, and axe finds no fault."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.addresses import ADDRESSES, LEAD_ON, OF_THE_MARKET, OPEN, PAGES
from browser.visitor import Visitor
from churnml.service import pages
from churnml.service.routes import api_routes

WIDTHS = (400, 800, 1400)
BROKEN = 500
GRAVE = {"serious", "critical"}
RUNS = "img[src='x'], svg[onload], [onmouseover], a[href^='javascript:'], main script"
AXE = Axe()
LOOKED_FOR = {"resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def administrator(browser, planted):
    """Return an administrator at a browser that stays open from page to page."""
    visitor = Visitor(browser, planted.address)
    visitor.context.add_cookies([planted.cookie])
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def guest(browser, planted):
    """Return somebody who has not signed in."""
    visitor = Visitor(browser, planted.address)
    yield visitor
    visitor.close()


def faults(visitor, **options):
    """Return what axe-core finds that matters: rule, where, and the element."""
    found = AXE.run(visitor.page, options=LOOKED_FOR | options).response["violations"]
    return [
        f"{one['id']} ({one['impact']}) at {visitor.page.url}: {node['html'][:160]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def looks(visit, planted, address, language, theme, **options):
    visitor = visit(planted, language, theme=theme, signed=not address.startswith(OPEN))
    assert visitor.go(address) < BROKEN
    return faults(visitor, **options)


def test_every_page_is_among_those_that_are_looked_at():
    routes = {one.path for one in api_routes(pages.router.routes) if "GET" in (one.methods or ())}
    assert routes == {*PAGES, *LEAD_ON}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_keeps_nobody_out_fits_every_screen_and_runs_nothing_from_outside(administrator, guest, address):
    visitor = guest if address.startswith(OPEN) else administrator
    assert visitor.go(address) < BROKEN
    assert faults(visitor) == []
    widths = {}
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 900})
        widths[width] = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert widths == {width: width for width in WIDTHS}
    assert visitor.page.locator(RUNS).count() == 0
    assert visitor.faults == []


@pytest.mark.parametrize("address", ["/overview", "/today", "/at-risk", "/customers/1296"])
def test_every_text_stands_out_in_the_dark_as_well(visit, planted, address):
    assert looks(visit, planted, address, "zh", "dark", runOnly=["color-contrast"]) == []


@pytest.mark.parametrize("language, theme", [("en", "light"), ("zh", "dark")])
def test_nor_is_there_a_fault_where_a_model_was_trained(visit, market, language, theme):
    mei = visit(market, language, theme=theme)
    mei.sign_in("mei", "/models")
    model = mei.page.get_by_role("link", name=mei.says("All about this model")).get_attribute("href")
    for address in (*OF_THE_MARKET, model):
        assert mei.go(address) == 200
        assert faults(mei) == []


@pytest.mark.long
@pytest.mark.parametrize("language, theme", [("en", "dark"), ("zh", "light"), ("zh", "dark")])
@pytest.mark.parametrize("address", ADDRESSES)
def test_nor_in_the_other_language_and_theme(visit, planted, address, language, theme):
    assert looks(visit, planted, address, language, theme) == []


@pytest.mark.parametrize("address", ["/login", "/today", "/at-risk", "/customers/1296", "/lifecycle", "/data"])
def test_a_page_needs_no_script(visit, planted, address):
    visitor = visit(planted, java_script_enabled=False, signed=not address.startswith(OPEN))
    assert visitor.go(address) == 200
    assert visitor.page.locator("main h1").is_visible()
    assert visitor.page.locator("dialog, [data-script]").filter(visible=True).count() == 0
