"""Options that several subjects share, each with its words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# files are `readable=False` where whoever opens them says better than typer why one may not be read
CutoffOption = Annotated[
    str | None,
    typer.Option(help="A date, midnight in the workspace's zone. Default: the midnight after the last order."),
]
LanguageOption = Annotated[str, typer.Option(help="Of the .html report: en or zh.")]
SpokenOption = Annotated[str, typer.Option(help="Of what people read: en or zh.")]
ReportOption = Annotated[
    list[Path] | None,
    typer.Option(help="Write everything to this file as well: a page (.html), .md or .json; repeatable."),
]
MeasureReportOption = Annotated[
    list[Path] | None,
    typer.Option("--report", help="Write everything to this file as well: a page (.html) or .json; repeatable."),
]
ActionsOption = Annotated[Path | None, typer.Option(help="The catalogue of actions, YAML.")]
