"""`churnml digest`: a real mail server on this machine gets what the settings let be told, and no more."""

import email
import json
import socketserver
import threading
from email import policy

import pytest
from typer.testing import CliRunner

from churnml.cli import app
from churnml.database import Catalogue, Records, open_engine
from new_database import new_workspace


class Server(socketserver.StreamRequestHandler):
    """Speaks as much of RFC 5321 as a client needs to hand over a message; refuses addresses at refused.example."""

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.upper()
            if verb.startswith("RCPT") and "refused.example" in line:
                self.say("550 nobody")
            elif verb == "DATA":
                self.say("354 go on")
                self.server.got.append(self.message())
                self.say("250 kept")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 fine")
        return None

    def say(self, words):
        self.wfile.write(f"{words}\r\n".encode())

    def message(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        return email.message_from_bytes(b"".join(lines), policy=policy.default)


@pytest.fixture
def server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server) as listening:
        listening.got, listening.daemon_threads = [], True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def body(customer, arm, value):
    sentence = {"en": "No <order> for 41 days", "zh": "已有 41 天没有下单"}
    return {
        "customer_id": customer, "value_at_risk": value, "churn_probability": 0.43, "arm": arm, "risk_band": "high",
        "reasons": [{"group": "rhythm", "sentence": sentence}], "action_label": {"en": "Call", "zh": "致电"},
    }  # fmt: skip


@pytest.fixture
def there(tmp_path, server):
    """A workspace with a list of three, and settings that lead to the mail server."""
    workspace = new_workspace(tmp_path / "w")
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("assign", "inputs", 1)
    people = [body("ann-17", "treated", 9.0), body("bob-18", "control", 8.0), body("cy-19", "treated", 7.0)]
    Records(engine).write(run_id, people)
    told = {"cutoff": "2018-01-01T00:00:00+00:00", "currency": "USD", "bands": {"high": 3}, "value_at_risk": 24.0}
    catalogue.finish(run_id, 2, told)
    engine.dispose()
    settings(tmp_path, server)
    return tmp_path


def settings(folder, server, more=""):
    (folder / "configs").mkdir(exist_ok=True)
    (folder / "configs/digest.yaml").write_text(f"port: {server.server_address[1]}\nto: [team@here.example]\n{more}")


def run(there, *told):
    found = CliRunner().invoke(app, ["digest", "-w", str(there / "w"), "--configs", str(there / "configs"), *told])
    return found.exception or found.stderr


def parts(message):
    return [message.get_body([kind]).get_content() for kind in ("plain", "html")]


def test_the_team_gets_figures_and_no_customer_unless_the_settings_say_so(there, server):
    run(there)
    (message,) = server.got
    assert (message["To"], message["Subject"]) == ("team@here.example", "Customers at risk as of Jan 1, 2018")
    assert "At high risk: 3" in parts(message)[0]
    assert not [one for one in ("ann-17", "bob-18", "cy-19", "<order>") if one in message.as_string()]


def test_customers_who_are_named_are_the_first_of_those_who_may_be_approached(there, server):
    settings(there, server, "customers: 2\nshow: [value_at_risk, reason]\n")
    run(there)
    for text in parts(server.got[0]):
        assert "ann-17" in text
        assert "cy-19" in text
        assert "bob-18" not in text
        assert "43%" not in text


def test_what_customers_are_called_is_no_markup(there, server):
    settings(there, server, "customers: 1\n")
    run(there)
    plain, page = parts(server.got[0])
    assert "No <order> for 41 days" in plain
    assert "No &lt;order&gt; for 41 days" in page


def test_it_comes_in_chinese(there, server):
    settings(there, server, "customers: 1\n")
    run(there, "--language", "zh")
    assert server.got[0]["Subject"] == "流失风险名单（截至 2018年1月1日）"
    assert "已有 41 天没有下单" in parts(server.got[0])[0]


def test_an_address_that_is_refused_is_told_and_the_others_get_it(there, server):
    where = ["-w", str(there / "w"), "--configs", str(there / "configs")]
    told = CliRunner().invoke(app, ["digest", *where, "--to", "a@here.example", "--to", "b@refused.example", "--json"])
    found = json.loads(told.stdout)
    assert (found["sent_to"], found["refused"]) == (["a@here.example"], ["b@refused.example"])
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "more, words",
    [
        ("host: mail.example.com\n", "`security` must be starttls or tls for a server elsewhere"),
        ("user: churn\n", "must stand in the environment: CHURNML_SMTP_PASSWORD"),
        ("security: starttls\n", "does not take the digest"),
        ("sender: 'a@b, c@d'\n", "sender"),
        ("link: 'javascript:x'\n", "link"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(there, server, monkeypatch, more, words):
    monkeypatch.delenv("CHURNML_SMTP_PASSWORD", raising=False)
    settings(there, server, more)
    assert words in str(run(there))
    assert server.got == []


def test_a_server_that_is_not_there_is_told_with_what_to_look_at(there, server):
    settings(there, server)
    server.server_close()
    assert "look at `host`, `port`" in str(run(there))


def test_nobody_to_get_it_is_refused(there, server):
    (there / "configs/digest.yaml").write_text(f"port: {server.server_address[1]}\n")
    assert "found nobody" in str(run(there))
