"""Declared files: what they were, a ready replacement of each on the same filesystem, and how it gets into its place.

Arming does all that needs space: it writes, for every file, link and directory, a complete copy with mode, owner and
extended attributes. Restoring links and renames. So it needs no free space, removes nothing before its replacement
stands, and can be interrupted and repeated at any point.
"""

# Paths are plain text here as they are in the snapshot, and the system calls are named as the manual names them.
# ruff: noqa: PTH101, PTH104, PTH106, PTH108, PTH110, PTH112, PTH114, PTH115, PTH120, PTH208
from __future__ import annotations

import array
import collections
import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from .commands import run
from .store import sync_filesystem

MAX_SIZE = 4 << 20  # bytes of one file: /etc/ssh/moduli, the largest known, has less than 1 MiB
MAX_TOTAL = 64 << 20
MAX_ENTRIES = 5000
BALLOON = 1 << 20  # bytes for what a filesystem needs beside the files, such as a directory's next block
SPARE_INODES = 8
RESERVE = ".dlbox-guard"
# Links into these folders are the distribution's: roles replace such a link, they do not write through it.
VENDOR = ("/usr/", "/lib/", "/run/", "/dev/null")
# ioctl_iflags(2): _IOR('f', 1, long) and _IOW('f', 2, long).
GET_FLAGS = 2 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 1
SET_FLAGS = 1 << 30 | struct.calcsize("l") << 16 | ord("f") << 8 | 2
IMMUTABLE, APPEND_ONLY = 0x10, 0x20


@dataclasses.dataclass(frozen=True)
class FileRecord:
    """A file, link or directory as it was. ``digest`` is of the contents or the link's target."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    digest: str
    xattrs: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo."""

    point: str
    readonly: bool


