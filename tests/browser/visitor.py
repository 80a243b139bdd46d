"""Somebody at a browser: opens pages of a service, presses what is named in their language, and minds faults."""

import os
import shutil
import threading
from contextlib import contextmanager

import uvicorn

from callers import TESTER
from churnml.database import open_engine
from churnml.database.passwords import hash_password
from churnml.database.people import add_person
from churnml.database.scopes import ROLES
from churnml.service import create_app
from churnml.service.server import listen
from churnml.wording import translator

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOCALES = {"en": "en-US", "zh": "zh-CN"}
PASSWORD = "correct horse battery 9"  # noqa: S105  # of accounts that live for a test
PATIENCE_MS = 15_000


@contextmanager
def serving(workspace, now, **settings):
    """Serve a workspace on a free port of this machine, at an instant; give its address."""
    listening = listen("127.0.0.1", 0)
    app = create_app(workspace, **settings)
    app.state.now = now
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", app
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def with_accounts(workspace, **roles):
    """Give people an account each, by name and role; all have one password."""
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        for name, role in roles.items():
            assert role in ROLES
            add_person(connection, TESTER, name, role, hash_password(PASSWORD, name), at=1)
    engine.dispose()


def find_chromium():
    """Return the path of a Chromium of this machine, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def launch(playwright, path):
    """Return a headless Chromium; as root, which a container often is, it runs without its sandbox."""
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])


class Visitor:
    """Somebody at a browser of their own.

    Parameters
    ----------
    browser : playwright Browser
    address : str
        Where the service is.
    language : {'en', 'zh'}
        What the browser asks for, and what is pressed is named in.
    context : object
        What else the browser is like: width, theme, whether it runs script.
    """

    def __init__(self, browser, address, language="en", *, width=1200, theme="light", **context):
        self.address = address
        self._words = translator(language)
        size = {"width": width, "height": 900}
        self.context = browser.new_context(
            locale=LOCALES[language], viewport=size, color_scheme=theme, base_url=address, **context
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("dialog", self._opened)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", self._said)

    def _opened(self, dialog):
        self.faults.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def _said(self, message):
        if message.type == "error" and "the server responded with a status" not in message.text:
            self.faults.append(f"{message.text} at {self.page.url}")

    def says(self, words, **values):
        """Return words in the visitor's language."""
        told = self._words.gettext(words)
        return told % values if values else told

    def go(self, path):
        """Open a page, and return the status of the answer."""
        return self.page.goto(path).status

    def sign_in(self, name, path="/"):
        """Sign in by the form that leads to a page."""
        self.go(path)
        self.page.get_by_label(self.says("Name"), exact=True).fill(name)
        self.page.get_by_label(self.says("Password"), exact=True).fill(PASSWORD)
        self.press("Sign in")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def press(self, words, within="main"):
        """Press a button by what it says."""
        self.page.locator(within).get_by_role("button", name=self.says(words), exact=True).first.click()

    def follow(self, words, within="main"):
        """Follow a link by what it says."""
        self.page.locator(within).get_by_role("link", name=self.says(words), exact=True).first.click()

    def keys(self, *keys):
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def heading(self):
        """What the page is called."""
        return self.page.locator("h1").inner_text()

    @property
    def told(self):
        """What became of the form that was sent last, once the page says so; read once, it is gone."""
        found = self.page.locator(".told")
        found.wait_for()
        text = " ".join(found.inner_text().split())
        found.evaluate("told => told.remove()")
        return text

    def close(self):
        """Leave; nothing went wrong meanwhile."""
        self.context.close()
        assert self.faults == []
