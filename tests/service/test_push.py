"""Messages on their way: signed, sent to who listens, tried again; nothing lost, none sent twice at once."""

import os
import signal
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from callers import TESTER
from churnml.database import deliveries, endpoints, open_engine
from churnml.database.endpoints import OVERLAP
from churnml.database.secret import VARIABLE
from churnml.service.push import Pusher
from churnml.service.push.schedule import DELAYS, LONGEST_WAIT, REST, asked_for, retry_at
from churnml.service.push.sending import Answer, Sender
from churnml.service.push.signing import signing_secret
from new_database import new_workspace
from receivers import Receiver, receiving

SECRET = "a secret of more than thirty-two characters"  # noqa: S105
ALLOWED = Sender(frozenset({"localhost"}))
SECOND = 1_000_000


class Clock:
    """The present, and later where a test wants it."""

    later = 0

    def __call__(self):
        return time.time_ns() // 1_000 + self.later


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv(VARIABLE, SECRET)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine(either, tmp_path):
    """The database of a workspace, in a file and then on a server."""
    engine = open_engine(new_workspace(tmp_path / "work space").database)
    yield engine
    engine.dispose()


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


def endpoint(engine, url, tests=1, at=1):
    """Make an endpoint that some messages wait for, and return it."""
    with engine.begin() as connection:
        made = endpoints.create(connection, TESTER, url, ["list.ready"], at=at)
        for _ in range(tests):
            endpoints.try_out(connection, TESTER, made.endpoint_id, at=at)
    return made


def push(engine, clock, sender=ALLOWED):
    """Give every endpoint its turn, and return how many attempts were made."""
    pusher = Pusher(engine, sender, clock)
    made = [turn.result() for turn in pusher.give_turns()]
    pusher.stop()
    return sum(made)


def of(engine, made):
    with engine.connect() as connection:
        return deliveries.of_endpoint(connection, made.endpoint_id, 100), endpoints.known(connection, made.endpoint_id)


def test_a_message_is_verified_by_another_implementation_of_the_standard(engine, receiver, clock):
    made = endpoint(engine, receiver.url)
    assert push(engine, clock) == 1
    (told,) = receiver.verified(signing_secret(made.endpoint_id, 1))
    assert (told["type"], told["data"]["endpoint_id"]) == ("webhook.test", made.endpoint_id)
    ((found,), standing) = of(engine, made)
    assert (found.state, found.attempts, found.status, found.problem) == ("delivered", 1, 204, None)
    assert standing.delivered_at is not None


def test_the_host_of_the_name_is_asked_for_and_nothing_of_ours_is_told(engine, receiver, clock):
    endpoint(engine, receiver.url)
    push(engine, clock)
    headers, _ = receiver.got[0]
    assert headers["host"] == receiver.url.split("/")[2]
    assert sorted(headers) == [
        "accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent",
        "webhook-id", "webhook-signature", "webhook-timestamp",
    ]  # fmt: skip


def test_for_a_day_after_a_rotation_either_secret_verifies_and_then_the_new_one_alone(engine, receiver, clock):
    made = endpoint(engine, receiver.url, 2)
    with engine.begin() as connection:
        rotated = endpoints.rotate(connection, TESTER, made.endpoint_id, at=clock())
    push(engine, clock)
    for version in (1, 2):
        assert len(receiver.verified(signing_secret(made.endpoint_id, version))) == 2
    assert rotated.versions(rotated.rotated_at + OVERLAP - 1) == (2, 1)
    assert rotated.versions(rotated.rotated_at + OVERLAP) == (2,)


def test_what_failed_is_sent_again_under_the_same_id_once_its_time_has_come(engine, receiver, clock):
    receiver.answers = [(500, {}), (503, {}), (200, {})]
    made = endpoint(engine, receiver.url)
    for later in (0, 3 * SECOND, 7 * SECOND, 7 * SECOND, 400 * SECOND):
        clock.later = later
        push(engine, clock)
    assert (len(receiver.got), len(set(receiver.ids))) == (3, 1)
    assert of(engine, made)[0][0].state == "delivered"