def mounts() -> list[Mount]:
    """The mount table, in the order of mounting (proc_pid_mountinfo(5))."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split()
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), words[4])
        found.append(Mount(point, "ro" in words[5].split(",")))
    return found


def is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def mount_of(path: str, table: list[Mount]) -> Mount:
    """The mount that a path lies on."""
    longest = max(len(mount.point) for mount in table if is_below(path, mount.point))
    return [mount for mount in table if is_below(path, mount.point) and len(mount.point) == longest][-1]


def flags(path: str, *, clear: bool = False) -> int:
    """Immutable and append-only of a file or directory, or take both away; 0 where the filesystem has no such flags."""
    value = array.array("l", [0])
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            fcntl.ioctl(descriptor, GET_FLAGS, value)
            if clear:
                value[0] &= ~(IMMUTABLE | APPEND_ONLY)
                fcntl.ioctl(descriptor, SET_FLAGS, value)
        finally:
            os.close(descriptor)
    return value[0] & (IMMUTABLE | APPEND_ONLY)


def _xattrs(path: str) -> dict[str, bytes]:
    """Extended attributes, access control lists among them."""
    try:
        return {
            name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)
        }
    except OSError:
        return {}


def describe(path: str) -> FileRecord | None:
    """What is at a path; None for nothing. Contents beyond the limit are not read: they never equal a declared file.

    What cannot be read, such as a path through a link to itself or a damaged block, is like nothing else: it can be
    replaced, and does not keep the other files from it.
    """
    kind, digest = "other", ""
    try:
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            kind, digest, mode = "link", os.readlink(path), 0o777
        elif stat.S_ISDIR(status.st_mode):
            kind = "dir"
        elif stat.S_ISREG(status.st_mode):
            kind = "file"
            digest = hashlib.sha256(Path(path).read_bytes()).hexdigest() if status.st_size <= MAX_SIZE else "too large"
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return FileRecord(path, "other", 0, 0, 0, str(error), ())
    attributes = tuple(sorted((name, value.hex()) for name, value in _xattrs(path).items()))
    return FileRecord(path, kind, mode, status.st_uid, status.st_gid, digest, attributes)


def tree(path: str) -> Iterator[str]:
    """A path and, where it is a directory, all below it, directories before what they hold. Links are not followed.

    The guard's own reserve, which lies there where a directory is a mount of its own, is no part of it.
    """
    if os.path.lexists(path):
        yield path
    if os.path.isdir(path) and not os.path.islink(path):
        for name in sorted(set(os.listdir(path)) - {RESERVE}):
            yield from tree(f"{path}/{name}")


# --- arming ---------------------------------------------------------------------------------------------------------


def homes() -> list[str]:
    """The home directories of root and of people."""
    return [entry.pw_dir for entry in pwd.getpwall() if entry.pw_uid == 0 or 1000 <= entry.pw_uid < 65534] + ["/home"]


def _refusal_of_place(path: str, table: list[Mount], below: Iterable[str]) -> str:
    """Why a declared path cannot be restored later, whatever it holds; empty where it can."""
    if not path.startswith("/") or os.path.normpath(path) != path:
        return "is no absolute path in its plain form"
    for home in below:
        if home.startswith("/") and home != "/" and is_below(path, home):
            return f"lies below {home}, a home: declare the account instead"
    for parent in reversed(Path(path).parents):
        try:
            status = parent.lstat()
        except FileNotFoundError:
            return ""
        if not stat.S_ISDIR(status.st_mode):
            return f"goes through {parent}, which is no directory of its own: declare the place that it stands for"
        if status.st_uid != 0 or status.st_mode & 0o022:
            return f"others than root may write {parent}: chown root {parent}; chmod go-w {parent}"
        if flags(str(parent)) and parent == Path(path).parent:
            return f"{parent} is immutable or append-only: chattr -ia {parent}"
    if mount_of(str(Path(path).parent), table).readonly:
        return "lies on a filesystem that is mounted read-only: mount it read-write while dlbox runs"
    return ""


def _refusal_of_entry(path: str, entry: FileRecord, size: int, table: list[Mount], declared: list[str]) -> str:
    """Why one existing entry cannot be restored later; empty where it can."""
    if entry.kind == "other":
        return "is no plain file, link or directory: move it elsewhere"
    if entry.kind == "link":
        target = os.path.realpath(path)
        if target.startswith(VENDOR) or not os.path.exists(target) or any(is_below(target, one) for one in declared):
            return ""
        return f"is a link to {target}, which would not be restored: put the file itself there"
    if flags(path):
        return f"is immutable or append-only, so that nobody could change or restore it: chattr -ia {path}"
    if entry.kind == "file" and any(mount.point == path for mount in table):
        return f"is a mount point, so that it cannot be replaced: umount {path}"
    if entry.kind == "file" and size > MAX_SIZE:
        return f"has {size} bytes, more than the {MAX_SIZE} that a configuration file may have: move it elsewhere"
    if mount_of(path, table).readonly:
        return "lies on a filesystem that is mounted read-only: mount it read-write while dlbox runs"
    return ""


def survey(declared: list[str], table: list[Mount], below: Iterable[str]) -> tuple[list[FileRecord], list[str]]:
    """Everything below the declared paths, and a sentence on each thing that could not be restored later."""
    entries: dict[str, FileRecord] = {}
    problems, total = [], 0
    below = list(below)
    for root in declared:
        problem = _refusal_of_place(root, table, below)
        if problem:
            problems.append(f"{root} {problem}")
            continue
        for path in tree(root):
            size = os.lstat(path).st_size
            entry = describe(path)
            if entry is None or path in entries:
                continue
            problem = _refusal_of_entry(path, entry, size, table, declared)
            problems += [f"{path} {problem}"] if problem else []
            entries[path] = entry
            total += size if entry.kind == "file" and size <= MAX_SIZE else 0
            if len(entries) > MAX_ENTRIES or total > MAX_TOTAL:
                return [], [f"{root} holds more than {MAX_ENTRIES} files or {MAX_TOTAL} bytes: declare less of it"]
    return list(entries.values()), problems


def reserve_for(path: str, state_dir: Path, table: list[Mount]) -> str:
    """Where replacements for a path lie, on the same mount, so that renaming suffices."""
    place = Path(path).parent
    while not place.exists():
        place = place.parent
    mount = mount_of(str(place), table)
    if mount == mount_of(str(state_dir), table):
        return str(state_dir)
    return f"{'/etc' if mount.point == '/' else mount.point}/{RESERVE}"


def _replicate(entry: FileRecord, place: Path) -> None:
    """Make an equal of an entry at another place.

    Raises:
        OSError: it changed meanwhile, or there is no space.
    """
    if entry.kind == "dir":
        place.mkdir(0o700)
    elif entry.kind == "link":
        place.symlink_to(entry.digest)
    else:
        place.write_bytes(Path(entry.path).read_bytes())
    dress(entry, str(place))
    made = describe(str(place))
    if made is None or dataclasses.replace(made, path=entry.path) != entry:
        raise OSError(errno.EAGAIN, "changed while it was copied, or cannot be copied as it is", entry.path)


def dress(entry: FileRecord, place: str) -> None:
    """Give what is at a place the owner, mode and extended attributes of an entry."""
    os.chown(place, entry.uid, entry.gid, follow_symlinks=False)
    if entry.kind == "link":
        return
    had = dict(entry.xattrs)
    for name in _xattrs(place).keys() - had.keys():
        os.removexattr(place, name)
    for name, value in had.items():
        os.setxattr(place, name, bytes.fromhex(value))
    os.chmod(place, entry.mode)


def discard(roots: Iterable[str], *, failed: bool = False) -> None:
    """Remove the copies, and the failed configuration where that is asked for."""
    for root in roots:
        for name in ("copies", "failed") if failed else ("copies",):
            shutil.rmtree(Path(root, name), ignore_errors=True)
        kept_for_reading([root])
        if Path(root).name == RESERVE:
            with contextlib.suppress(OSError):
                Path(root).rmdir()


def kept_for_reading(roots: Iterable[str]) -> list[str]:
    """The directories with what failed, without the empty ones that were made when the guard was armed."""
    found = []
    for root in roots:
        for folder, _, _ in os.walk(f"{root}/failed", topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        found += [f"{root}/failed"] if os.path.isdir(f"{root}/failed") else []
    return found


# --- restoring ------------------------------------------------------------------------------------------------------


class Files:
    """The declared files with their reserves, as a snapshot records them."""

    def __init__(self, record: dict[str, Any], state_dir: Path) -> None:
        """``record`` is what `record` returned when the guard was armed."""
        self.declared: list[str] = record["declared"]
        self.mounted = collections.Counter(record["mounted"])
        self.entries = [FileRecord(**{**one, "xattrs": tuple(map(tuple, one["xattrs"]))}) for one in record["entries"]]
        self.places: dict[str, str] = record["places"]
        self.roots: list[str] = record["roots"]
        self.state_dir = state_dir

    @staticmethod
    def record(entries: list[FileRecord], declared: list[str], state_dir: Path) -> dict[str, Any]:
        """What a snapshot keeps of the declared files, as plain data.

        Among it the reserve of each path, also of one that is new in a directory (its path ends in /new).
        """
        table = mounts()
        inside = [f"{entry.path}/new" for entry in entries if entry.kind == "dir"]
        paths = [*declared, *(entry.path for entry in entries), *inside]
        places = {path: reserve_for(path, state_dir, table) for path in paths}
        return {
            "declared": declared,
            "mounted": [mount.point for mount in table],
            "entries": [dataclasses.asdict(entry) for entry in entries],
            "places": places,
            "roots": sorted({*places.values(), str(state_dir)}),
        }

    def reserve(self) -> None:
        """Write the copies, and all else that restoring needs. Everything is durable.

        Raises:
            OSError: there is no space, or an entry changes meanwhile. `discard` what was made.
        """
        for root in self.roots:
            for name in ("copies", "failed"):
                Path(root, name).mkdir(mode=0o700, parents=True)
            os.chmod(root, 0o700)
            Path(root, "copies", "balloon").write_bytes(bytes(BALLOON))
            for number in range(SPARE_INODES):
                Path(root, "copies", f"spare{number}").touch()
        for number, entry in enumerate(self.entries):
            _replicate(entry, Path(self.places[entry.path], "copies", str(number)))
        for path, root in self.places.items():
            Path(root, "failed" + os.path.dirname(path)).mkdir(parents=True, exist_ok=True)
        self.sync()

    def changed(self) -> list[str]:
        """Paths whose entry is not as it was."""
        return [entry.path for entry in self.entries if describe(entry.path) != entry or flags(entry.path)]

    def extra(self) -> list[str]:
        """Paths that were not there, the topmost of each."""
        known = {entry.path for entry in self.entries}
        found: list[str] = []
        for root in self.declared:
            # A directory that cannot be listed is found to be changed itself, and its replacement can be listed.
            with contextlib.suppress(OSError):
                for path in tree(root):
                    if path not in known and not (found and is_below(path, found[-1])):
                        found.append(path)
        return found

    def put_back(self, path: str) -> None:
        """Replace what is at a path by what was there.

        Raises:
            OSError: it cannot be done now; nothing was lost by the attempt.
        """
        number = next(number for number, entry in enumerate(self.entries) if entry.path == path)
        self._stubborn(path, lambda: self._replace(number))

    def move_away(self, path: str) -> None:
        """Take something from its place that was not there before, and keep it for reading.

        Raises:
            OSError: it cannot be done now.
        """
        root = reserve_for(path, self.state_dir, mounts())
        self._stubborn(path, lambda: self._move(path, root))

    def _replace(self, number: int) -> None:
        entry = self.entries[number]
        root = self.places[entry.path]
        copy, ready = Path(root, "copies", str(number)), Path(root, "copies", "ready")
        now = describe(entry.path)
        if now == entry:
            flags(entry.path, clear=True)
            return
        if now and now.kind == entry.kind == "dir":
            dress(entry, entry.path)
            return
        if entry.kind == "dir":
            ready = copy
            copy.mkdir(mode=0o700, exist_ok=True)  # where the first one is in use already
            dress(entry, str(copy))
        else:
            ready.unlink(missing_ok=True)
            os.link(copy, ready, follow_symlinks=False)
        held = describe(str(ready))
        if held is None or dataclasses.replace(held, path=entry.path) != entry:
            raise OSError(errno.EIO, "its copy is damaged", entry.path)
        if now and (now.kind == "dir" or entry.kind == "dir"):
            self._move(entry.path, root)
        elif now:
            self._keep(entry.path, root)
        Path(entry.path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        os.rename(ready, entry.path)

    @staticmethod
    def _failed(path: str, root: str) -> Path:
        """A free name for a path among the failed configuration."""
        place = Path(root, "failed" + path)
        with contextlib.suppress(OSError):
            place.parent.mkdir(parents=True)
        return place if not os.path.lexists(place) else place.with_name(f"{place.name}.{os.getpid()}")

    def _keep(self, path: str, root: str) -> None:
        """A second name for a file that is about to be replaced. Only for people: without it the restore goes on."""
        with contextlib.suppress(OSError):
            os.link(path, self._failed(path, root), follow_symlinks=False)

    def _move(self, path: str, root: str) -> None:
        if not os.path.lexists(path):
            return
        try:
            os.rename(path, self._failed(path, root))
        except OSError as error:
            # Better not to keep it than to leave in effect what locks people out.
            if error.errno not in (errno.EXDEV, errno.ENOSPC, errno.EDQUOT) or os.path.isdir(path):
                raise
            os.unlink(path)

    def _stubborn(self, path: str, step: Callable[[], None]) -> None:
        """Do a step; where something stands in its way, remove that, and do it again.

        Raises:
            OSError: it cannot be done now.
        """
        remedies: dict[int, Callable[[], None]] = {
            errno.EPERM: lambda: self._unflag(path),
            errno.EACCES: lambda: self._unflag(path),
            errno.EBUSY: self.uncover,
            errno.EXDEV: self.uncover,
            errno.EROFS: lambda: self._remount(path),
            errno.ENOSPC: self._make_room,
            errno.EDQUOT: self._make_room,
        }
        while True:
            try:
                return step()
            except OSError as error:
                remedy = remedies.pop(error.errno or 0, None)
                if remedy is None:
                    raise
                remedy()

    def _unflag(self, path: str) -> None:
        for place in [path, os.path.dirname(path), *(tree(path) if os.path.isdir(path) else [])]:
            flags(place, clear=True)

    def _remount(self, path: str) -> None:
        point = mount_of(os.path.dirname(path), mounts()).point
        run(["mount", "-o", "remount,bind,rw", point])  # the mount itself, then the filesystem
        run(["mount", "-o", "remount,rw", point])

    def with_room(self, step: Callable[[], None]) -> None:
        """Do a step of another kind; where it fails, once more with the space that was reserved.

        Raises:
            OSError: it failed again.
        """
        try:
            step()
        except OSError:
            self._make_room()
            step()

    def _make_room(self) -> None:
        """Give back the space and the inodes that were reserved for this."""
        for root in self.roots:
            for place in [Path(root, "copies", "balloon"), *Path(root, "copies").glob("spare*")]:
                with contextlib.suppress(OSError):
                    place.unlink()

    def sync(self) -> None:
        """Make what was put back durable.

        Raises:
            OSError: a filesystem did not take it.
        """
        for root in self.roots:
            sync_filesystem(Path(root))

    def uncover(self) -> None:
        """Take away what was mounted over declared files: what lies below would neither be seen nor restored."""
        new = collections.Counter(mount.point for mount in mounts()) - self.mounted
        for point in reversed(list(new.elements())):
            if point != "/" and any(is_below(point, one) or is_below(one, point) for one in self.declared):
                run(["umount", "--lazy", point])
