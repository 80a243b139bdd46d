"""An identity provider that speaks OpenID Connect over HTTP with keys of its own, and lies as a test wants.

It is made from the standards for these tests and is no product of anybody. It holds what a client sends to what RFC
6749 and RFC 7636 ask: who the client is, where the code was sent, the verifier of PKCE, and that a code is used once.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

CLIENT, SECRET = "churnml-test", "s3cret/with:signs"


@cache
def key_of(algorithm, place=0, bits=2048):
    """Return a private key for an algorithm; each place has its own, made once."""
    if algorithm.startswith("ES"):
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, bits)


def jwk_of(key, **more):
    """Return the public half of a key as a JWK."""
    kinds = {ec.EllipticCurvePrivateKey: ECAlgorithm, ed25519.Ed25519PrivateKey: OKPAlgorithm}
    maker = next((made for kind, made in kinds.items() if isinstance(key, kind)), RSAAlgorithm)
    return maker.to_jwk(key.public_key(), as_dict=True) | {"use": "sig"} | more


def part(told):
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class IdentityProvider:
    """What the provider knows and how it lies; `reset` has it honest again."""

    url: str = ""
    now: object = time.time
    asked: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self.reset()

    def reset(self):
        self.algorithm, self.kid, self.place = "ES256", "k1", 0
        self.person = {"sub": "u-1", "preferred_username": "Ann.Lee", "groups": ["crm"], "email": "ann@example.com"}
        self.claims = {}
        self.token = self.signed
        self.discovery, self.published, self.answer, self.refusal = {}, {}, {}, None
        self.auth, self.secret, self.checks_pkce, self.once = "client_secret_basic", SECRET, True, True
        self.broken = {}
        self.codes, self.used = {}, set()
        self.asked.clear()

    def document(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/bye",
            "token_endpoint_auth_methods_supported": [self.auth],
            "code_challenge_methods_supported": ["S256"],
            **self.discovery,
        }

    def keys(self):
        key = jwk_of(key_of(self.algorithm, self.place), kid=self.kid, alg=self.algorithm)
        return {"keys": [key | self.published]}

    def claims_for(self, asked):
        now = int(self.now())
        made = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        told = made | self.person | self.claims
        return {name: value for name, value in told.items() if value is not None}

    def signed(self, claims):
        return jwt.encode(claims, key_of(self.algorithm, self.place), self.algorithm, headers={"kid": self.kid})

    def authorize(self, asked):
        """Return where a browser is sent with a code."""
        if self.refusal:
            given = {"error": self.refusal, "error_description": "<b>from elsewhere</b>", "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(8)
            self.codes[code] = asked
            given = {"code": code, "state": asked["state"]}
        return asked["redirect_uri"] + "?" + urlencode(given | self.answer)

    def exchange(self, form, authorization):
        """Return status and body for a code."""
        told = dict(parse_qsl(form))
        if not self._is_client(told, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.get(told["code"])
        if asked is None or (self.once and told["code"] in self.used) or asked["redirect_uri"] != told["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if (
            self.checks_pkce
            and part(hashlib.sha256(told["code_verifier"].encode()).digest()) != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        self.used.add(told["code"])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.token(self.claims_for(asked))}

    def _is_client(self, told, authorization):
        if self.auth == "client_secret_basic":
            given = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote_plus(one) for one in given] == [CLIENT, self.secret] and "client_secret" not in told
        return (told["client_id"], told.get("client_secret", "")) == (CLIENT, self.secret)


@contextmanager
def providing():
    """Give a provider that listens."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # the library's name
            parts = urlsplit(self.path)
            provider.asked[parts.path] += 1
            if parts.path == "/authorize":
                self.send_response(302)
                asked = {name: one[0] for name, one in parse_qs(parts.query).items()}
                self.send_header("location", provider.authorize(asked))
                self.send_header("content-length", "0")
                self.end_headers()
            elif parts.path == "/keys":
                self.tell(parts.path, 200, provider.keys())
            elif parts.path == "/.well-known/openid-configuration":
                self.tell(parts.path, 200, provider.document())
            else:
                self.tell(parts.path, 404, {})

        def do_POST(self):  # likewise
            provider.asked["/token"] += 1
            form = self.rfile.read(int(self.headers["content-length"])).decode()
            self.tell("/token", *provider.exchange(form, self.headers.get("authorization", "")))

        def tell(self, path, status, body):
            status, raw = provider.broken.get(path, lambda: (status, json.dumps(body).encode()))()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            if status == 302:
                self.send_header("location", provider.url + "/elsewhere")
            self.end_headers()
            try:
                self.wfile.write(raw)
            except OSError:  # who asked has gone
                self.close_connection = True

        def log_message(self, *_words):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
