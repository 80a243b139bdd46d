"""The command line: `churnml VERB`. Verbs do the work, `verbs/commands` names their options; this is the roof.

Exit codes: 0 done, 2 usage or configuration, 3 data refused, 4 model refused or a check that found something,
5 a dependency unreachable, 1 a bug.
Nothing heavy is imported here, so that `churnml --help` answers at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from churnml import __version__
from churnml.errors import ChurnmlError
from churnml.verbs.commands import access, actions, data, judging, measures, models, sending, serving, store
from churnml.verbs.commands.call import STOPPED, keep_progress, let_go, tell_end

app = typer.Typer(
    name="churnml",
    help="Who is about to leave, what each is worth, why, what to do within a budget, and whether it helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
measure = typer.Typer(help="The customer base as the business sees it, and what actions did.", no_args_is_help=True)

for _command in (
    serving.demo,
    data.init,
    data.simulate,
    data.ingest,
    judging.monitor,
    models.tune,
    models.train,
    models.promote,
    models.rollback,
    models.score,
    actions.assign,
    measures.report,
    judging.backtest,
    judging.replay,
    store.vacuum,
    store.backup,
    store.restore,
    store.erase,
    sending.digest,
    sending.handoff,
    serving.serve,
):
    app.command()(_command)

measure.command()(actions.uplift)
measure.command()(measures.lifecycle)
for _name in measures.SAYS:
    measure.command(_name)(measures.measure_command(_name))
for _command in (actions.effect, actions.policy, actions.outcomes, actions.plan):
    measure.command()(_command)

for _name, _group in {
    "features": data.features,
    "check": judging.check,
    "measure": measure,
    "keys": access.keys,
    "people": access.people,
    "audit": access.audit,
    "webhooks": sending.webhooks,
}.items():
    app.add_typer(_group, name=_name)

_SAID_STOPPED = "it was told to stop before its end; what it had not finished counts nowhere"
_SAID_BUG = "something went wrong on our side; what the command printed says what"


def _version(asked: bool) -> None:  # noqa: FBT001  # typer calls it with the flag
    if asked:
        typer.echo(f"churnml {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    progress: Annotated[
        Path | None, typer.Option(help="Keep in this file, as JSON, how far the command is and how it ended.")
    ] = None,
) -> None:
    """Who is about to leave, what each is worth, why, what to do within a budget, and whether it helped."""
    if progress is not None:
        keep_progress(progress)


def main() -> None:
    """Run the command line; a user's mistake gets one message and an exit code, a bug keeps its traceback."""
    try:
        app()
    except ChurnmlError as error:
        if "--json" in sys.argv:
            told = {"code": error.code, "message": str(error)}
            report = getattr(error, "report", None)
            body = {"error": told} if report is None else {"error": told, "report": report}
            typer.echo(json.dumps(body, ensure_ascii=False))
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        tell_end(error.exit_code, error.code, str(error))
        sys.exit(error.exit_code)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        tell_end(code, *(("stopped", _SAID_STOPPED) if code == STOPPED else ()))
        raise
    except BaseException:
        tell_end(1, "internal", _SAID_BUG)
        raise
    finally:
        let_go()


if __name__ == "__main__":
    main()
