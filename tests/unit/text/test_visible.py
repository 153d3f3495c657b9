"""What a hostile host says is shown, not obeyed: on the terminal, in the summary, in the page."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible, visible_data, visible_in_colour
from hypothesis import given
from hypothesis import strategies as st

PROJECT = Path(__file__).resolve().parents[3]
HOSTILE = [
    "\x1b]0;owned\x07",  # the window's title
    "\x1b]52;c;cm0gLXJmIH4K\x07",  # the clipboard (OSC 52)
    "\x1b[2J\x1b[1;1H",  # clear and start over
    "\x9b31m\x9d0;t\x9c",  # the same as C1 bytes
    "all ok\r  FAIL",  # overwrite the line
    "\x1b[8mhidden\x1b[30m",
    "\u202egnp.exe\u202c\u2066x\u2069\u200f",  # bidirectional overrides
    "\u200b\ufeff\U000e0041\u2028\u2029",
    "\ud800\x7f\x00\x08\x0e",
]
FORBIDDEN = {chr(number) for number in range(0x20)} - {"\n", "\t"} | {chr(number) for number in range(0x7F, 0xA0)}


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_steers_a_terminal_is_left_and_everything_can_be_read(text: str) -> None:
    for shown in (visible(text), visible_in_colour(text)):
        assert not FORBIDDEN & set(shown) and not set("\u202e\u2066\u200b\u2028\ufeff\ud800") & set(shown)
        assert "\\" in shown
        shown.encode()  # a lone surrogate could not be printed


@given(st.text())
def test_any_text_can_be_printed_and_is_the_same_the_second_time(text: str) -> None:
    shown = visible(text)
    assert not FORBIDDEN & set(shown)
    assert visible(shown) == shown
    shown.encode()


def test_what_people_write_stays_as_it_is() -> None:
    text = "GeForce RTX 4090, 24 GiB, grüß Gott, 日本語\n\tindented"
    assert visible(text) == visible_in_colour(text) == text
    assert visible_in_colour("\x1b[0;31m-old\x1b[0m") == "\x1b[0;31m-old\x1b[0m"
    assert visible_data({"a\x1b": ["\x07", 1, None, ("x",)]}) == {"a\\x1b": ["\\x07", 1, None, ["x"]]}


class Terminal:
    """Stands for Ansible's Display: keeps what it is given."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, msg: str, color: str | None = None) -> None:
        self.shown.append(msg)


def test_everything_that_ansible_displays_is_spelt_out_once() -> None:
    from ansible_collections.dlbox.workstation.plugins.callback.run_report import display_harmlessly

    terminal = Terminal()
    display_harmlessly(terminal)
    display_harmlessly(terminal)
    terminal.display("fatal: \x1b]0;owned\x07\r\n", color="red")
    assert terminal.shown == ["fatal: \\x1b]0;owned\\x07\n"]


def test_a_real_run_shows_a_hosts_words_harmlessly(tmp_path: Path) -> None:
    """Messages, diffs and failures of a real ansible-playbook, as this project configures it."""
    import os
    import subprocess

    playbook = tmp_path / "play.yml"
    hostile = "\x1b]0;owned\x07 \u202egnp \x9b31m"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.copy": {"content": f"{hostile}\n", "dest": str(tmp_path / "file")}, "diff": True},
        {
            "ansible.builtin.set_stats": {
                "data": {"dlbox_todo": [f"a GPU {hostile}\n  to do      nothing"]},
                "per_host": True,
            }
        },
        {"ansible.builtin.command": {"argv": ["printf", "%s", hostile]}, "failed_when": True, "ignore_errors": True},
        {"ansible.builtin.fail": {"msg": hostile}},
    ]
    playbook.write_text(
        json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}])
    )
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(playbook), "-v"],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), "ANSIBLE_FORCE_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "\x1b[0;31m" in said and "owned" in said  # colours of Ansible's own stay
    for steering in ("\x1b]", "\u202e", "\x9b", "\x07", "\r"):
        assert steering not in said
    assert "\n  to do      nothing" not in said  # no line of the host's own in the summary


def report(words: str) -> dict[str, Any]:
    check = {"name": "gpu.present", "area": "gpu", "result": "ok", "observed": words, "remedy": words}
    return {"ok": True, "host": "box", "checks": [check]}


@pytest.mark.parametrize("text", HOSTILE)
def test_the_doctor_shows_no_line_of_the_hosts_own(text: str) -> None:
    import doctor

    shown = doctor.as_text(visible_data(report(f"{text}\n  ok    gpu.real: fine")), False, True)
    assert not FORBIDDEN & set(shown)
    assert "\n  ok    gpu.real" not in shown


def test_the_page_shows_a_hosts_words_as_text() -> None:
    from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import page

    made = page.environment()
    made.loader = jinja2.DictLoader({"x": "<p title='{{ a }}'>{{ a }}</p>"})
    shown = made.get_template("x").render(a="<script>\u202e\x1b]0;x\x07</script>")
    assert "<script>" not in shown and "\u202e" not in shown and "\x1b" not in shown and "\\u202e" in shown


def test_a_plan_with_a_hostile_gpu_name_is_harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    import plan

    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(plan, "render", lambda item: f"{item['host']}\n")
    plan.show([{"ok": True, "host": "\x1b]52;c;eA==\x07"}], "text", False)
    assert out.getvalue() == "\\x1b]52;c;eA==\\x07\n"
