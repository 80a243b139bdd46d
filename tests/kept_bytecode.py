"""Processes that tests start compile each module once a run, also where this process was told to write no bytecode.

Where `PYTHONDONTWRITEBYTECODE` is set, as in many containers, each of them would compile some 1,500 modules anew, for
seconds: the workers of xdist, whoever tries a bundle, the kernels of notebooks.
"""

from __future__ import annotations

import os
import sys
import tempfile


def keep_bytecode(workers: int | None) -> tempfile.TemporaryDirectory[str] | None:
    """Have the workers of this run, and whom they start, share a folder of bytecode; return it, or None without need.

    Nothing is written beside the sources. The folder is gone with what is returned, at the end of the run.
    """
    if not workers or not sys.dont_write_bytecode:
        return None
    folder = tempfile.TemporaryDirectory(prefix="churnml bytecode ")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the flag `-B` sets none
    os.environ["PYTHONPYCACHEPREFIX"] = folder.name
    return folder
