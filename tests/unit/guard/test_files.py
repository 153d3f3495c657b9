"""Declared files come back, whatever happened to them: interrupted at every step, without space, under odd mounts.

The real functions run as root over a directory of their own, in a mount namespace of their own where mounts are needed.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.guard import files, store

# As much as a test needs: each byte and inode is synced, and that again and again.
files.BALLOON, files.SPARE_INODES = 65536, 3
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners, flags and mounts need root")
COLLECTIONS = Path(__file__).resolve().parents[3] / "collections"


def build(etc: Path) -> None:
    """Configuration as a host has it: files, a directory, a link, modes and owners."""
    (etc / "ssh" / "conf.d").mkdir(parents=True)
    (etc / "ssh" / "sshd_config").write_text("Port 22\n")
    (etc / "ssh" / "host_key").write_text("secret\n")
    (etc / "ssh" / "host_key").chmod(0o600)
    (etc / "ssh" / "conf.d" / "old.conf").write_text("before\n")
    os.chown(etc / "ssh" / "conf.d" / "old.conf", 7, 8)
    (etc / "ssh" / "link").symlink_to("/usr/lib/somewhere")
    (etc / "sudoers").write_text("root ALL\n")


def look(etc: Path) -> dict[str, files.FileRecord | None]:
    """Everything below a directory."""
    return {path: files.describe(path) for path in files.tree(str(etc))}


class Machine:
    """A directory with configuration, and the guard's reserve of it."""

    def __init__(self, root: Path) -> None:
        self.etc, self.state = root / "etc", root / "state"
        build(self.etc)
        self.state.mkdir(mode=0o700)
        self.declared = [f"{self.etc}/{name}" for name in ("ssh", "sudoers", "absent", "new.d")]
        self.record: dict[str, object] = {}

    def arm(self) -> None:
        entries, problems = files.survey(self.declared, files.mounts(), [])
        assert not problems
        self.record = json.loads(json.dumps(files.Files.record(entries, self.declared, self.state)))
        files.Files(self.record, self.state).reserve()

    def change(self) -> None:
        ssh = self.etc / "ssh"
        (ssh / "sshd_config").write_text("Port 2222\n")
        (ssh / "host_key").chmod(0o644)
        shutil.rmtree(ssh / "conf.d")
        (ssh / "conf.d").write_text("a file now\n")
        (ssh / "link").unlink()
        (ssh / "fresh").mkdir()
        (ssh / "fresh" / "more").write_text("x")
        (self.etc / "sudoers").unlink()
        (self.etc / "sudoers").mkdir()
        (self.etc / "absent").write_text("new\n")
        (self.etc / "new.d").mkdir()

    def restore(self) -> dict[str, str]:
        """One pass over all that differs; what could not be done."""
        declared, errors = files.Files(self.record, self.state), {}
        declared.uncover()
        for work, paths in ((declared.put_back, declared.changed()), (declared.move_away, declared.extra())):
            for path in paths:
                try:
                    work(path)
                except OSError as error:
                    errors[path] = str(error)
        return errors


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    # Below /tmp others may write: the declared paths have to lie where only root does.
    base = Path("/var/lib/dlbox-test-guard") / tmp_path.name
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    base.parent.chmod(0o755)
    yield Machine(base)
    for path in files.tree(str(base)):
        files.flags(path, clear=True)
    shutil.rmtree(base)


def test_everything_comes_back_and_what_failed_is_kept(machine: Machine) -> None:
    before = look(machine.etc)
    machine.arm()
    assert look(machine.etc) == before, "arming writes nothing beside the files"
    machine.change()
    assert machine.restore() == {}
    assert look(machine.etc) == before
    assert machine.restore() == {} and look(machine.etc) == before
    failed = Path(f"{machine.state}/failed{machine.etc}")
    assert (failed / "ssh/sshd_config").read_text() == "Port 2222\n"
    assert (failed / "ssh/fresh/more").read_text() == "x"
    assert (failed / "absent").read_text() == "new\n"


