"""What the answers depend on beside the data: churnml's own code, as one digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import churnml


@cache
def source_digest() -> str:
    """Return the digest of churnml's own code: a changed formula is another input, whatever the version says."""
    code = sorted(Path(churnml.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in code)).hexdigest()
