"""History that landed as news, and comes again declared as history, counts as known when it happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from churnml.database import Catalogue, Part, Workspace
from churnml.events.landing import rewritten_part
from churnml.events.schema import Table
from churnml.events.versions import came_again, identity


def redate(
    workspace: Workspace, catalogue: Catalogue, connection: duckdb.DuckDBPyConnection, tables: Iterable[Table]
) -> None:
    """Rewrite the parts whose rows came again in a landing that declares them as history.

    Only rows that did not say themselves when they were learned, and so bear the time of their landing, are dated
    back; of a customer or contract with several versions none is, for their order would be lost.
    """
    landed_at, rewritten = catalogue.landed_at(), dict[str, Part | None]()
    for table in tables:
        found = "SELECT 1 FROM duckdb_tables() WHERE table_name = ?"
        if not connection.execute(found, [came_again(table)]).fetchall():
            continue
        parts = catalogue.parts(table.name)
        _leave_out_versions(connection, table, [str(workspace.root / part.path) for part in parts])
        for part in parts:
            news = f"ingested_at = {landed_at[part.batch_id]} AND occurred_at < ingested_at"
            dated = _Dated(connection, f"{news} AND {identity(table)} IN (SELECT key FROM {came_again(table)})")
            if part.max_delay and dated.any(workspace.root / part.path):
                rewritten[part.path] = rewritten_part(workspace, part, dated)
    if rewritten:
        catalogue.rewrite(rewritten, {})


def _leave_out_versions(connection: duckdb.DuckDBPyConnection, table: Table, files: list[str]) -> None:
    several = f"SELECT {identity(table)} FROM read_parquet($files) GROUP BY 1 HAVING count(*) > 1"
    connection.execute(f"DELETE FROM {came_again(table)} WHERE key IN ({several})", {"files": files})


@dataclass(frozen=True)
class _Dated:
    """Gives rows in their order, those of which a condition is true known when they happened."""

    connection: duckdb.DuckDBPyConnection
    which: str

    def any(self, path: Path) -> bool:
        query = f"SELECT 1 FROM read_parquet($file) WHERE {self.which} LIMIT 1"
        return bool(self.connection.execute(query, {"file": str(path)}).fetchall())

    def __call__(self, rows: pa.Table) -> pa.Table:
        self.connection.register("rows_of_part", rows)
        query = f"SELECT CASE WHEN {self.which} THEN occurred_at ELSE ingested_at END AS known FROM rows_of_part"
        known = self.connection.sql(query).to_arrow_table().column("known")
        self.connection.unregister("rows_of_part")
        place = rows.schema.get_field_index("ingested_at")
        return rows.set_column(place, rows.schema.field(place), known.cast(rows.schema.field(place).type))
