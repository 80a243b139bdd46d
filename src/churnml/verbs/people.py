"""`churnml people`: who may sign in, and as what; passwords come from a prompt or the environment."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from rich.table import Table

from churnml.config import ServeConfig
from churnml.database.identities import link as link_identity
from churnml.database.passwords import hash_password
from churnml.database.people import add_person, known_as, list_people, remove_person, set_password, set_role, told
from churnml.errors import UsageError
from churnml.verbs.actor import whoever_types
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
PASSWORD_VARIABLE = "CHURNML_PASSWORD"  # noqa: S105  # the name of a variable, not a password


def add(session: Session, name: str, role: str) -> Json:
    """Make an account.

    Raises
    ------
    UsageError
        If the name is none or taken, there is no such role, or the password is too short.
    """
    kept = hash_password(asked_password(name), known_as(name))
    with session.catalogue.engine.begin() as connection:
        return told(add_person(connection, whoever_types(), name, role, kept, at=clock()))


def role(session: Session, name: str, role: str) -> Json:
    """Give a person another role, from their next request on.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    UsageError
        If there is no such role.
    """
    with session.catalogue.engine.begin() as connection:
        return told(set_role(connection, whoever_types(), name, role, at=clock()))


def password(session: Session, name: str) -> Json:
    """Give a person another password; all their sessions end.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    UsageError
        If it is too short.
    """
    kept = hash_password(asked_password(name), known_as(name))
    with session.catalogue.engine.begin() as connection:
        return told(set_password(connection, whoever_types(), name, kept, at=clock()))


def remove(session: Session, name: str) -> Json:
    """Remove an account; all its sessions end.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    """
    with session.catalogue.engine.begin() as connection:
        return told(remove_person(connection, whoever_types(), name, at=clock()))


def link(session: Session, name: str, subject: str) -> Json:
    """Have somebody of the identity provider sign in as a person.

    Raises
    ------
    NotFoundError
        If nobody is called so.
    UsageError
        If no provider is named, or the subject is none or somebody's already.
    """
    oidc = session.load("serve", ServeConfig).oidc
    if oidc is None:
        raise UsageError("an identity provider must be named first, found none; set `oidc` in configs/serve.yaml")
    with session.catalogue.engine.begin() as connection:
        person = link_identity(connection, whoever_types(), name, oidc.issuer, subject, at=clock())
    return told(person) | {"issuer": oidc.issuer}


def known(session: Session) -> Json:
    """Return everyone with an account."""
    with session.catalogue.engine.connect() as connection:
        return {"people": [told(person) for person in list_people(connection)]}


def asked_password(name: str) -> str:
    """Return a password from the environment, or asked for twice; never from an argument, which others can see.

    Raises
    ------
    UsageError
        If there is no one to ask, or what was typed differs.
    """
    given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(f"there is nobody to ask for a password; set {PASSWORD_VARIABLE} for this command")
    typed = getpass.getpass(f"Password for {name}: ")
    if getpass.getpass("Once more: ") != typed:
        raise UsageError("the two passwords must be the same, got two that differ; start again")
    return typed


def listing(body: Json) -> Table:
    """Return everyone as a table for people."""
    table = Table("name", "role", "since", "password set", box=None, header_style="bold")
    for person in body["people"]:
        table.add_row(person["name"], person["role"], person["created_at"][:10], person["password_set_at"][:10])
    return table
