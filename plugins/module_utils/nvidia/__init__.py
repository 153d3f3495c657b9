"""What dlbox knows about NVIDIA's packages, modules and settings on a host.

Pure functions over text and paths, and one small runner of commands. The same files serve the modules (through
Ansible) and, copied to /usr/local/lib/dlbox, the `dlbox-nvidia` tool on the host; so they import only the standard
library of Python 3.10, and one another by relative imports.
"""

from __future__ import annotations
