"""No input ends in a traceback or takes longer than a second: exit 0, 2 or 64, and one line when something is wrong."""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import PINS, UsageError
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.text import render
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_machines import machine

TOP = Path(__file__).resolve().parents[3]
PLAN = TOP / "scripts" / "plan.py"
SPEC = importlib.util.spec_from_file_location("dlbox_plan_fuzz", PLAN)
assert SPEC is not None and SPEC.loader is not None
COMMAND = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(COMMAND)

#: The same examples every time, unless somebody asks for a number of new ones: DLBOX_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("DLBOX_EXAMPLES", "0"))
FUZZ = settings(
    max_examples=EXAMPLES or 80,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

ODD = [
    "",
    " ",
    "x" * 5000,
    "\n",
    "\x1b[31m",
    "\x00",
    "\ud800",
    "{{ 7*7 }}",
    "-1",
    "nan",
    "inf",
    "1e999",
    "9" * 5000,
    "²",
    "٣",
    "../../etc/passwd",
    "10de:2204",
    "10de:ffff",
    "0000:01:00.0",
    "RTX 3090",
    "GTX 1080 Ti",
    "RTX 5090",
    "GH200",
    "all",
    "580",
    "580-open-server-open",
    "580.999999999999999999",
    "3.10",
    "12.9",
    "2.14.1+cu126",
    "cpu",
    "conda-forge",
    "=",
    "a=b",
]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=30))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))
FLAGS = (
    "--no-gpu",
    "--no-avx",
    "--wsl",
    "--vgpu",
    "--nvswitch",
    "--headless",
    "--unattended",
    "--pypi-only",
    "--explain",
)
OPTIONS = (
    "--gpu",
    "--os",
    "--kernel",
    "--secure-boot",
    "--arch",
    "--virtualization",
    "--driver",
    "--ram",
    "--facts",
    "--policy",
    "--pin",
    "--ignore-gpu",
    "--display-gpu",
    "--psu",
    "--price",
    "--hours",
    "--date",
    "--format",
)


def run(arguments: list[str]) -> tuple[int, str]:
    """Run the command line in this process; return its exit status and what it complained."""
    out, err = io.StringIO(), io.StringIO()
    start = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = COMMAND.main(arguments)
        except SystemExit as stop:
            status = int(str(stop.code))
    assert time.process_time() - start < 1.0, arguments
    return status, err.getvalue()


def check(status: int, said: str) -> None:
    assert status in (0, 2, 64), (status, said)
    assert (said.count("\n") == (1 if status == 64 else 0) and said.isascii()) or said.replace("\n", "").isprintable()
    assert "Traceback" not in said


ARGUMENTS = st.lists(
    st.one_of(
        st.sampled_from(FLAGS).map(lambda flag: [flag]),
        st.tuples(st.sampled_from(OPTIONS), TEXTS).map(lambda pair: [f"{pair[0]}={pair[1]}"]),
        st.tuples(st.sampled_from(PINS), TEXTS).map(lambda pair: [f"--pin={pair[0]}={pair[1]}"]),
        TEXTS.map(lambda text: [text]),
    ),
    max_size=5,
)


@given(st.sampled_from((["--no-gpu"], ["--gpu=RTX 3090"], ["--gpu=GTX 1080 Ti", "--gpu=RTX 5090"])), ARGUMENTS)
@FUZZ
def test_any_arguments(machine_in_mind: list[str], more: list[list[str]]) -> None:
    check(*run([*machine_in_mind, *(word for words in more for word in words)]))


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """Facts of a machine with up to three values somewhere replaced, or something else altogether."""
    facts: Any = copy.deepcopy(
        machine(*draw(st.lists(st.sampled_from(("RTX 3090", "GTX 1080 Ti", "B200")), max_size=3)))
    )
    facts["os"]["kernel_flavours"] = draw(
        st.lists(st.sampled_from(("generic", "generic-hwe-24.04", "aws")), max_size=3)
    )
    for _ in range(draw(st.integers(1, 3))):
        place = facts
        while isinstance(place, (dict, list)) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.integers(0, 3)) == 0:
                place[key] = draw(VALUES)
                break
            place = place[key]
    return facts if draw(st.integers(0, 9)) else draw(VALUES)


OPTION_VALUES = st.fixed_dictionaries(
    {},
    optional={
        "policy": VALUES,
        "headless": VALUES,
        "unattended": VALUES,
        "today": VALUES,
        "pypi_only": VALUES,
        "explain": VALUES,
        "pins": st.one_of(VALUES, st.dictionaries(st.sampled_from(PINS), VALUES, max_size=3)),
        "gpu_roles": st.one_of(
            VALUES, st.dictionaries(TEXTS, st.sampled_from(("ignored", "display", "x")), max_size=3)
        ),
        "psu_watts": VALUES,
        "price_per_kwh": VALUES,
        "duty_hours": VALUES,
        "colour": VALUES,
    },
)


@given(spoilt(), OPTION_VALUES)
@FUZZ
def test_any_facts_and_options(facts: Any, options: dict[str, Any]) -> None:
    start = time.process_time()
    try:
        result = plan(facts, options)
    except UsageError as error:
        assert len(str(error)) < 5000
    else:
        assert result["ok"] is not any(item["fatal"] for item in result["refusals"])
        json.dumps(result)
        render(result)
    assert time.process_time() - start < 1.0


