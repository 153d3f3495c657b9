"""An inventory folder as a person wrote it, and the answers that are to be in it: changes only what differs."""

from __future__ import annotations

import contextlib
import difflib
import os
import signal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .yaml_text import EditError, YamlText, written

HOSTS = "hosts.yml"
OWNER = "group_vars/all/owner.yml"
SUFFIXES = ("", ".yml", ".yaml", ".json")
VAULT = "$ANSIBLE_VAULT"
#: What stands above a variable that the shipped inventory has no place for any more.
COMMENTS = {
    "dlbox_admins": "Who administers the machine.",
    "dlbox_home_networks": "Networks that count as home.",
    "dlbox_jupyter_access": "Where JupyterLab answers: `tunnel` (over ssh) or `home` (home networks, TLS).",
    "conda_environments": "Which conda environments to make.",
    "base_timezone": "Time zone.",
}


class InventoryError(Exception):
    """The inventory cannot be read, or not be changed without touching more; the message names file and remedy."""


class Inventory:
    """The files of an inventory folder. Changes stay in memory until `write`."""

    def __init__(self, folder: Path) -> None:
        """Read hosts.yml; raises InventoryError."""
        self.folder = folder
        self._texts: dict[Path, YamlText] = {}
        self._before: dict[Path, str] = {}
        if not (folder / HOSTS).is_file():
            raise InventoryError(
                f"{folder / HOSTS} does not exist; expected an inventory folder such as inventory/home"
            )
        self._open(folder / HOSTS)

    # --- reading
    def hosts(self) -> dict[str, Mapping[str, Any]]:
        """The hosts with what hosts.yml says of them."""
        return {str(path[-1]): self._hosts_file.get(path) or {} for path in self._host_paths()}

    def value(self, name: str, host: str) -> Any:
        """The value of a variable for a host, as written; None where no file of host_vars or group_vars/all has it."""
        file = self._file_of(name, host)
        return self._open(file).get([name]) if file else None

    def diff(self) -> str:
        """What `write` would change, as a unified diff; empty when nothing."""
        lines: list[str] = []
        for file, before, after in self._changes():
            name = str(file)
            lines += difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, n=2, lineterm="")
        return "\n".join(lines)

    # --- changing
    def set(self, name: str, value: Any, host: str, own: bool = False) -> None:
        """Give a variable a value, where it is defined; else for all hosts, or with `own` for this host alone.

        In a list only the items that differ are touched.
        """
        file = self._file_of(name, host)
        if (self._open(file).get([name]) if file else None) == value:
            return
        if own and (file is None or "host_vars" not in file.relative_to(self.folder).parts):
            file = None
            target = self._host_file(host)
        else:
            target = file or self.folder / OWNER
        text = self._open(target)
        with self._told(target, name, value):
            if file is None:
                text.add([name], value, COMMENTS.get(name, ""), block=isinstance(value, list) and len(value) > 0)
            elif isinstance(value, list) and isinstance(text.get([name]), list):
                _set_list(text, [name], value)
            else:
                text.set([name], value)

    def set_admin(self, name: str, keys: Sequence[str], host: str) -> None:
        """Give the first admin a name and keys; the others, and what else is said of the first, stay."""
        file = self._file_of("dlbox_admins", host)
        admins = self._open(file).get(["dlbox_admins"]) if file else None
        if file is None or not isinstance(admins, list) or not admins or not isinstance(admins[0], dict):
            self.set("dlbox_admins", [{"name": name, "keys": list(keys)}], host)
            return
        text = self._open(file)
        with self._told(file, "dlbox_admins", [{"name": name, "keys": list(keys)}]):
            if admins[0].get("name") != name:
                text.set(["dlbox_admins", 0, "name"], name)
            if "keys" not in admins[0]:
                text.add(["dlbox_admins", 0, "keys"], list(keys))
            elif isinstance(admins[0]["keys"], list):
                _set_list(text, ["dlbox_admins", 0, "keys"], list(keys))
            else:
                text.set(["dlbox_admins", 0, "keys"], list(keys))

    def set_host(self, name: str, variables: Mapping[str, Any]) -> None:
        """Put a host into hosts.yml, or what differs into its entry."""
        text = self._hosts_file
        with self._told(self.folder / HOSTS, name, dict(variables)):
            path = next((path for path in self._host_paths() if path[-1] == name), None)
            if path is None:
                if text.get(["all", "hosts"]):
                    text.add(["all", "hosts", name], dict(variables), block=True)
                elif "all" not in (text.data or {}):
                    text.add(["all"], {"hosts": {name: dict(variables)}}, block=True)
                elif text.get(["all"]) and "hosts" not in text.data["all"]:
                    text.add(["all", "hosts"], {name: dict(variables)}, block=True)
                else:
                    raise EditError("all.hosts is empty")
                return
            for key, value in variables.items():
                if not text.get(path):
                    text.set(path, dict(variables))
                elif key not in text.get(path):
                    text.add([*path, key], value)
                elif text.get([*path, key]) != value:
                    text.set([*path, key], value)

    def remove_host(self, name: str) -> None:
        """Take a host out of hosts.yml."""
        with self._told(self.folder / HOSTS, name, None):
            for path in self._host_paths():
                if path[-1] == name:
                    self._hosts_file.remove(path)

    def write(self) -> None:
        """Write what has changed: each file beside its place, then all are renamed; raises InventoryError, OSError."""
        ready = []
        try:
            for file, before, after in self._changes():
                real = file.resolve()
                if before != _text_of(real):
                    raise InventoryError(f"{file} was changed by somebody else in the meantime. Run it again")
                if not real.parent.exists():
                    real.parent.mkdir(parents=True)
                    self._keep_owner(real.parent)
                handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
                ready.append((name, real))
                with os.fdopen(handle, "w", encoding="utf-8", newline="") as new:
                    new.write(after)
                    new.flush()
                    os.fsync(new.fileno())
                Path(name).chmod(real.stat().st_mode & 0o7777 if real.exists() else 0o666 & ~_umask())
                self._keep_owner(Path(name), real)
            # A closed terminal in between leaves all of it or nothing.
            ends = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
            signal.pthread_sigmask(signal.SIG_BLOCK, ends)
            try:
                for name, real in ready:
                    Path(name).replace(real)
            finally:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
        finally:
            for name, _ in ready:
                Path(name).unlink(missing_ok=True)

    def _keep_owner(self, new: Path, old: Path | None = None) -> None:
        """Under sudo, what is written belongs to whom the file, or the inventory, belonged to."""
        if os.geteuid() == 0:
            owner = (old if old and old.exists() else self.folder).stat()
            os.chown(new, owner.st_uid, owner.st_gid)

    # --- files
    @property
    def _hosts_file(self) -> YamlText:
        return self._texts[self.folder / HOSTS]

    def _changes(self) -> list[tuple[Path, str, str]]:
        return [
            (file, self._before[file], text.text)
            for file, text in self._texts.items()
            if text.text != self._before[file]
        ]

    def _open(self, file: Path) -> YamlText:
        if file not in self._texts:
            self._before[file] = _text_of(file)
            try:
                self._texts[file] = YamlText(self._before[file] or "---\n")
            except EditError as error:
                raise InventoryError(f"{file}: {error}") from error
        return self._texts[file]

    def _host_file(self, host: str) -> Path:
        existing = self._variable_files("host_vars", host)
        return existing[-1] if existing else self.folder / "host_vars" / f"{host}.yml"

    def _variable_files(self, kind: str, name: str) -> list[Path]:
        """The files of host_vars/NAME or group_vars/NAME that can be read, the last counts."""
        place = self.folder / kind
        single = [place / f"{name}{suffix}" for suffix in SUFFIXES]
        several = sorted(place.joinpath(name).glob("*")) if place.joinpath(name).is_dir() else []
        files = [file for file in [*single, *several] if file.is_file() and file.suffix in SUFFIXES]
        return [file for file in files if not _text_of(file).startswith(VAULT)]

    def _file_of(self, name: str, host: str) -> Path | None:
        """The file whose definition of a variable counts for a host."""
        for kind, who in (("host_vars", host), ("group_vars", "all")):
            for file in reversed(self._variable_files(kind, who)):
                data = self._open(file).data
                if isinstance(data, dict) and name in data:
                    return file
        return None

    def _host_paths(self) -> list[list[str | int]]:
        found: list[list[str | int]] = []

        def mapping(value: Any, path: list[str | int]) -> dict[str, Any]:
            if value is None or isinstance(value, dict):
                return value or {}
            where = ".".join(map(str, path)) or "it"
            raise InventoryError(f"{self.folder / HOSTS}: {where} is {value!r}, expected a line `name:` for each")

        def walk(group: Any, path: list[str | int]) -> None:
            inner = mapping(group, path)
            found.extend([*path, "hosts", name] for name in mapping(inner.get("hosts"), [*path, "hosts"]))
            for child, below in mapping(inner.get("children"), [*path, "children"]).items():
                walk(below, [*path, "children", child])

        for name, group in mapping(self._hosts_file.data, []).items():
            walk(group, [name])
        return found

    @contextlib.contextmanager
    def _told(self, file: Path, name: str, value: Any) -> Iterator[None]:
        """Turn what cannot be edited into what to do by hand."""
        try:
            yield
        except EditError as error:
            by_hand = f"remove {name}" if value is None else f"{name}: {written(value)}"
            raise InventoryError(
                f"{file}: {name} cannot be changed without touching what you wrote ({error}). Nothing was written. "
                f"By hand: {by_hand}"
            ) from error


