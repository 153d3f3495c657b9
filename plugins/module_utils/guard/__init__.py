"""Changes of remote access that undo themselves: who is connected, what is restored, and when.

The same files serve the modules (through Ansible) and, copied to /usr/local/lib/dlbox, the program `dlbox-guard` on the
host, together with run_as; so they import only the standard library of Python 3.10, and one another and that one by
relative imports.
"""

from __future__ import annotations
