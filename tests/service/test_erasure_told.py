"""Who asks for it is told whom to erase, signed, and then the message is forgotten; a receipt names what had left."""

import time

import pytest
from sample_run import ask, fill, record

from churnml.config import ServeConfig
from churnml.database.erasures import begin, must_repeat
from churnml.events.erasing import Itself, finish_all, receipt
from command import churnml
from erased import SECRET, WHO, traces
from receivers import receiving
from small import NOW


@pytest.fixture
def kept(tiny, monkeypatch):
    """A workspace with one run, in which the marked customer stands."""
    monkeypatch.setenv("CHURNML_SECRET", SECRET)
    fill(tiny.workspace, [record(WHO, 1), record("ann", 2)])
    return tiny


@pytest.fixture
def where(kept):
    return ("--workspace", kept.workspace.root, "--configs", kept.folder / "none")


def test_an_endpoint_is_told_whom_to_erase_and_then_no_byte_of_the_message_is_left(kept):
    settings = ServeConfig(webhook_allowed_hosts=["localhost"])
    with receiving() as receiver, ask(kept.workspace, settings=settings) as client:
        made = client.post("/v1/webhooks", json={"url": receiver.url, "events": ["customer.erased"]}).json()
        erasure_id = client.post("/v1/erasures", json={"customer_ids": [WHO]}).json()["erasure_id"]
        _until(lambda: receiver.got)
        (told,) = receiver.verified(made["secret"])
        _until(lambda: _gone(client, kept))
    assert (told["type"], told["data"]) == ("customer.erased", {"customer_id": WHO, "erasure_id": erasure_id})


def _gone(client, kept):
    client.app.state.eraser.wake()
    return traces(kept.workspace.root) == []


def _until(holds):
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to hold")


def test_a_receipt_names_what_had_left_of_the_run_in_which_they_stood(kept, where):
    out = kept.folder / "outside"
    assert churnml("handoff", "--to", "salesforce", "--out", out / "all.csv", *where).code == 0
    assert churnml("backup", "--to", out / "backup", *where).code == 0
    fill(kept.workspace, [record("ann", 2)], now=3)
    assert churnml("handoff", "--to", "hubspot", "--out", out / "without.csv", *where).code == 0
    said = churnml("erase", WHO, "--yes", "--json", *where).body["erasures"][0]
    assert [(one["what"], one["form"], one["times"]) for one in said["handed_out"]] == [
        ("backup.made", "", 1), ("list.exported", "salesforce", 1),
    ]  # fmt: skip
    assert WHO not in str(said)


def test_a_receipt_is_told_in_chinese(kept, where):
    said = churnml("erase", WHO, "--yes", "--language", "zh", *where)
    assert all(
        words in said.err for words in ("删除回执", "决策记录 1", "客户请求", "审计日志中没有记录", "无法触及：")
    )


@pytest.mark.parametrize(
    "verb",
    [("score",), ("assign",), ("handoff", "--to", "excel", "--out", "x.xlsx"), ("digest", "--to", "a@b.example"),
     ("measure", "kpis"), ("train",), ("replay",), ("vacuum",)],
    ids=lambda verb: verb[0],
)  # fmt: skip
def test_after_a_restore_no_verb_tells_of_customers_until_they_were_erased_again(kept, where, verb, monkeypatch):
    monkeypatch.chdir(kept.folder)
    with kept.catalogue.engine.begin() as connection:
        must_repeat(connection, NOW)
    said = churnml(*verb, "--json", *where)
    assert (said.code, said.body["error"]["code"]) == (3, "brought_back")
    assert "run `churnml erase --resume`" in said.err
    assert churnml("erase", "--resume", *where).code == 0
    assert "brought_back" not in churnml(*verb, "--json", *where).out


def test_erasures_of_before_say_that_nobody_looked_what_had_left(kept):
    with kept.catalogue.engine.begin() as connection:
        erasure_id = begin(connection, Itself(), [WHO], "request", at=NOW)
        connection.exec_driver_sql("UPDATE erasures SET handed_out = NULL")
    finish_all(kept.workspace, kept.catalogue.engine, lambda: NOW)
    with kept.catalogue.engine.connect() as connection:
        assert receipt(connection, erasure_id)["handed_out"] is None