def environments(entries: Any, checked: Iterable[str], shipped: Iterable[str]) -> list[Any]:
    """Return the list conda_environments with the shipped ones that are wanted; other entries stay as they are."""
    wanted, known = list(checked), set(shipped)
    kept = [
        entry
        for entry in entries
        if not (isinstance(entry, dict) and entry.get("name") in known)
        or (entry["name"] in wanted and entry.get("state", "present") == "present")
        or (entry["name"] not in wanted and entry.get("state") == "absent")
    ]
    there = {entry.get("name") for entry in kept if isinstance(entry, dict)}
    return [*kept, *({"name": name} for name in wanted if name not in there)]


def _set_list(text: YamlText, path: Sequence[str | int], wanted: Sequence[Any]) -> None:
    """Remove the items that are not wanted, and append those that are missing: what stays keeps its place."""
    before = list(text.get(path))
    kept = [item for item in before if item in wanted]
    new = [item for item in wanted if item not in before]
    if not kept and new:
        text.append(path, new.pop(0))  # before the last one goes, which would leave []
    for index in reversed(range(len(before))):
        if before[index] not in wanted:
            text.remove([*path, index])
    for item in new:
        text.append(path, item)


def _text_of(file: Path) -> str:
    """The text of a file with its ends of lines; empty where there is none."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InventoryError(f"{file}: {error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
