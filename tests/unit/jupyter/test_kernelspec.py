"""Jupyter kernels follow the environments; nobody else's are touched."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.jupyter import kernelspec
from ansible_collections.dlbox.workstation.plugins.module_utils.jupyter.kernelspec import Environment
from hypothesis import given
from hypothesis import strategies as st

from .module import run


def environment(root: Path, name: str, kernels: tuple[str, ...] = ("python3",), **metadata: Any) -> dict[str, Any]:
    """An environment on disk as far as Jupyter kernels go, and its entry in the list."""
    prefix = root / "envs" / name
    (prefix / "bin").mkdir(parents=True)
    for kernel in kernels:
        folder = prefix / "share" / "jupyter" / "kernels" / kernel
        folder.mkdir(parents=True)
        spec = {"argv": ["python", "-m", "x", "{connection_file}"], "display_name": kernel.upper(), "language": kernel}
        (folder / "kernel.json").write_text(json.dumps({**spec, "metadata": metadata}))
    return {"name": name, "prefix": str(prefix)}


def spec_of(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / name / "kernel.json").read_text()))


def kernels(root: Path, *entries: dict[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
    arguments = {"environments": list(entries), "path": str(root / "kernels"), **more}
    return run("jupyter_kernels", arguments, check=check)


def test_an_environment_appears_and_disappears(tmp_path: Path) -> None:
    one, two = environment(tmp_path, "one"), environment(tmp_path, "two")
    assert kernels(tmp_path, one, two)["changed"] is True
    assert kernels(tmp_path, one, two)["changed"] is False
    spec = spec_of(tmp_path / "kernels", "one")
    prefix = one["prefix"]
    assert spec["argv"][0] == f"{prefix}/bin/python"
    assert spec["env"]["CONDA_PREFIX"] == prefix and spec["env"]["CONDA_DEFAULT_ENV"] == "one"
    assert spec["env"]["PATH"] == f"{prefix}/bin:${{PATH}}"
    gone = kernels(tmp_path, two)
    assert gone["changed"] is True and gone["kernels"] == ["two"] and gone["default"] == "two"
    assert not (tmp_path / "kernels" / "one").exists()


def test_foreign_kernels_stay(tmp_path: Path) -> None:
    mine = tmp_path / "kernels" / "mine"
    mine.mkdir(parents=True)
    (mine / "kernel.json").write_text('{"argv": ["x"], "display_name": "Mine"}')
    (tmp_path / "kernels" / "broken").mkdir()
    (tmp_path / "kernels" / "broken" / "kernel.json").write_text("{")
    before = sorted(path.name for path in (tmp_path / "kernels").iterdir())
    assert kernels(tmp_path)["changed"] is False
    assert sorted(path.name for path in (tmp_path / "kernels").iterdir()) == before
    told = kernels(tmp_path, environment(tmp_path, "mine"))
    assert told["failed"] and "not made by dlbox" in told["msg"] and f"sudo rm -r {mine}" in told["msg"]
    assert (mine / "kernel.json").read_text() == '{"argv": ["x"], "display_name": "Mine"}'


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's specifications are every account's")
@pytest.mark.parametrize("place", ["share/jupyter/kernels/python3/kernel.json", "conda-meta/state", "bin"])
def test_an_environment_that_others_can_change_is_offered_to_nobody(tmp_path: Path, place: str) -> None:
    entry = environment(tmp_path, "one")
    prefix = Path(entry["prefix"])
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta/state").write_text("{}")
    assert kernels(tmp_path, entry)["kernels"] == ["one"]
    os.chown(prefix / place, 64321, 64321)
    told = kernels(tmp_path, entry)
    assert told["kernels"] == [] and "belongs to the account number 64321" in told["without_kernel"]["one"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's specifications are every account's")
def test_a_folder_of_specifications_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels").chmod(0o777)
    told = kernels(tmp_path, environment(tmp_path, "one"))
    assert told["failed"] and "make it root's alone" in told["msg"]


def test_check_mode_writes_nothing_and_says_the_same(tmp_path: Path) -> None:
    entry = environment(tmp_path, "one")
    told = kernels(tmp_path, entry, check=True)
    assert told["changed"] and not (tmp_path / "kernels").exists()
    assert told["diff"] == kernels(tmp_path, entry)["diff"]


def test_an_environment_that_will_be_made_counts_only_in_check_mode(tmp_path: Path) -> None:
    entry = {"name": "soon", "prefix": str(tmp_path / "envs" / "soon")}
    assert kernels(tmp_path, entry, check=True)["kernels"] == ["soon"]
    told = kernels(tmp_path, entry)
    assert told["kernels"] == [] and "does not exist" in told["without_kernel"]["soon"] and told["default"] == ""


def test_an_environment_without_a_kernel_is_told_with_the_remedy(tmp_path: Path) -> None:
    told = kernels(tmp_path, environment(tmp_path, "bare", kernels=()))
    assert "add ipykernel" in told["todo"][0] and told["changed"] is False


@pytest.mark.parametrize("entry", [{"kernel": False}, {"state": "absent"}])
def test_an_environment_can_do_without(tmp_path: Path, entry: dict[str, Any]) -> None:
    assert kernels(tmp_path, {**environment(tmp_path, "one"), **entry})["kernels"] == []


def test_other_languages_come_along(tmp_path: Path) -> None:
    kernels(tmp_path, {**environment(tmp_path, "stats", kernels=("python3", "ir")), "display_name": "Statistics"})
    assert spec_of(tmp_path / "kernels", "stats-ir")["display_name"] == "Statistics (IR)"
    assert spec_of(tmp_path / "kernels", "stats")["display_name"] == "Statistics"


def test_encryption_is_announced_only_where_the_release_has_it(tmp_path: Path) -> None:
    new, old = environment(tmp_path, "new", supported_encryption=["curve"]), environment(tmp_path, "old")
    kernels(tmp_path, new, old)
    assert spec_of(tmp_path / "kernels", "new")["metadata"]["supported_encryption"] == ["curve"]
    assert "supported_encryption" not in spec_of(tmp_path / "kernels", "old")["metadata"]


def test_variables_win_in_the_order_of_nearness(tmp_path: Path) -> None:
    entry = environment(tmp_path, "one")
    prefix = Path(entry["prefix"])
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "state").write_text('{"env_vars": {"B": "state", "GONE": "***unset***", "C": "state"}}')
    (prefix / "etc/conda/env_vars.d").mkdir(parents=True)
    (prefix / "etc/conda/env_vars.d/p.json").write_text('{"A": "package", "B": "package", "GONE": "x"}')
    assert kernelspec.variables(prefix) == {"A": "package", "B": "state", "C": "state"}
    kernels(tmp_path, {**entry, "variables": {"C": "own", "N": 1}}, variables={"C": "all", "D": "all"})
    env = spec_of(tmp_path / "kernels", "one")["env"]
    assert {key: env[key] for key in "ABCDN"} == {"A": "package", "B": "state", "C": "own", "D": "all", "N": "1"}
    assert "GONE" not in env


def test_an_alias_keeps_the_name_of_its_environment(tmp_path: Path) -> None:
    kernels(tmp_path, {**environment(tmp_path, "torch"), "name": "python3", "environment": "torch"})
    spec = spec_of(tmp_path / "kernels", "python3")
    assert spec["env"]["CONDA_DEFAULT_ENV"] == "torch" and kernelspec.owner(spec) == "torch"


def test_notebooks_from_elsewhere_get_the_default_environment(tmp_path: Path) -> None:
    both = [environment(tmp_path, "one"), environment(tmp_path, "two")]
    aliases = tmp_path / "aliases"
    told = kernels(tmp_path, *both, default_path=str(aliases))
    assert told["default"] == "one" and spec_of(aliases, "python3")["display_name"] == "Python 3 (one)"
    told = kernels(tmp_path, *both, default_path=str(aliases), default="two")
    assert told["changed"] and kernelspec.owner(spec_of(aliases, "python3")) == "two"
    assert not kernels(tmp_path, *both, default_path=str(aliases), default="two")["changed"]
    assert kernels(tmp_path, default_path=str(aliases))["changed"] and list(aliases.iterdir()) == []


@pytest.mark.parametrize("entry", [{"name": "a/b", "prefix": "/x"}, {"name": "a", "prefix": "x"}, {"prefix": "/x"}])
def test_what_is_no_environment_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    told = kernels(tmp_path, entry)
    assert told["failed"] and "expected a name" in told["msg"]


@given(name=st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True), variables=st.dictionaries(st.text(), st.text()))
def test_a_specification_of_ours_is_always_known_again(name: str, variables: dict[str, str]) -> None:
    env = Environment(name, Path("/opt/conda/envs") / name, name, variables=variables)
    written = kernelspec.text(kernelspec.specification(env, kernelspec.IPYKERNEL))
    assert kernelspec.owner(json.loads(written)) == name
    assert "LD_LIBRARY_PATH" not in json.loads(written)["env"] or "LD_LIBRARY_PATH" in variables


def test_folders_for_everybody_are_open_under_a_tight_umask(tmp_path: Path) -> None:
    kernels = tmp_path / "share" / "jupyter" / "kernels"
    before = os.umask(0o027)
    try:
        told = run("jupyter_kernels", {"environments": [environment(tmp_path, "env")], "path": str(kernels)})
    finally:
        os.umask(before)
    assert told["kernels"] == ["env"], told
    made = [kernels.parent.parent, kernels.parent, kernels, kernels / "env"]
    assert {stat.S_IMODE(place.stat().st_mode) for place in made} == {0o755}
