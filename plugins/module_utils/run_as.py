"""Run programs and touch files with the rights of an account: root executes and follows only what root alone can write.

The one place that carries the rule. What an account can write (its home, an environment that it owns) is run as that
account or as a fresh one, and read, written and removed in a process that has its rights: it cannot be led by a link
to what is not already its own. What root itself runs, imports or follows has to pass `root_only`.

One file over the standard library (Python 3.10 and newer): it also travels as text, beside the doctor's probe.
"""

# os.path and os.stat throughout: whole trees are walked.
# ruff: noqa: PTH100, PTH101, PTH102, PTH103, PTH105, PTH108, PTH110, PTH115, PTH118, PTH120, PTH123, PTH208
from __future__ import annotations

import contextlib
import grp
import os
import pwd
import secrets
import select
import selectors
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

SYSTEM_PYTHON = "/usr/bin/python3"
#: Folders that root alone writes; nobody's own PATH is ever used.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: For programs that need no home of their own.
NO_HOME = "/nonexistent"
#: The numbers that systemd gives its dynamic users (man systemd.exec): no account has one for long.
FREE_IDS = range(61184, 65520)
STAFF_ID = 50  # by Debian's base-passwd


class Account(NamedTuple):
    """Whose rights a program gets. `fresh`: the number is of this run alone, and so is all that runs as it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    fresh: bool = False


class Completed(NamedTuple):
    """A finished program. `rc` None: it did not start, or was ended; the last line of `err` then says why."""

    rc: int | None
    out: str
    err: str


ROOT = Account("root", 0, 0)


def account(who: str | int) -> Account:
    """The account of a name or number with its groups. Raises KeyError where there is no such account."""
    entry = pwd.getpwnam(who) if isinstance(who, str) else pwd.getpwuid(who)
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def fresh_account() -> Account:
    """An account without a name that no process runs as, for the code of strangers; who runs this, without root.

    Two programs of one account can read, stop and change each other, so each gets a number of its own.
    """
    if os.geteuid() != 0:
        return account(os.geteuid())
    taken = {entry.pw_uid for entry in pwd.getpwall()}.union(*_processes().values())
    number = secrets.choice([number for number in FREE_IDS if number not in taken])
    return Account("dlbox-stranger", number, number, fresh=True)


def _processes() -> dict[int, set[int]]:
    """Process -> the accounts that it runs as or can become again."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and (ids := _runs_as(int(name))):
            found[int(name)] = ids
    return found


def _runs_as(process: int) -> set[int]:
    """A process's real, effective, saved and file system user; none when it is gone, or a zombie without threads.

    The owner of its folder in /proc says less: that is root for a process that others may not trace.
    """
    try:
        with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as status:
            lines = dict(line.split(":\t", 1) for line in status if line.startswith(("State:", "Uid:", "Threads:")))
    except (OSError, ValueError):
        return set()
    if lines.get("State", "Z")[0] in "ZX" and int(lines.get("Threads", "1")) <= 1:
        return set()
    return {int(word) for word in lines.get("Uid", "").split()}


# --- programs ---------------------------------------------------------------------------------------------------------


def isolated_python(interpreter: str = SYSTEM_PYTHON) -> list[str]:
    """The interpreter that imports nothing from the working folder, the home or PYTHON* variables, and writes no cache.

    -I stands for -E, -s and (also in 3.10, which has no such option) -P.
    """
    return [interpreter, "-I", "-B"]


