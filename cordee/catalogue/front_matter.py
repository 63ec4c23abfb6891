"""The head of a page: YAML between two lines of dashes, read as written, each key with its line.

Every scalar stays the text its author typed: « title: Yes » is a title and « 2024-01-01 » no date object.
"""

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

_FENCE = re.compile(r"^---[ \t]*$")
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$")
_EMPTY = {"", "~", "null", "Null", "NULL"}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Enough for any page; an alias bomb, or a self-containing alias, stops there.
_MOST_NODES = 5_000
_DEEPEST = 20


@dataclass(frozen=True)
class Field:
    """One key: its name as written, its line in the file, and its value."""

    name: str
    line: int
    value: "Value"


Value: TypeAlias = str | list["Value"] | dict[str, Field]


@dataclass(frozen=True)
class Head:
    """The keys, under their names in lower case, and where the text below them starts."""

    fields: dict[str, Field]
    repeated: tuple[tuple[Field, int], ...]
    body: str
    body_line: int


class Unreadable(Exception):
    """The head cannot be read: a problem's code, its line in the file, and what to say of it."""

    def __init__(self, code: str, line: int, **values: str) -> None:
        super().__init__(code)
        self.code, self.line, self.values = code, line, values


def read_head(text: str) -> Head:
    """Split a page (line ends already ``\\n``) into its keys and its body, or raise ``Unreadable``."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise Unreadable("empty-file", 1)
    if lines[first].rstrip() == "+++":
        raise Unreadable("toml-head", first + 1)
    if not _FENCE.match(lines[first]):
        raise Unreadable("no-head", first + 1)
    last = next((n for n in range(first + 1, len(lines)) if _END.match(lines[n])), None)
    if last is None:
        raise Unreadable("unclosed-head", first + 1)
    fields, repeated = _fields("\n".join(lines[first + 1 : last]) + "\n", first + 2)
    return Head(fields, repeated, "\n".join(lines[last + 1 :]), last + 2)


def written(value: Value) -> Any:
    """A value as plain texts, lists and dictionaries, with the names its author gave."""
    if isinstance(value, dict):
        return {field.name: written(field.value) for field in value.values()}
    if isinstance(value, list):
        return [written(item) for item in value]
    return value


def _fields(source: str, first_line: int) -> tuple[dict[str, Field], tuple[tuple[Field, int], ...]]:
    try:
        root = yaml.compose(source, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(*_explained(error, source, mark.line if mark else 0, first_line)) from error
    except yaml.reader.ReaderError as error:
        line = first_line + source.count("\n", 0, error.position)
        raise Unreadable("control-character", line, character=f"U+{ord(source[error.position]):04X}") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise Unreadable("broken-yaml", first_line, detail=str(error)[:200]) from error
    if root is None:
        return {}, ()
    if not isinstance(root, yaml.MappingNode):
        raise Unreadable("head-without-keys", first_line)
    reader = _Reader(first_line)
    return reader.mapping(root, 0), tuple(reader.repeated)


def _explained(error: yaml.MarkedYAMLError, source: str, at: int, first_line: int) -> tuple[str, int]:
    """The code and line of a YAML error, with the commonest mistakes of authors told apart."""
    lines = source.split("\n")
    line = lines[at] if at < len(lines) else ""
    if line[: len(line) - len(line.lstrip())].count("\t") or "'\\t'" in (error.problem or ""):
        return "tab-in-head", first_line + at
    if "mapping values are not allowed" in (error.problem or ""):
        return "colon-in-head", first_line + at
    if error.context and "quoted scalar" in error.context and error.context_mark:
        return "open-quote", first_line + error.context_mark.line
    return "broken-yaml-here", first_line + min(at, max(len(lines) - 2, 0))


class _Reader:
    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.repeated: list[tuple[Field, int]] = []
        self.nodes = 0

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for key, value in node.value:
            name = str(written(self.value(key, depth + 1)))
            field = Field(name, self.line(key), self.value(value, depth + 1))
            folded = name.strip().lower()
            if folded in fields:
                self.repeated.append((fields[folded], field.line))
            fields[folded] = field
        return fields

    def value(self, node: yaml.Node, depth: int) -> Value:
        self.nodes += 1
        if self.nodes > _MOST_NODES or depth > _DEEPEST:
            raise Unreadable("tangled-head", self.line(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth + 1) for item in node.value]
        text = str(node.value)
        if getattr(node, "style", None) is None and text in _EMPTY:
            return ""
        # "\ud800" is valid YAML and no valid text: it would break the page that shows it.
        return _LONE_SURROGATE.sub("\ufffd", text).replace("\0", "\ufffd")

    def line(self, node: yaml.Node) -> int:
        return self.first_line + int(node.start_mark.line)
