"""Whom we score: one function for the nightly batch and for a request, its reasons, and the decision record.

In come feature rows and a model; out come decision records. Read `score.py` first, then `reasons.py`, `records.py`.
"""
