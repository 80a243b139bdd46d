"""Settings written into a YAML file that a person keeps: comments stay, and only what changes is touched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

Json = dict[str, Any]  # Any: YAML

_INDENT = "  "


def nested(settings: Mapping[str, object]) -> Json:
    """Return settings with keys such as `trees.num_leaves` as YAML nests them, at most two deep."""
    found: Json = {}
    for name, value in settings.items():
        above, _, key = name.rpartition(".")
        (found.setdefault(above, {}) if above else found)[key] = value
    return found


def written(settings: Mapping[str, object]) -> str:
    """Return settings as YAML."""
    return yaml.safe_dump(nested(settings), sort_keys=False, default_flow_style=False)


def rewritten(text: str, settings: Mapping[str, object]) -> str:
    """Return the text of a YAML file with some settings changed or added.

    Lines are changed where they stand, and comments stay. A file that does not write a key a line is written anew.
    """
    aim = _merged(yaml.safe_load(text) or {}, nested(settings))
    lines = text.splitlines()
    for name, value in settings.items():
        above, _, key = name.rpartition(".")
        lines = _set_below(lines, above, key, value) if above else _set(lines, key, value, "")
    changed = "\n".join(lines) + "\n"
    try:
        same = yaml.safe_load(changed) == aim
    except yaml.YAMLError:
        same = False
    return changed if same else yaml.safe_dump(aim, sort_keys=False, allow_unicode=True)


def _merged(known: Json, changed: Json) -> Json:
    return known | {
        key: known.get(key, {}) | value if isinstance(value, dict) else value for key, value in changed.items()
    }


def _set(lines: list[str], key: str, value: object, indent: str) -> list[str]:
    """Change a line, or add one at the end."""
    line = re.compile(rf"^{indent}{re.escape(key)}:[^#]*?(?P<comment>\s+#.*)?$")
    for place, one in enumerate(lines):
        found = line.match(one)
        if found:
            return [*lines[:place], f"{indent}{key}: {value}{found['comment'] or ''}", *lines[place + 1 :]]
    return [*lines, f"{indent}{key}: {value}"]


def _set_below(lines: list[str], above: str, key: str, value: object) -> list[str]:
    """Change a line of a block, or add one at its end, or the block."""
    head = re.compile(rf"^{re.escape(above)}:\s*(#.*)?$")
    begin = next((place for place, one in enumerate(lines) if head.match(one)), None)
    if begin is None:
        return [*lines, f"{above}:", f"{_INDENT}{key}: {value}"]
    end = begin + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    first = lines[begin + 1] if end > begin + 1 else _INDENT
    indent = first[: len(first) - len(first.lstrip())] or _INDENT
    return [*lines[: begin + 1], *_set(lines[begin + 1 : end], key, value, indent), *lines[end:]]


__all__ = ["rewritten", "written"]
