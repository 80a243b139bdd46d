"""The work of the day: the queue, the list, a customer, and the forms that change them. Read `today.py` first."""
