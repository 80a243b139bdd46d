"""What a person types: one module per verb, each a recipe that reads top to bottom.

In come a workspace and a configuration; out come files, records and a summary. `session.py` holds what every verb
needs; read `train.py` next, and `commands/` for how verbs are typed. A verb imports what costs seconds (LightGBM,
MLflow, the service) only when it runs.
"""
