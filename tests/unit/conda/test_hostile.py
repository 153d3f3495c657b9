"""What a compromised host, or a member of conda_group, cannot bring in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.filter import conda_locks
from ansible_collections.dlbox.workstation.plugins.module_utils import run_as
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import (
    definitions,
    environment,
    guards,
    interpreter,
    lockfile,
    uninstall,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.definitions import EnvironmentSpec
from jupyter import module

TOP = Path(__file__).resolve().parents[3]
EVIL = "https://evil.example/simple"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to another account")


def resolve(entry, plan=None):
    return definitions.resolve([entry], {}, plan or {}, "/opt/conda", ["conda-forge"], "3.12")


def planned(**more):
    base = {"requirements": ["torch==2.9.1"], "build": "cu126", "python": "3.12", "gpu": True, "index_url": None}
    return {"frameworks": {"pytorch": {**base, **more}}}


@pytest.mark.parametrize(
    "requirement",
    [
        "six\n--index-url https://evil.example/simple",
        "six\r-r /etc/shadow",
        "--index-url=https://evil.example/simple",
        "-r /etc/shadow",
        "six --hash=sha256:00",
        "six \\",
        "../../etc/passwd",
        "six\x1b[2J",
        "\u0455ix",  # a Cyrillic letter
        "six" + "x" * 400,
        {"six": 1},
        "",
    ],
)
def test_a_requirement_of_a_plan_that_is_more_than_a_package_is_refused(requirement):
    _, _, problems = resolve({"name": "pytorch", "framework": "pytorch"}, planned(requirements=[requirement]))
    assert problems and "is not a requirement" in problems[0]
    _, _, problems = resolve({"name": "own", "wheels": [requirement]})
    assert problems and "is not a requirement" in problems[0]


@pytest.mark.parametrize("spec", ["ffmpeg\n- evil", "--file=/etc/shadow", "../x", "ffmpeg\x00", "-c evil"])
def test_a_match_spec_that_is_more_than_a_package_is_refused(spec):
    _, _, problems = resolve({"name": "own", "conda": [spec]})
    assert problems and "is not a match spec" in problems[0]


@pytest.mark.parametrize(
    "requirement",
    [
        "torch==2.14.1+cu126",
        "jax[cuda13]==0.12.0.1",
        "tensorflow[and-cuda]>=2.20,<3",
        'numpy>=2 ; python_version < "3.14"',
        "own @ https://own.example/own-1-py3-none-any.whl",
        "scikit-learn",
        "a.b_c~=1.0",
        "x!=1.*",
    ],
)
def test_ordinary_requirements_are_taken(requirement):
    assert resolve({"name": "own", "wheels": [requirement]})[2] == []


@pytest.mark.parametrize("spec", ["ffmpeg", "graphviz >=12", "python 3.12.*", "conda-forge::x[build=cuda*]", "_libgcc"])
def test_ordinary_match_specs_are_taken(spec):
    assert resolve({"name": "own", "conda": [spec]})[2] == []


@pytest.mark.parametrize(
    "url",
    [
        EVIL,
        "https://download.pytorch.org.evil.example/whl/cu126",
        "https://download.pytorch.org/whl/cu126\n--index-url https://evil.example",
        "https://evil.example@download.pytorch.org/whl/",
        "file:///tmp/planted",
    ],
)
def test_an_index_that_is_not_pytorchs_is_refused_in_a_plan(url):
    _, _, problems = resolve({"name": "pytorch", "framework": "pytorch"}, planned(index_url=url))
    assert problems and "index" in problems[0]


def test_pytorchs_own_index_is_taken():
    url = "https://download.pytorch.org/whl/cu126"
    requests, _, problems = resolve({"name": "pytorch", "framework": "pytorch"}, planned(index_url=url))
    assert problems == [] and requests[0].index_url == url


def test_credentials_in_a_requirement_are_refused_and_not_shown():
    _, _, problems = resolve({"name": "own", "wheels": ["own @ https://ada:hunter2@own.example/own-1.whl"]})
    assert "credentials" in problems[0] and "hunter2" not in problems[0]


class TestConflicts:
    @pytest.fixture
    def filters(self):
        return conda_locks.FilterModule().filters()

    @pytest.fixture
    def conflicts(self, filters):
        return filters["conda_lock_conflicts"]

    @pytest.fixture
    def sharers(self, filters):
        return filters["conda_lock_sharers"]

    def test_hosts_share_the_folder_beside_their_inventory_or_the_one_that_they_name(self, sharers):
        own = {"conda_locks_dir": "/m", "inventory_dir": "/home"}
        variables = {"a": {"inventory_dir": "/home"}, "b": own, "c": {"inventory_dir": "/other"}}
        assert sharers(["a", "b", "c"], variables, "/home/locks") == ["a"]
        assert sharers(["a", "b", "c"], variables, "/home/../m/") == ["b"]

    def test_hosts_that_need_the_same_share_a_lock(self, conflicts):
        one = {"requests": [{"name": "pytorch", "place": "/l/pytorch", "kind": "1"}]}
        assert conflicts({"a": one, "b": one}) == []

    def test_a_host_that_claims_another_gpu_does_not_change_the_others_lock(self, conflicts):
        one = {"requests": [{"name": "pytorch", "place": "/l/pytorch", "kind": "1"}]}
        other = {"requests": [{"name": "pytorch", "place": "/l/pytorch", "kind": "2"}]}
        told = conflicts({"a": one, "b": one, "c": other})
        assert len(told) == 1 and "a, b and c need different locks of pytorch" in told[0]
        elsewhere = {"requests": [{"name": "pytorch", "place": "/m/pytorch", "kind": "2"}]}
        assert conflicts({"a": one, "c": elsewhere}) == []


def dlbox_like(prefix, uid=0):
    """An environment with dlbox's marker, as an account could plant it."""
    (prefix / "conda-meta/dlbox").mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").write_text("#!/bin/sh\ntouch /tmp/dlbox-was-here\n")
    (prefix / "bin/python").chmod(0o755)
    for path in (prefix, *prefix.rglob("*")):
        os.chown(path, uid, uid)
    return prefix


