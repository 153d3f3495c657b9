"""The tables are what the planner imports, and a wrong table is named by file, table and key."""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from update_data import command, render, schema, toml
from update_data.strict import DataError, parse

TOP = Path(__file__).resolve().parents[3]


def test_the_module_is_what_the_tables_say() -> None:
    assert command.main(["--render", "--check"]) == 0, "run scripts/update-data --render"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TOP / "data", tmp_path / "data"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "cuda.toml",
            "native_branch = 495",
            "native_brunch = 495",
            [
                'cuda.toml: [toolkit."11.5"] key native_brunch: not known',
                'cuda.toml: [toolkit."11.5"] key native_branch: missing',
            ],
        ),
        (
            "cuda.toml",
            "native_branch = 495",
            'native_branch = "495"',
            ["cuda.toml: [toolkit.\"11.5\"] key native_branch: expected a whole number, found '495'"],
        ),
        ("cuda.toml", "native_branch = 495", "native_branch = true", ["expected a whole number, found True"]),
        (
            "cuda.toml",
            "native_branch = 495",
            "native_branch = 495\nnative_branch = 500",
            ['cuda.toml: [toolkit."11.5"] key native_branch: Cannot overwrite'],
        ),
        ("cuda.toml", "checked = 2026-11-20", 'checked = "2026-11-20"', ["cuda.toml: [] key checked: expected a day"]),
        ("cuda.toml", "targets = [35, ", 'targets = ["35", ', ["key targets[0]: expected a whole number, found '35'"]),
        (
            "drivers.toml",
            'kind = "PB"',
            'kind = "Production"',
            ["drivers.toml: [branch.550] key kind: expected one of LTSB, PB"],
        ),
        ("drivers.toml", "first_bad =", "first =", ["drivers.toml: [branch.550.kernel_gap] key first: not known"]),
        ("boards.toml", "memory_gib = 1, ", "", ['boards.toml: [board."gtx 750"] key memory_gib: missing']),
        (
            "architectures.toml",
            'pattern = "GH10[0-9]"',
            'pattern = "GH10["',
            ["architectures.toml: [[chip]] key pattern"],
        ),
        ("architectures.toml", 'architecture = "hopper"', 'architecture = "hoper"', ["no architecture hoper"]),
        ("systems/ubuntu-24.04.toml", 'key = "classic"', 'key = "old"', ["systems/ubuntu-24.04.toml: key = 'old'"]),
        (
            "systems/ubuntu-24.04.toml",
            "branch = 595",
            "branch = 596",
            ["systems/ubuntu-24.04.toml: [[drivers.offer]] branch 596"],
        ),
        ("systems/ubuntu-24.04.toml", 'version = "24.04"', 'version = "24.10"', ["the file has another name"]),
        ("systems/ubuntu-24.04.toml", '"13.4"]', '"13.9"]', ["systems/ubuntu-24.04.toml: CUDA 13.9"]),
        (
            "systems/debian-13.toml",
            'verifier = "sqv"',
            'verifier = "gpg"',
            ["systems/debian-13.toml: [release.apt] key verifier: expected one of gpgv, sqv, found 'gpg'"],
        ),
    ],
)
def test_a_wrong_table_is_named(copy: Path, file: str, old: str, new: str, said: list[str]) -> None:
    edit(copy / file, old, new)
    with pytest.raises(DataError) as caught:
        render.read(copy)
    for text in said:
        assert text in str(caught.value)


def test_a_file_that_is_missing_or_no_table_is_named(copy: Path) -> None:
    (copy / "cuda.toml").unlink()
    (copy / "boards.toml").write_bytes(b"\xff\xfe")
    (copy / "more.toml").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"(?s)boards\.toml: not UTF-8.*") as caught:
        render.read(copy)
    assert "cuda.toml" in str(caught.value)


def test_unknown_and_nothing_are_different(copy: Path) -> None:
    """ "unknown" is what nobody could read; an empty list is known to be empty."""
    file = copy / "systems/ubuntu-26.04.toml"
    for written, known in (('toolkits = "unknown"', None), ("toolkits = []", [])):
        edit(file, 'toolkits = ["13.3"]' if known is None else 'toolkits = "unknown"', written)
        tables, systems = render.read(copy)
        assert systems["ubuntu-26.04"].nvidia.toolkits == known
        values = render.constants(tables, systems)
        assert values["NVIDIA_TOOLKITS"]["ubuntu2604"] == ()
        assert ("ubuntu2604" in values["NVIDIA_TOOLKITS_UNKNOWN"]) is (known is None)


