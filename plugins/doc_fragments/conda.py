"""What the modules of conda environments have in common, in their documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Options by what they tell: where packages come from on any host, and which environments are declared."""

    DOCUMENTATION = r"""
options:
  find_links:
    description: Folders on the host, or pages, with wheels.
    type: list
    elements: str
    default: []
  credentials:
    description:
      - Who reads what lies below a URL. The URLs of the other options hold none, so that none is logged or written
        anywhere. The filter C(conda_sources) splits them off.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: Beginning of the URLs, without credentials.
        type: str
        required: true
      username:
        description: Name of the account.
        type: str
        default: ""
      password:
        description: Password, or a token beside a name.
        type: str
        default: ""
      token:
        description: A token that stands alone, in the place of the name (C(https://TOKEN@host/)).
        type: str
        default: ""
  ca_bundle:
    description: File on the host with the certificates to trust; empty for the engines' own list.
    type: str
    default: ""
"""

    DECLARED = r"""
options:
  root:
    description: Folder of the base environment; the others are in C(envs/NAME) below it.
    type: path
    required: true
  environments:
    description:
      - Environments as declared; the README of the role C(dlbox.workstation.conda) describes their keys.
    type: list
    elements: dict
    required: true
  definitions:
    description:
      - Shipped environments by name; an entry of O(environments) of that name (or C(definition)) begins with it.
    type: dict
    default: {}
  plan:
    description: The plan of this machine, as C(machine_plan) returns it.
    type: dict
    default: {}
  python:
    description: Python minor version of environments that say none, such as V(3.12).
    type: str
    default: "3.12"
  channels:
    description: Conda channels, in order of priority; names, URLs or C(file:///folder).
    type: list
    elements: str
    default: [conda-forge]
  mirrors:
    description: Canonical channel URL to a list of mirror URLs. Locks keep the canonical one.
    type: dict
    default: {}
  wheel_index_url:
    description: Index of wheels; empty for PyPI.
    type: str
    default: ""
  wheel_indexes:
    description:
      - Further indexes of wheels, or folders of them; each with C(url) and C(packages), the names that come from it and
        from nowhere else.
    type: list
    elements: dict
    default: []
  wheel_mirrors:
    description: Beginning of an index URL (a framework's own among them) to the URL of its mirror.
    type: dict
    default: {}
"""
