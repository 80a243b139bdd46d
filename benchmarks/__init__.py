"""What churnml costs beside a raw scan, Polars and DuckDB doing the same or less, measured in one run.

`python -m benchmarks` measures each contender in a process of its own, prints the tables and writes
`docs/benchmarks.md` (`report.py`). Features: a generated world (`world.py`), `contenders.py`, `measure.py`. Ingest: a
generated file (`order_file.py`), `measure_ingest.py`, `ingest_report.py`.
`python -m benchmarks.policy` judges uplift on a published experiment, `python -m benchmarks.policy_market` what is done
with it in a market of known truth: `saved_market.py`, `market_experiment.py`, `observable_oracle.py`.
"""
