"""A password is kept as argon2id by RFC 9106, is long rather than clever, and is compared as it looks."""

import pytest

from churnml.database.passwords import LONGEST, hash_password, matches
from churnml.errors import UsageError


def test_a_password_is_kept_as_argon2id_with_the_second_recommended_option_of_rfc_9106():
    assert hash_password("correct horse battery", "ann").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_matches_itself_however_its_letters_are_composed_and_nothing_else():
    kept = hash_password("cafe\u0301 au lait, s'il vous plait", "ann")
    assert matches(kept, "caf\u00e9 au lait, s'il vous plait")
    assert not matches(kept, "cafe au lait, s'il vous plait")
    assert not matches(None, "cafe\u0301 au lait, s'il vous plait")
    assert not matches("no hash", "cafe\u0301 au lait, s'il vous plait")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * (LONGEST + 1), "annannannann"])
def test_a_password_that_is_too_short_too_long_or_the_name_again_is_refused_without_repeating_it(password):
    with pytest.raises(UsageError, match="a password must") as refused:
        hash_password(password, "ann")
    assert not password or password not in str(refused.value)
