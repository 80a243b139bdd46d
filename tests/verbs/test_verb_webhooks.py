"""`churnml webhooks` as someone at the command line meets it."""

import json

import pytest

from churnml.database import open_engine
from churnml.database.secret import VARIABLE
from command import churnml
from new_database import new_workspace

URL = "http://crm.internal/churn"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command on a workspace whose settings allow `crm.internal`, which leads somewhere."""
    monkeypatch.setenv(VARIABLE, "a secret of more than thirty-two characters")
    monkeypatch.setattr("churnml.service.push.destination.resolved", lambda _host, _port: ["10.0.0.5"])
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "serve.yaml").write_text("webhook_allowed_hosts: [crm.internal]")
    open_engine(new_workspace(tmp_path / "workspace").database).dispose()
    where = ("--workspace", tmp_path / "workspace", "--configs", tmp_path / "configs")
    return lambda *words: churnml("webhooks", *words, *where)


def test_a_new_secret_is_alone_on_standard_output_and_never_shown_again(run):
    made = run("add", URL, "--event", "list.ready", "--event", "band.changed")
    assert (made.code, made.out.count("\n"), made.out[:6]) == (0, 1, "whsec_")
    assert "shown this once" in made.err
    listed = run("list", "--json")
    assert json.loads(listed.out)["items"][0]["events"] == ["list.ready", "band.changed"]
    assert made.out.strip() not in listed.out


def test_a_webhook_is_rotated_tried_and_removed(run):
    made = run("add", URL, "--event", "list.ready", "--json").body
    rotated = run("rotate", made["endpoint_id"], "--json").body
    assert (rotated["secret_version"], rotated["secret"] == made["secret"]) == (2, False)
    assert "`churnml serve` sends it" in run("test", made["endpoint_id"]).err
    assert run("remove", made["endpoint_id"]).code == 0
    assert run("list", "--json").body == {"items": []}


@pytest.mark.parametrize(
    "words, said",
    [
        (("add", "https://other.internal/", "--event", "list.ready"), "must lead to public addresses alone"),
        (("add", URL, "--event", "list.redy"), "did you mean `list.ready`?"),
        (("test", "nobody"), "there is no webhook `nobody`"),
    ],
)
def test_what_cannot_be_is_refused_in_words(run, words, said):
    done = run(*words)
    assert (done.code, said in done.err) == (2, True), done.err


def test_without_a_secret_of_the_deployment_there_is_none_of_a_webhook(run, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    done = run("add", URL, "--event", "list.ready")
    assert (done.code, f"`{VARIABLE}` must hold at least 32" in done.err) == (2, True)
