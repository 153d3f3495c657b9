"""Change single values of a YAML file that a person wrote: every other byte stays, comments and layout included.

PyYAML says where each value begins and ends; what changes is replaced there, and the result is read again and compared
with what it had to become. A library that reads and writes the whole (ruamel.yaml) keeps most comments, but sets the
layout anew and drops the comments that follow what it replaces.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

Path = Sequence[str | int]
#: One logical line, however long.
WIDE = 1 << 20


class EditError(ValueError):
    """A value that cannot be changed without touching more; the message says why."""


class _Loader(yaml.SafeLoader):
    """Reads tags that Ansible knows and YAML does not (!vault, !unsafe) as what they hold."""


def _tagged(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return tag, loader.construct_scalar(node)
    deep = loader.construct_mapping if isinstance(node, yaml.MappingNode) else loader.construct_sequence
    return tag, deep(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _tagged)


def read(text: str) -> Any:
    """Return the data of a YAML text; raises EditError where it is none, or more than one document."""
    try:
        return _unshared(yaml.load(text, _Loader))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise EditError(f"not YAML: {' '.join(str(error).split())}") from error
    except RecursionError:
        raise EditError("a value holds itself (a YAML alias)") from None


def _unshared(value: Any) -> Any:
    """A copy in which what stands behind an anchor and its aliases is there once for each: a change shows in all."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def written(value: Any) -> str:
    """Return a value in YAML's flow style, on one line."""
    text = yaml.safe_dump([value], default_flow_style=True, width=WIDE, allow_unicode=True, sort_keys=False)[1:-2]
    if len(text.splitlines()) < 2:
        return text
    # JSON, which is YAML too, spells out ends of lines; those of Unicode are left.
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029]", lambda char: f"\\u{ord(char[0]):04x}", text)