@as_root
class TestAdoption:
    @pytest.fixture
    def root(self, tmp_path):
        (tmp_path / "conda/envs").mkdir(parents=True)
        # As with conda_group: members add names, and the sticky bit keeps root's.
        (tmp_path / "conda/envs").chmod(0o3775)
        return tmp_path / "conda"

    def inspect(self, prefix):
        return environment.inspect(EnvironmentSpec(name=prefix.name, prefix=str(prefix)), None, "quick", False)

    def test_what_a_member_planted_is_refused_with_whose_it_is(self, root):
        prefix = dlbox_like(root / "envs/pytorch", 65534)
        with pytest.raises(PermissionError, match=r"belongs to nobody.*neither changed nor run by root.*another name"):
            self.inspect(prefix)
        with pytest.raises(PermissionError, match="left alone"):
            environment.remove(prefix, root, check=False)
        assert (prefix / "bin/python").exists()

    @pytest.mark.parametrize("part", [".", "conda-meta/dlbox"])
    @pytest.mark.parametrize("mode", [0o775, 0o777])
    def test_a_record_that_others_can_write_says_nothing(self, root, part, mode):
        prefix = dlbox_like(root / "envs/pytorch")
        os.chown(prefix / part, 0, 65534)  # a group of root's alone counts as nobody
        (prefix / part).chmod(mode)
        with pytest.raises(PermissionError, match="was not made by dlbox"):
            self.inspect(prefix)

    def test_a_planted_record_below_roots_environment_says_nothing(self, root):
        prefix = dlbox_like(root / "envs/pytorch")
        os.chown(prefix / "conda-meta/dlbox", 65534, 65534)
        with pytest.raises(PermissionError, match="belongs to nobody"):
            self.inspect(prefix)

    def test_roots_own_below_the_groups_folder_is_adopted(self, root):
        prefix = dlbox_like(root / "envs/pytorch")
        assert self.inspect(prefix).action == "repair"
        assert environment.made_by_dlbox(prefix)

    def test_nothing_is_made_where_others_can_replace_it(self, tmp_path):
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", 65534, 65534)
        with pytest.raises(PermissionError, match="Set `root`"):
            self.inspect(tmp_path / "theirs/conda/envs/new")
        assert self.inspect(tmp_path / "conda/envs/new").action == "create"

    def test_a_folder_that_a_member_makes_at_the_last_moment_is_not_taken(self, root, monkeypatch):
        """Observed: a member's mkdir and rmdir in turn, and root worked in the member's folder."""
        prefix = root / "envs/racy"
        request = EnvironmentSpec(name="racy", prefix=str(prefix))
        checked = environment.refuse_foreign

        def then_made(request):
            there = checked(request)
            dlbox_like(prefix, 65534)
            return there

        monkeypatch.setattr(environment, "refuse_foreign", then_made)
        with pytest.raises(PermissionError, match=r"was not made by dlbox: .* belongs to nobody"):
            environment.create_folder(request)
        assert not list(prefix.glob("conda-meta/dlbox/*"))

    def test_one_that_goes_at_the_last_moment_is_an_error(self, root, monkeypatch):
        prefix = root / "envs/racy"
        monkeypatch.setattr(Path, "mkdir", lambda self, **_: (_ for _ in ()).throw(FileExistsError(str(self))))
        with pytest.raises(FileExistsError):
            environment.create_folder(EnvironmentSpec(name="racy", prefix=str(prefix)))
        assert not prefix.exists()

    def test_a_toggling_member_never_wins(self):
        """The race itself: root's folder or an error."""
        # No other account can enter pytest's folders.
        place = Path(subprocess.check_output(["mktemp", "-d", "/tmp/dlbox-test-XXXXXX"], text=True).strip())
        place.chmod(0o755)
        envs = place / "envs"
        envs.mkdir()
        os.chown(envs, 0, 65534)
        envs.chmod(0o3775)
        prefix = envs / "racy"
        member = (
            "import os, sys\nprint(flush=True)\n"
            "while True:\n try: os.mkdir(sys.argv[1]); os.rmdir(sys.argv[1])\n except OSError: pass\n"
        )
        command = [run_as.SYSTEM_PYTHON, "-I", "-c", member, str(prefix)]
        with subprocess.Popen(
            command, user=65534, group=65534, extra_groups=[], cwd="/", stdout=subprocess.PIPE
        ) as toggling:
            try:
                toggling.stdout.readline()
                made = 0
                for _ in range(300):
                    try:
                        environment.create_folder(EnvironmentSpec(name="racy", prefix=str(prefix)))
                    except OSError:
                        continue
                    assert (prefix.stat().st_uid, prefix.stat().st_mode & 0o7777) == (0, 0o700)
                    made += 1
                    shutil.rmtree(prefix)
                assert made
            finally:
                toggling.kill()
                subprocess.run(["rm", "-rf", place], check=True)

    def test_the_lock_of_a_members_environment_is_not_taken_for_dlboxs_own(self, root):
        """It would choose what root installs once the member has removed the folder again."""
        prefix = dlbox_like(root / "envs/planted", 65534)
        for name, text in lockfile.make(EnvironmentSpec(name="planted", prefix=str(prefix)), "", "").texts().items():
            (prefix / environment.OWN / name).write_text(text)
        assert environment.own_lock(prefix) is None
        for path in (prefix, *prefix.rglob("*")):
            os.chown(path, 0, 0)
        assert environment.own_lock(prefix)

    def test_caches_are_not_made_in_a_folder_that_others_lead_elsewhere(self, tmp_path):
        theirs, victim = tmp_path / "theirs", tmp_path / "victim"
        theirs.mkdir()
        victim.mkdir(mode=0o755)
        (theirs / ".cache").symlink_to(victim)
        os.chown(theirs, 65534, 65534)
        with pytest.raises(PermissionError, match="Set `root`"), environment.alone(theirs):
            pass
        assert victim.stat().st_mode & 0o777 == 0o755 and not list(victim.iterdir())
        done = module.run("conda_env", {"root": str(theirs), "environments": []})
        assert done["failed"] and "Set `root`" in done["msg"]

    def test_pipes_in_a_members_environment_are_not_read_before_it_is_refused(self, root):
        """Observed: the diff's package list was read first, and root waited for ever."""
        prefix = dlbox_like(root / "envs/members", 65534)
        os.mkfifo(prefix / "conda-meta/a-1-0.json")
        done = module.run(
            "conda_env", {"root": str(root), "environments": [{"name": "members", "state": "absent"}]}, check=True
        )
        assert done["failed"] and "was not made by dlbox" in done["msg"] and prefix.exists()

    def test_an_uninstallation_leaves_a_members_environment(self, root):
        prefix = dlbox_like(root / "envs/members", 65534)
        assert uninstall.made_here(root) == {}
        removal = uninstall.plan(root, root.parent / "engine")
        assert prefix not in removal.goes and any(str(prefix) in line for line in removal.stays)


