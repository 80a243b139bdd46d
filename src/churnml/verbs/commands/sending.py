"""`churnml digest`, `handoff` and `webhooks`: what goes out to people and to other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from churnml.verbs.commands.call import Call, on_workspace
from churnml.verbs.commands.options import LanguageOption
from churnml.wording import language_named

webhooks = typer.Typer(help="Where the service pushes what happens.", no_args_is_help=True)
WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, as `churnml webhooks list` has it.")]


@on_workspace
def digest(
    *,
    to: Annotated[list[str] | None, typer.Option(help="An address, in place of the settings'; repeatable.")] = None,
    call: Call,
    language: Annotated[str | None, typer.Option(help="en or zh. Default: as in configs/digest.yaml.")] = None,
) -> None:
    """Send the day's list by e-mail, through the mail server of configs/digest.yaml."""
    from churnml.verbs import digest as verb

    words = language_named(language) if language else None
    session = call.open()
    session.tell(verb.digest(session, to=to or (), language=words), verb.told)


@on_workspace
def handoff(
    *,
    to: Annotated[
        str,
        typer.Option(help="salesforce, hubspot, dynamics, zoho, fxiaoke, mailchimp, marketo, excel or tableau."),
    ],
    out: Annotated[Path, typer.Option(help="The file to write; further ones are called -2, -3, …")],
    band: Annotated[list[str] | None, typer.Option(help="Only this risk band; repeatable. Default: all.")] = None,
    call: Call,
    emails: Annotated[
        Path | None, typer.Option(help="A CSV with customer_id and email, for mailchimp.", readable=False)
    ] = None,
    marked: Annotated[
        bool, typer.Option("--marked", help="Keep controls and held-out customers, marked, where nobody is written to.")
    ] = False,
    language: LanguageOption = "en",
) -> None:
    """Write the list at risk in the shape that a CRM, mail or BI tool imports."""
    from churnml.verbs import handoff as verb

    words, bands = language_named(language), verb.require_bands(band or ())
    session = call.open()
    body = verb.handoff(session, to, out, bands=bands, emails=emails, marked=marked, language=words)
    session.tell(body, verb.told, words)


@webhooks.command("list")
@on_workspace
def webhooks_list(*, call: Call) -> None:
    """List the webhooks: what each is sent, and how it fares."""
    from churnml.verbs import webhooks as verb

    session = call.open()
    session.tell(verb.known(session), verb.listing)


@webhooks.command("add")
@on_workspace
def webhooks_add(
    *,
    url: Annotated[str, typer.Argument(metavar="URL", help="https, of a public address.")],
    event: Annotated[list[str], typer.Option(help="Such as list.ready, see docs/webhooks.md; repeatable.")],
    description: Annotated[str, typer.Option(help="Whose it is, and what for.")] = "",
    call: Call,
) -> None:
    """Make a webhook; its signing secret, derived from CHURNML_SECRET, is printed this once."""
    from churnml.verbs import webhooks as verb

    session = call.open()
    session.tell_secret(verb.add(session, url, event, description=description), verb.shown_once, "secret")


@webhooks.command("rotate")
@on_workspace
def webhooks_rotate(*, webhook: WebhookArgument, call: Call) -> None:
    """Give a webhook a new secret; for a day messages bear the signature by the old one as well."""
    from churnml.verbs import webhooks as verb

    session = call.open()
    session.tell_secret(verb.rotate(session, webhook), verb.shown_once, "secret")


@webhooks.command("test")
@on_workspace
def webhooks_test(*, webhook: WebhookArgument, call: Call) -> None:
    """Send a webhook a message to try it; a service that runs does so within seconds."""
    from churnml.verbs import webhooks as verb

    session = call.open()
    body = verb.test(session, webhook)
    session.say(body, f"delivery {body['delivery_id']} waits; `churnml serve` sends it")


@webhooks.command("remove")
@on_workspace
def webhooks_remove(*, webhook: WebhookArgument, call: Call) -> None:
    """Remove a webhook with all that waits for it."""
    from churnml.verbs import webhooks as verb

    session = call.open()
    body = verb.remove(session, webhook)
    session.say(body, f"nothing is pushed to {body['url']} any more")
