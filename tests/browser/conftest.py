"""A browser, and the services it looks at; all are stopped when the last test of this folder is done."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import sync_playwright

from browser.hostile import plant
from browser.visitor import Visitor, find_chromium, launch, serving, with_accounts
from callers import signed_in
from journeys import copied

NEW_YEAR = 1_514_764_800_000_000  # 2018-01-01, when the journey ends
DAY = 86_400_000_000


@dataclass(frozen=True)
class Planted:
    """Where a service is, and the cookie of somebody who has signed in."""

    address: str
    cookie: dict


@pytest.fixture(scope="package")
def browser():
    """Return a Chromium of this machine, headless."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium here: `apt-get install chromium` brings one, as .ci/run does where it is root")
    with sync_playwright() as playwright:
        opened = launch(playwright, path)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def market(journey, tmp_path_factory):
    """Return the address of the trained Complete Journey, served eleven days after its end, and of its accounts."""
    copy = copied(journey, tmp_path_factory.mktemp("market"))
    with_accounts(copy.workspace, ann="agent", li="agent", mei="admin", dana="analyst")
    with serving(copy.workspace, lambda: NEW_YEAR + 11 * DAY, configs=copy.configs) as (address, _):
        yield address


@pytest.fixture(scope="package")
def planted(tmp_path_factory):
    """Return a service whose every text that came from outside is hostile: its address, and the cookie of an admin."""
    workspace = plant(tmp_path_factory.mktemp("planted"))
    at = NEW_YEAR + 11 * DAY
    name, _, value = signed_in(workspace, "mei", "admin", at)["cookie"].partition("=")
    with serving(workspace, lambda: at) as (address, _):
        yield Planted(address, {"name": name, "value": value, "url": address})


@pytest.fixture
def visit(browser):
    """Return what opens a browser for a visitor, who leaves at the end of the test."""
    visitors = []

    def opened(where, language="en", *, signed=True, **how):
        """Open a browser at an address; where somebody has signed in already, as them, unless told otherwise."""
        known = isinstance(where, Planted)
        visitor = Visitor(browser, where.address if known else where, language, **how)
        if known and signed:
            visitor.context.add_cookies([where.cookie])
        visitors.append(visitor)
        return visitor

    yield opened
    for visitor in visitors:
        visitor.close()
