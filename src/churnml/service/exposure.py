"""Who can reach the service, and what must stand before anyone but this machine may."""

from __future__ import annotations

from pathlib import Path

from churnml.config import ServeConfig
from churnml.errors import ConfigError, UsageError
from churnml.service.guard import is_loopback


def is_public(settings: ServeConfig) -> bool:
    """Tell whether others than this machine are answered, directly or through a proxy in front."""
    return not is_loopback(settings.host) or bool(settings.public_hosts)


def check_exposure(settings: ServeConfig, admins: int) -> None:
    """Refuse to answer others before it is safe to.

    Parameters
    ----------
    settings : ServeConfig
        Where it would listen, and what guards it there.
    admins : int
        How many people may do everything.

    Raises
    ------
    UsageError
        If it would be reached by others without an account, a name or TLS.
    ConfigError
        If a file that is named is not there.
    """
    if not is_public(settings):
        return
    where = f"to be reached by others than this machine (`host` {settings.host!r}), the service needs"
    if not settings.public_hosts:
        raise UsageError(f"{where} the names it is reached under; set `public_hosts` in configs/serve.yaml")
    if settings.tls_certificate is None and settings.trusted_proxy is None:
        raise UsageError(
            f"{where} TLS; set `tls_certificate` and `tls_key`, or `trusted_proxy`, in configs/serve.yaml, or reach it "
            "through an SSH tunnel"
        )
    if admins == 0:
        raise UsageError(f"{where} an administrator; `churnml people add NAME --role admin` makes one")
    for name in ("tls_certificate", "tls_key"):
        file = getattr(settings, name)
        if file is not None and not Path(file).is_file():
            raise ConfigError(f"`{name}` must name a file, found none at {file}; set it in configs/serve.yaml")
