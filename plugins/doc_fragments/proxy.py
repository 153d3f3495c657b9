"""The proxy of the modules that download, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """OPTIONS in module_utils/proxy.py has them for the modules."""

    DOCUMENTATION = r"""
options:
  proxy:
    description: URL of the proxy to download through, with credentials where it wants them; empty for none.
    type: str
    default: ""
  no_proxy:
    description: Hosts that are reached without the proxy.
    type: list
    elements: str
    default: []
"""