def test_after_the_tenth_attempt_a_message_has_failed(engine, receiver, clock):
    receiver.answers = [(500, {})]
    made = endpoint(engine, receiver.url)
    for _ in range(12):
        push(engine, clock)
        ((found,), standing) = of(engine, made)
        clock.later += max(found.next_at - clock(), 0) + SECOND
    assert (found.state, found.attempts, found.problem, len(receiver.got)) == ("failed", 10, "status", 10)
    assert (standing.state, standing.failing_since is None) == ("enabled", False)


def test_ten_attempts_are_made_in_three_days_each_a_little_later_than_the_schedule_says():
    at = 0
    for attempts, delay in enumerate(DELAYS, start=1):
        again = retry_at("msg_1", "one", attempts, at)
        assert at + delay <= again <= at + 1.2 * delay
        at = again
    assert retry_at("msg_1", "one", 10, at) is None
    assert 3 * 86_400 * SECOND <= at <= 4 * 86_400 * SECOND
    assert retry_at("msg_1", "one", 1, 0) != retry_at("msg_2", "one", 1, 0)


@pytest.mark.parametrize(
    "header, seconds",
    [
        (None, None), ("", None), ("120", 120), ("soon", None), ("-5", None), ("9" * 400, LONGEST_WAIT // SECOND),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200), ("Thu, 01 Jan 1970 00:00:00 GMT", -1_000),
        ("Fri, 01 Jan 2100 00:00:00 GMT", LONGEST_WAIT // SECOND),
    ],
)  # fmt: skip
def test_a_retry_after_is_understood_in_both_its_forms_and_never_beyond_a_day(header, seconds):
    now = 1_000 * SECOND
    assert asked_for(header, now) == (0 if seconds is None else now + seconds * SECOND)


def test_who_asks_us_to_come_later_is_left_in_peace_until_then(engine, receiver, clock):
    receiver.answers = [(429, {"retry-after": "600"}), (204, {})]
    endpoint(engine, receiver.url, 2)
    for later, got in ((0, 1), (590 * SECOND, 1), (601 * SECOND, 3)):
        clock.later = later
        push(engine, clock)
        assert len(receiver.got) == got


def test_who_is_gone_is_disabled_at_once(engine, receiver, clock):
    receiver.answers = [(410, {})]
    made = endpoint(engine, receiver.url, 2)
    push(engine, clock)
    standing = of(engine, made)[1]
    assert (standing.state, standing.why, len(receiver.got)) == ("disabled", "gone", 1)


def test_a_redirect_is_not_followed(engine, receiver, clock):
    with receiving() as elsewhere:
        receiver.answers = [(307, {"location": elsewhere.url})]
        made = endpoint(engine, receiver.url)
        push(engine, clock)
        assert elsewhere.got == []
    assert of(engine, made)[0][0].problem == "redirect"


def test_a_name_that_leads_elsewhere_by_the_time_it_is_sent_to_is_not_followed_there(engine, receiver, clock):
    made = endpoint(engine, receiver.url.replace("http://localhost", "https://crm.example.com"))
    push(engine, clock, Sender(resolve=lambda _host, _port: ["127.0.0.1"]))
    assert (of(engine, made)[0][0].problem, receiver.got) == ("address", [])


def test_a_name_is_asked_for_once_an_attempt_and_the_answer_is_where_we_go(receiver):
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    sender = Sender(frozenset({"nowhere.invalid"}), resolve)
    answer = sender.send(receiver.url.replace("localhost", "nowhere.invalid"), {}, b"{}")
    assert (answer, len(asked)) == (Answer(204, None), 1)


def test_where_the_first_address_of_a_name_does_not_listen_the_next_is_asked(receiver):
    sender = Sender(frozenset({"localhost"}), lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
    assert sender.send(receiver.url, {}, b"{}") == Answer(204, None)


def test_where_nobody_listens_the_connection_fails():
    assert ALLOWED.send("http://localhost:9/", {}, b"{}") == Answer(None, "connection")


def test_a_receiver_that_takes_too_long_is_given_up_however_it_dawdles():
    with receiving(Receiver(slow=1.0)) as slow:
        began = time.monotonic()
        answer = Sender(frozenset({"localhost"}), whole_seconds=0.2).send(slow.url, {}, b"{}")
    assert answer == Answer(None, "timeout")
    assert time.monotonic() - began < 2


def test_no_proxy_of_the_environment_is_asked(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert ALLOWED.send(receiver.url, {}, b"{}") == Answer(204, None)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for `crm.test` that signs itself."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=crm.test", "-addext", "subjectAltName=DNS:crm.test", "-keyout", folder / "key.pem",
         "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize(
    "host, trusted, answer",
    [
        ("crm.test", True, Answer(204, None)),
        ("other.test", True, Answer(None, "tls")),
        ("crm.test", False, Answer(None, "tls")),
    ],
)
def test_with_tls_the_certificate_must_be_of_the_name_though_the_address_was_pinned(certificate, host, trusted, answer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    asked = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    trust = ssl.create_default_context(cafile=certificate / "certificate.pem" if trusted else None)
    sender = Sender(frozenset({host}), lambda _host, _port: ["127.0.0.1"], trust=trust)
    with receiving(context=context) as listening:
        assert sender.send(listening.url.replace("localhost", host), {}, b"{}") == answer
    assert asked == [host]


def test_a_slow_endpoint_does_not_hold_up_another(engine, receiver, clock):
    with receiving(Receiver(slow=0.5)) as slow:
        endpoint(engine, slow.url, 2)
        endpoint(engine, receiver.url, 5, at=2)
        pusher = Pusher(engine, ALLOWED, clock)
        first, second = pusher.give_turns()
        assert second.result() == 5
        assert not first.done()
        pusher.stop()


def test_of_two_workers_one_at_a_time_sends_to_an_endpoint_and_each_message_once(engine, clock):
    with receiving(Receiver(slow=0.01)) as receiver:
        endpoint(engine, receiver.url, 20)
        workers = [Pusher(engine, ALLOWED, clock, every_seconds=0.001) for _ in range(2)]
        for worker in workers:
            worker.start()
        until = time.monotonic() + 10
        while len(receiver.got) < 20 and time.monotonic() < until:
            time.sleep(0.01)
        for worker in workers:
            worker.stop()
        assert (len(receiver.ids), len(set(receiver.ids)), receiver.most_at_once) == (20, 20, 1)


_KILLED = """
import os, sys, time
from pathlib import Path
from churnml.database import Workspace, open_engine
from churnml.service.push import Pusher
from churnml.service.push.sending import Sender
engine = open_engine(Workspace.open(Path(sys.argv[1])).database)
for turn in Pusher(engine, Sender(frozenset({"localhost"})), lambda: time.time_ns() // 1_000).give_turns():
    turn.result()
"""


def test_whoever_is_killed_before_the_answer_leaves_the_message_to_be_sent_again_under_its_id(tmp_path, clock):
    engine = open_engine(new_workspace(tmp_path / "work space").database)
    with receiving(Receiver(slow=30)) as receiver:
        made = endpoint(engine, receiver.url)
        process = subprocess.Popen([sys.executable, "-c", _KILLED, tmp_path / "work space"])
        while not receiver.got:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        receiver.slow = 0
        assert push(engine, clock) == 0  # the lease of the dead still runs
        clock.later = deliveries.LEASE + SECOND
        assert push(engine, clock) == 1
        assert (len(receiver.ids), len(set(receiver.ids))) == (2, 1)
        assert of(engine, made)[0][0].state == "delivered"
    engine.dispose()


def test_without_a_secret_nothing_is_sent_and_nothing_is_lost(engine, receiver, clock, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    made = endpoint(engine, receiver.url)
    assert (push(engine, clock), receiver.got, of(engine, made)[0][0].state) == (0, [], "waiting")


def test_every_attempt_bears_its_own_time(engine, receiver, clock):
    receiver.answers = [(500, {}), (204, {})]
    endpoint(engine, receiver.url)
    push(engine, clock)
    clock.later = 10 * SECOND
    push(engine, clock)
    first, second = (int(headers["webhook-timestamp"]) for headers, _ in receiver.got)
    assert abs(first - datetime.now(UTC).timestamp()) < 60
    assert 10 <= second - first <= 20
    assert REST == 5 * SECOND
