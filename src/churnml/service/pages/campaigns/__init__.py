"""Campaigns as pages: all of them, one of them, the plan of the next. Read `every.py` first."""
