#!/usr/bin/python
"""Put the dlbox-nvidia tool on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nvidia_host_tool
short_description: Write the dlbox-nvidia command and the package it needs
description:
  - The package is the one that this module was sent with, so one transfer carries the tool and it can never differ from the roles' own
    knowledge.
options:
  library: {description: Directory that gets the package dlbox_nvidia., type: path, required: true}
  command: {description: Path of the command., type: path, required: true}
attributes:
  check_mode:
    support: full
author: [dlbox]
"""
EXAMPLES = r"""
- name: Put the host's tool in place
  nvidia_host_tool:
    library: /usr/local/lib/dlbox
    command: /usr/local/sbin/dlbox-nvidia
"""
RETURN = r"""
written: {description: Files that differed., type: list, elements: str, returned: success}
"""

import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_nvidia import (
    apt,
    aptsim,
    dkms,
    gpusettings,
    hosttool,
    kernels,
    leftovers,
    names,
    secureboot,
    sources,
    state,
)

PACKAGE = (apt, aptsim, dkms, gpusettings, hosttool, kernels, leftovers, names, secureboot, sources, state)
COMMAND = '''#!/usr/bin/python3
"""NVIDIA's driver on this machine, as dlbox keeps it; see `dlbox-nvidia --help`."""

import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "{library}")

from dlbox_nvidia.hosttool import main

sys.exit(main())
'''


def contents(library: Path, command: Path) -> dict[Path, tuple[str, int]]:
    """Return path to text and mode of every file."""
    files = {library / "dlbox_nvidia" / "__init__.py": ('"""Written by dlbox."""\n', 0o644)}
    for item in PACKAGE:
        loader = sys.modules[item.__name__].__loader__
        text = loader.get_source(item.__name__)
        files[library / "dlbox_nvidia" / (item.__name__.rpartition(".")[2] + ".py")] = (text, 0o644)
    files[command] = (COMMAND.format(library=library), 0o755)
    return files


def main() -> None:
    """Compare and write."""
    module = AnsibleModule(
        argument_spec={
            "library": {"type": "path", "required": True},
            "command": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    written = []
    for path, (text, mode) in contents(Path(module.params["library"]), Path(module.params["command"])).items():
        if path.exists() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
            continue
        written.append(str(path))
        if not module.check_mode:
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            temporary = Path(module.tmpdir) / path.name
            temporary.write_text(text)
            module.atomic_move(str(temporary), str(path))
            path.chmod(mode)  # after the move, which gives a new file the default mode
    module.exit_json(changed=bool(written), written=written)


if __name__ == "__main__":
    main()
