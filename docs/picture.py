# a program, not a package
"""Take the pictures that the README and the docs show: `make pictures`, from the workspace of `make demo`.

Starts the service on a free loopback port, has a headless Chromium photograph pages, and stops again. What is larger
than a repository should hold is refused.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from churnml.database import Workspace
from churnml.errors import ChurnmlError, DependencyError
from churnml.service import create_app
from churnml.service.server import listen
from churnml.service.signing_in import login_link
from churnml.wording import Language

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MOST_BYTES = 150_000


@dataclass(frozen=True)
class Picture:
    """What is photographed.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    path : str
        Of the page.
    language : {'en', 'zh'}
        Of the page.
    size : tuple of int
        Width and height of the window, in pixels.
    dark : bool, default=False
        Whether as seen with a dark desktop.
    """

    name: str
    path: str
    language: Language = "en"
    size: tuple[int, int] = (1280, 860)
    dark: bool = False


PICTURES = (
    Picture("at-risk", "/at-risk"),
    Picture("customer-zh", "/customers/{first}", "zh", (1200, 760)),
    Picture("at-risk-dark-phone", "/at-risk", size=(420, 860), dark=True),
)
"""Those of the docs; `{first}` is the customer at the top of the list."""


def main() -> int:
    """Take the pictures that the command line asks for."""
    wanted = _arguments()
    alone = Picture(wanted.out.stem, wanted.path, wanted.lang, wanted.size, wanted.dark) if wanted.path else None
    try:
        with serving(Workspace.open(wanted.workspace)) as (address, once), browsing() as browser:
            folder = wanted.out.parent if alone else wanted.out
            for file in photograph(browser, address, once, (alone,) if alone else PICTURES, folder):
                sys.stdout.write(f"{file} {file.stat().st_size:,} bytes\n")
    except ChurnmlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


@contextmanager
def serving(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Serve the workspace on a free loopback port; give the address, and the token of a link that signs in once."""
    listening = listen("127.0.0.1", 0)
    app = create_app(workspace)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", login_link(app.state.engine, app.state.now())
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Give a headless Chromium of this machine.

    Raises
    ------
    DependencyError
        If none is installed.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise DependencyError(f"no browser found ({', '.join(_BROWSERS)}); on Debian `apt install chromium` brings one")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found, args=[*as_root, "--hide-scrollbars"])


def photograph(
    browser: Browser, address: str, once: str, pictures: tuple[Picture, ...], folder: Path
) -> Iterator[Path]:
    """Write a PNG of each page, and give its file.

    Raises
    ------
    DependencyError
        If a page does not answer with 200, or its picture is too large for a repository.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signed = browser.new_context(base_url=address)
    page = signed.new_page()
    page.goto(f"/login?once={once}&next={quote('/at-risk', safe='')}")
    first = page.locator("tbody th a").first.get_attribute("href") or ""
    for one in pictures:
        width, height = one.size
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if one.dark else "light")
        path = one.path.replace("/customers/{first}", first)
        answer = page.goto(f"{path}{'&' if '?' in path else '?'}lang={one.language}", wait_until="networkidle")
        if answer is None or not answer.ok:
            raise DependencyError(
                f"{path} answers {answer and answer.status}; make the demo first: `make demo SERVE=0`"
            )
        file = folder / f"{one.name}.png"
        file.write_bytes(_small(page.screenshot()))
        if file.stat().st_size > _MOST_BYTES:
            raise DependencyError(
                f"{file} has {file.stat().st_size:,} bytes, more than {_MOST_BYTES:,}; show less of it"
            )
        yield file


def _small(png: bytes) -> bytes:
    """Return a picture packed as tightly as PNG can, in all its colours: bands of risk are told by them."""
    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(made, "PNG", optimize=True)
    return made.getvalue()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take pictures of pages: those of the docs, or one of any page.")
    parser.add_argument("--workspace", type=Path, default=Path("workspace"), help="where the records are")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder; with --path, the PNG to write")
    parser.add_argument("--path", help="path of the one page to take, instead of those of the docs")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of that page")
    parser.add_argument("--size", type=_size, default=(1280, 860), help="width,height of its window in pixels")
    parser.add_argument("--dark", action="store_true", help="as seen with a dark desktop")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition(",")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
