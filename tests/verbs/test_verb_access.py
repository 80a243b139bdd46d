"""`churnml keys`, `people` and `audit` as someone at the command line meets them."""

import json

import pytest

from churnml.cli import main
from churnml.database import open_engine
from new_database import new_workspace


@pytest.fixture
def churnml(tmp_path, monkeypatch, capsys):
    """Run a command on a workspace of its own; return its exit code, what it printed and what it said."""
    workspace = new_workspace(tmp_path / "work space")
    open_engine(workspace.database).dispose()

    def run(*words):
        monkeypatch.setattr("sys.argv", ["churnml", *words, "--workspace", str(workspace.root)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    run.workspace = workspace
    return run


def test_a_new_key_is_alone_on_standard_output_and_never_shown_again(churnml):
    code, key, said = churnml("keys", "create", "--name", "crm", "--scope", "read", "--scope", "write")
    assert (code, key.count("\n"), key[:3]) == (0, 1, "ck_")
    assert "shown this once" in said
    _, listed, _ = churnml("keys", "list", "--json")
    assert json.loads(listed)["keys"][0]["scopes"] == ["read", "write"]
    assert key.strip().partition("_")[2].partition("_")[2] not in listed


def test_a_person_is_linked_once_to_somebody_of_the_provider_that_is_named(churnml, monkeypatch, tmp_path):
    monkeypatch.setenv("CHURNML_PASSWORD", "correct horse battery")
    for name in ("ann", "bob"):
        churnml("people", "add", name, "--role", "agent")
    told = ("people", "link", "ann", "--subject", "u-1", "--configs", str(tmp_path))
    assert "set `oidc` in configs/serve.yaml" in churnml(*told)[2]
    oidc = "{issuer: 'https://id.example.com', client_id: c, name: {en: ID, zh: ID}, roles: {crm: agent}}"
    (tmp_path / "serve.yaml").write_text(f"oidc: {oidc}")
    assert churnml(*told)[0] == 0
    assert "this subject is `ann` already" in churnml("people", "link", "bob", *told[3:])[2]
    assert "nobody with an account" in churnml("people", "link", "eve", *told[3:])[2]


def test_a_key_is_rotated_and_revoked_by_name(churnml):
    churnml("keys", "create", "--name", "crm", "--scope", "read")
    code, made, _ = churnml("keys", "rotate", "crm", "--overlap-hours", "1", "--json")
    assert (code, json.loads(made)["replaces"]["name"]) == (0, "crm")
    assert "2 valid keys are called 'crm': ck_" in churnml("keys", "rotate", "crm")[2]
    assert churnml("keys", "revoke", "crm")[0] == 0
    _, listed, _ = churnml("keys", "list", "--json")
    assert [key["standing"] for key in json.loads(listed)["keys"]] == ["revoked", "revoked"]
    assert churnml("keys", "revoke", "nobodys")[0] == 2


@pytest.mark.parametrize(
    "words, said",
    [
        (
            ("--name", "crm", "--scope", "raed"),
            "a scope must be one of read, contact, write, operate, admin, got 'raed'",
        ),
        (("--name", "ck_x", "--scope", "read"), "must be 1 to 64 letters"),
        (("--name", "crm", "--scope", "read", "--days", "0"), "--days must be 1 to 3650, got 0"),
    ],
)
def test_a_key_that_cannot_be_is_refused_in_words(churnml, words, said):
    code, _, told = churnml("keys", "create", *words)
    assert code == 2
    assert said in told


def test_people_are_added_with_a_password_from_the_environment(churnml, monkeypatch):
    code, _, said = churnml("people", "add", "Ann", "--role", "agent")
    assert (code, "set CHURNML_PASSWORD for this command" in said) == (2, True)
    monkeypatch.setenv("CHURNML_PASSWORD", "correct horse battery")
    assert churnml("people", "add", "Ann", "--role", "agent")[0] == 0
    assert "`ann` has an account already" in churnml("people", "add", "ANN", "--role", "admin")[2]
    assert churnml("people", "role", "ann", "analyst")[0] == 0
    assert churnml("people", "password", "ann")[0] == 0
    _, listed, _ = churnml("people", "list", "--json")
    assert [(one["name"], one["role"]) for one in json.loads(listed)["people"]] == [("ann", "analyst")]
    assert churnml("people", "remove", "ann")[0] == 0
    assert "did you mean `admin`" in churnml("people", "add", "bob", "--role", "admn")[2]


def test_a_log_is_verified_shown_and_found_broken(churnml):
    churnml("keys", "create", "--name", "crm", "--scope", "read")
    code, told, _ = churnml("audit", "verify", "--json")
    assert (code, json.loads(told)["entries"]) == (0, 1)
    churnml("keys", "revoke", "crm")
    assert "key.revoked" in churnml("audit", "show", "--since", "2020-01-01")[2]
    engine = open_engine(churnml.workspace.database)
    with engine.begin() as connection:
        for statement in ("DROP TRIGGER audit_no_delete", "DELETE FROM audit_entries WHERE number = 1"):
            connection.exec_driver_sql(statement)
    engine.dispose()
    code, told, said = churnml("audit", "verify", "--json")
    assert (code, json.loads(told)["error"]["code"]) == (4, "broken_log")
    assert "entry 2 follows entry 0" in said
    assert "entry 1, written down before, is gone" in said


def test_the_checkpoint_of_the_workspace_finds_an_end_that_was_cut_off(churnml):
    churnml("keys", "create", "--name", "crm", "--scope", "read")
    _, told, _ = churnml("audit", "verify", "--json")
    engine = open_engine(churnml.workspace.database)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_delete")
        connection.exec_driver_sql("DELETE FROM audit_entries")
        connection.exec_driver_sql(f"UPDATE audit_head SET number = 0, hash = '{'0' * 64}'")
    engine.dispose()
    assert churnml("audit", "verify")[0] == 4
    (churnml.workspace.root / "audit-checkpoint.json").unlink()
    assert churnml("audit", "verify", "--head", json.loads(told)["head"])[0] == 4
