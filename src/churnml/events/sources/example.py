"""The `sources.yaml` of a new workspace: an example with comments."""

from __future__ import annotations

EXAMPLE = """\
# What you have, and how it fills the tables. Each entry below reads an empty template: put your rows in it, or name
# your own files and map their columns. `churnml init --from FOLDER` proposes this file for files you have.
# All kinds of sources, known exports and settings: docs/sources.md. All tables and columns: docs/data.md.

sources:
  - table: customers
    file: templates/customers.csv
  - table: orders
    file: templates/orders.csv

#  - table: orders
#    file: exports/orders-*.csv          # a file, a folder or a pattern, relative to this file
#    time_zone: Europe/Berlin            # of times without an offset; by default that of configs/workspace.yaml
#    decimal: ","                        # encoding, delimiter, quote, thousands, sheet: found out where not said
#    columns:                            # ours: theirs; a column that already bears our name need not be named
#      customer_id: Customer number
#      occurred_at: {from: Order date, format: "%d.%m.%Y %H:%M"}
#      amount: {from: Total, unit: cents}
#      channel: {constant: web}
#  - preset: shopify
#    files: {orders: orders_export*.csv, customers: customers_export.csv}
#  - table: tickets
#    duckdb: crm.duckdb
#    query: SELECT * FROM tickets
#  - table: subscriptions
#    postgres: CRM_DATABASE_URL          # the name of the environment variable that holds the URL, never the URL itself
#    query: SELECT * FROM contracts
"""
