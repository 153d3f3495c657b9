"""Rights are really given away here: what has to be root is skipped elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils import run_as

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights away")
STRANGER = run_as.Account("stranger", 64321, 64321)
SHOW = """
import json, os, sys
print(json.dumps({"ids": [*os.getresuid(), *os.getresgid()], "groups": os.getgroups(), "cwd": os.getcwd(),
 "umask": os.umask(0), "env": dict(os.environ), "path": sys.path, "leader": os.getsid(0) == os.getpid(),
 "home": os.listdir(os.environ["HOME"]), "open": sorted(os.listdir("/proc/self/fd"), key=int)}))
"""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder that every account reaches (pytest's own are root's alone), itself root's."""
    done = subprocess.run(["mktemp", "-d", "/tmp/dlbox-test-XXXXXX"], capture_output=True, text=True, check=True)
    folder = Path(done.stdout.strip())
    folder.chmod(0o755)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def shown(who: run_as.Account, **more: object) -> dict[str, object]:
    done = run_as.run([*run_as.isolated_python(), "-c", SHOW], who, **more)  # type: ignore[arg-type]
    assert done.rc == 0, done.err
    return dict(json.loads(done.out))


@needs_root
def test_a_program_has_the_accounts_rights_and_nothing_of_the_callers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('planted')")
    held, _ = os.pipe()
    os.set_inheritable(held, True)
    found = shown(run_as.Account("stranger", 64321, 64321, (64322,)), environment={"MORE": "1"})
    assert found["ids"] == [64321] * 6
    assert found["groups"] == [64322]
    assert (found["cwd"], found["umask"], found["leader"], found["home"]) == ("/", 0o022, True, [])
    # The last is listdir's own.
    assert found["open"] == ["0", "1", "2", "3"]
    environment = found["env"]
    assert isinstance(environment, dict)
    home = environment.pop("HOME")
    assert environment.pop("TMPDIR") == home
    assert environment.pop("PATH") == run_as.PATH
    assert environment == {"LC_ALL": "C.UTF-8", "USER": "stranger", "LOGNAME": "stranger", "MORE": "1"}
    assert not Path(home).parent.exists(), "the home is there only for the call"


@needs_root
def test_a_home_holds_its_account_and_lets_nothing_of_it_be_swapped() -> None:
    with run_as.private_home(STRANGER) as home:
        state = Path(home).stat()
        assert (state.st_uid, state.st_mode & 0o7777) == (64321, 0o700)
        done = run_as.run(["/bin/mv", home, home + "2"], STRANGER, home=run_as.NO_HOME)
        assert done.rc == 1
        done = run_as.run(["/bin/ln", "-s", "/etc", f"{home}/link"], STRANGER, home=home)
        assert done.rc == 0
    assert not Path(home).parent.exists()
    assert Path("/etc/passwd").exists()


def test_standard_input_is_text_or_nothing() -> None:
    assert run_as.run(["/bin/cat"], STRANGER, text="räksmörgås").out == "räksmörgås"
    assert run_as.run(["/bin/cat"], STRANGER).out == ""


def test_a_program_that_does_not_end_is_ended() -> None:
    began = time.monotonic()
    done = run_as.run(["/bin/sh", "-c", "echo begun; sleep 60"], STRANGER, timeout=0.5)
    assert done == run_as.Completed(None, "begun\n", "/bin/sh did not end within 0 s")
    assert time.monotonic() - began < 30


def test_one_that_leaves_a_child_with_its_outputs_does_not_hold_the_caller() -> None:
    began = time.monotonic()
    done = run_as.run(["/bin/sh", "-c", "setsid sleep 60 & echo done"], STRANGER, timeout=50)
    assert (done.rc, done.out) == (0, "done\n")
    assert time.monotonic() - began < 30


def test_one_that_writes_for_ever_is_ended() -> None:
    done = run_as.run(["/usr/bin/yes"], STRANGER, limit=100_000)
    assert (done.rc, len(done.out), done.err) == (None, 100_000, "/usr/bin/yes wrote more than 100000 bytes")


def test_one_that_closes_its_outputs_is_waited_for() -> None:
    assert run_as.run(["/bin/sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 3"], STRANGER).rc == 3


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    assert run_as.run(["/nonexistent/program"], STRANGER) == run_as.Completed(
        None, "", "/nonexistent/program: No such file or directory"
    )
    with pytest.raises(ValueError, match="expected the absolute path"):
        run_as.run(["python3"], STRANGER)


