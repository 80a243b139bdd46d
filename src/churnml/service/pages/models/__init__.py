"""Whether a model can be trusted, and which one is asked: the list of models and a model. Read `version.py` first."""
