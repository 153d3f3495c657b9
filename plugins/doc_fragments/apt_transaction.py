"""What the modules that run one apt transaction have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of apt_transaction and nvidia_packages; SHARED in module_utils/nvidia/apt.py has them for the modules."""

    DOCUMENTATION = r"""
options:
  hold: {description: "Hold what was installed, so that only dlbox moves it.", type: bool, default: true}
  sources_pending:
    description: In check mode, that the sources are not written yet, so that unknown packages are no failure.
    type: bool
    default: false
attributes:
  check_mode:
    description: Simulates the transaction and says what it would do.
    support: full
  diff_mode:
    description: A line per package.
    support: full
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
