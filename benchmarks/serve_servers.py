"""One server of the comparison, in a process of its own: `python -m benchmarks.serve_servers KIND WHERE`.

`bare FILE` answers every request with the bytes of a file and as many headers as the product sends, and does nothing
else: no application can cost less on this server. `routes WORKSPACE` is the product without its short way. The product
as it is sold is started by its own command, `churnml serve`. All three run on one and the same uvicorn.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from churnml.database import Workspace
from churnml.service import create_app
from churnml.service.guard import SECURITY_HEADERS
from churnml.service.hot import Front, HotPath
from churnml.service.server import listen


def bare(body: bytes) -> ASGIApp:
    """Return an application that answers with these bytes, whatever is asked."""
    told = SECURITY_HEADERS | {
        "content-length": str(len(body)),
        "content-type": "application/json",
        "etag": f'"{"0" * 32}"',
        "cache-control": "private, no-cache",
        "x-request-id": "0" * 32,
    }
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }
    end = {"type": "http.response.body", "body": body}

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            while scope["method"] == "POST" and (await receive()).get("more_body"):
                pass
            await send(start)
            await send(end)

    return answer


def routes(workspace: Workspace) -> ASGIApp:
    """Return the product without its short way to records."""
    app, short = create_app(workspace), cast("set[object]", {Front, HotPath})
    app.user_middleware = [one for one in app.user_middleware if one.cls not in short]
    return app


def main() -> None:
    """Serve until the process is ended; the first line printed is the address."""
    kind, where = sys.argv[1:]
    app = bare(Path(where).read_bytes()) if kind == "bare" else routes(Workspace.open(Path(where)))
    listening = listen("127.0.0.1", 0)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="warning", server_header=False, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
