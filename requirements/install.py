"""Make `.venv` and install what is locked: the first thing `make setup` runs, on nothing but Python 3.11.

uv does the work, itself installed by pip from a hashed file; where uv reaches no index, pip does it alone. Every
package is checked against the hash in `requirements/dev.txt`.

`install.py spark` adds what is in `requirements/spark.txt`, in the same way. PySpark is published as source; the
setuptools that unpack it are the index's newest and not locked. `install.py econml` adds `requirements/econml.txt`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = "requirements/dev.txt"
ADDED = {
    "spark": "adding PySpark to .venv (once; downloads about 450 MB); it runs on Java 17 or later",
    "econml": "adding econml to .venv (once; downloads about 18 MB), for a test that compares our uplift with it",
}

_OPENMP = """LightGBM cannot start, as a rule because the OpenMP run-time library is missing. Install it with
  Debian, Ubuntu   apt-get install libgomp1
  Fedora, RHEL     dnf install libgomp
  Alpine           apk add libgomp
  macOS            brew install libomp
and run the command again. What it said: {said}"""


def main() -> int:
    """Do what was asked, and return the exit code: 0 done, 2 a Python too old, 5 something missing outside."""
    if sys.version_info < (3, 11):
        return _fail(
            2, f"churnml needs Python 3.11 or later, found {sys.version.split()[0]}; use `make PYTHON=python3.11`"
        )
    return _add(sys.argv[1]) if sys.argv[1:] else _set_up()


def _set_up() -> int:
    print("setting up .venv (once; downloads about 400 MB)", file=sys.stderr)
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    _run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements/uv.txt")
    _install(LOCK, "sync")
    _run("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    if sys.dont_write_bytecode:
        _run("-m", "compileall", "-q", "src")
    return _check_openmp()


def _add(name: str) -> int:
    if name not in ADDED:
        return _fail(2, f"what is added must be {' or '.join(ADDED)}, got {name}")
    print(ADDED[name], file=sys.stderr)
    _install(f"requirements/{name}.txt", "install", "--no-deps", "-r")
    return 0


def _install(lock: str, *how: str) -> None:
    environment = os.environ | {"VIRTUAL_ENV": str(VENV)} | _index()
    # where Python may keep no bytecode, each start would compile all it imports; pip compiles what it installs anyway
    compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
    options = ["--quiet", "--require-hashes", *compiled, *how[1:], lock]
    if _run("-m", "uv", "pip", how[0], *options, env=environment, check=False):
        print("uv found no index; installing with pip, which takes longer", file=sys.stderr)
        _run("-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r", lock)


def _index() -> dict[str, str]:
    """Return pip's index for uv, which does not read pip's configuration."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    asked = [str(PYTHON), "-m", "pip", "config", "get", "global.index-url"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return {"UV_DEFAULT_INDEX": found} if found else {}


def _check_openmp() -> int:
    tried = subprocess.run([str(PYTHON), "-c", "import lightgbm"], capture_output=True, text=True, check=False)
    if tried.returncode == 0:
        return 0
    return _fail(5, _OPENMP.format(said=(tried.stderr.strip().splitlines() or ["nothing"])[-1]))


def _run(*arguments: str, env: dict[str, str] | None = None, check: bool = True) -> int:
    done = subprocess.run([str(PYTHON), *arguments], cwd=ROOT, env=env, check=False)
    if check and done.returncode:
        sys.exit(_fail(5, f"`{' '.join(arguments[:3])}` failed with exit code {done.returncode}; see above"))
    return done.returncode


def _fail(code: int, words: str) -> int:
    print(f"error: {words}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
