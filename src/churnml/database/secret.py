"""The one secret of a deployment, from the environment, and the keys that are derived from it, one per purpose.

A key is for one thing: who learns the signing secret of an endpoint learns nothing of the tombstones of the erased.

References
----------
Krawczyk and Eronen (2010), RFC 5869: HKDF, with SHA-256, an empty salt and the purpose as `info`; one block.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping

from churnml.errors import NotSetUpError

VARIABLE = "CHURNML_SECRET"
SHORTEST = 32
"""characters; `openssl rand -base64 48` gives 64"""


def is_set(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether the deployment has a secret."""
    return bool(_told(environment))


def derived(purpose: str, environment: Mapping[str, str] | None = None) -> bytes:
    """Return the key for a purpose: the same as long as the secret is the same.

    Parameters
    ----------
    purpose : str
        What it is for, such as `tombstones`; keys for different purposes tell nothing of each other.
    environment : mapping, optional
        Where `CHURNML_SECRET` is; by default the environment of the process.

    Returns
    -------
    bytes of length 32
        The key.

    Raises
    ------
    NotSetUpError
        If the secret is missing or shorter than 32 characters.
    """
    told = _told(environment)
    if len(told) < SHORTEST:
        found = f"{len(told)} characters" if told else "none"
        raise NotSetUpError(
            f"`{VARIABLE}` must hold at least {SHORTEST} random characters, found {found}; set it in the environment, "
            "as `openssl rand -base64 48` makes one, and keep it: what was derived from it cannot be made without it"
        )
    extracted = hmac.new(bytes(hashlib.sha256().digest_size), told.encode(), hashlib.sha256).digest()
    return hmac.new(extracted, purpose.encode() + b"\x01", hashlib.sha256).digest()


def _told(environment: Mapping[str, str] | None) -> str:
    return (os.environ if environment is None else environment).get(VARIABLE, "").strip()
