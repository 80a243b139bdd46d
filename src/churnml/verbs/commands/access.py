"""`churnml keys`, `people` and `audit`: who may ask and do what, and who did."""

from __future__ import annotations

from typing import Annotated

import typer

from churnml.verbs.commands.call import Call, on_workspace

keys = typer.Typer(help="API keys, for programs that call the service.", no_args_is_help=True)
people = typer.Typer(help="People who may sign in, and as what.", no_args_is_help=True)
audit = typer.Typer(help="The log of who did what.", no_args_is_help=True)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its id, such as ck_b7k2m9x4qa, or its name.")]
DaysOption = Annotated[int, typer.Option(help="Days until it expires.")]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What they sign in as.")]


@keys.command("create")
@on_workspace
def keys_create(
    *,
    name: Annotated[str, typer.Option(help="Who will use it.")],
    scope: Annotated[list[str], typer.Option(help="read, contact, write, operate or admin; repeatable.")],
    days: DaysOption = 90,
    call: Call,
) -> None:
    """Make a key; it is printed this once."""
    from churnml.verbs import keys as verb

    session = call.open()
    session.tell_secret(verb.create(session, name, scope, days=days), verb.shown_once, "key")


@keys.command("list")
@on_workspace
def keys_list(*, call: Call) -> None:
    """List the keys: what each may do, until when, and when it was used last."""
    from churnml.verbs import keys as verb

    session = call.open()
    session.tell(verb.known(session), verb.listing)


@keys.command("rotate")
@on_workspace
def keys_rotate(
    *,
    key: KeyArgument,
    days: DaysOption = 90,
    overlap_hours: Annotated[int, typer.Option(help="Hours for which the old one goes on.")] = 24,
    call: Call,
) -> None:
    """Make a key that takes the place of another, which goes on for a while."""
    from churnml.verbs import keys as verb

    session = call.open()
    session.tell_secret(verb.rotate(session, key, days=days, overlap_hours=overlap_hours), verb.shown_once, "key")


@keys.command("revoke")
@on_workspace
def keys_revoke(*, key: KeyArgument, call: Call) -> None:
    """Revoke a key, or all of a name: from the next request on it is refused."""
    from churnml.verbs import keys as verb

    session = call.open()
    body = verb.revoke(session, key)
    gone = ", ".join(one["key_id"] for one in body["revoked"]) or "nothing that was not revoked already"
    session.say(body, f"Revoked: {gone}")


@people.command("add")
@on_workspace
def people_add(
    *,
    name: NameArgument,
    role: Annotated[str, typer.Option(help="agent, analyst or admin; see docs/access.md.")],
    call: Call,
) -> None:
    """Make an account; the password is asked for, or taken from CHURNML_PASSWORD."""
    from churnml.verbs import people as verb

    session = call.open()
    body = verb.add(session, name, role)
    session.say(body, f"{body['name']} may sign in as {body['role']}")


@people.command("list")
@on_workspace
def people_list(*, call: Call) -> None:
    """List who may sign in, and as what."""
    from churnml.verbs import people as verb

    session = call.open()
    session.tell(verb.known(session), verb.listing)


@people.command("role")
@on_workspace
def people_role(
    *,
    name: NameArgument,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="agent, analyst or admin.")],
    call: Call,
) -> None:
    """Give someone another role, from their next request on."""
    from churnml.verbs import people as verb

    session = call.open()
    body = verb.role(session, name, role)
    session.say(body, f"{body['name']} is {body['role']} now")


@people.command("password")
@on_workspace
def people_password(*, name: NameArgument, call: Call) -> None:
    """Give someone another password; all their sessions end."""
    from churnml.verbs import people as verb

    session = call.open()
    body = verb.password(session, name)
    session.say(body, f"{body['name']} has a new password, and is signed out everywhere")


@people.command("link")
@on_workspace
def people_link(
    *,
    name: NameArgument,
    subject: Annotated[str, typer.Option(help="What the provider calls them in `sub`.")],
    call: Call,
) -> None:
    """Have someone sign in by the identity provider of configs/serve.yaml as this person."""
    from churnml.verbs import people as verb

    session = call.open()
    body = verb.link(session, name, subject)
    session.say(body, f"{body['name']} may sign in by {body['issuer']}")


@people.command("remove")
@on_workspace
def people_remove(*, name: NameArgument, call: Call) -> None:
    """Remove an account; what the person did stays in the audit log."""
    from churnml.verbs import people as verb

    session = call.open()
    body = verb.remove(session, name)
    session.say(body, f"{body['name']} has no account any more")


@audit.command("verify")
@on_workspace
def audit_verify(
    *,
    head: Annotated[
        list[str] | None, typer.Option(help="Where the log ended before, as this command printed it; repeatable.")
    ] = None,
    call: Call,
) -> None:
    """Say whether the log is whole: exit code 4 if an entry was changed, removed, put in, moved or cut off."""
    from churnml.verbs import audit as verb

    session = call.open()
    session.tell(verb.check(session, head or ()), verb.said)


@audit.command("show")
@on_workspace
def audit_show(
    *,
    since: Annotated[str | None, typer.Option(help="From this day on, such as 2017-12-31.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only what was done about this customer.")] = None,
    call: Call,
) -> None:
    """Show who did what, and when."""
    from churnml.verbs import audit as verb

    session = call.open()
    session.tell(verb.show(session, since, customer), verb.lines)
