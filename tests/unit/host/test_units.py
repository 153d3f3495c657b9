"""What `systemctl show` prints of units."""

from __future__ import annotations

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.host import units

SHOWN = """\
Id=ssh.service
ActiveState=active
UnitFileState=enabled
ExecStart={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -D $SSHD_OPTS }

Id=ssh.socket
ActiveState=inactive
UnitFileState=
Listen=0.0.0.0:22 (Stream)
Listen=[::]:22 (Stream)

Id=gone.service
ActiveState=inactive
UnitFileState=
"""


def test_each_unit_has_its_properties_under_its_own_name() -> None:
    shown = units.parse_show(SHOWN)
    assert list(shown) == ["ssh.service", "ssh.socket", "gone.service"]
    assert shown["ssh.service"]["ExecStart"].endswith("argv[]=/usr/sbin/sshd -D $SSHD_OPTS }")
    assert shown["ssh.socket"]["Listen"] == "0.0.0.0:22 (Stream) [::]:22 (Stream)"
    assert [units.enabled_and_active(one) for one in shown.values()] == [
        {"enabled": True, "active": True},
        {"enabled": False, "active": False},
        {"enabled": False, "active": False},
    ]


@pytest.mark.parametrize("shown", ["", "\n\n", "Failed to connect to bus: Host is down\n", "ActiveState=active\n"])
def test_where_systemd_does_not_answer_there_are_no_units(shown: str) -> None:
    assert units.parse_show(shown) == {}


def test_all_units_are_asked_for_at_once() -> None:
    command = units.show_command(["a.service", "b.socket"], "ActiveState", "Listen")
    assert command == ["systemctl", "show", "--property=Id,ActiveState,Listen", "a.service", "b.socket"]