@needs_root
def test_a_fresh_account_is_nobodys_and_each_run_gets_another() -> None:
    found = [run_as.fresh_account() for _ in range(20)]
    assert all(who.fresh and who.uid in run_as.FREE_IDS and who.gid == who.uid and not who.groups for who in found)
    assert len({who.uid for who in found}) > 1


@needs_root
def test_a_number_that_something_runs_as_is_not_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a process whose folder in /proc is root's, as of one that others may not trace."""
    monkeypatch.setattr(run_as, "FREE_IDS", range(64400, 64402))
    untraced = "import ctypes, time; ctypes.CDLL(None).prctl(4, 0); print(flush=True); time.sleep(60)"
    command = [run_as.SYSTEM_PYTHON, "-I", "-c", untraced]
    with subprocess.Popen(command, stdout=subprocess.PIPE, user=64400, group=64400, extra_groups=[], cwd="/") as held:
        assert held.stdout
        try:
            held.stdout.readline()
            assert {run_as.fresh_account().uid for _ in range(20)} == {64401}
        finally:
            held.kill()


LEFT_BEHIND = {
    "a daemon in a session of its own": "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\n"
    "if os.fork(): os._exit(0)\nprint(os.getpid(), flush=True); time.sleep(600)",
    "one that forks and ends for ever": "import os, sys\nif os.fork(): os._exit(0)\nos.setsid()\n"
    "while True:\n    if os.fork(): os._exit(0)",
    "one that kills whoever comes": "import os, signal, time\nif os.fork(): os._exit(0)\nos.setsid()\n"
    "me = os.getpid()\nwhile True:\n    for pid in range(me + 1, me + 400):\n"
    "        try: os.kill(pid, 9)\n        except OSError: pass",
    "threads whose first one has ended": "import ctypes, os, threading, time\nif os.fork(): os._exit(0)\nos.setsid()\n"
    "threading.Thread(target=time.sleep, args=(600,)).start()\nctypes.CDLL(None).pthread_exit(None)",
}


@needs_root
@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_nothing_of_a_fresh_account_outlives_its_run(name: str) -> None:
    """Observed: a member's environment left a daemon that killed whatever the doctor ran as nobody later."""
    who = run_as.fresh_account()
    with subprocess.Popen(["/bin/sleep", "600"], user=64399, group=64399, extra_groups=[], cwd="/") as other:
        try:
            done = run_as.run([*run_as.isolated_python(), "-c", LEFT_BEHIND[name]], who)
            assert done.rc == 0, done.err
            # One list of processes may miss the one that forks for ever, a hundred do not.
            assert not [ids for _ in range(100) for ids in run_as._processes().values() if who.uid in ids]
            assert other.poll() is None, "what runs as others goes on"
        finally:
            other.kill()


@needs_root
def test_only_a_fresh_accounts_processes_are_all_killed() -> None:
    for uid in (0, 1000, 65534):
        with pytest.raises(ValueError, match="not the number of a fresh account"):
            run_as._kill_all(run_as.Account("x", uid, uid, fresh=True))


