#!/usr/bin/python
"""Install the engine of the conda environments.

Not ansible.builtin.pip: it starts pip on every run, and keeps an environment that was made for another Python.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_engine
short_description: Install py-rattler and uv in a virtual environment of their own
description:
  - Makes C(FOLDER/venv) with pip from requirements with hashes, anew whenever O(stamp) differs from the one it was made
    of, which is in C(FOLDER/made-of). A failed installation is made anew by the next run.
options:
  folder:
    description: Folder of the engine; root's.
    type: path
    required: true
  requirements:
    description: Text of the requirements, with hashes.
    type: str
    required: true
  stamp:
    description: What the engine is made of, as one line.
    type: str
    required: true
  index_url:
    description: Index of wheels; empty for PyPI.
    type: str
    default: ""
  offline:
    description: Use folders only, and no network.
    type: bool
    default: false
extends_documentation_fragment: [dlbox.workstation.conda, dlbox.workstation.predictable, dlbox.workstation.proxy]
"""

EXAMPLES = r"""
- name: Install the engine
  dlbox.workstation.conda_engine:
    folder: /opt/dlbox/engine
    requirements: "{{ lookup('ansible.builtin.file', 'engine-requirements.txt', rstrip=false) }}"
    stamp: "3.12 engine-requirements.txt of 2026-11"
"""

RETURN = r"""
python:
  description: The interpreter to run M(dlbox.workstation.conda_env) with.
  type: str
  returned: success
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import proxy, run_as
from ..module_utils.conda.credentials import CREDENTIALS, Credential, redact, with_credential
from ..module_utils.umask import with_umask


def pip_environment(given: dict[str, Any], credentials: list[Credential]) -> dict[str, str]:
    """pip's settings, and nobody else's. Only root reads a process's environment, everybody its arguments."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_", "PYTHON", "CONDA", "VIRTUAL_ENV"))}
    own = {
        "HOME": run_as.NO_HOME,
        # Root's alone, and emptied by the next installation.
        "TMPDIR": str(Path(given["folder"], "venv")),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_HASHES": "1",
        "PIP_ONLY_BINARY": ":all:",
    }
    if given["ca_bundle"]:
        own["PIP_CERT"] = given["ca_bundle"]
    if given["offline"]:
        own["PIP_NO_INDEX"] = "1"
    elif given["index_url"]:
        own["PIP_INDEX_URL"] = with_credential(given["index_url"], credentials)
    if given["find_links"]:
        own["PIP_FIND_LINKS"] = " ".join(with_credential(place, credentials) for place in given["find_links"])
    return kept | own | proxy.variables(given)


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "requirements": {"type": "str", "required": True},
            "stamp": {"type": "str", "required": True},
            "index_url": {"type": "str", "default": ""},
            "find_links": {"type": "list", "elements": "str", "default": []},
            "offline": {"type": "bool", "default": False},
            "ca_bundle": {"type": "str", "default": ""},
            "credentials": CREDENTIALS,
            **proxy.OPTIONS,
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    folder = Path(given["folder"])
    python = folder / "venv/bin/python"
    made_of = folder / "made-of"
    stamp = f"{given['stamp'].strip()}\n"
    before = made_of.read_text() if made_of.exists() else ""
    answer = {"changed": before != stamp, "python": str(python), "diff": {"before": before, "after": stamp}}
    if before == stamp or module.check_mode:
        module.exit_json(**answer)
    folder.mkdir(parents=True, exist_ok=True)
    # What is in there is run by root.
    problem = run_as.root_only(folder) if os.geteuid() == 0 else ""
    if problem:
        module.fail_json(msg=f"folder: {problem}. Choose a folder that root alone can write")
    made_of.unlink(missing_ok=True)
    requirements = folder / "requirements.txt"
    run_as.replace_file(requirements, given["requirements"], 0o644)
    credentials = [Credential(**one) for one in given["credentials"]]
    # --clear: the one that is there was made for another Python, or of other versions.
    for command in (
        [sys.executable, "-I", "-m", "venv", "--clear", str(folder / "venv")],
        [str(python), "-I", "-m", "pip", "install", "--quiet", "--requirement", str(requirements)],
    ):
        done = subprocess.run(
            command, env=pip_environment(given, credentials), cwd="/", text=True, capture_output=True, check=False
        )
        if done.returncode:
            told = redact(f"{done.stdout}\n{done.stderr}".strip(), credentials)
            module.fail_json(msg=f"the engine cannot be installed in {folder}: {told}")
    run_as.replace_file(made_of, stamp, 0o644)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
