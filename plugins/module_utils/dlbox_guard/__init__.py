"""Changes of remote access that undo themselves: who is connected, what is restored, and when.

The same files serve the modules (through Ansible) and, copied to /usr/local/lib/dlbox, the program `dlbox-guard` on the
host; so they import only the standard library of Python 3.10, and one another by relative imports.
"""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_guard.sessions
