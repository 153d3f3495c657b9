"""What is copied to hosts as a program imports nothing but the standard library and what is copied with it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.filter.program_files import program_files

ROLES = Path(__file__).resolve().parents[3] / "roles"
PROGRAMS = {
    file.relative_to(ROLES).parts[0]: re.findall(r"\w+", found[1])
    for file in ROLES.glob("*/*/*.yml")
    if (found := re.search(r"\(\[(.*?)\] \| dlbox.workstation.program_files", file.read_text()))
}
IMPORT = (
    "import importlib, sys; sys.path.insert(0, sys.argv[1]); [importlib.import_module(one) for one in sys.argv[2:]]"
)


def test_both_programs_are_found() -> None:
    assert PROGRAMS["access_guard"][0] == "guard" and PROGRAMS["nvidia_driver"][0] == "nvidia"


@pytest.mark.parametrize("role", PROGRAMS)
def test_each_file_of_a_program_can_be_imported_where_only_it_is(role: str, tmp_path: Path) -> None:
    names = []
    for file in program_files(PROGRAMS[role], str(tmp_path)):
        path = Path(file["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"])
        names.append(".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__"))
    command = ["/usr/bin/python3", "-I", "-S", "-B", "-c", IMPORT, str(tmp_path), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_doctors_probe_answers_as_it_travels() -> None:
    from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import runner

    text = runner.travelling(runner.PLUGINS / "module_utils/probe/__main__.py")
    told = runner.packed(json.dumps({"collect": ["os_release", "units", "kernels", "gpus", "secure_boot", "packages"]}))
    words = ["/usr/bin/python3", "-I", "-S", "-B", "-c", runner.BOOTSTRAP, runner.packed(text), told]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout.removeprefix(runner.MARK))
    assert answer["errors"] == {} and answer["os_release"]["ID"] and answer["packages"]["rc"] == 0
