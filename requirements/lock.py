"""Resolve the locks anew: `run.txt` for a deployment, `dev.txt` for this repository, `uv.txt` for uv itself.

`run.txt` is enough for either database and for sign-in by OpenID Connect, one small package that the rest does not
bring; `build.txt` builds the package where it is deployed.

`spark.txt` holds only what Spark adds to `dev.txt`: it is as large as all the rest, and few need it. `econml.txt` does
the same for econml, which only a long test asks.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
_QUIET = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")
_NO_ADDRESS = ("--no-emit-index-url", "--no-emit-find-links")


def main() -> None:
    """Write the six files; each holds names, versions and hashes only."""
    project = str(HERE.parent / "pyproject.toml")
    _compile(project, "--extra", "dev", "--output-file", str(HERE / "dev.txt"))
    # a deployment gets the versions that were tested, though a tool of the tests may hold one of them back
    tested = ("--constraints", str(HERE / "dev.txt"))
    _compile(project, "--extra", "postgres", "--extra", "oidc", *tested, "--output-file", str(HERE / "run.txt"))
    _compile("-", *tested, "--output-file", str(HERE / "build.txt"), stdin="hatchling\n")
    _compile("-", "--output-file", str(HERE / "uv.txt"), stdin="uv\n")
    _add("spark", project, "--extra", "spark")
    _add("econml", "-", stdin="econml\n")


def _add(name: str, *source: str, stdin: str | None = None) -> None:
    """Write a lock of what a source adds to `dev.txt`, at versions that agree with it."""
    base = HERE / "dev.txt"
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.txt"
        _compile(*source, "--constraints", str(base), "--output-file", str(whole), stdin=stdin)
        there = {pin.split()[0] for pin in _pins(base)}
        added = [pin for pin in _pins(whole) if pin.split()[0] not in there]
    (HERE / f"{name}.txt").write_text("\n".join(added) + "\n", encoding="utf-8")


def _pins(lock: Path) -> list[str]:
    """Return what a lock pins, each with the lines of its hashes."""
    return re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())


def _compile(*arguments: str, stdin: str | None = None) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", *_QUIET, *_NO_ADDRESS, "--upgrade", *arguments]
    subprocess.run(command, input=stdin, text=True, check=True)


if __name__ == "__main__":
    main()