@needs_root
def test_an_isolated_python_imports_nothing_that_was_planted(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, the user's site folder in each likely home, PYTHON* variables."""
    log = shared / "log"
    log.touch(0o666)
    log.chmod(0o666)
    planted = f"import os\nopen({str(log)!r}, 'a').write(str(os.geteuid()))\n"
    version = f"python3.{sys.version_info[1]}"
    site = shared / f".local/lib/{version}/site-packages"
    site.mkdir(parents=True)
    for name in ("base64.py", "json.py", "sitecustomize.py", "usercustomize.py"):
        (site / name).write_text(planted)
        (shared / name).write_text(planted)
    (site / "evil.pth").write_text(planted.replace("\n", ";") + "\n")
    for name, value in {"HOME": shared, "PYTHONUSERBASE": shared / ".local", "PYTHONPATH": shared}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PYTHONSTARTUP", str(shared / "json.py"))
    monkeypatch.chdir(shared)
    # As it was before: the plants do run.
    subprocess.run([sys.executable, "-c", "import base64, json"], check=True)
    assert log.read_text() != ""
    log.write_text("")
    words = [*run_as.isolated_python(sys.executable), "-c", "import base64, json"]
    subprocess.run(words, check=True)
    assert run_as.run(words, run_as.account("root"), environment={"HOME": str(shared)}).rc == 0
    assert log.read_text() == ""


# --- files ------------------------------------------------------------------------------------------------------------


@needs_root
def test_files_of_an_account_are_reached_with_its_rights_alone(shared: Path) -> None:
    home = shared / "home"
    home.mkdir()
    os.chown(home, 64321, 64321)
    run_as.write_as(STRANGER, home / ".config/x/password", "one\n")
    written = home / ".config/x/password"
    assert run_as.read_as(STRANGER, written) == "one\n"
    state = written.stat()
    assert (state.st_uid, state.st_gid, state.st_mode & 0o7777) == (64321, 64321, 0o600)
    written.unlink()
    written.symlink_to("/etc/shadow")
    with pytest.raises(OSError, match="Permission denied"):
        run_as.read_as(STRANGER, written)
    target = shared / "roots"
    target.write_text("root's")
    written.unlink()
    written.symlink_to(target)
    run_as.write_as(STRANGER, written, "two\n")
    assert target.read_text() == "root's"
    assert not written.is_symlink()
    run_as.remove_as(STRANGER, written)
    run_as.remove_as(STRANGER, written)
    assert not written.exists()
    (home / ".config/x").rmdir()
    (home / ".config/x").symlink_to(shared)
    with pytest.raises(OSError, match="Permission denied"):
        run_as.write_as(STRANGER, written, "three\n")
    assert sorted(place.name for place in shared.iterdir()) == ["home", "roots"]


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no regular file"):
        run_as.read_as(run_as.account(os.geteuid()), tmp_path / "fifo")
    with pytest.raises(OSError, match="no regular file"):
        run_as.read_regular("/dev/zero", 10)
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="Too many levels"):
        run_as.read_regular(tmp_path / "link", 10, follow=False)
    with pytest.raises(FileNotFoundError):
        run_as.read_as(run_as.account(os.geteuid()), tmp_path / "absent")


def test_a_sparse_giant_is_read_up_to_the_limit(tmp_path: Path) -> None:
    giant = tmp_path / "giant"
    with giant.open("wb") as handle:
        handle.truncate(1 << 40)
    assert len(run_as.read_regular(giant, 1000)) == 1000


@needs_root
def test_a_step_that_hangs_is_ended() -> None:
    def work() -> str:
        time.sleep(60)
        return ""

    with pytest.raises(OSError, match="did not answer"):
        run_as.call_as(STRANGER, work, timeout=0.3)


# --- who can write it -------------------------------------------------------------------------------------------------


@needs_root
def test_root_alone_writes_this(tmp_path: Path) -> None:
    file = tmp_path / "a/b"
    file.parent.mkdir()
    file.write_text("")
    (tmp_path / "link").symlink_to("a/../a/b")
    (tmp_path / "system").symlink_to("/usr/bin/env")
    for path in (file, tmp_path / "link", tmp_path / "system", "/usr/bin/env", "/"):
        assert run_as.root_only(path) == ""


def loose(folder: Path) -> None:
    """What mkdir leaves with a group of people and umask 002."""
    os.chown(folder, 0, 64321)
    folder.chmod(0o775)


@needs_root
def test_a_group_without_members_is_nobody(tmp_path: Path) -> None:
    """Root's own, and `staff` of a /usr/local from before Debian 12."""
    for gid, expected in ((0, True), (run_as.STAFF_ID, True), (64321, False)):
        os.chown(tmp_path, 0, gid)
        tmp_path.chmod(0o2775)
        assert (run_as.root_only(tmp_path) == "") is expected, gid


