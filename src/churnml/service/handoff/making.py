"""From the list that is served to the files of one tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from churnml.config import HandoffConfig
from churnml.database.lists import Wanted
from churnml.errors import ConfigError, UsageError, nearest
from churnml.service.exports import xlsx_chunks
from churnml.service.handoff.columns import chosen_columns
from churnml.service.handoff.files import Part, file_parts
from churnml.service.handoff.shapes import SHAPES, Shape
from churnml.service.handoff.sorting_out import Sorter
from churnml.service.readings import CurrentRun, Readings
from churnml.wording import Language

_PEOPLE = "excel"


@dataclass(frozen=True)
class Handoff:
    """What is handed over to one tool.

    Parameters
    ----------
    target : str
        A key of `SHAPES`.
    config : HandoffConfig
        What the tool calls our fields.
    wanted : Wanted
        Which part of the list.
    language : {"en", "zh"}
        Of sentences and names.
    emails : mapping of str to str, optional
        The e-mail address of each customer, for a tool that finds people by it.
    marked : bool, default False
        Whether controls and held-out customers stay, marked.
    """

    target: str
    config: HandoffConfig
    wanted: Wanted
    language: Language
    emails: Mapping[str, str] | None = None
    marked: bool = False

    @property
    def shape(self) -> Shape:
        """What the tool takes."""
        return shape_of(self.target)


def shape_of(target: str) -> Shape:
    """Return what a tool takes.

    Raises
    ------
    UsageError
        If there is no such tool.
    """
    if target not in SHAPES:
        raise UsageError(f"the tool must be one of {', '.join(SHAPES)}, got {target!r}{nearest(target, SHAPES)}")
    return SHAPES[target]


def make(asked: Handoff, reader: Readings, run: CurrentRun) -> tuple[Sorter, Iterator[Part]]:
    """Return who counts those left out, and the bytes of the files; it has counted all once the last was taken.

    Raises
    ------
    UsageError
        If there is no such tool.
    ConfigError
        If configs/handoff.yaml names a tool or a field that there is not.
    """
    for target in asked.config.targets:
        if target not in SHAPES:
            raise ConfigError(f"configs/handoff.yaml knows no tool `{target}`{nearest(target, SHAPES)}")
    shape = asked.shape
    settings = asked.config.targets.get(asked.target)
    columns = chosen_columns(asked.target, shape, settings.columns if settings else {})
    sorter = Sorter(shape, asked.emails or {}, asked.marked)
    passed = sorter.passing(reader.whole_list(run, asked.wanted))
    if asked.target == _PEOPLE:
        chunks = xlsx_chunks((record for record, _ in passed), run, "", asked.language)
        return sorter, ((1, chunk) for chunk in chunks)
    return sorter, file_parts(shape, columns, passed, asked.language)
