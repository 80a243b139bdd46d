"""What is measured of the customer base, as pages: each measure, its pictures, the strategy sheet.

Read `page.py` first.
"""
