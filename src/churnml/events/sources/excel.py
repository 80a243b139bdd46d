"""Excel and its kin (.xlsx, .xls, .xlsb, .ods): one sheet, every cell as the text that stands for it exactly.

The sheet is taken out by a process of its own (`workbook.py`): a damaged or hostile workbook can end that one only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb

from churnml.errors import ChurnmlError, ConfigError, DataRefusedError, nearest
from churnml.events.sources import ROW, Rows, workbook
from churnml.events.sources.parquet import check_names, csv_texts, left_out, literal, quoted, scratch_file

_SECONDS = 300
_NO_SHEET = ":"  # no sheet may be called so
_UNPACKED = 1 << 30
_RATIO, _RATIO_COUNTS_FROM = 300, 64 << 20
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how old .xls files begin, and protected ones of any kind
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def excel_rows(path: Path, connection: duckdb.DuckDBPyConnection, scratch: Path, *, sheet: str | None = None) -> Rows:
    """Return the rows of one sheet of a workbook, every cell as text.

    Texts stay as they are (`00123`), whole numbers bear no `.0`, times are ISO 8601, truths `true` and `false`; a
    formula gives the value it had when the workbook was saved, a formula error its name, such as `#N/A`. The first row
    that is not empty names the columns; `source_row` counts from the row below it, empty rows too.

    Parameters
    ----------
    path : Path
        The workbook. The sheet is held in memory, 800 MB at most: about eight million cells.
    connection : DuckDBPyConnection
        Where the rows are seen.
    scratch : Path
        A folder for intermediate files.
    sheet : str, optional
        Which sheet, if there is more than one.

    Raises
    ------
    ConfigError
        If there are several sheets and none was named, or none bears that name.
    DataRefusedError
        If the workbook is protected, damaged or too big, or the sheet is empty or has a column without a name.
    """
    _check_file(path)
    texts, read = scratch_file(scratch, ".csv"), scratch_file(scratch)
    found = _take(path, sheet or "", texts)
    if found.trouble:
        raise _refusal(found, path.name, sheet or "")
    check_names(path.name, found.names)
    columns = [
        f"nullif(c{place}, '') AS {quoted(name)}"
        for place, name in enumerate(found.names, start=1)
        if name.casefold() != ROW
    ]
    number = f"c{len(found.names) + 1}::BIGINT AS {ROW}"
    source = csv_texts(texts, len(found.names) + 1)
    connection.execute(f"COPY (SELECT {', '.join([*columns, number])} FROM {source}) TO {literal(str(read))}")
    texts.unlink()
    others = tuple(name for name in [*found.sheets, *found.hidden] if name != found.sheet)
    notes = (*_notes(found, path), *left_out(found.names))
    return Rows(connection.read_parquet(str(read)), notes=notes, sheet=found.sheet, other_sheets=others)


def sheets_of(path: Path) -> list[str]:
    """Return the sheets of a workbook that one can see, in their order.

    Raises
    ------
    DataRefusedError
        If the workbook is protected, damaged or too big.
    """
    _check_file(path)
    found = _take(path, _NO_SHEET, Path(os.devnull))
    if found.trouble != "missing":
        raise _refusal(found, path.name, "")
    return found.sheets


def _check_file(path: Path) -> None:
    """Refuse what should not even be opened: a protected workbook, or one that unpacks to any size."""
    with path.open("rb") as handle:
        head = handle.read(1 << 20)
    if head.startswith(_COMPOUND) and (_ENCRYPTED in head or path.suffix.lower() != ".xls"):
        raise _refusal(workbook.Found(trouble="password"), path.name, "")
    if path.suffix.lower() == ".xls":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    # zipfile says NotImplementedError of a packing or an encryption that it does not know
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise _refusal(workbook.Found(trouble="damaged"), path.name, "") from error
    if unpacked > _UNPACKED or (unpacked > _RATIO_COUNTS_FROM and unpacked > _RATIO * path.stat().st_size):
        raise DataRefusedError(
            f"{path.name}: unpacks from {path.stat().st_size / 1e6:,.1f} to {unpacked / 1e6:,.0f} MB, more than a "
            "workbook of data does; save the sheet as CSV"
        )


def _take(path: Path, sheet: str, texts: Path) -> workbook.Found:
    """Have the sheet taken out by a process of its own."""
    command = [sys.executable, "-I", workbook.__file__, str(path), sheet, str(texts)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603  # our own
    except subprocess.TimeoutExpired as error:
        raise DataRefusedError(
            f"{path.name}: could not be read within {_SECONDS} seconds; save the sheet as CSV"
        ) from error
    if done.returncode == 0:
        return workbook.Found(**json.loads(done.stdout))
    if b"emory" in done.stderr:
        raise DataRefusedError(
            f"{path.name}: the sheet needs more than {workbook.MEMORY_BYTES >> 20} MB of memory; save it as CSV. "
            "If it looks small, a lone cell far below or far to the right makes it big: delete that"
        )
    return workbook.Found(trouble="damaged")


def _refusal(found: workbook.Found, origin: str, asked: str) -> ChurnmlError:
    listed = ", ".join(f"`{name}`" for name in [*found.sheets, *found.hidden]) or "none"
    hidden = f" (hidden: {', '.join(found.hidden)})" if found.hidden else ""
    if found.trouble == "which":
        return ConfigError(f"{origin}: say which sheet to read with `sheet` in sources.yaml; it holds {listed}{hidden}")
    if found.trouble == "missing":
        near = nearest(asked, [*found.sheets, *found.hidden])
        return ConfigError(f"{origin}: has no sheet `{asked}`; it holds {listed}{hidden}{near}")
    told = {
        "password": "is protected by a password; save it without one, or as CSV",
        "damaged": "expected a whole workbook, found one that is damaged or of another kind; save it again as .xlsx",
        "empty": f"the sheet `{found.sheet}` is empty; expected a row of column names and rows of data below",
        "unnamed": f"row {found.header} of the sheet `{found.sheet}` is taken for the names of the columns, but "
        f"cell {found.where} stands in a column without a name; name it, or delete what stands above the names",
    }
    return DataRefusedError(f"{origin}: {told[found.trouble]}")


def _notes(found: workbook.Found, path: Path) -> list[str]:
    """Say what was found out, and what Excel may have done to the data before we saw them."""
    notes = []
    if found.header > 1:
        notes.append(f"the columns are named in row {found.header}; the rows above are empty")
    ids = [name for name in found.numeric if name.casefold().endswith("id")]
    notes.extend(
        f"`{name}` holds numbers, not texts: zeros in front and digits beyond the fifteenth were lost when it was saved"
        for name in ids
    )
    if found.uncalculated:
        one = found.uncalculated == 1
        which = "1 formula has" if one else f"{found.uncalculated:,} formulas have"
        where = (
            f"{'' if one else ', the first'} in cell {found.first_uncalculated}," if found.first_uncalculated else ""
        )
        notes.append(f"{which} no value{where} and {'is' if one else 'are'} read as empty; save the workbook in Excel")
    if found.blind:
        notes.append(f"in a {path.suffix.lower()} file a formula error such as #N/A cannot be told from an empty cell")
    return notes
