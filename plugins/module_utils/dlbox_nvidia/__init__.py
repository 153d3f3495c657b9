"""What dlbox knows about NVIDIA's packages, modules and settings on a host.

Pure functions over text and paths, and one small runner of commands. The same files serve the modules (through
Ansible) and, copied to /usr/local/lib/dlbox, the `dlbox-nvidia` tool on the host; so they import only the standard
library of Python 3.10, and one another by relative imports.
"""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_nvidia.apt
    import ansible.module_utils.dlbox_nvidia.aptsim
    import ansible.module_utils.dlbox_nvidia.dkms
    import ansible.module_utils.dlbox_nvidia.driver
    import ansible.module_utils.dlbox_nvidia.gpusettings
    import ansible.module_utils.dlbox_nvidia.holders
    import ansible.module_utils.dlbox_nvidia.hosttool
    import ansible.module_utils.dlbox_nvidia.kernels
    import ansible.module_utils.dlbox_nvidia.leftovers
    import ansible.module_utils.dlbox_nvidia.names
    import ansible.module_utils.dlbox_nvidia.openpgp
    import ansible.module_utils.dlbox_nvidia.secureboot
    import ansible.module_utils.dlbox_nvidia.sourcefile
    import ansible.module_utils.dlbox_nvidia.sources
    import ansible.module_utils.dlbox_nvidia.state