@needs_root
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda top: os.chown(top / "a/b", 64321, 0), "belongs to the account number 64321"),
        (lambda top: os.chown(top / "a", 64321, 0), "belongs to the account number 64321"),
        (lambda top: loose(top / "a"), "can be written by others than root (mode 0775)"),
        (lambda top: (top / "a/b").chmod(0o646), "can be written by others than root (mode 0646)"),
        (lambda top: (top / "a").chmod(0o757), "can be written by others than root (mode 0757)"),
    ],
)
def test_others_write_this(tmp_path: Path, change: object, expected: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").write_text("")
    (tmp_path / "link").symlink_to("a/b")
    assert callable(change)
    change(tmp_path)
    for name in ("a/b", "link"):
        assert run_as.root_only(tmp_path / name).endswith(expected)


@needs_root
def test_an_access_control_list_counts(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    # user::rw-, user:64321:rw-, group::r--, mask::rw-, other::r-- (acl(5), in the kernel's little-endian form)
    rows = ((1, 6, 0xFFFFFFFF), (2, 6, 64321), (4, 4, 0xFFFFFFFF), (16, 6, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF))
    listed = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + allowed.to_bytes(2, "little") + who.to_bytes(4, "little")
        for tag, allowed, who in rows
    )
    try:
        os.setxattr(file, "system.posix_acl_access", listed)
    except OSError as error:
        pytest.skip(f"this file system has no access control lists: {error}")
    assert "can be written by others" in run_as.root_only(file)


@needs_root
def test_a_link_leads_to_what_others_write(shared: Path, tmp_path: Path) -> None:
    theirs = shared / "theirs"
    theirs.mkdir()
    os.chown(theirs, 64321, 64321)
    (theirs / "python").write_text("")
    os.chown(theirs / "python", 0, 0)
    (tmp_path / "python").symlink_to(theirs / "python")
    assert "belongs to" in run_as.root_only(tmp_path / "python")
    (tmp_path / "loop").symlink_to("loop")
    assert "too many links" in run_as.root_only(tmp_path / "loop")
    assert "No such file" in run_as.root_only(tmp_path / "absent")


@needs_root
def test_a_sticky_folder_is_roots_above_what_is_roots(shared: Path) -> None:
    shared.chmod(0o1777)
    (shared / "roots").write_text("")
    (shared / "theirs").write_text("")
    os.chown(shared / "theirs", 64321, 0)
    assert run_as.root_only(shared / "roots") == ""
    assert "belongs to" in run_as.root_only(shared / "theirs")
    assert "mode 1777" in run_as.root_only(shared)
    shared.chmod(0o777)
    assert "mode 0777" in run_as.root_only(shared / "roots")


@needs_root
def test_a_whole_tree(shared: Path, tmp_path: Path) -> None:
    top = tmp_path / "env"
    (top / "bin").mkdir(parents=True)
    (top / "bin/python3").write_text("")
    (top / "bin/python").symlink_to("python3")
    (top / "bin/env").symlink_to("/usr/bin/env")
    (top / "bin/dead").symlink_to("/nonexistent/anything")
    assert run_as.root_only_tree(top) == ""
    theirs = shared / "module.py"
    theirs.write_text("")
    os.chown(theirs, 64321, 0)
    (top / "bin/module.py").symlink_to(theirs)
    assert f"{theirs} belongs to" in run_as.root_only_tree(top)
    (top / "bin/module.py").unlink()
    (top / "bin/python3").chmod(0o646)
    assert "mode 0646" in run_as.root_only_tree(top)


@needs_root
def test_code_runs_as_its_owner_or_as_an_account_of_its_own(shared: Path) -> None:
    owner = run_as.account("daemon")
    shared.chmod(0o3775)
    prefix = shared / "env"
    prefix.mkdir()
    assert run_as.account_for(prefix).fresh, "root's"
    os.chown(prefix, owner.uid, owner.gid)
    assert run_as.account_for(prefix) == owner
    prefix.chmod(0o775)
    assert run_as.account_for(prefix).fresh, "others can write it"
    prefix.chmod(0o755)
    (prefix / "module.py").write_text("")
    assert run_as.account_for(prefix) == owner
    (prefix / "module.py").chmod(0o664)
    os.chown(prefix / "module.py", owner.uid, 64321)
    assert run_as.account_for(prefix).fresh, "others can write into it"
    (prefix / "module.py").unlink()
    (shared / "link").symlink_to(prefix)
    assert run_as.account_for(shared / "link").fresh, "somebody chose what it leads to"
    shared.chmod(0o777)
    assert run_as.account_for(prefix).fresh, "others can put another folder in its place"
    assert run_as.account_for(shared / "absent").fresh
    shared.chmod(0o755)
    os.chown(prefix, 64321, 64321)
    assert run_as.account_for(prefix).fresh, "no such account"