@given(st.one_of(st.binary(max_size=200), spoilt().map(lambda facts: json.dumps(facts).encode())))
@settings(FUZZ, max_examples=60)
def test_any_facts_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("facts") / "facts.json"
    file.write_bytes(content)
    check(*run(["--facts", str(file)]))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"os":' * 100_000,
        b"NaN",
        b'{"os": {"id": "ubuntu", "version": "24.04"}, "gpus": [], "memory_mib": NaN}',
        json.dumps({"os": {"id": "ubuntu", "version": "24.04"}, "gpus": [{}] * 200_000}).encode(),
        b"\xff\xfe",
        b"x" * 2_000_000,
        b'{"os": {"id": "ubuntu", "version": "24.04"}, "gpus": [], "memory_mib": ' + b"9" * 5000 + b"}",
    ],
    ids=("deep", "deep mappings", "NaN", "NaN inside", "200,000 GPUs", "not UTF-8", "large", "long number"),
)
def test_facts_files_that_nobody_should_write(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "facts.json"
    file.write_bytes(content)
    status, said = run(["--facts", str(file)])
    assert status == 64 and said.startswith("dlbox plan: ") and said.count("\n") == 1 and len(said) < 1100


def test_sixty_four_gpus_of_all_kinds_are_planned_within_a_second() -> None:
    kinds = [
        "GTX 580",
        "GTX 680",
        "GTX 780 Ti",
        "Tesla K80",
        "GTX 960",
        "GTX 1080 Ti",
        "TITAN V",
        "RTX 2080 Ti",
        "A100",
        "RTX 3090",
        "RTX 4090",
        "H100 PCIe",
        "GH200",
        "B200",
        "GB300",
        "RTX 5090",
    ]
    facts = machine(*kinds * 4)
    start = time.process_time()
    assert not plan(facts, {"explain": True})["ok"]
    assert time.process_time() - start < 1.0


NAMES = {
    "parts of words": [f"{first}{second}" for first in "aeinrv" for second in "abdefgimnrt"],
    "chips": [f"GA10{number % 10}" for number in range(64)],
    "beside a common part": [f"GeForce {number} forc" for number in range(64)],
    "no names": [f"vidi{'a' * number}" for number in range(64)],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_many_names_that_are_none_take_no_longer(names: list[str]) -> None:
    facts = machine("RTX 3090")
    facts["gpus"] = [{"pci_id": f"10de:ff{number:02x}", "name_hint": name} for number, name in enumerate(names[:64])]
    start = time.process_time()
    plan(facts, {})
    check(*run([f"--gpu={name}" for name in names[:64]]))
    assert time.process_time() - start < 1.0


def program(*arguments: str | bytes, **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-E", "-S", str(PLAN), *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, check=False, **{"stdout": subprocess.PIPE, **more})


def test_a_full_disk_under_the_output_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = program("--gpu", "RTX 3090", stdout=full)
    assert done.returncode == 64
    assert done.stderr == b"dlbox plan: the plan could not be written: No space left on device\n"


@pytest.mark.parametrize(
    ("closed", "arguments", "status", "said"),
    [
        (1, ("--gpu", "RTX 3090"), 64, b"dlbox plan: the plan could not be written: standard output is closed\n"),
        (2, ("--gpu", "foo"), 64, b""),
        (0, ("--gpu", "RTX 3090"), 0, b""),
    ],
)
def test_a_closed_descriptor_is_one_line(closed: int, arguments: tuple[str, ...], status: int, said: bytes) -> None:
    done = program(*arguments, preexec_fn=lambda: os.close(closed))
    assert (done.returncode, done.stderr) == (status, said)


def test_an_interrupt_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "facts")  # nobody writes into it
    command = [sys.executable, "-E", "-S", str(PLAN), "--facts", str(tmp_path / "facts")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    ) as running:
        # It waits for the facts once its modules are loaded.
        while not waits(running.pid):
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.communicate()[1] == b"dlbox plan: interrupted\n"
    assert running.returncode == 130


def waits(pid: int) -> bool:
    """Tell whether a process sleeps in opening a pipe, by the time that it has used."""
    before = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    time.sleep(0.3)
    after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return before[0] == after[0] == "S" and before[11:13] == after[11:13]


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = program("--gpu", "RTX 3090", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    for arguments in (
        ("--facts", str(tmp_path)),
        ("--facts", str(tmp_path / "none")),
        ("--local", "--save-facts", str(tmp_path / "none" / "x")),
        ("--local", "--save-facts", "/dev/full/x"),
        ("--facts", "/dev/zero"),
    ):
        status, said = run(list(arguments))
        assert status == 64 and said.startswith("dlbox plan: ") and said.count("\n") == 1, arguments


def test_saved_facts_replace_the_old_ones_or_leave_them(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    file.write_text("old")
    file.with_name("facts.json.new").mkdir()  # where the new text would be written first
    assert run(["--local", "--save-facts", str(file)])[0] == 64
    assert file.read_text() == "old"


def test_bytes_that_are_no_text_in_the_arguments() -> None:
    done = program("--gpu", b"\xff\xfe")
    assert done.returncode == 64 and done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"dlbox plan: GPU ")


@pytest.mark.parametrize("role", ["--ignore-gpu", "--display-gpu"])
@pytest.mark.parametrize("name", ["GTX 960", "10de:1401", "0000:09:00.0", "foo", "RTX 5090"])
def test_a_role_for_a_gpu_that_is_not_there_is_an_error(role: str, name: str) -> None:
    status, said = run(["--gpu", "RTX 3090", role, name])
    assert status == 64 and "is none of this machine's GPUs" in said


@pytest.mark.parametrize(
    "name", ["RTX 3090", "3090", "rtx3090", "NVIDIA GeForce RTX 3090", "10DE:2204", "GA102", "gpu0", "all"]
)
def test_a_role_finds_its_gpu_by_any_name(name: str) -> None:
    assert run(["--gpu", "RTX 3090", "--ignore-gpu", name])[0] == 0