# --- interrupted ----------------------------------------------------------------------------------------------------

SYSCALLS = ("rename", "link", "unlink", "mkdir", "rmdir", "chmod", "chown", "open", "pwrite", "fsync", "setxattr")


def interrupted_at(step: int, work: Callable[[], object]) -> bool:
    """Run work in a child process that is killed before its system call number ``step``; whether it came that far."""
    child = os.fork()
    if child == 0:
        left = [step]

        def counted(call: Callable[..., object]) -> Callable[..., object]:
            def counting(*given: object, **named: object) -> object:
                if left[0] == 0:
                    os._exit(9)
                left[0] -= 1
                return call(*given, **named)

            return counting

        for name in SYSCALLS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_killed_at_every_step_it_is_finished_by_the_next_run(machine: Machine) -> None:
    before = look(machine.etc)
    step, killed = 0, True
    while killed:
        machine.arm()
        machine.change()
        killed = interrupted_at(step, machine.restore)
        for name in ("host_key", "sshd_config"):
            assert (machine.etc / "ssh" / name).exists(), f"{name} is missing after {step} steps"
        assert machine.restore() == {}, step
        assert look(machine.etc) == before, step
        files.discard([str(machine.state)], failed=True)
        step += 1
    assert step > 15, "each replaced entry is some steps"


def test_killed_at_every_step_of_arming_nothing_is_changed(machine: Machine) -> None:
    before = look(machine.etc)
    step = 0
    while interrupted_at(step, machine.arm):
        assert look(machine.etc) == before
        files.discard([str(machine.state)], failed=True)
        step += 5
    assert step > 20


