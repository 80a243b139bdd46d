"""The list at risk in the shape that another tool imports: its header, its values, its limits.

In come decision records, out come the bytes of one file or several. Read `shapes.py` first: it says what each tool
takes and which of its pages says so; then `columns.py`, what of a record is handed over; `sorting_out.py`, who is left
out and why; `files.py`, which writes; `making.py`, which joins them. `results.py` reads what Salesforce answered.
"""

from churnml.service.handoff.columns import FIELDS, chosen_columns
from churnml.service.handoff.files import file_parts
from churnml.service.handoff.making import Handoff, make, shape_of
from churnml.service.handoff.results import TOOL, Answered, Results, read_results
from churnml.service.handoff.shapes import SHAPES, Shape
from churnml.service.handoff.sorting_out import LEFT_OUT, Sorter

__all__ = [
    "FIELDS", "LEFT_OUT", "SHAPES", "TOOL", "Answered", "Handoff", "Results", "Shape", "Sorter", "chosen_columns",
    "file_parts", "make", "read_results", "shape_of",
]  # fmt: skip
