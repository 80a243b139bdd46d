"""The whole job, from files to the served list, with its database on a PostgreSQL."""

import pytest

from churnml.database import Workspace
from churnml.database.lists import Wanted, count, list_page
from churnml.database.server import VARIABLE
from churnml.service.app import create_app
from churnml.verbs.session import Session
from command import churnml


@pytest.mark.long
def test_a_simulated_market_is_landed_trained_scored_assigned_replayed_and_served(postgres, tmp_path, monkeypatch):
    where = postgres.new_database()
    monkeypatch.setenv(VARIABLE, where.render_as_string(hide_password=False))
    root, configs = tmp_path / "workspace", tmp_path / "configs"
    configs.mkdir()
    (configs / "train.yaml").write_text(
        "{rounds: 40, step_days: 30, max_cutoffs: 4, folds: 1, bootstrap: 50, value: {rounds: 60}}"
    )
    at = ("--workspace", root, "--configs", configs)
    assert churnml("simulate", "--customers", 1_500, "--days", 500, "--seed", 1, *at).code == 0
    for verb in ("train", "score", "assign"):
        done = churnml(verb, *at)
        assert done.code == 0, done.err
    said = churnml("replay", *at, "--json")
    assert (said.code, said.body["equal"]) == (0, said.body["compared"])
    assert not (root / "churnml.db").exists()
    session = Session.open(root, configs)
    with session.catalogue.engine.connect() as connection:
        run_id = session.records.current_run()
        page = list_page(connection, run_id, Wanted(), 10)
        assert len(page.records) == 10 < count(connection, run_id, Wanted())
    session.close()
    app = create_app(Workspace.open(root))
    assert app.state.readings.run().run_id == said.body["run_id"]
    app.state.engine.dispose()
