"""Train and score as `churnml` does, in a process of its own, and print what came out; a test starts it."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from churnml.config import ScoreConfig, TrainConfig
from churnml.labels import training_cutoffs
from churnml.modeling.bundle import save_bundle
from churnml.modeling.conversion_standing import stand, tries
from churnml.modeling.next_category import next_category
from churnml.modeling.train import train
from churnml.scoring.score import Terms, score
from churnml.verbs.features import of_session
from churnml.verbs.session import Session


def main(workspace: Path, configs: Path, models: Path) -> None:
    """Print the hash of the bundle and the sums of the scores."""
    session = Session.open(workspace, configs)
    config, now = session.load("train", TrainConfig), session.cutoff("2018-01-01")
    chosen = config.model_dump(include={"step_days", "max_cutoffs", "min_history_days"})
    cutoffs = training_cutoffs(session.store.span[0], now, config.horizon_days, **chosen, time_zone="UTC")
    trained = train(session.store, of_session(session), cutoffs, now, config, session.settings.margin_rate, curve=True)
    conversion = stand(trained, tries(session.store, config), session.store, config)
    category = next_category(session.store, now, config)
    model = replace(trained.model, conversion=conversion.model, next_category=category.model)
    base = trained.snapshots.base_at_now
    scores = score(base.take(base.modelled), trained.model, ScoreConfig().value_days, Terms.of(ScoreConfig()))
    found = {
        "bundle": save_bundle(model, {}, models),
        "value_at_risk": float(scores.value_at_risk.sum()),
        "expected_churners": float(scores.churn_probability.sum()),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