class TestInterpreter:
    def test_an_answer_that_leads_outside_is_refused(self):
        prefix = Path("/opt/conda/envs/case")
        good = {"scheme": {"purelib": f"{prefix}/lib/python3.12/site-packages"}, "sys_path": [f"{prefix}/lib"], "n": 1}
        assert interpreter.outside(prefix, good) == set()
        for bad in ("/etc/cron.d", f"{prefix}-other/lib", f"{prefix}/../../etc", "../../../../etc/cron.d"):
            assert interpreter.outside(prefix, {"scheme": {"purelib": bad}}) == {bad}

    def test_anything_but_uvs_own_question_is_refused(self):
        with pytest.raises(ValueError, match="does not know"):
            interpreter.answer(Path("/opt/conda/envs/case"), ["-c", "import os"])

    @as_root
    def test_a_closed_environment_lets_only_that_account_in(self, tmp_path):
        tmp_path.chmod(0o700)
        who = run_as.Account("x", 61234, 61234)
        with interpreter.entered_by(tmp_path, who):
            state = tmp_path.stat()
            assert (state.st_mode & 0o777, state.st_gid, state.st_uid) == (0o750, 61234, 0)
        state = tmp_path.stat()
        assert (state.st_mode & 0o777, state.st_gid) == (0o700, 0)

    @as_root
    def test_the_python_of_an_environment_compiles_without_roots_rights(self, tmp_path):
        """A Python that only says who runs it, where an ordinary account can reach it."""
        place = Path(subprocess.check_output(["mktemp", "-d", "/tmp/dlbox-test-XXXXXX"], text=True).strip())
        try:
            place.chmod(0o755)
            (place / "bin").mkdir()
            told = place / "bin/python"
            told.write_text('#!/bin/sh\nfor last; do :; done\nid -u > "$last/0"\n')
            told.chmod(0o755)
            answers = dict(interpreter.compile_sources(place, ["/x.py"]))
            assert int(answers[0]) in run_as.FREE_IDS
        finally:
            subprocess.run(["rm", "-rf", place], check=True)


