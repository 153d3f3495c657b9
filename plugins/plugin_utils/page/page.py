"""Write the pages: one self-contained HTML file per host, and an index when there are several."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2

from ..bench import history
from ..doctor.model import AREAS, RESULTS
from ..text import visible
from . import charts, kept

TEMPLATES = Path(__file__).parent / "templates"
AREA_TITLES = {
    "gpu": "GPU and driver",
    "apt": "Packages",
    "environments": "Environments",
    "jupyter": "Jupyter",
    "ssh": "ssh",
    "firewall": "Firewall",
    "system": "The machine",
}
RESULT_WORDS = {"fail": "failed", "warn": "warning", "ok": "ok", "na": "does not apply"}


def environment() -> jinja2.Environment:
    """Jinja with everything escaped: what a host answers never becomes markup, and turns no text around.

    A name that is not there is an error.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["rounded"] = history.rounded
    return made


def counts(checks: list[dict[str, Any]]) -> dict[str, int]:
    """How many checks ended in which result."""
    return {result: sum(entry["result"] == result for entry in checks) for result in RESULTS}


def verdict(data: dict[str, Any]) -> dict[str, str]:
    """The one line at the top: {"result", "text"}."""
    found = counts(data["checks"])
    if data["unreachable"]:
        return {"result": "fail", "text": "could not be asked: " + data["unreachable"]}
    if not data["checks"]:
        return {"result": "na", "text": "not asked yet: run ./dlbox doctor"}
    if found["fail"]:
        return {"result": "fail", "text": f"{found['fail']} of {sum(found.values()) - found['na']} checks failed"}
    if found["warn"]:
        return {"result": "warn", "text": f"works; {found['warn']} warning{'s' if found['warn'] > 1 else ''}"}
    return {"result": "ok", "text": f"all {found['ok']} checks are well"}


def to_do(data: dict[str, Any]) -> list[dict[str, str]]:
    """What needs the owner, the urgent first: failed checks, refusals of the plan, warnings of both."""
    plan = data["plan"]
    found = [
        {"result": entry["result"], "what": f"{entry['name']}: {entry['observed']}", "how": entry["remedy"]}
        for entry in data["checks"]
        if entry["result"] in ("fail", "warn")
    ]
    for key, result in (("refusals", "fail"), ("warnings", "warn")):
        found += [
            {"result": result, "what": "plan: " + item.get("message", ""), "how": item.get("remedy", "")}
            for item in plan.get(key) or []
        ]
    return sorted(found, key=lambda item: RESULTS.index(item["result"]))


