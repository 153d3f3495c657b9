"""What apt's repositories offer is read from apt-cache's own output."""

from __future__ import annotations

from ansible_collections.dlbox.workstation.plugins.module_utils.host import apt_policy

POLICY = """\
libcudnn9-cuda-12:
  Installed: (none)
  Candidate: 9.27.0.42-1
  Version table:
     9.27.0.42-1 600
        600 http://mirror.example/nvidia  Packages
     9.10.2.21-1 600
        600 http://mirror.example/nvidia  Packages
nothing:
  Installed: (none)
  Candidate: (none)
  Version table:
bash:
  Installed: 5.2.37-2+b9
  Candidate: 5.2.37-2+b9
  Version table:
     5.3-1 -10
        -10 http://mirror.example/debian forky/main amd64 Packages
 *** 5.2.37-2+b9 500
        500 http://mirror.example/debian trixie/main amd64 Packages
        500 http://mirror.example/debian trixie-updates/main amd64 Packages
        100 /var/lib/dpkg/status
"""


def test_policy_gives_candidates_and_versions() -> None:
    found = apt_policy.parse(POLICY)
    assert {name: policy.candidate for name, policy in found.items()} == {
        "libcudnn9-cuda-12": "9.27.0.42-1",
        "nothing": None,
        "bash": "5.2.37-2+b9",
    }
    table = found["libcudnn9-cuda-12"].versions
    assert [one.version for one in table] == ["9.27.0.42-1", "9.10.2.21-1"]
    assert table[0].priority == 600 and "mirror.example" in table[0].sources[0]
    assert not any(one.installed for one in table) and found["nothing"].versions == []


def test_the_installed_version_has_the_repositories_that_offer_it_and_not_dpkg() -> None:
    newer, here = apt_policy.parse(POLICY)["bash"].versions
    assert newer.priority == -10 and not newer.installed and here.installed
    assert here.sources == [
        "http://mirror.example/debian trixie/main amd64 Packages",
        "http://mirror.example/debian trixie-updates/main amd64 Packages",
    ]
