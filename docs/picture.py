# a program, not a package
"""Take the picture of a page: `python docs/picture.py --workspace workspace --out docs/at-risk.png`.

Starts the service on a free loopback port, has a headless Chromium photograph one page, and stops again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import uvicorn

from churnml.database import Workspace
from churnml.errors import ChurnmlError, DependencyError
from churnml.service import create_app
from churnml.service.server import listen
from churnml.service.signing_in import login_link

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_PATIENCE_SECONDS = 60


def main() -> int:
    """Take the picture that the command line asks for."""
    wanted = _arguments()
    try:
        with serving(Workspace.open(wanted.workspace)) as (address, once):
            mark = "&" if "?" in wanted.path else "?"
            page = quote(f"{wanted.path}{mark}lang={wanted.lang}", safe="")
            photograph(f"{address}/login?once={once}&next={page}", wanted.out, wanted.size, dark=wanted.dark)
    except ChurnmlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{wanted.out}\n")
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


def photograph(address: str, out: Path, size: str, *, dark: bool = False) -> None:
    """Write a PNG of the page at `address`.

    Raises
    ------
    DependencyError
        If no Chromium is installed, or it takes no picture.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise DependencyError(f"no browser found ({', '.join(_BROWSERS)}); on Debian `apt install chromium` brings one")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        taken = [f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={out.resolve()}", scheme]
        command = [browser, *_QUIET, *taken, address]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise DependencyError(f"{browser} took no picture within {_PATIENCE_SECONDS} s; try again") from error
    if done.returncode != 0 or not out.exists():
        raise DependencyError(f"{browser} took no picture: {done.stderr.strip()[-300:]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Take the picture of a page.")
    parser.add_argument("--workspace", type=Path, default=Path("workspace"), help="where the records are")
    parser.add_argument("--out", type=Path, default=Path("docs/at-risk.png"), help="the PNG to write")
    parser.add_argument("--path", default="/at-risk", help="path of the page")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the page")
    parser.add_argument("--size", default="1280,860", help="width,height of the window in pixels")
    parser.add_argument("--dark", action="store_true", help="as seen with a dark desktop")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
