"""What we learn: churn and value from stacked snapshots, judged out of time, saved as a bundle of plain data.

In come feature tables and labels; out comes a `Model`, its report beside the baselines, and a folder that holds it.
Read `model.py` first, then `train.py`, then `bundle.py`. Nothing is imported here: LightGBM and scikit-learn cost
seconds, and a verb that does not learn should not pay them.
"""