def clean_environment(who: Account, home: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a program: nothing is inherited."""
    return {
        "PATH": PATH,
        "LC_ALL": "C.UTF-8",
        "HOME": home,
        "TMPDIR": "/tmp" if home == NO_HOME else home,
        "USER": who.name,
        "LOGNAME": who.name,
        **(more or {}),
    }


def switches_to(who: Account) -> bool:
    """Whether this process has to change its rights for that account. Without root there is nothing to give away."""
    return os.geteuid() == 0 and who.uid != 0


@contextlib.contextmanager
def private_home(who: Account) -> Iterator[str]:
    """An empty home below /tmp that only this account can enter, as long as the context lasts.

    The folder around it is root's: the account cannot move its home away or put a link in its place. rm(1) removes it,
    which follows no link and crosses into no other file system.
    """
    around = tempfile.mkdtemp(prefix="dlbox-run-", dir="/tmp")
    home = os.path.join(around, "home")
    try:
        os.mkdir(home, 0o700)
        if switches_to(who):
            os.chown(home, who.uid, who.gid)
            os.chmod(around, 0o711)
        yield home
    finally:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(
                ["/bin/rm", "-rf", "--one-file-system", "--", around],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
                check=False,
            )


def run(
    argv: Sequence[str],
    who: Account,
    *,
    environment: Mapping[str, str] | None = None,
    text: str = "",
    timeout: float = 60.0,
    limit: int = 4 << 20,
    home: str | None = None,
) -> Completed:
    """Run a program as an account: in /, umask 022, clean environment, a session and an empty home of its own.

    argv[0] is an absolute path. `text` is its standard input; it inherits nothing else that is open. After `timeout`
    seconds or `limit` bytes of output its session is killed, and of a fresh account everything, also when it ends by
    itself. `home` keeps it from getting a home for this call
    (NO_HOME for what needs none). Without root it runs as who runs this.
    """
    if not argv or not argv[0].startswith("/"):
        raise ValueError(f"{list(argv)!r}: expected the absolute path of a program")
    with contextlib.ExitStack() as stack:
        place = home if home is not None else stack.enter_context(private_home(who))
        stdin = stack.enter_context(os.fdopen(os.memfd_create("stdin"), "w+b"))
        stdin.write(text.encode())
        stdin.seek(0)
        switch = {"user": who.uid, "group": who.gid, "extra_groups": list(who.groups)} if switches_to(who) else {}
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=clean_environment(who, place, environment),
                umask=0o022,
                start_new_session=True,
                **switch,  # type: ignore[call-overload]
            )
        except OSError as error:
            return Completed(None, "", f"{argv[0]}: {error.strerror or error}")
        try:
            out, err, ended = _converse(child, timeout, limit)
        finally:
            # Also what it started and left behind: of an account with a life of its own, what stayed in its session.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if who.fresh:
                _kill_all(who)
            for stream in (child.stdout, child.stderr):
                if stream:
                    stream.close()
    told = err.decode("utf-8", "replace")
    if ended:
        return Completed(None, out.decode("utf-8", "replace"), f"{told.rstrip()}\n{argv[0]} {ended}".lstrip())
    return Completed(child.returncode, out.decode("utf-8", "replace"), told)


def _kill_all(who: Account) -> None:
    """Kill every process of a fresh account.

    kill(-1) with its rights reaches all of them at once, also one that never stops to fork, which no list of processes
    shows reliably: it has to be carried out. One that is quicker can kill the killer, or leave no room for it, and is
    killed by itself. What the kernel does not end in ten seconds (a driver that hangs) stays, and its number is given
    to nobody else.
    """
    if who.uid not in FREE_IDS:
        raise ValueError(f"{who.uid} is not the number of a fresh account")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        done = _kill_at_once(who)
        left = [process for process, ids in _processes().items() if who.uid in ids]
        if done and not left:
            return
        for process in left:
            with contextlib.suppress(OSError), _descriptor(process) as descriptor:
                if who.uid in _runs_as(process):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)


def _kill_at_once(who: Account) -> bool:
    """kill(-1) with an account's rights; whether it was carried out."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", "kill -KILL -1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            user=who.uid,
            group=who.gid,
            extra_groups=[],
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@contextlib.contextmanager
def _descriptor(process: int) -> Iterator[int]:
    """A process by a descriptor, which never comes to mean another one."""
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _converse(child: subprocess.Popen[bytes], timeout: float, limit: int) -> tuple[bytes, bytes, str]:
    """Read both outputs until the program ends: (standard output, standard error, why it has to be ended or "")."""
    if child.stdout is None or child.stderr is None:
        raise AssertionError("the program was started without pipes")
    end = time.monotonic() + timeout
    taken = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    out, err = taken.values()
    with selectors.DefaultSelector() as selector:
        for descriptor in taken:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            # A grandchild may hold the outputs open for ever: they end with the program itself.
            gone = child.poll() is not None
            ready = selector.select(0 if gone else min(0.2, max(0.0, end - time.monotonic())))
            for key, _ in ready:
                block = os.read(key.fd, 65536)
                taken[key.fd] += block
                if not block:
                    selector.unregister(key.fd)
            if len(out) + len(err) > limit:
                return bytes(out[:limit]), bytes(err[:limit]), f"wrote more than {limit} bytes"
            if gone and not ready:
                break
            if time.monotonic() >= end:
                return bytes(out), bytes(err), f"did not end within {timeout:.0f} s"
    try:
        child.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        return bytes(out), bytes(err), f"did not end within {timeout:.0f} s"
    return bytes(out), bytes(err), ""


# --- files ------------------------------------------------------------------------------------------------------------


def call_as(who: Account, work: Callable[[], str], timeout: float = 30.0) -> str:
    """Do `work` in a child process with the account's rights, umask 077, in /; its text. Raises OSError with its words.

    For the small steps in folders that an account controls. `work` imports nothing and starts no program.
    """
    if not switches_to(who):
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # Nothing of root's goes with it, such as a lock, which it would hold for as long as it hangs.
            os.closerange(3, writer)
            os.closerange(writer + 1, os.sysconf("SC_OPEN_MAX"))
            os.setgroups(list(who.groups))
            os.setgid(who.gid)
            os.setuid(who.uid)
            os.chdir("/")
            os.umask(0o077)
            try:
                answer = "0" + work()
            except OSError as error:
                answer = "1" + str(error)
            with os.fdopen(writer, "w", encoding="utf-8", errors="surrogateescape") as out:
                out.write(answer)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    told, block = b"", b"-"
    end = time.monotonic() + timeout
    try:
        while block:
            if not select.select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
                raise OSError(f"the files of {who.name} did not answer within {timeout:.0f} s")
            block = os.read(reader, 65536)
            told += block
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        # Not even SIGKILL ends what waits for a filesystem of the account's own: it is left behind.
        os.waitpid(child, os.WNOHANG if block else 0)
    text = told.decode("utf-8", "surrogateescape")
    if not text.startswith("0"):
        raise OSError(text[1:] or f"the helper process of {who.name} died")
    return text[1:]


def read_regular(path: str | os.PathLike[str], limit: int, follow: bool = True) -> bytes:
    """Up to `limit` bytes of a regular file. A FIFO or device is refused and never waited for. Raises OSError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as handle:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{os.fspath(path)} is no regular file")
        return handle.read(limit)


def read_as(who: Account, path: str | os.PathLike[str], limit: int = 1 << 20) -> str:
    """Text of a file in a folder that the account controls. Raises OSError, FileNotFoundError where there is none."""

    def work() -> str:
        try:
            return "=" + read_regular(path, limit).decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""

    found = call_as(who, work)
    if not found:
        raise FileNotFoundError(f"{os.fspath(path)} does not exist")
    return found[1:]


def replace_file(path: str | os.PathLike[str], content: str, mode: int, uid: int = 0, gid: int = 0) -> None:
    """Replace a file in one step. It is never readable by others than its final mode allows, not for a moment.

    A link in its place is replaced, not followed. uid and gid count for root; anybody else keeps the file for himself.
    """
    folder, name = os.path.split(os.fspath(path))
    descriptor, fresh = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(content)
            out.flush()
            os.fsync(descriptor)
            if os.geteuid() == 0:
                os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise


def set_mode(path: str | os.PathLike[str], mode: int) -> None:
    """chmod of a regular file, never of what a link in its place leads to. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{os.fspath(path)} is no regular file")
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def write_as(who: Account, path: str | os.PathLike[str], content: str, mode: int = 0o600) -> None:
    """Replace a file of the account with its own rights; folders that are missing become its own, mode 0700."""

    def work() -> str:
        os.makedirs(os.path.dirname(os.fspath(path)), 0o700, exist_ok=True)
        replace_file(path, content, mode, os.geteuid(), os.getegid())
        return ""

    call_as(who, work)


def remove_as(who: Account, path: str | os.PathLike[str]) -> None:
    """Remove a file of the account with its own rights; nothing where there is none."""

    def work() -> str:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return ""

    call_as(who, work)


# --- who can write it -------------------------------------------------------------------------------------------------


def _problem(path: str, state: os.stat_result, owners: Sequence[int] = (0,)) -> str:
    """Who else than root (or these owners) can write what lies there; "" for nobody.

    Access control lists are in it: where there is one, the group's bits are its mask, the most that it can give.
    """
    if state.st_uid not in owners:
        return f"{path} belongs to {_name(state.st_uid)}"
    if stat.S_ISLNK(state.st_mode) or not state.st_mode & 0o022:
        return ""
    if state.st_mode & 0o002 or not _empty_group(path, state.st_gid):
        return f"{path} can be written by others than root (mode {stat.S_IMODE(state.st_mode):04o})"
    return ""


def _empty_group(path: str, gid: int) -> bool:
    """Whether the group's right to write is nobody's: root's group, or Debian's `staff` of older /usr/local, empty."""
    if gid not in (0, STAFF_ID):
        return False
    try:
        members = set(grp.getgrgid(gid).gr_mem) | {entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == gid}
        return not members - {"root"} and "system.posix_acl_access" not in os.listxattr(path)
    except (OSError, KeyError):
        return False


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the account number {uid}"


def root_only(path: str | os.PathLike[str]) -> str:
    """Why others than root could change what is at this path, now or by a rename above it; "" when root alone can.

    Each folder down from / counts, and so does every link on the way, with all that is above its target. A folder with
    the sticky bit (/tmp) lets others add names, but not replace root's: it counts as root's above what is root's.
    """
    place, problem = _place(path)
    return problem or _problem(place, os.lstat(place))


def root_places(path: str | os.PathLike[str]) -> str:
    """Why others than root could decide what lies at this path, now or once it is made; "" when root alone can.

    For what root gives away, such as a folder for a group: what lies there may be theirs, but not the name.
    """
    there = os.path.abspath(path)
    if not os.path.lexists(there):
        while not os.path.lexists(there):
            there = os.path.dirname(there)
        return root_only(there)
    place, problem = _place(there)
    if problem:
        return problem
    state, above = os.lstat(place), os.lstat(os.path.dirname(place))
    # In a folder with the sticky bit its owner can move it away.
    return _problem(place, state) if above.st_mode & stat.S_ISVTX and state.st_uid != 0 else ""


def _place(path: str | os.PathLike[str]) -> tuple[str, str]:
    """(the path without links, why others than root could put something else there or "")."""
    waiting = [part for part in os.path.abspath(path).split("/") if part]
    here, links = "/", 0
    try:
        while waiting:
            state = os.lstat(here)
            if not state.st_mode & stat.S_ISVTX or state.st_uid != 0:
                problem = _problem(here, state)
                if problem:
                    return here, problem
            part = waiting.pop(0)
            if part == "..":
                here = os.path.dirname(here)
                continue
            there = os.path.join(here, part)
            state = os.lstat(there)
            if not stat.S_ISLNK(state.st_mode):
                here = there
                continue
            links += 1
            problem = _problem(there, state) or (f"{there}: too many links" if links > 40 else "")
            if problem:
                return there, problem
            target = os.readlink(there)
            waiting = [name for name in target.split("/") if name not in ("", ".")] + waiting
            here = "/" if target.startswith("/") else here
        os.lstat(here)
    except OSError as error:
        return here, f"{error.filename or path}: {error.strerror or error}"
    return here, ""


def root_only_tree(top: str | os.PathLike[str]) -> str:
    """`root_only` for a folder and everything below it; links are followed where they leave it."""
    root = os.path.realpath(top)
    outside: list[str] = []
    problem = root_only(top) or _tree_problem(root, (0,), outside)
    return problem or next((problem for problem in map(root_only, sorted(outside)) if problem), "")


def _tree_problem(top: str, owners: Sequence[int], outside: list[str]) -> str:
    """The first thing below a folder that others than the owners can write; adds the links that leave the folder."""
    folders = [top]
    try:
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    state = entry.stat(follow_symlinks=False)
                    problem = _problem(entry.path, state, owners)
                    if problem:
                        return problem
                    if stat.S_ISDIR(state.st_mode):
                        folders.append(entry.path)
                    elif stat.S_ISLNK(state.st_mode):
                        target = os.path.realpath(entry.path)
                        if os.path.exists(target) and os.path.commonpath((top, target)) != top:
                            outside.append(entry.path)
    except OSError as error:
        return f"{error.filename or top}: {error.strerror or error}"
    return ""


def account_for(prefix: str | os.PathLike[str]) -> Account:
    """As whom code below this folder runs: as its owner where nobody else can write or replace it, else as no account.

    Never as root: also code that root alone can write needs none of root's rights to be tried.
    """
    try:
        place, problem = _place(prefix)
        state = os.lstat(place)
        if problem or place != os.path.abspath(prefix) or state.st_uid == 0 or state.st_mode & 0o022:
            return fresh_account()
        return fresh_account() if _tree_problem(place, (0, state.st_uid), []) else account(state.st_uid)
    except (OSError, KeyError):
        return fresh_account()
