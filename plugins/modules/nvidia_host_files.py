#!/usr/bin/python
"""Put the dlbox-nvidia tool and the files that use it on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_host_files
short_description: Write the dlbox-nvidia command, the package it needs, and small configuration files, in one go
description:
  - One transfer carries the tool and all files.
  - Without O(sources) it writes the files alone.
  - A file that is replaced and was not written by dlbox is kept beside it with the suffix C(.dlbox-before).
options:
  library: {description: Directory that gets the package dlbox_nvidia., type: path}
  command: {description: Path of the command., type: path}
  sources:
    description: The package's modules, name to text; the filter C(nvidia_tool_sources) reads them on the controller.
    type: dict
    default: {}
  refresh:
    description: Have the command write the boot menu afterwards, if kernels or modules changed.
    type: bool
    default: false
  files:
    description: Files to write or to remove.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Where., type: path, required: true}
      content: {description: What., type: str, default: ""}
      mode: {description: Permissions., type: str, default: "0644"}
      present: {description: False removes the file., type: bool, default: true}
      validate: {description: "Command that accepts the file, with %s for its path.", type: str, default: ""}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
author: [dlbox]
"""
EXAMPLES = r"""
- name: Put the host's tool in place
  nvidia_host_files:
    library: /usr/local/lib/dlbox
    command: /usr/local/sbin/dlbox-nvidia
    sources: "{{ ['hosttool', 'kernels', 'state'] | nvidia_tool_sources }}"
"""
RETURN = r"""
written: {description: Files that were written or removed., type: list, elements: str, returned: success}
refreshed: {description: "What the command said of the boot menu, empty for nothing.", type: str, returned: success}
"""

import shlex
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

COMMAND = '''#!/usr/bin/python3
"""NVIDIA's driver on this machine, as dlbox keeps it; see `dlbox-nvidia --help`."""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "{library}")

from dlbox_nvidia.hosttool import main

sys.exit(main())
'''
MARK = "dlbox"


def tool_files(library: Path, command: Path, sources: dict[str, str]) -> list[dict[str, Any]]:
    """Return the files of the tool, as `files` has them. sources: module name to text."""
    texts = {"__init__": '"""Written by dlbox."""\n', **sources}
    files = [
        {"path": str(library / "dlbox_nvidia" / f"{name}.py"), "content": text, "mode": "0644"}
        for name, text in texts.items()
    ]
    return [*files, {"path": str(command), "content": COMMAND.format(library=library), "mode": "0755"}]


def write(module: AnsibleModule, file: dict[str, Any]) -> None:
    """Validate and write one file, keeping what somebody else had there."""
    path = Path(file["path"])
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    temporary = Path(module.tmpdir) / path.name
    temporary.write_text(file["content"])
    if file.get("validate"):
        command = [word.replace("%s", str(temporary)) for word in shlex.split(file["validate"])]
        rc, out, err = module.run_command(command)
        if rc != 0:
            module.fail_json(msg=f"{path} is not written: {' '.join(command)} says {(out + err).strip()}")
    if path.exists() and MARK not in path.read_text(errors="replace"):
        path.with_name(path.name + ".dlbox-before").write_bytes(path.read_bytes())
    module.atomic_move(str(temporary), str(path))
    path.chmod(int(file["mode"], 8))  # after the move, which gives a new file the default mode


def main() -> None:
    """Compare and write."""
    spec = {
        "path": {"type": "path", "required": True},
        "content": {"type": "str", "default": ""},
        "mode": {"type": "str", "default": "0644"},
        "present": {"type": "bool", "default": True},
        "validate": {"type": "str", "default": ""},
    }
    module = AnsibleModule(
        argument_spec={
            "library": {"type": "path"},
            "command": {"type": "path"},
            "sources": {"type": "dict", "default": {}},
            "refresh": {"type": "bool", "default": False},
            "files": {"type": "list", "elements": "dict", "default": [], "options": spec},
        },
        supports_check_mode=True,
        required_together=[("library", "command")],
        required_if=[("refresh", True, ("command",))],
    )
    given = module.params
    tool = tool_files(Path(given["library"]), Path(given["command"]), given["sources"]) if given["sources"] else []
    written: list[str] = []
    diff: list[dict[str, str]] = []
    for file in [*tool, *given["files"]]:
        path, present = Path(file["path"]), file.get("present", True)
        before = path.read_text(errors="replace") if path.exists() else ""
        if present:
            same = path.exists() and before == file["content"] and path.stat().st_mode & 0o777 == int(file["mode"], 8)
        else:
            same = not path.exists()
        if same:
            continue
        written.append(str(path))
        if file not in tool:
            after = file["content"] if present else ""
            diff.append({"before": before, "after": after, "before_header": str(path), "after_header": str(path)})
        if not module.check_mode:
            if present:
                write(module, file)
            else:
                path.unlink()
    refreshed = ""
    if given["refresh"] and not module.check_mode:
        _rc, refreshed, _err = module.run_command([given["command"], "refresh"], check_rc=True)
    module.exit_json(changed=bool(written or refreshed), written=written, refreshed=refreshed, diff=diff)


if __name__ == "__main__":
    main()
