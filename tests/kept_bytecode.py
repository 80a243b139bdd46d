"""Processes that tests start compile each module once a run, also where this process was told to write no bytecode.

Where `PYTHONDONTWRITEBYTECODE` is set, as in many containers, each of them would compile some 5,000 modules anew, which
takes half a minute: the workers of xdist, whoever tries a bundle, the kernels of notebooks. `make setup` compiles the
packages there; where another way installed them, this run does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import cache_from_source
from pathlib import Path

import pytest


def keep_bytecode(workers: int | None) -> tempfile.TemporaryDirectory[str] | None:
    """Have the workers of this run, and whom they start, keep what they compile.

    Returns
    -------
    TemporaryDirectory or None
        Where they keep it, gone with what is returned; None where it is kept beside the sources, as Python does by
        itself, and as it must be where what the packages brought along stands there already.
    """
    if not workers or not sys.dont_write_bytecode:
        return None
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the flag `-B` sets none
    if Path(cache_from_source(pytest.__file__)).exists():
        return None
    folder = tempfile.TemporaryDirectory(prefix="churnml bytecode ")
    os.environ["PYTHONPYCACHEPREFIX"] = folder.name
    return folder