def planned(plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(part, decision, reason) of the plan."""
    rows = []
    driver = plan.get("driver")
    if driver:
        text = f"{driver.get('version') or driver.get('branch')}, {driver.get('modules') or ''} modules".replace(
            ",  modules", ""
        )
        rows.append(("Driver", text, " ".join(str(driver.get(key) or "") for key in ("source", "provider")).strip()))
    elif plan:
        rows.append(("Driver", "none", "no GPU that needs one" if not plan.get("gpus") else ""))
    for key, title in (("cuda", "CUDA toolkit"), ("cudnn", "cuDNN")):
        if plan.get(key):
            rows.append((title, str(plan[key].get("version")), str(plan[key].get("source") or "")))
    for name, item in (plan.get("frameworks") or {}).items():
        decision = (
            f"{item['version']} ({item.get('build') or ''})".replace(" ()", "") if item.get("version") else "refused"
        )
        rows.append((name, decision, str(item.get("note") or "")))
    return rows


def grouped(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The checks by area, areas with failures first, and in each area the failures first."""
    groups = []
    for area in AREAS:
        entries = sorted(
            (entry for entry in checks if entry["area"] == area), key=lambda entry: RESULTS.index(entry["result"])
        )
        if entries:
            groups.append({"area": area, "title": AREA_TITLES[area], "checks": entries, "counts": counts(entries)})
    return sorted(groups, key=lambda group: (-group["counts"]["fail"], -group["counts"]["warn"]))


def security(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(question, answer, result) about what an attacker would look at first."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for entry in data["checks"]:
        by_name.setdefault(entry["name"].split("[", 1)[0], []).append(entry)
    rows = []
    titles = {
        "ssh.audit": "ssh-audit",
        "ssh.passwords": "Logins by password",
        "ssh.root": "root over ssh",
        "firewall.active": "Firewall",
        "firewall.outside": "Open ports, seen from outside",
        "jupyter.password": "Jupyter's password",
        "jupyter.listens": "Jupyter listens on",
        "apt.security-updates": "Security updates",
    }
    for name, title in titles.items():
        for entry in by_name.get(name, []):
            if entry["result"] != "na" or name in ("ssh.audit", "firewall.outside"):
                subject = entry["name"][len(name) :].strip("[]")
                rows.append((f"{title} ({subject})" if subject else title, entry["observed"], entry["result"]))
    return rows


def host_view(data: dict[str, Any]) -> dict[str, Any]:
    """All that the template of a host's page needs."""
    environments = [entry for entry in data["checks"] if entry["name"].startswith("environments.imports[")]
    return {
        "host": data["host"],
        "date": data["date"],
        "verdict": verdict(data),
        "counts": counts(data["checks"]),
        "facts": data["facts"],
        "memory": f"{data['facts']['memory'] / 1024**3:.0f} GiB" if data["facts"].get("memory") else "",
        "to_do": to_do(data),
        "plan": planned(data["plan"]),
        "packages": list(data["facts"].get("packages", {}).items()),
        "environments": [
            (re.sub(r"^environments\.imports\[(.*)\]$", r"\1", entry["name"]), entry["observed"], entry["result"])
            for entry in environments
        ],
        "security": security(data),
        "groups": grouped(data["checks"]),
        "words": RESULT_WORDS,
        "bench": data["bench"],
        "bench_before": data["bench_before"],
        "charts": charts.charts(data["bench"], data["bench_before"]),
        "differences": history.differences(data["bench"], data["bench_before"]) if data["bench"] else [],
        "chart": {"width": charts.WIDTH, "label": charts.LABEL, "bar": charts.BAR},
    }


def file_name(host: str) -> str:
    """A file name for any host name; only letters, digits, dot, dash and underscore stay."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", host).lstrip(".") + ".html"


def row(data: dict[str, Any]) -> dict[str, Any]:
    """A host's line in the index."""
    return {
        "host": data["host"],
        "file": file_name(data["host"]),
        "verdict": verdict(data),
        "date": data["date"],
        "facts": data["facts"],
        "to_do": len(to_do(data)),
    }


def write(output: Path, hosts: list[dict[str, Any]]) -> list[Path]:
    """Write each host's page, and the index; the paths, the one to open first.

    The data came from hosts: where one's cannot be shown, its page says that and the others' are not touched by it.
    """
    made = environment()
    index = made.get_template("index.html.j2")
    output.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths, rows = [], []
    for data in hosts:
        shown = data
        try:
            text = made.get_template("host.html.j2").render(host_view(data), several=len(hosts) > 1)
            index.render(rows=[row(data)])
        except Exception as error:
            why = f"what is kept of it cannot be shown ({type(error).__name__}): run ./dlbox doctor"
            shown = {**kept.empty(data["host"]), "unreachable": why}
            text = made.get_template("host.html.j2").render(host_view(shown), several=len(hosts) > 1)
        rows.append(row(shown))
        paths.append(_keep(output / file_name(data["host"]), text))
    if len(hosts) > 1:
        rows.sort(key=lambda row: (RESULTS.index(row["verdict"]["result"]), row["host"]))
        paths.insert(0, _keep(output / "index.html", index.render(rows=rows)))
    return paths


def _keep(path: Path, text: str) -> Path:
    """Write a page, which names accounts and open ports: for its owner alone, unless the owner gave it to others."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def write_kept(output: Path) -> list[Path]:
    """The pages of every host whose data is kept below `output`; empty when there is none."""
    names = sorted(path.stem for path in (output / "data").glob("*.json"))
    return write(output, [kept.load(output, name) for name in names]) if names else []
