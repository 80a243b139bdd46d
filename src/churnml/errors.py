"""The errors a user can meet, each with its exit code and HTTP status.

A message names the thing, states the rule, shows what was found and says what to do. Anything that is not a
`ChurnmlError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from churnml.wording import Language, Text


class ChurnmlError(Exception):
    """A mistake the user can mend, told in words they can act on.

    Parameters
    ----------
    message : str or Text
        A `Text` where pages and reports tell it, which are read in either language; a log, a terminal and an API have
        the English of it.
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str | Text) -> None:
        super().__init__(message if isinstance(message, str) else message.en)
        self._text = None if isinstance(message, str) else message

    def to(self, language: Language) -> str:
        """Return the message in a language, in English where it has no other."""
        return str(self) if self._text is None else self._text.to(language)


class UsageError(ChurnmlError):
    """A command, an option or an argument that cannot be carried out as given."""

    exit_code = 2
    http_status = 400
    code = "usage"


class ConfigError(UsageError):
    """A configuration file that does not say what it should."""

    code = "config"


class NotSetUpError(ConfigError):
    """Whoever runs the service has left out something that what was asked needs; whoever asked can do nothing."""

    http_status = 503
    code = "not_set_up"


class NotFoundError(UsageError):
    """Something was asked for by name and is not there."""

    http_status = 404
    code = "not_found"


class MismatchError(UsageError):
    """A request under a key that names another one."""

    http_status = 422
    code = "idempotency_mismatch"


class ConflictError(UsageError):
    """What was asked contradicts what stands by now."""

    http_status = 409
    code = "conflict"


class TakenError(ConflictError):
    """Something is held by somebody else."""

    code = "taken"


class StaleError(UsageError):
    """Something has changed since it was read."""

    http_status = 412
    code = "stale"


class InProgressError(ConflictError):
    """The same request is being done at this moment."""

    code = "in_progress"
    headers: ClassVar[Mapping[str, str]] = {"retry-after": "1"}


class TooManyJobsError(UsageError):
    """More is asked to be done than may wait."""

    http_status = 429
    code = "too_many_jobs"
    headers: ClassVar[Mapping[str, str]] = {"retry-after": "60"}


class GoneError(UsageError):
    """Something that was there and has been removed for good."""

    http_status = 410
    code = "gone"


class UnauthenticatedError(UsageError):
    """Somebody asks without saying who they are, or with a key or session that does not hold."""

    http_status = 401
    code = "unauthenticated"


class ForbiddenError(UsageError):
    """Somebody asks for what they may not do."""

    http_status = 403
    code = "forbidden"


class SignInRefusedError(ForbiddenError):
    """Somebody whom an identity provider sent, or did not send, is not let in.

    Parameters
    ----------
    reason : str
        What their page says of it: `cancelled`, `expired`, `token`, `role`, `unknown`, `name`, `gone` or `wait`.
    detail : str
        The rule that was broken, for the audit log: a word or two of ours, nothing of what came.
    """

    code = "sign_in_refused"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"signing in by the identity provider was refused: {detail or reason}")
        self.reason = reason
        self.detail = detail or reason


class DataRefusedError(ChurnmlError):
    """A file or table that breaks the contract; nothing of it was kept.

    Parameters
    ----------
    message : str or Text
        For the person who has to mend it.
    report : mapping, optional
        Everything that was found, as plain data.
    """

    exit_code = 3
    http_status = 422
    code = "data_refused"

    def __init__(self, message: str | Text, *, report: Mapping[str, Any] | None = None) -> None:  # Any: JSON
        super().__init__(message)
        self.report = report


class BroughtBackError(DataRefusedError):
    """A backup was restored, and customers who were erased since it was made are still to be erased again."""

    http_status = 503
    code = "brought_back"


class InvalidTableError(DataRefusedError):
    """An array or table whose values contradict each other."""

    code = "invalid_table"


class NoSuchPeriodsError(UsageError):
    """The days asked about hold no whole period, or too many, of those that a measure is told by."""

    code = "no_such_periods"


class NotEnoughDataError(DataRefusedError):
    """The data are sound but too few for what was asked."""

    code = "not_enough_data"


class NoMaximumError(DataRefusedError):
    """The data are sound, but no parameters of the model are likelier than all others."""

    code = "no_maximum"


class ModelRefusedError(ChurnmlError):
    """A bundle that is damaged, foreign or unfit; it was not opened."""

    exit_code = 4
    http_status = 503
    code = "model_refused"


class DependencyError(ChurnmlError):
    """Something outside churnml (a library, a file system, a server) is missing or does not answer."""

    exit_code = 5
    http_status = 503
    code = "dependency"


class ProviderError(DependencyError):
    """The identity provider does not answer, or not as OpenID Connect has it."""

    code = "identity_provider"


class DeadlineError(DependencyError):
    """Something took longer than it may; nothing of it was done."""

    code = "deadline"


class DiskFullError(DependencyError):
    """There is no room to write what was asked for; nothing of it was kept."""

    http_status = 507
    code = "disk_full"


class OverloadedError(ChurnmlError):
    """More was asked for at once than can be answered; what was asked for was not begun."""

    exit_code = 5
    http_status = 503
    code = "overloaded"


class TooManyRequestsError(UsageError):
    """One caller asks more often than they may.

    Parameters
    ----------
    message : str
        What they may.
    wait_seconds : int
        When to ask again.
    """

    http_status = 429
    code = "too_many_requests"

    def __init__(self, message: str, *, wait_seconds: int) -> None:
        super().__init__(message)
        self.headers = {"retry-after": str(wait_seconds)}


class BrokenCheckError(ChurnmlError):
    """A check that could not have failed, so that what it says proves nothing; a bug of ours, told in words."""

    code = "broken_check"


class BrokenLogError(ChurnmlError):
    """An audit log of which an entry was changed, removed, put in, moved or cut off.

    Parameters
    ----------
    message : str
        For the person who has to find out what happened.
    report : mapping
        Everything that was found, as plain data.
    """

    exit_code = 4
    code = "broken_log"

    def __init__(self, message: str, *, report: Mapping[str, Any]) -> None:  # Any: JSON
        super().__init__(message)
        self.report = report


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean `x`?`` for the known word closest to a misspelt one, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
