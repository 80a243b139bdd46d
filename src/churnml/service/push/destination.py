"""Where a message may be sent: an `https` address whose name leads to public addresses alone.

Whoever may name an address to us would else have us knock at doors inside our own network (server-side request
forgery). A name is resolved once for an attempt, every address that it has must be public, and the connection goes to
one of those: a name that leads elsewhere the next time it is asked (DNS rebinding) gains nothing.

References
----------
IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); RFC 4291 section 2.4: global unicast is 2000::/3.
RFC 3056 (6to4), RFC 4380 (Teredo): addresses that hold another.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from churnml.errors import UsageError

Resolve = Callable[[str, int], Sequence[str]]
_PORTS = {"https": 443, "http": 80}
_LONGEST_NAME = 253
_GLOBAL_6 = ip_network("2000::/3")
_NOT_PUBLIC_4 = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # public by its number; to machines in Azure it is their host
    )
)  # fmt: skip
_NOT_PUBLIC_6 = tuple(
    ip_network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)  # of global unicast; IPv4-mapped, NAT64, unique local, link-local and multicast addresses lie outside it


@dataclass(frozen=True)
class Destination:
    """Where a request goes.

    Parameters
    ----------
    scheme : {'https', 'http'}
        How.
    host : str
        The name, in ASCII, for `Host` and for the certificate.
    port : int
        TCP port.
    target : str
        Path and query.
    addresses : tuple of str
        Where the name led when it was asked.
    """

    scheme: Literal["https", "http"]
    host: str
    port: int
    target: str
    addresses: tuple[str, ...]


def destination(url: str, allowed: Collection[str] = (), resolve: Resolve | None = None) -> Destination:
    """Return where a URL leads, if we may send there.

    Parameters
    ----------
    url : str
        What was named.
    allowed : collection of str
        Hosts, in small letters, that may be private and may be asked without TLS: `webhook_allowed_hosts`.
    resolve : callable, optional
        Gives the addresses of a host and a port; by default the system's resolver.

    Raises
    ------
    UsageError
        If the URL is not plain, is not `https`, or its host has no address or one that is not public.
    """
    scheme, host, port, target = _parts(url)
    if scheme == "http" and host not in allowed:
        raise UsageError(f"a webhook must begin with https://, `{host}` was named without; give it TLS{_OR_ALLOW}")
    found = tuple(dict.fromkeys((resolve or resolved)(host, port)))
    if not found:
        raise UsageError(f"`{host}` must have an address, found none; see that the name is right")
    if host not in allowed and not all(map(is_public, found)):
        # which address it is, is not told: the name may be of somebody else's network
        raise UsageError(f"`{host}` must lead to public addresses alone, found one that is not{_OR_ALLOW}")
    return Destination(scheme, host, port, target, found)


_OR_ALLOW = "; or, if it is your own, name it under `webhook_allowed_hosts` in configs/serve.yaml"


def is_public(address: str) -> bool:
    """Tell whether an address is one of the open Internet, and holds no other that is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in one for one in _NOT_PUBLIC_4)
    return _is_public_6(found)


def _is_public_6(found: IPv6Address) -> bool:
    plain = found.scope_id is None and found in _GLOBAL_6
    return plain and not any(found in one for one in _NOT_PUBLIC_6)


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system's resolver orders them; none where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(one[4][0]) for one in found]


def _parts(url: str) -> tuple[Literal["https", "http"], str, int, str]:
    if not url.isascii() or not url.isprintable() or any(letter in url for letter in ' \\"<>^`{|}'):
        raise UsageError("a webhook's URL must be plain ASCII, others percent-encoded or as xn--…; write it so")
    try:
        parts = urlsplit(url)
        host, port, scheme = (parts.hostname or "").rstrip("."), parts.port, parts.scheme
    except ValueError as error:
        raise UsageError(f"a webhook's URL must be one, such as https://crm.example.com/churn: {error}") from error
    if scheme not in _PORTS or not host or len(host) > _LONGEST_NAME or port == 0:
        raise UsageError("a webhook's URL must be one such as https://crm.example.com/churn, found another form")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise UsageError("a webhook's URL must hold no user, password or fragment; requests are signed, see the docs")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return ("https" if scheme == "https" else "http"), host, port or _PORTS[scheme], target