def test_a_link_that_a_package_brought_is_replaced_and_not_followed(tmp_path):
    prefix, victim = tmp_path / "env", tmp_path / "victim"
    (prefix / "conda-meta/dlbox").mkdir(parents=True)
    victim.write_text("theirs")
    victim.chmod(0o600)
    for name in ("pip.conf", "conda-meta/state", "conda-meta/dlbox/manifest"):
        (prefix / name).symlink_to(victim)
    guards.write(EnvironmentSpec(name="env", prefix=str(prefix), wheels=["six"]), "six==1.17.0\n")
    environment.write_manifest(prefix, [])
    (prefix / "conda-meta/a-1-0.json").symlink_to(victim)
    with pytest.raises(OSError, match=r"a-1-0\.json"):
        run_as.set_mode(prefix / "conda-meta/a-1-0.json", 0o644)
    assert victim.read_text() == "theirs" and victim.stat().st_mode & 0o777 == 0o600
    assert not (prefix / "pip.conf").is_symlink() and "constraint" in (prefix / "pip.conf").read_text()


def test_a_fact_of_a_host_is_not_evaluated(tmp_path):
    """What a host says holds no template of ours, whatever it looks like (ansible-core 2.19 and newer)."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library/hostile.py").write_text(
        "#!/usr/bin/python\nimport json\n"
        "print(json.dumps({'changed': False, 'ansible_facts': {'kind': '{{ lookup(\"env\", \"SECRET\") }}'},"
        " 'said': '{{ 6 * 7 }}'}))\n"
    )
    (tmp_path / "play.yml").write_text(
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
        "    - hostile:\n      register: answer\n"
        "    - ansible.builtin.copy:\n        dest: '{{ playbook_dir }}/out'\n"
        "        content: \"{{ ansible_facts['kind'] }}|{{ answer.said }}|{{ [answer.said] | join }}\"\n"
    )
    env = {**os.environ, "SECRET": "leaked", "ANSIBLE_LIBRARY": str(tmp_path / "library")}
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "play.yml"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(command, env=env, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "out").read_text() == '{{ lookup("env", "SECRET") }}|{{ 6 * 7 }}|{{ 6 * 7 }}'
