"""The page without a browser: it renders from whatever is kept, escapes what hosts say, names what needs the owner."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.plugin_utils.bench import history
from ansible_collections.dlbox.workstation.plugins.plugin_utils.page import charts, kept, page
from page_sample import CHECKS, DATA, record


def rendered(tmp_path: Path, *hosts: dict[str, Any]) -> str:
    return page.write(tmp_path, list(hosts))[0].read_text()


def test_a_full_host_is_shown_with_failures_first(tmp_path: Path) -> None:
    text = rendered(tmp_path, DATA)
    body = text[text.index("<main>") :]
    wanted = [
        "What needs you",
        "firewall.outside",
        "gpu.persistence",
        "The machine",
        "The plan",
        "580.178.04-0ubuntu0.24.04.1 (14 packages)",
        "Benchmark",
        "All checks",
    ]
    assert [body.index(word) for word in wanted] == sorted(body.index(word) for word in wanted)
    assert "1 of 18 checks failed" in text
    areas = re.findall(r"<summary><h3>(.*?)</h3>", text)
    assert areas[0] == "Firewall" and set(areas[1:3]) == {"GPU and driver", "The machine"}


def test_what_a_host_says_is_never_markup(tmp_path: Path) -> None:
    data = copy.deepcopy(DATA)
    data["checks"].append(
        {**CHECKS[0], "observed": "<script>alert(1)</script>", "remedy": '"><img src=x>', "result": "fail"}
    )
    data["facts"]["gpus"] = ["<b>GPU</b>"]
    data["bench"]["results"][0]["environment"] = '"><script>'
    text = rendered(tmp_path, data)
    assert "<script" not in text and "<img" not in text and "<b>GPU" not in text


def test_a_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    text = rendered(tmp_path, DATA)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert "url(" not in text and "@import" not in text
    assert "default-src 'none'" in text


@pytest.mark.parametrize("missing", ["facts", "plan", "checks", "outside", "bench", "bench_before"])
def test_a_host_of_which_little_is_known_still_has_a_page(tmp_path: Path, missing: str) -> None:
    frame = kept.load(tmp_path, "box")
    assert rendered(tmp_path, {**DATA, missing: frame[missing]})


def test_a_host_never_asked_and_one_that_did_not_answer(tmp_path: Path) -> None:
    frame = kept.load(tmp_path, "new")
    assert "not asked yet: run ./dlbox doctor" in rendered(tmp_path, frame)
    lost = kept.checked(frame, {"error": "Connection refused"}, {}, {})
    assert "could not be asked: Connection refused" in rendered(tmp_path, lost)


def test_several_hosts_have_an_index_with_the_worst_first(tmp_path: Path) -> None:
    fine = {**DATA, "host": "fine", "checks": CHECKS[:2], "plan": {}}
    paths = page.write(tmp_path, [fine, DATA])
    assert [path.name for path in paths] == ["index.html", "fine.html", "box.html"]
    index = paths[0].read_text()
    assert index.index("box.html") < index.index("fine.html")
    assert 'href="index.html"' in paths[1].read_text()


def test_a_strange_host_name_stays_in_the_folder(tmp_path: Path) -> None:
    data = {**kept.load(tmp_path, "../../etc/x"), "host": "../../etc/x"}
    kept.save(tmp_path, data)
    (path,) = page.write(tmp_path, [data])
    assert path.parent == tmp_path
    assert [item.name for item in (tmp_path / "data").iterdir()] == [".._.._etc_x.json"]


@pytest.mark.parametrize(
    "planted",
    [
        {"plan": {"warnings": [1]}},
        {"plan": {"frameworks": [1]}},
        {"facts": {"memory": "much", "packages": 3}},
        {"facts": 3},
        {"checks": [{}]},
        {"bench": {"results": 1}},
        {"outside": []},
    ],
)
def test_one_hosts_answer_never_takes_the_page_from_the_others(tmp_path: Path, planted: dict[str, Any]) -> None:
    evil = {**kept.empty("evil"), **planted}
    paths = page.write(tmp_path, [evil, DATA])
    assert [path.name for path in paths] == ["index.html", "evil.html", "box.html"]
    assert "checks failed" in paths[2].read_text()
    assert "box.html" in paths[0].read_text() and "evil.html" in paths[0].read_text()


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    (path,) = page.write(tmp_path, [{**kept.empty("evil"), "plan": {"warnings": [1]}}])
    assert "what is kept of it cannot be shown (AttributeError): run ./dlbox doctor" in path.read_text()


def test_what_is_kept_is_for_its_owner_only(tmp_path: Path) -> None:
    output = tmp_path / "reports"
    kept.save(output, DATA)
    paths = page.write(output, [DATA, {**DATA, "host": "two"}])
    made = [output, output / "data", kept.path_of(output, "box"), *paths]
    assert {path: path.stat().st_mode & 0o077 for path in made} == dict.fromkeys(made, 0)
    paths[1].chmod(0o644)
    page.write(output, [DATA])
    assert paths[1].stat().st_mode & 0o777 == 0o644, "the owner gave it to others"


def test_damaged_data_is_asked_again(tmp_path: Path) -> None:
    kept.save(tmp_path, DATA)
    assert kept.load(tmp_path, "box")["checks"] == CHECKS
    kept.path_of(tmp_path, "box").write_text("{damaged")
    assert kept.load(tmp_path, "box")["checks"] == []


def test_a_quick_report_leaves_what_it_did_not_ask(tmp_path: Path) -> None:
    quick = {
        "ok": True,
        "host": "box",
        "checks": [{**CHECKS[14], "result": "ok", "observed": "open: 22", "remedy": ""}],
    }
    merged = kept.checked(DATA, quick, {}, {})
    names = [entry["name"] for entry in merged["checks"]]
    assert sorted(names) == sorted(entry["name"] for entry in CHECKS)
    assert next(entry for entry in merged["checks"] if entry["name"] == "firewall.outside")["result"] == "ok"
    assert "(asked 2026-11-20 12:00 UTC)" in rendered(tmp_path, merged)


def test_installed_packages_are_told_by_family() -> None:
    known = [
        {"name": "nvidia-driver-580-open", "version": "580.178.04-0ubuntu0.24.04.1", "hold": False},
        {"name": "libnvidia-compute-580", "version": "580.178.04-0ubuntu0.24.04.1", "hold": False},
        {"name": "cuda-toolkit-12-9", "version": "12.9.2-1", "hold": True},
        {"name": "cuda-toolkit-13-0", "version": "13.0.3-1", "hold": True},
        {"name": "libcudnn9-cuda-13", "version": "9.20.0.48-1", "hold": True},
        {"name": "linux-image-6.8.0-149-generic", "version": "6.8.0-149.149", "hold": False},
    ]
    assert kept.installed(known) == {
        "NVIDIA driver": "580.178.04-0ubuntu0.24.04.1 (2 packages)",
        "CUDA toolkit": "12.9.2-1, 13.0.3-1",
        "cuDNN": "9.20.0.48-1",
    }


def test_charts_are_well_formed_and_to_scale(tmp_path: Path) -> None:
    text = rendered(tmp_path, DATA)
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 4
    for drawing in drawings:
        root = xml.fromstring(drawing)
        assert root.get("aria-label")
        box = [float(part) for part in root.get("viewBox", "").split()]
        for bar in root.iter("rect"):
            assert 0 < float(bar.get("width", "0")) <= box[2]
            assert float(bar.get("y", "0")) + float(bar.get("height", "0")) <= box[3]


def test_a_chart_compares_cpu_gpu_and_the_last_run() -> None:
    lenet = charts.charts(DATA["bench"], DATA["bench_before"])[0]
    assert lenet.title == "Training LeNet"
    kinds = {bar.kind for bar in lenet.bars}
    assert kinds == {"cpu", "gpu", "before"}
    gpu = next(bar for bar in lenet.bars if bar.label == "pytorch, GPU 0")
    assert gpu.text == "350,000 samples/s (+13%)"
    cpu = next(bar for bar in lenet.bars if bar.label == "pytorch, CPU")
    assert gpu.width / cpu.width == pytest.approx(350000 / 9200, rel=0.01)
    assert charts.charts(None, None) == []


def test_the_sample_is_what_the_benchmark_writes() -> None:
    import jsonschema

    schema = json.loads((Path(__file__).resolve().parents[3] / "docs/schemas/bench.json").read_text())
    jsonschema.validate(record("2026-11-20T11:50:00Z", "580", 1.0), schema)
    assert history.differences(DATA["bench"], DATA["bench_before"]) == ["driver: 580.105.08 before, 580.178.04 now"]
