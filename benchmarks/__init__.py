"""How much work churnml does, beside a raw scan of the same columns and beside Polars, measured in one run.

`python -m benchmarks` generates a world (`world.py`), measures each contender in a process of its own
(`contenders.py`, `measure.py`), prints the table and writes `docs/benchmarks.md` (`report.py`).
"""
