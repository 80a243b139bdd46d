"""The secret of a deployment: where it is looked for, and what is derived from it."""

import pytest

from churnml.database import secret
from churnml.errors import UsageError

SET = {"CHURNML_SECRET": "a secret of more than thirty-two letters"}


def test_a_key_is_the_same_for_the_same_purpose_and_no_other():
    assert secret.derived("tombstones", SET) == secret.derived("tombstones", SET)
    assert secret.derived("tombstones", SET) != secret.derived("webhooks", SET)
    assert len(secret.derived("webhooks", SET)) == 32


def test_it_is_hkdf_as_rfc_5869_has_it():
    """By the definition, written out: extract with an empty salt, expand to one block."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    ours = secret.derived("webhooks", SET)
    assert ours == HKDF(SHA256(), 32, None, b"webhooks").derive(SET["CHURNML_SECRET"].encode())


@pytest.mark.parametrize(("told", "found"), [({}, "found none"), ({"CHURNML_SECRET": "short"}, "found 5 characters")])
def test_a_missing_or_short_secret_is_refused_by_its_name(told, found):
    with pytest.raises(UsageError, match=rf"`CHURNML_SECRET` must hold at least 32 random characters, {found}"):
        secret.derived("webhooks", told)