class YamlText:
    """The text of a YAML file. Each change makes its data the old with that change alone, or raises EditError."""

    def __init__(self, text: str) -> None:
        """Read the text; raises EditError."""
        self.text = text
        self.data = read(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def get(self, path: Path, default: Any = None) -> Any:
        """Return the value at a path of keys and indexes."""
        value = self.data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return default
        return value

    def set(self, path: Path, value: Any) -> None:
        """Replace the value at a path that is there."""
        expected = self._expected()
        _at(expected, path[:-1])[path[-1]] = value
        node = self._node(path)
        start, end = node.start_mark.index, self._end(node)
        line = self._line_start(start)
        outer = self._node(path[:-1])
        if isinstance(outer, yaml.MappingNode) and not _flow(node) and not self.text[line:start].strip():
            # A block: its lines go; what is said beside the key, and before the first of them, stays.
            key = next(key for key, child in outer.value if child.start_mark.index == start)
            colon = self.text.index(":", key.end_mark.index) + 1
            after = self.text[self._line_end(end) :].removeprefix(self._newline)
            text = f"{self.text[:colon]} {written(value)}{self.text[colon:line]}{after}"
            self._replace(text, expected, path)
            return
        # `key:` alone has an empty value, right behind the colon.
        new = written(value) if start < end else f" {written(value)}"
        self._apply(start, end, new, expected, path)

    def add(self, path: Path, value: Any, comment: str = "", block: bool = False) -> None:
        """Add a key to the mapping that the path leads to.

        At the top it comes after its own commented-out example (`# key:`) where there is one, else at the end.
        """
        *outer, key = path
        expected = self._expected()
        if not isinstance(expected, dict):
            if expected is not None:
                raise EditError("it is no mapping")
            expected = {}
        mapping = expected
        for step in outer:
            mapping = mapping[step]
            if mapping is None:
                raise EditError(f"{step} is empty")
        mapping[key] = value
        lines = [f"{written(key)}:", *_block(value)] if block else [f"{written(key)}: {written(value)}"]
        lines = [f"# {line}".rstrip() for line in comment.splitlines()] + lines
        if not outer:
            self._add_at_the_top(str(key), lines, bool(comment), expected)
            return
        node = self._node(outer)
        if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
            raise EditError("it is written in braces")
        column = node.value[0][0].start_mark.column
        place = self._line_end(self._end(node))
        body = "".join(f"{self._newline}{' ' * column}{line}" for line in lines)
        self._apply(place, place, body, expected, path)

    def _add_at_the_top(self, key: str, lines: list[str], commented: bool, expected: Any) -> None:
        example = re.search(rf"(?m)^# ?{re.escape(key)}:.*(?:\r?\n#(?:  +| *- ).*)*$", self.text)
        if example:
            own = [line for line in lines if not line.startswith("#")] if commented else lines
            place = self._line_end(example.end())
            with contextlib.suppress(EditError):  # inside of another value
                self._apply(place, place, "".join(self._newline + line for line in own), expected, [key])
                return
        lines = ["", *lines] if self.text.rstrip() not in ("", "---") and not self.text.endswith("\n\n") else lines
        lines = ["", *lines] if self.text and not self.text.endswith("\n") else lines
        place = len(self.text)
        self._apply(place, place, self._newline.join([*lines, ""]), expected, [key])

    def append(self, path: Path, value: Any) -> None:
        """Add an item to the list at a path."""
        expected = self._expected()
        _at(expected, path).append(value)
        node = self._node(path)
        if not isinstance(node, yaml.SequenceNode):
            raise EditError("it is no list")
        if node.flow_style:
            place = node.end_mark.index - 1
            if not node.value:
                new = written(value)
            else:
                place = node.value[-1].end_mark.index
                new = f", {written(value)}"
            self._apply(place, place, new, expected, path)
            return
        dash = self._dash(node.value[-1])
        indent = self.text[self._line_start(dash) : dash]
        place = self._line_end(self._end(node))
        self._apply(place, place, f"{self._newline}{indent}- {written(value)}", expected, path)

    def remove(self, path: Path) -> None:
        """Remove an item of a list or a key of a mapping with its value, and its lines where they are its own."""
        *outer, last = path
        expected = self._expected()
        container = _at(expected, outer)
        if len(container) == 1:
            self.set(outer, [] if isinstance(container, list) else {})
            return
        del container[last]
        node = self._node(outer)
        own: list[tuple[int, yaml.Node]]
        if isinstance(node, yaml.SequenceNode):
            index = int(last)
            own = [(child.start_mark.index, child) for child in node.value]
        elif isinstance(node, yaml.MappingNode):
            index = next(i for i, (key, _) in enumerate(node.value) if key.value == last)
            own = [(key.start_mark.index, child) for key, child in node.value]
        else:
            raise EditError("it is neither a list nor a mapping")
        start, child = own[index]
        if node.flow_style:
            if index + 1 < len(own):
                end = own[index + 1][0]
            else:
                start, end = own[index - 1][1].end_mark.index, child.end_mark.index
            self._apply(start, end, "", expected, path)
            return
        begin = self._dash(child) if isinstance(node, yaml.SequenceNode) else start
        first = self._line_start(begin)
        if self.text[first:begin].strip():
            raise EditError("its line holds something else too")
        end = self._line_end(self._end(child))
        end += len(self._newline) if self.text[end : end + len(self._newline)] == self._newline else 0
        self._apply(first, end, "", expected, path)

    def _expected(self) -> Any:
        return copy.deepcopy(self.data)

    def _node(self, path: Path) -> yaml.Node:
        """The node at a path; raises EditError, also where the value stands elsewhere (an alias, a merge)."""
        node: yaml.Node = yaml.compose(self.text, _Loader)  # type: ignore[assignment]  # a path leads somewhere
        for step in path:
            before = node.start_mark.index
            if isinstance(node, yaml.MappingNode):
                found = [(key, child) for key, child in node.value if key.value == str(step)]
                if not found:
                    raise EditError("it stands elsewhere (a YAML merge)")
                before, node = found[-1][0].end_mark.index, found[-1][1]
            else:
                node = node.value[step]
            if node.start_mark.index < before:
                raise EditError("it stands elsewhere (a YAML alias)")
        return node

    def _end(self, node: yaml.Node) -> int:
        """Where a value ends: without the blank lines and comments that follow a block."""
        start, end = node.start_mark.index, node.end_mark.index
        if _flow(node):
            return start + len(self.text[start:end].rstrip())
        lines = self.text[start:end].splitlines(keepends=True)
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return start + len("".join(lines).rstrip())

    def _dash(self, item: yaml.Node) -> int:
        """Where the dash of an item of a block list stands."""
        return self.text.rindex("-", 0, item.start_mark.index)

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self.text.find("\n", index)
        end = len(self.text) if end < 0 else end
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def _apply(self, start: int, end: int, new: str, expected: Any, path: Path) -> None:
        self._replace(self.text[:start] + new + self.text[end:], expected, path)

    def _replace(self, text: str, expected: Any, path: Path) -> None:
        if read(text) != expected:
            raise EditError(f"{'.'.join(map(str, path))} would have changed something else too")
        self.text, self.data = text, expected


def _flow(node: yaml.Node) -> bool:
    """Whether a value ends where it says, as scalars and what is in brackets do."""
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style)


def _block(value: Any) -> list[str]:
    """The lines of a mapping or a list, indented; what is in a list stands on one line."""
    if isinstance(value, list):
        return [f"  - {written(item)}" for item in value]
    lines: list[str] = []
    for key, item in value.items():
        inner = _block(item) if isinstance(item, dict) and item else None
        lines += (
            [f"  {written(key)}:", *(f"  {line}" for line in inner)]
            if inner
            else [f"  {written(key)}: {written(item)}"]
        )
    return lines


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