def test_a_power_cut_finds_only_durable_replacements(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that arming wrote is synced when it returns, and no file of the host is touched before that."""
    written: list[set[str]] = []
    real = files.sync_filesystem

    def sync(folder: Path) -> None:
        real(folder)
        written.append(set(files.tree(str(folder))))

    monkeypatch.setattr(files, "sync_filesystem", sync)
    machine.arm()
    assert written[-1] == set(files.tree(str(machine.state))), "nothing was written after the last sync"
    machine.change()
    machine.restore()
    files.Files(machine.record, machine.state).sync()
    assert len(written) == 2


# --- hostile surroundings: each in a mount namespace of its own ------------------------------------------------------

SCRIPT = """
import sys
sys.path[:0] = {path!r}
import os, shutil, subprocess
from pathlib import Path
import test_files
from ansible_collections.dlbox.workstation.plugins.module_utils.guard import files
base = Path({base!r})
def mount(*words): subprocess.run(["mount", *words], check=True)
mount("--make-rprivate", "/")
shutil.rmtree(base, ignore_errors=True)
base.mkdir(parents=True)
{setup}
machine = test_files.Machine(base)
before = test_files.look(machine.etc)
{before_arming}
machine.arm()
ssh = machine.etc / "ssh"
{harm}
errors = machine.restore()
{after}
assert test_files.look(machine.etc) == before, (errors, set(test_files.look(machine.etc).items()) ^ set(before.items()))
assert not errors, errors
print("as before")
"""
TMPFS = "mount('-t', 'tmpfs', '-o', 'size=8m,nr_inodes=200,mode=755', 'none', str(base))"
FULL = """
machine.change()
with (base / "filler").open("wb", 0) as out:
    try:
        while True: out.write(bytes(4096))
    except OSError: pass
"""
NO_INODES = """
machine.change()
(base / "many").mkdir()
try:
    for number in range(1000): (base / "many" / str(number)).touch()
except OSError: pass
"""
HARMS = {
    "nothing special": ("", "", "machine.change()"),
    "full disk": (TMPFS, "", FULL),
    "no inodes": (TMPFS, "", NO_INODES),
    "full disk, no inodes": (TMPFS, "", FULL + NO_INODES.replace("machine.change()", "")),
    "bind-mounted file": ("", "", "machine.change(); mount('--bind', '/etc/hostname', str(ssh / 'sshd_config'))"),
    "mount over the directory": ("", "", "machine.change(); mount('-t', 'tmpfs', 'none', str(ssh))"),
    "read-only mount": (
        "",
        "mount('--bind', str(machine.etc), str(machine.etc))",
        "machine.change(); mount('-o', 'remount,bind,ro', str(machine.etc))",
    ),
    "mount of its own": ("", "mount('--bind', str(machine.etc / 'ssh'), str(machine.etc / 'ssh'))", "machine.change()"),
    "giant file instead": ("", "", "machine.change(); os.truncate(ssh / 'sshd_config', 400 << 30)"),
    "directory removed": ("", "", "shutil.rmtree(ssh)"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_it_comes_back_in_surroundings_that_turned_hostile(harm: str, tmp_path: Path) -> None:
    setup, before_arming, work = HARMS[harm]
    base = Path("/var/lib/dlbox-test-guard") / tmp_path.name
    base.parent.mkdir(exist_ok=True)
    script = SCRIPT.format(
        path=[str(COLLECTIONS), str(Path(__file__).parent)], base=str(base), setup=setup, before_arming=before_arming,
        harm=work, after="",
    )  # fmt: skip
    done = subprocess.run(["unshare", "--mount", sys.executable, "-c", script], capture_output=True, text=True)
    shutil.rmtree(base, ignore_errors=True)
    assert done.returncode == 0 and "as before" in done.stdout, done.stderr


def has_flags(path: Path) -> bool:
    """Whether the filesystem keeps the immutable flag, and this process may set it."""
    path.touch()
    subprocess.run(["chattr", "+i", str(path)], capture_output=True)
    kept = bool(files.flags(str(path)))
    files.flags(str(path), clear=True)
    return kept


@pytest.mark.parametrize("target", ["ssh/sshd_config", "ssh", "ssh/fresh/more"])
@pytest.mark.parametrize("flag", ["+i", "+a"])
def test_what_became_immutable_comes_back(machine: Machine, target: str, flag: str) -> None:
    if not has_flags(machine.state / "probe"):
        pytest.skip("this filesystem has no immutable flag")
    before = look(machine.etc)
    machine.arm()
    machine.change()
    subprocess.run(["chattr", flag, str(machine.etc / target)], check=True)
    assert machine.restore() == {}
    assert look(machine.etc) == before


# --- refused before anything changes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", ["directory", "file"])
def test_a_link_to_itself_keeps_nothing_from_coming_back(harm: str, machine: Machine) -> None:
    before = look(machine.etc)
    machine.arm()
    machine.change()
    place = machine.etc / "ssh" if harm == "directory" else machine.etc / "ssh" / "sshd_config"
    place.rename(machine.etc / "elsewhere")
    place.symlink_to(place.name)
    machine.restore()
    assert machine.restore() == {}
    shutil.rmtree(machine.etc / "elsewhere", ignore_errors=True)
    (machine.etc / "elsewhere").unlink(missing_ok=True)
    assert look(machine.etc) == before


def test_a_file_and_a_folder_that_cannot_be_read_stop_nothing_else(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.arm()
    machine.change()
    damaged, read, listed = f"{machine.etc}/ssh/host_key", Path.read_bytes, os.listdir

    def read_bytes(path: Path) -> bytes:
        if str(path) == damaged:
            raise OSError(errno.EIO, "damaged block", damaged)
        return read(path)

    def listdir(path: str) -> list[str]:
        if path == f"{machine.etc}/new.d":
            raise OSError(errno.EIO, "damaged block", path)
        return listed(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(os, "listdir", listdir)
    machine.restore()
    assert (machine.etc / "ssh" / "sshd_config").read_text() == "Port 22\n"
    assert (machine.etc / "sudoers").read_text() == "root ALL\n"


def refusals(machine: Machine) -> str:
    _, problems = files.survey(machine.declared, files.mounts(), ["/home"])
    return "\n".join(problems)


def test_what_could_not_be_restored_is_named_with_its_remedy(machine: Machine) -> None:
    ssh = machine.etc / "ssh"
    os.mkfifo(ssh / "pipe")
    (ssh / "giant").touch()
    os.truncate(ssh / "giant", 400 << 30)
    (machine.etc / "elsewhere").write_text("x")
    (ssh / "out").symlink_to(machine.etc / "elsewhere")
    machine.declared += ["/home/ada/.ssh/authorized_keys", "relative", f"{machine.etc}/../x", "/tmp/inside"]
    text = refusals(machine)
    assert f"{ssh}/pipe is no plain file" in text
    assert f"{ssh}/giant has {400 << 30} bytes" in text
    assert f"{ssh}/out is a link to {machine.etc}/elsewhere" in text
    assert "/home/ada/.ssh/authorized_keys lies below /home, a home: declare the account instead" in text
    assert "relative is no absolute path" in text and "/../x is no absolute path" in text
    assert "/tmp/inside others than root may write /tmp" in text
    assert "old.conf" not in text


def test_an_immutable_file_is_refused(machine: Machine) -> None:
    if not has_flags(machine.state / "probe"):
        pytest.skip("this filesystem has no immutable flag")
    subprocess.run(["chattr", "+i", str(machine.etc / "sudoers")], check=True)
    assert f"chattr -ia {machine.etc}/sudoers" in refusals(machine)


def test_a_place_that_another_account_controls_is_refused(machine: Machine) -> None:
    os.chown(machine.etc, 1000, 1000)
    assert f"others than root may write {machine.etc}" in refusals(machine)
    os.chown(machine.etc, 0, 0)
    (machine.etc / "real").mkdir()
    (machine.etc / "via").symlink_to(machine.etc / "real")
    machine.declared = [f"{machine.etc}/via/file"]
    assert f"goes through {machine.etc}/via" in refusals(machine)


# --- the state --------------------------------------------------------------------------------------------------------


def test_the_state_survives_an_interrupted_write(tmp_path: Path) -> None:
    kept = store.Store(tmp_path / "state")
    kept.create({"phase": "pending"})
    size = kept.path.stat().st_size
    for phase in ("rolling-back", "partly", "rolled-back"):
        before = kept.read()
        data = bytearray(kept.path.read_bytes())
        kept.write({"phase": phase})
        after = kept.path.read_bytes()
        changed = {at // store.SLOT for at, byte in enumerate(after) if byte != data[at]}
        assert len(changed) == 1 and len(after) == size, "one of the two slots, in place"
        torn = after[: changed.pop() * store.SLOT + 100]
        kept.path.write_bytes(torn.ljust(size, b"\0"))
        held = kept.read()
        assert held in (before, None) or (held and held["phase"] == before["phase"])  # type: ignore[index]
        kept.path.write_bytes(after)
        assert kept.read()["phase"] == phase  # type: ignore[index]


@pytest.mark.parametrize("damage", [b"", b"x" * 100, b"\0" * 2 * store.SLOT])
def test_a_damaged_state_is_no_state(tmp_path: Path, damage: bytes) -> None:
    kept = store.Store(tmp_path / "state")
    kept.create({"phase": "pending"})
    kept.path.write_bytes(damage)
    assert kept.read() is None
    kept.write({"phase": "rolling-back"})
    assert kept.read()["phase"] == "rolling-back"  # type: ignore[index]


def test_long_lists_are_shortened_until_the_record_fits(tmp_path: Path) -> None:
    kept = store.Store(tmp_path / "state")
    kept.create({"phase": "pending", "reverted": [f"/etc/{number}" for number in range(20000)]})
    assert kept.read()["phase"] == "pending"  # type: ignore[index]


def test_a_held_lock_is_waited_for_and_named(tmp_path: Path) -> None:
    first, second = store.locked(tmp_path / "lock", 0), store.locked(tmp_path / "lock", 0.3)
    with first, pytest.raises(store.LockHeldError, match="lock"), second:
        pass
    with store.locked(tmp_path / "lock", 0):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600
