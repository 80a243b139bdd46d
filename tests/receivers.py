"""A receiver of webhooks that listens for real, answers as a test wants, and remembers what it was sent."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook


@dataclass
class Receiver:
    """What a receiver answers, in order (the last for ever), and what it has got."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    slow: float = 0.0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    @property
    def ids(self):
        return [headers["webhook-id"] for headers, _ in self.got]

    def verified(self, secret):
        """Return the bodies, each verified by another's implementation of the standard."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]

    def take(self, headers, body):
        with self.lock:
            self.got.append((headers, body))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.answers[min(len(self.got), len(self.answers)) - 1]
        time.sleep(self.slow)
        with self.lock:
            self.at_once -= 1
        return answer


@contextmanager
def receiving(receiver=None, context=None):
    """Give a receiver that listens; with TLS where a context is given."""
    receiver = receiver or Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):  # the library's name
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers = receiver.take({name.lower(): text for name, text in self.headers.items()}, body)
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_words):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if context else 'http'}://localhost:{server.server_port}/hook?of=churnml"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