SCALARS = st.one_of(
    st.integers(), st.booleans(), st.text(max_size=20), st.dates(), st.floats(allow_nan=False), st.lists(st.integers())
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(schema.Cudnn)]), SCALARS))
def test_whatever_a_table_holds_it_is_read_or_named(table: dict[str, Any]) -> None:
    """A row reads as its dataclass only when every key is there with its own type."""
    text = "".join(f"{name} = {_any(value)}\n" for name, value in table.items())
    good = set(table) == {field.name for field in dataclasses.fields(schema.Cudnn)} and all(
        type(value) is datetime.date if name == "checked" else isinstance(value, str) for name, value in table.items()
    )
    try:
        row = parse(schema.Cudnn, text, "cuda.toml")
    except DataError as error:
        for line in str(error).splitlines():
            assert line.startswith("cuda.toml: [] key "), line
        missing = {field.name for field in dataclasses.fields(schema.Cudnn)} - set(table)
        assert all(f"key {name}: missing" in str(error) for name in missing)
    else:
        assert good and dataclasses.asdict(row).keys() == table.keys()


def _any(value: object) -> str:
    return repr(value) if isinstance(value, float) else toml.value(value)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200))
def test_no_text_ends_in_anything_but_a_table_or_a_named_error(text: str) -> None:
    with pytest.raises(DataError, match=r"^x\.toml: "):
        parse(schema.Cuda, text, "x.toml")


@settings(deadline=None, max_examples=50)
@given(
    st.text(min_size=1, max_size=12),
    st.recursive(
        st.one_of(st.integers(), st.booleans(), st.text(max_size=80), st.dates()),
        lambda inner: st.lists(inner, max_size=9),
    ),
)
def test_what_is_written_is_read_back(name: str, value: Any) -> None:
    import tomllib

    assert tomllib.loads(toml.table("[[a.b]]", {name: value})) == {"a": {"b": [{name: value}]}}


def test_the_command_checks_and_writes(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tmp_path / "tables.py"
    arguments = ["--render", "--data", str(copy), "--module", str(module), "--roles", str(tmp_path)]
    assert command.main([*arguments, "--check"]) == 1 and not module.exists()
    assert "tables.py: differs from the tables" in capsys.readouterr().out
    assert command.main(arguments) == 0 and command.main([*arguments, "--check"]) == 0
    edit(copy / "cuda.toml", "native_branch =", "branch =")
    assert command.main(arguments) == 2
    assert "key branch: not known" in capsys.readouterr().err


MADE_UP = """
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import SUPPORTED, SYSTEMS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import find_system
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from ansible_collections.dlbox.workstation.plugins.module_utils.preflight import os_problems
import json
assert os_problems({"ID": "ubuntu", "VERSION_ID": "28.04"}, SUPPORTED) == []
assert os_problems({"ID": "ubuntu", "VERSION_ID": "29.04"}, SUPPORTED)
assert find_system("tumbler").key == find_system("ubuntu28.04").key == "ubuntu-28.04"
facts = {"host": "box", "os": {"id": "ubuntu", "version": "28.04", "codename": "tumbler", "kernel": "8.2.0-10-generic",
         "arch": "x86_64", "secure_boot": True, "virtualization": "none", "wsl": False},
         "cpu": {"flags": ["avx", "avx2", "fma"]}, "memory_mib": 65536, "gpus": [{"pci_id": "10de:2684"}], "driver": {}}
print(json.dumps(plan(facts, {"today": "2028-05-01"})))
"""


def planner(collections: Path) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(collections)!r})\n{MADE_UP}"
    return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)


def test_a_release_is_one_data_file(copy: Path, tmp_path: Path) -> None:
    """Everything that reads the table knows a made-up release as soon as its file is there and rendered."""
    text = (copy / "systems/ubuntu-26.04.toml").read_text(encoding="utf-8")
    for old, new in (
        ("26.04", "28.04"),
        ("resolute", "tumbler"),
        ("7.0.0-43", "8.2.0-10"),
        ('linux = "7.0"', 'linux = "8.2"'),
        ("ubuntu2604", "ubuntu2804"),
    ):
        text = text.replace(old, new)
    (copy / "systems/ubuntu-28.04.toml").write_text(text, encoding="utf-8")
    collection = tmp_path / "ansible_collections/dlbox/workstation"
    shutil.copytree(TOP / "plugins", collection / "plugins")
    shutil.copytree(TOP / "docs/schemas", collection / "docs/schemas")
    meta = tmp_path / "roles/base/meta/main.yml"
    meta.parent.mkdir(parents=True)
    shutil.copy(TOP / "roles/base/meta/main.yml", meta)
    tables = collection / "plugins/plugin_utils/planner/data/tables.py"
    arguments = ["--render", "--data", str(copy), "--module", str(tables), "--roles", str(tmp_path / "roles")]
    assert command.main(arguments) == 0
    assert "versions: [jammy, noble, resolute, tumbler]" in meta.read_text(encoding="utf-8")
    done = planner(tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ok"] and result["os"]["version"] == "28.04"
    assert result["driver"]["provider"] == "prebuilt" and result["driver"]["source"] == "ubuntu"
    assert result["cuda"]["version"] in ("12.4", "13.1", "13.3")


def test_a_release_beyond_the_table_is_refused() -> None:
    """The test above shows something: without its file the made-up release is refused."""
    done = planner(TOP / "collections")
    assert done.returncode == 1 and "AssertionError" in done.stderr
