"""The command line, run in this process: what it printed where, and how it ended."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from unittest import mock

from churnml.cli import main


@dataclass(frozen=True)
class Said:
    """What one call of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def body(self):
        """Standard output as JSON; what JSON does not know, such as NaN, is an error."""
        return strictly(self.out)


def strictly(text):
    """Read JSON, and refuse the NaN and Infinity that Python would let pass."""

    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def churnml(*words):
    """Run `churnml` with these words; an error that it does not tell in words ends the test."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = mock.patch.object(sys, "argv", ["churnml", *map(str, words)])
    with argv, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return Said(code, out.getvalue(), " ".join(err.getvalue().split()))
