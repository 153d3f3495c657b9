"""Changes of remote access that undo themselves: who is connected, what is restored, and when.

The same files serve the modules (through Ansible) and, copied to /usr/local/lib/dlbox, the program `dlbox-guard` on the
host, together with dlbox_run_as; so they import only the standard library of Python 3.10, one another by relative
imports, and that one, which the modules need nothing of, by its name.
"""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_guard.sessions
