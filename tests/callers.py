"""Who asks the service in a test: a key with the scopes that the test wants, or a person who has signed in."""

from types import SimpleNamespace

from churnml.database import open_engine
from churnml.database.keys import create_key
from churnml.database.people import add_person, find_person
from churnml.database.scopes import SCOPES
from churnml.database.sessions import open_session
from churnml.service.forms import HEADER, token_for

TESTER = SimpleNamespace(kind="command", name="tester")
FAR_AHEAD = 9_000_000_000_000_000


def a_key(workspace, *scopes, name="crm", expires_at=FAR_AHEAD):
    """Return a new key for the workspace's service, with these scopes; with all where none is named."""
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        _, text = create_key(connection, TESTER, name, scopes or SCOPES, at=1, expires_at=expires_at)
    engine.dispose()
    return text


def bearing(workspace, *scopes):
    """Return the headers of one who asks with a new key of these scopes; of all where none is named."""
    return {"authorization": f"Bearer {a_key(workspace, *scopes)}"}


def signed_in(workspace, name, role="agent", at=1):
    """Return the headers of a person of this role who signed in to the workspace's service at an instant."""
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        if find_person(connection, name) is None:
            add_person(connection, TESTER, name, role, "unused", at=1)
        token = open_session(connection, name, at=at, expires_at=FAR_AHEAD)
    engine.dispose()
    return {"cookie": f"churnml_session={token}", HEADER: token_for(token), "sec-fetch-site": "same-origin"}
