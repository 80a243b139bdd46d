"""What people see and do, in a real browser. Read `visitor.py` first, then `test_agent.py`."""
