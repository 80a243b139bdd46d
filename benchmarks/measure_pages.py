"""What a page takes beside its JSON twin, what it weighs on the wire, and how soon a browser shows it.

    python -m benchmarks.measure_pages --workspace workspace [--rounds 30] [--json]

Serves the workspace on a free port of this machine, in a process of its own so that asking takes nothing from
answering, and signs in by its one-time link. Page and twin are asked for in turn on one connection, compressed as
browsers ask; the ratio is that of medians. First paint is the browser's own `first-contentful-paint` from the start of
the navigation (W3C Paint Timing), the median of visits with an empty cache and with a filled one; a dash where there is
no Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

PAGES = {
    "/at-risk": "/v1/at-risk?limit=50",
    "/customers/{first}": "/v1/customers/{first}",
    "/today": "/v1/queue",
    "/prospects": "/v1/prospects?limit=50",
    "/data": "/v1/data",
}
"""Each page, and what tells a program the same; `{first}` is the customer at the top of the list."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_COMMAND = "from churnml.cli import main; main()"
_PATIENCE_SECONDS = 120
_VISITS = 5
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@dataclass(frozen=True)
class Weighed:
    """What was measured of one page.

    Parameters
    ----------
    page_ms, twin_ms : float
        Median time until the answer is whole, milliseconds.
    page_bytes : int
        Of the page on the wire, compressed.
    first_ms, again_ms : float or None
        First paint with an empty cache and with a filled one, milliseconds; None without a browser.
    """

    page: str
    page_ms: float
    twin_ms: float
    page_bytes: int
    first_ms: float | None
    again_ms: float | None

    @property
    def ratio(self) -> float:
        """How many times as long as its twin the page takes."""
        return self.page_ms / self.twin_ms


def main() -> int:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with _serving(wanted.workspace, wanted.configs) as link, httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        base = str(httpx.URL(link).copy_with(path="/", query=None)).rstrip("/")
        client.get(link)
        client.headers["accept-encoding"] = "gzip"
        first = client.get(f"{base}/v1/at-risk?limit=1").json()["items"][0]["customer_id"]
        first = quote(first, safe="")
        told = [
            _weigh(client, base, page.replace("{first}", first), twin.replace("{first}", first), wanted.rounds)
            for page, twin in PAGES.items()
        ]
    print(json.dumps([asdict(one) | {"ratio": one.ratio} for one in told]) if wanted.json else _table(told))
    return 0


@contextmanager
def _serving(workspace: Path, configs: Path) -> Iterator[str]:
    """Serve a workspace in a process of its own, and give the link that signs in once."""
    command = [sys.executable, "-c", _COMMAND, "serve", "--port", "0", "-w", str(workspace), "--configs", str(configs)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = iter(process.stderr or ())
            link = next((found.group() for line in lines if (found := re.search(r"http\S+once=\S+", line))), None)
            if link is None:
                sys.exit(f"{workspace} cannot be served: `churnml serve -w {workspace}` says why")
            threading.Thread(target=deque, args=(lines, 0), daemon=True).start()  # a pipe nobody reads fills up
            yield link
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)


def _weigh(client: httpx.Client, base: str, page: str, twin: str, rounds: int) -> Weighed:
    took: dict[str, list[float]] = {page: [], twin: []}
    size = 0
    for address in [page, twin] * (rounds + 1):
        accept = {"accept": "text/html" if address == page else "application/json"}
        began = time.perf_counter()
        answer = client.get(base + address, headers=accept)
        took[address].append(1000 * (time.perf_counter() - began))
        answer.raise_for_status()
        size = answer.num_bytes_downloaded if address == page else size
    page_ms, twin_ms = (statistics.median(took[one][1:]) for one in (page, twin))  # the first of each warms up
    empty, filled = _painted(base, page, client.cookies)
    return Weighed(page, page_ms, twin_ms, size, empty, filled)


def _painted(base: str, page: str, cookies: httpx.Cookies) -> tuple[float | None, float | None]:
    """Return when a browser shows something of a page, with an empty cache and with a filled one."""
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        return None, None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # where there is no browser it is not needed

    kept = [{"name": one.name, "value": one.value or "", "url": base} for one in cookies.jar]
    seen: tuple[list[float], list[float]] = ([], [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        for _ in range(_VISITS):
            context = browser.new_context(base_url=base)
            context.add_cookies(kept)  # type: ignore[arg-type]  # a dict as Playwright's documentation has it
            opened = context.new_page()
            for times in seen:
                opened.goto(page, wait_until="load")
                opened.wait_for_timeout(100)
                painted = opened.evaluate(_PAINT)
                times.extend([] if painted is None else [float(painted)])
            context.close()
        browser.close()
    first, again = (statistics.median(one) if one else None for one in seen)
    return first, again


def _table(told: list[Weighed]) -> str:
    rows = [f"{'page':<28}{'page ms':>9}{'twin ms':>9}{'ratio':>7}{'bytes':>9}{'paint ms':>10}{'again ms':>10}"]
    for one in told:
        painted = "".join(f"{'-' if ms is None else round(ms):>10}" for ms in (one.first_ms, one.again_ms))
        head = f"{one.page:<28}{one.page_ms:>9.1f}{one.twin_ms:>9.1f}{one.ratio:>7.1f}"
        rows.append(f"{head}{one.page_bytes:>9,}{painted}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
