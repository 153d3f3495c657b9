"""An environment's records, damage, the list of files, byte code: on made up folders."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils import run_as
from ansible_collections.dlbox.workstation.plugins.module_utils.conda import (
    bytecode,
    child,
    environment,
    guards,
    installed,
    lockfile,
    manifest,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.definitions import EnvironmentSpec
from ansible_collections.dlbox.workstation.plugins.module_utils.conda.installed import File, InstalledPackage

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/{PYTHON}/site-packages"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def put(prefix, path, data=b"x = 1\n"):
    file = prefix / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return {"_path": path, "sha256": sha(data), "size_in_bytes": len(data)}


def conda_package(prefix, name, *paths):
    entries = [put(prefix, path) for path in paths]
    record = {"name": name, "version": "1.0", "build": "0", "sha256": "ab" * 32, "paths_data": {"paths": entries}}
    put(prefix, f"conda-meta/{name}-1.0-0.json", json.dumps(record).encode())


def wheel(prefix, name, *paths):
    rows = []
    for path in paths:
        entry = put(prefix, f"{SITE}/{path}")
        digest = base64.urlsafe_b64encode(bytes.fromhex(entry["sha256"])).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{entry['size_in_bytes']}")
    info = f"{SITE}/{name}-2.0.dist-info"
    put(prefix, f"{info}/METADATA")
    put(prefix, f"{info}/INSTALLER", b"uv")
    put(prefix, f"{info}/RECORD", "".join(f"{row}\n" for row in [*rows, f"{name}-2.0.dist-info/RECORD,,"]).encode())


@pytest.fixture
def prefix(tmp_path):
    root = tmp_path / "envs/case"
    put(root, f"lib/{PYTHON}/os.py")
    conda_package(root, "tool", "bin/tool", f"{SITE}/tool/__init__.py", f"{SITE}/tool-1.0.dist-info/METADATA")
    wheel(root, "thing", "thing.py", "../../../bin/thing")
    return root


def both(prefix):
    conda = installed.conda_packages(prefix)
    return conda, installed.wheel_packages(prefix, conda)


def test_conda_and_wheels_are_told_apart(prefix):
    conda, wheels = both(prefix)
    assert conda["tool"].ident == f"1.0 0 {'ab' * 6}"
    assert {n: p.ident for n, p in wheels.items()} == {"thing": "2.0"}
    assert "bin/thing" in {f.path for f in wheels["thing"].files}
    assert installed.conda_distributions(prefix, conda) == {"tool": "1.0"}


@pytest.mark.parametrize(
    ("path", "name"), [("bin/tool", "tool"), (f"{SITE}/thing.py", "thing"), ("bin/thing", "thing")]
)
def test_missing_and_resized_files_are_damage(prefix, path, name):
    conda, wheels = both(prefix)
    packages = [*conda.values(), *wheels.values()]
    assert installed.damage(prefix, packages, full=True) == {}
    (prefix / path).write_text("longer than it was")
    assert installed.damage(prefix, packages) == {name: [f"size of {path}"]}
    (prefix / path).unlink()
    assert installed.damage(prefix, packages) == {name: [f"missing {path}"]}


def test_content_is_compared_of_suspects_and_in_full(prefix):
    packages = list(both(prefix)[1].values())
    (prefix / f"{SITE}/thing.py").write_bytes(b"x = 2\n")
    assert installed.damage(prefix, packages) == {}
    wrong = {"thing": [f"content of {SITE}/thing.py"]}
    assert installed.damage(prefix, packages, frozenset([f"{SITE}/thing.py"])) == wrong
    assert installed.damage(prefix, packages, full=True) == wrong
    assert environment.suspects(wrong) == {f"{SITE}/thing.py"}


@pytest.mark.parametrize("file", ["RECORD", "METADATA", "INSTALLER"])
def test_a_wheel_without_one_of_its_books_is_broken(prefix, file):
    (prefix / f"{SITE}/thing-2.0.dist-info/{file}").unlink()
    assert "not complete" in both(prefix)[1]["thing"].broken


@pytest.mark.parametrize("kept", [0, 1, 20, 30, 31, 32, 33, -1])
def test_a_wheel_whose_record_is_cut_off_is_broken(prefix, kept):
    record = prefix / f"{SITE}/thing-2.0.dist-info/RECORD"
    record.write_bytes(record.read_bytes()[:kept])
    assert "not complete" in both(prefix)[1]["thing"].broken


def test_a_book_that_cannot_be_read_is_broken(prefix):
    (prefix / "conda-meta/tool-1.0-0.json").write_text("{")
    assert "cannot be read" in both(prefix)[0]["tool"].broken


def test_a_record_cannot_point_outside_of_the_environment(prefix):
    record = prefix / f"{SITE}/thing-2.0.dist-info/RECORD"
    record.write_text("../../../../../../../etc/passwd,sha256=AA,1\n")
    assert both(prefix)[1]["thing"].files == []


class TestManifest:
    @pytest.fixture(autouse=True)
    def listed(self, prefix):
        (prefix / "conda-meta/dlbox").mkdir()
        conda, wheels = both(prefix)
        environment.write_manifest(prefix, [*conda.values(), *wheels.values()])

    def test_nothing_is_found_where_nothing_happened(self, prefix):
        assert not manifest.compare(prefix).any()

    def test_what_happened_is_found(self, prefix):
        (prefix / "bin/tool").unlink()
        os.utime(prefix / "bin/thing", ns=(1, 1))
        put(prefix, "conda-meta/extra-1-0.json")
        found = manifest.compare(prefix)
        assert (found.gone, found.touched, found.added) == (["bin/tool"], ["bin/thing"], ["conda-meta/extra-1-0.json"])
        assert environment.told(found)[0] == "gone: bin/tool"

    def test_without_a_list_there_is_no_answer(self, prefix):
        (prefix / manifest.NAME).unlink()
        assert manifest.compare(prefix) is None


class TestByteCode:
    @pytest.fixture
    def usable(self, prefix, monkeypatch):
        # No other account can enter pytest's folders; molecule/conda compiles as one.
        monkeypatch.setattr(run_as, "fresh_account", lambda: run_as.account(os.geteuid()))
        (prefix / "bin/python").symlink_to(sys.executable)
        return prefix

    def test_it_is_compiled_and_goes_with_its_package(self, usable):
        wheels = list(both(usable)[1].values())
        assert bytecode.make(usable, wheels) == 1
        made = usable / bytecode.place(f"{SITE}/thing.py", bytecode.tag(usable))
        assert made.exists()
        bytecode.remove(usable, wheels)
        assert not made.exists()

    def test_what_no_program_imports_stays_source(self, usable):
        wheel(usable, "large", "large/__init__.py", "large/tests/test_it.py", "large/testing/helper.py")
        wheels = [p for p in both(usable)[1].values() if p.name == "large"]
        assert bytecode.make(usable, wheels) == 2
        assert not (usable / f"{SITE}/large/tests/__pycache__").exists()

    def test_what_a_record_claims_of_a_file_brings_no_other_code_in(self, usable):
        """Observed: byte code was kept by the claimed hash, and another environment's six was what a wheel liked."""
        claimed = both(usable)[1]["thing"].files[0]
        source = usable / f"{SITE}/thing.py"
        other = usable.parent / "other"
        shutil.copytree(usable, other, symlinks=True)
        (other / f"{SITE}/thing.py").write_text("x = 'planted'\n")
        os.utime(other / f"{SITE}/thing.py", ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        for prefix in (other, usable):
            bytecode.make(prefix, [InstalledPackage("thing", "wheel", "2.0", [claimed])])
        code = (usable / bytecode.place(f"{SITE}/thing.py", bytecode.tag(usable))).read_bytes()
        assert b"planted" not in code

    def test_byte_code_is_not_written_through_a_link_that_leaves_the_environment(self, usable, tmp_path):
        """System programs would run it: a package chooses the compiler."""
        system = tmp_path / "dist-packages"
        (system / "__pycache__").mkdir(parents=True)
        (system / "apt.py").write_text("")
        (system / f"__pycache__/apt.{bytecode.tag(usable)}.pyc").write_text("the system's")
        (usable / SITE / "link").symlink_to(system)
        packages = [
            InstalledPackage("evil", "conda", "1", [File(f"{SITE}/link/apt.py"), File("../../dist-packages/apt.py")])
        ]
        assert bytecode.make(usable, packages) == 0
        bytecode.remove(usable, packages)
        assert (system / f"__pycache__/apt.{bytecode.tag(usable)}.pyc").read_text() == "the system's"


class TestRemoval:
    def test_an_environment_goes(self, prefix, tmp_path):
        assert environment.remove(prefix, tmp_path, check=True) and prefix.exists()
        assert environment.remove(prefix, tmp_path, check=False) and not prefix.exists()
        assert list((tmp_path / "envs").iterdir()) == []
        assert not environment.remove(prefix, tmp_path, check=False)

    def test_nothing_else_does(self, prefix, tmp_path):
        folder, link = tmp_path / "envs/letters", tmp_path / "envs/link"
        folder.mkdir()
        link.symlink_to(prefix)
        for place in (folder, link, tmp_path):
            with pytest.raises(ValueError, match="left alone"):
                environment.remove(place, tmp_path, check=False)
        assert folder.exists() and prefix.exists()


class TestInspection:
    def request(self, prefix, **more):
        return EnvironmentSpec(**{"name": "case", "prefix": str(prefix), "frozen": False, "declared": {}, **more})

    @pytest.fixture
    def right(self, prefix):
        (prefix / "conda-meta/dlbox").mkdir()
        request = self.request(prefix)
        for name, text in lockfile.make(request, "", "").texts().items():
            run_as.replace_file(prefix / "conda-meta/dlbox" / name, text, 0o644)
        guards.write(request, "")
        environment.write_manifest(prefix, [p for side in both(prefix) for p in side.values()])
        prefix.chmod(0o755)
        return prefix

    def verdict(self, prefix, owners=None, renew=False, **more):
        return environment.inspect(self.request(prefix, **more), owners, "quick", renew).action

    def test_all_is_well(self, right):
        assert self.verdict(right) == ""

    def test_what_is_not_well_has_a_word(self, right, tmp_path):
        assert self.verdict(tmp_path / "envs/new") == "create"
        assert self.verdict(right, conda=["more"]) == "change"
        assert self.verdict(right, renew=True) == "change"
        assert self.verdict(right, variables={"A": "1"}) == "guard"
        assert self.verdict(right, owners=lockfile.make(self.request(right), "other", "")) == "change"
        right.chmod(0o700)
        assert self.verdict(right) == "guard"
        (right / "bin/tool").unlink()
        assert self.verdict(right) == "repair"
        (right / environment.INCOMPLETE).touch()
        assert self.verdict(right) == "complete"

    def test_what_dlbox_did_not_make_is_left_alone(self, prefix, tmp_path):
        with pytest.raises(FileExistsError, match="did not make"):
            self.verdict(prefix)
        other = tmp_path / "envs/other"
        put(other, "letter")
        with pytest.raises(FileExistsError, match="holds letter"):
            self.verdict(other)
        other.rename(tmp_path / "moved")
        other.symlink_to(tmp_path / "moved")
        with pytest.raises(FileExistsError, match="not a folder"):
            self.verdict(other)

    def test_a_first_run_that_failed_leaves_nothing_in_the_way_of_the_next(self, tmp_path):
        """The role has written its .condarc by then, and keeps a copy where the owner corrects the channels."""
        root = tmp_path / "conda"
        for name in (".condarc", ".condarc.1020.2026-11-22@03:43:20~", ".cache/pkgs/urls", "envs/x"):
            put(root, name)
        root.chmod(0o755)
        assert environment.inspect(self.request(root, name="base"), None, "quick", False).action == "create"
        with pytest.raises(FileExistsError, match="holds"):
            self.verdict(root)


class TestChild:
    def test_values_and_errors_come_back_in_order(self):
        def fail():
            raise ValueError("no")

        outcomes = child.run([lambda: 1, fail, lambda: os.kill(os.getpid(), 9), lambda: "x" * 3_000_000], limit=2)
        assert outcomes[0].value == 1 and outcomes[1].error == "no"
        assert "without an answer" in outcomes[2].error and len(outcomes[3].value) == 3_000_000

    def test_an_unexpected_error_keeps_its_name(self):
        assert child.run([lambda: {}["a"]])[0].error == "'a'"
        assert child.run([lambda: None.x])[0].error.startswith("AttributeError")


def test_a_full_disk_and_a_bad_hash_are_explained(tmp_path):
    said = environment.explain("failed: No space left on device (os error 28)", str(tmp_path), "case")
    assert "disk is full" in said and "`root`" in said
    assert "damaged mirror" in environment.explain("hash mismatch when extracting", str(tmp_path), "case")
    assert environment.explain("other", str(tmp_path), "case") == "other"


def test_guards_are_written_and_taken_away(prefix):
    request = EnvironmentSpec(name="case", prefix=str(prefix), wheels=["thing==2.0"], variables={"A": "1"})
    assert guards.wrong(request, "thing==2.0\n")
    guards.write(request, "thing==2.0\n")
    assert guards.wrong(request, "thing==2.0\n") == []
    assert Path(guards.constraints_file(request)).read_text() == "thing==2.0\n"
    assert json.loads((prefix / "conda-meta/state").read_text())["env_vars"]["A"] == "1"
    assert (prefix / f"lib/{PYTHON}/EXTERNALLY-MANAGED").exists() and (prefix / "conda-meta/frozen").exists()
    request.frozen = False
    guards.write(request, "thing==2.0\n")
    assert not (prefix / f"lib/{PYTHON}/EXTERNALLY-MANAGED").exists() and not (prefix / "conda-meta/frozen").exists()
