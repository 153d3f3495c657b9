"""What `conda_env` and `conda_lock` are made of: declared environments, locks, what is installed, and the engine."""

from __future__ import annotations

# Mitogen sends a host what it finds imported outside of functions; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_conda.interpreter
