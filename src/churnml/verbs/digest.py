"""`churnml digest`: the day's list by e-mail, through the company's own mail server."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from churnml.config import DigestConfig
from churnml.database.lists import Wanted
from churnml.errors import ConfigError, DependencyError, UsageError
from churnml.verbs.actor import note
from churnml.verbs.session import Session, clock
from churnml.wording import Language

Json = dict[str, Any]  # Any: JSON
PASSWORD = "CHURNML_SMTP_PASSWORD"  # noqa: S105  # the name of the variable, not what it holds
_SECONDS = 30.0


def digest(session: Session, *, to: Sequence[str] = (), language: Language | None = None) -> Json:
    """Send what the list comes to, and the customers that the settings let be named; return who got it.

    Parameters
    ----------
    to : sequence of str
        Addresses, in place of those of the settings.
    language : {"en", "zh"}, optional
        In place of that of the settings.

    Raises
    ------
    UsageError
        If nobody is to get it.
    ConfigError
        If the settings cannot be, or a password is missing.
    BroughtBackError
        If customers who were erased are back after a restore.
    DependencyError
        If there are no records yet, or the mail server does not take it.
    """
    from churnml.service.digest import digest as message_of  # noqa: PLC0415  # FastAPI takes a second to import
    from churnml.service.readings import Readings  # noqa: PLC0415

    config = session.load("digest", DigestConfig, to=list(to) or None)
    if not config.to:
        raise UsageError("a digest needs somebody to get it, found nobody; name them in configs/digest.yaml or by --to")
    session.require_nobody_back()
    reader, wanted = Readings(session.catalogue.engine, session.workspace), Wanted(contactable=True)
    run = reader.run()
    first = reader.at_risk(run, wanted, config.customers).records if config.customers else []
    open_to, spoken = reader.count_at_risk(run, wanted), language or config.language
    with session.step(f"Sending to {len(config.to)}"):
        refused = _send(message_of(run, open_to, first, config, config.to, spoken, clock()), config)
    sent = [one for one in config.to if one not in refused]
    note(session, "digest.sent", {"to": len(sent), "customers_named": len(first), "run": run.run_id})
    return {"sent_to": sent, "refused": sorted(refused), "customers_named": len(first), "run_id": run.run_id}


def told(body: Json) -> str:
    """Return what was sent, in words."""
    lines = [f"sent to {len(body['sent_to'])}, naming {body['customers_named']:,} customers"]
    lines += [f"refused by the mail server: {one}" for one in body["refused"]]
    return "\n".join(lines)


def _send(message: EmailMessage, config: DigestConfig) -> set[str]:
    """Hand the message to the mail server and return the addresses that it refused."""
    password = os.environ.get(PASSWORD)
    if config.user and not password:
        raise ConfigError(f"configs/digest.yaml names a `user`; the password must stand in the environment: {PASSWORD}")
    safely = ssl.create_default_context()
    try:
        if config.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=_SECONDS, context=safely)
        else:
            server = smtplib.SMTP(config.host, config.port, timeout=_SECONDS)
        with server:
            if config.security == "starttls":
                server.starttls(context=safely)
            if config.user:
                server.login(config.user, password or "")
            return set(server.send_message(message))
    except (OSError, smtplib.SMTPException) as error:  # its words may hold what was sent
        raise DependencyError(
            f"the mail server {config.host}:{config.port} does not take the digest ({_kind(error)}); look at `host`, "
            f"`port`, `security` and `user` in configs/digest.yaml"
        ) from None


def _kind(error: Exception) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return "it refuses user or password"
        case smtplib.SMTPRecipientsRefused():
            return "it refuses every address"
        case ssl.SSLError():
            return "its certificate or encryption is not sound"
        case OSError(strerror=str(words)):
            return words
    return type(error).__name__
