"""Resolve the locks anew: `run.txt` for a deployment, `dev.txt` for this repository, `uv.txt` for uv itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
_QUIET = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet")
_NO_ADDRESS = ("--no-emit-index-url", "--no-emit-find-links")


def main() -> None:
    """Write the three files; each holds names, versions and hashes only."""
    project = str(HERE.parent / "pyproject.toml")
    _compile(project, "--output-file", str(HERE / "run.txt"))
    _compile(project, "--extra", "dev", "--output-file", str(HERE / "dev.txt"))
    _compile("-", "--output-file", str(HERE / "uv.txt"), stdin="uv\n")


def _compile(*arguments: str, stdin: str | None = None) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", *_QUIET, *_NO_ADDRESS, "--upgrade", *arguments]
    subprocess.run(command, input=stdin, text=True, check=True)


if __name__ == "__main__":
    main()
