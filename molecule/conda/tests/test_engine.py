"""The module's cases, one by one, on the newest release (Python 3.13's packages need its glibc)."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest
from conftest import CHANNEL, ENGINE, locks_of, unplugged

CASE = "/opt/conda/envs/case"
SITE = f"{CASE}/lib/python3.11/site-packages"
PIP = f"{CASE}/bin/python -m pip install -q --break-system-packages"
BASIC = {"name": "case", "kernel": False, "conda": ["tqdm", "fixture-prefix"], "wheels": ["six==1.16.0"]}


def of(result, name="case"):
    """The module's entry of one environment."""
    return next(e for e in result["environments"] if e["name"] == name)


def diff(result):
    """Before and after of the first environment that changed, as package -> version."""

    def table(text):
        lines = (line.replace(" (wheel) ", "(wheel) ", 1).split(" ", 1) for line in text.splitlines())
        return {name.replace("(wheel)", " (wheel)"): rest for name, rest in lines}

    return table(result["diff"][0]["before"]), table(result["diff"][0]["after"])


@pytest.fixture
def case(conda_env):
    """The environment `case` as BASIC says, whatever an earlier test did with it."""
    result = conda_env(BASIC)
    assert not result.get("failed"), result
    return result


def test_it_creates_once(conda_env, host):
    conda_env({"name": "case", "state": "absent"})
    planned = conda_env(BASIC, check=True)
    assert planned["changed"] and of(planned)["status"] == "planned"
    assert not host.file(CASE).exists
    assert diff(planned)[1]["six (wheel)"] == "1.16.0"
    made = conda_env(BASIC)
    assert of(made)["status"] == "created" and diff(made) == diff(planned)
    assert host.check_output(f"{CASE}/bin/fixture-prefix") == f"{CASE} 2.0"
    again = conda_env(BASIC)
    assert not again["changed"] and of(again)["status"] == "ok"


def test_five_environments_that_are_right_cost_less_than_two_seconds(conda_env):
    five = [{**BASIC, "name": f"five{number}"} for number in range(5)]
    assert not conda_env(*five).get("failed")
    again = conda_env(*five)
    assert not again["changed"] and again["elapsed"] < 2
    assert conda_env(*[{"name": e["name"], "state": "absent"} for e in five])["changed"]


def test_what_is_declared_anew_is_added_changed_and_removed(conda_env, case, host):
    wanted = {**BASIC, "conda": ["fixture-prefix <2"], "wheels": ["six==1.17.0", "iniconfig"]}
    before, after = diff(conda_env(wanted, check=True))
    assert {n for n in before if n not in after} == {"tqdm"}
    assert {n for n in after if n not in before} == {"iniconfig (wheel)"}
    assert (before["six (wheel)"], after["six (wheel)"]) == ("1.16.0", "1.17.0")
    assert (before["fixture-prefix"], after["fixture-prefix"]) == ("2.0", "1.1")
    assert of(conda_env(wanted))["status"] == "changed"
    assert host.check_output(f"{CASE}/bin/fixture-prefix") == f"{CASE} 1.1"
    assert host.check_output(f"{CASE}/bin/python -c 'import six, iniconfig; print(six.__version__)'") == "1.17.0"
    gone = host.run(f"{CASE}/bin/python -c 'import tqdm'")
    assert gone.rc != 0 and not host.file(f"{SITE}/tqdm").exists  # no byte code is left that would import
    assert not conda_env(wanted)["changed"]


def test_newer_packages_come_when_they_are_asked_for_and_are_shown(conda_env, host):
    old = {**BASIC, "conda": ["tqdm", "fixture-prefix <2"], "wheels": ["six<1.17"]}
    open_ended = {**BASIC, "wheels": ["six"]}
    assert not conda_env(old).get("failed")
    kept = conda_env(open_ended)
    assert diff(kept)[0] == diff(kept)[1], "another declaration that the installed packages fit changes none of them"
    assert not conda_env(open_ended)["changed"]
    planned = conda_env(open_ended, renew=["case"], check=True)
    before, after = diff(planned)
    assert (before["fixture-prefix"], after["fixture-prefix"]) == ("1.1", "2.0")
    assert before["six (wheel)"] == "1.16.0" and after["six (wheel)"] != "1.16.0"
    assert host.check_output(f"{CASE}/bin/fixture-prefix") == f"{CASE} 1.1"
    assert of(conda_env(open_ended, renew=["case"]))["status"] == "changed"
    assert host.check_output(f"{CASE}/bin/fixture-prefix") == f"{CASE} 2.0"
    assert not conda_env(open_ended)["changed"]


def test_another_python(conda_env, case, host):
    wanted = {**BASIC, "python": "3.13"}
    result = conda_env(wanted)
    assert of(result)["status"] == "changed", result
    assert host.check_output(f"{CASE}/bin/python -c 'import six, tqdm, sys; print(*sys.version_info[:2])'") == "3 13"
    assert not host.file(f"{SITE}/six.py").exists
    assert not conda_env(wanted, verify="full")["changed"]
    assert of(conda_env(BASIC))["status"] == "changed"
    assert not conda_env(BASIC, verify="full")["changed"]


@pytest.mark.parametrize(
    "damages",
    [
        {
            f"rm {SITE}/tqdm/std.py": "tqdm",
            f"sed -i s/1.16.0/1.15.0/ {SITE}/six.py": "six (wheel)",
            f"{PIP} --no-deps iniconfig": "iniconfig (wheel)",
        },
        {
            f"echo '# x' >> {SITE}/tqdm/std.py": "tqdm",
            f"PIP_CONFIG_FILE=/dev/null {PIP} six==1.17.0": "six (wheel)",
            f"rm {CASE}/conda-meta/dlbox/conda.lock": None,
        },
        {f"rm {CASE}/conda-meta/tqdm-*.json": "tqdm", f"rm -r {SITE}/six-*.dist-info": "six (wheel)"},
        {
            f"echo no > $(echo {CASE}/conda-meta/tqdm-*.json)": "tqdm",
            f"rm {SITE}/six-*.dist-info/RECORD": "six (wheel)",
            f"rm {CASE}/conda-meta/dlbox/manifest": None,
        },
    ],
    ids=["files", "versions", "books", "unreadable"],
)
def test_damage_is_found_shown_and_repaired(conda_env, case, host, damages):
    for how in damages:
        done = host.run(how)
        assert done.rc == 0, (how, done.stderr)
    planned = conda_env(BASIC, check=True)
    assert planned["changed"]
    before, after = diff(planned)
    assert {n for n in {**before, **after} if before.get(n) != after.get(n)} == set(damages.values()) - {None}
    repaired = conda_env(BASIC)
    assert of(repaired)["status"] in ("repaired", "completed"), repaired
    assert host.check_output(f"{CASE}/bin/python -c 'import six, tqdm.std; print(six.__version__)'") == "1.16.0"
    assert not host.file(f"{SITE}/iniconfig").exists
    assert not conda_env(BASIC, verify="full")["changed"]


def test_damage_that_only_content_shows_is_found_by_the_full_check(conda_env, case, host):
    file = f"{SITE}/tqdm/std.py"
    host.check_output(
        f"touch -r {file} /tmp/t && printf X | dd of={file} bs=1 seek=1 conv=notrunc status=none "
        f"&& touch -r /tmp/t {file}"
    )
    assert not conda_env(BASIC)["changed"]
    assert of(conda_env(BASIC, verify="full"))["status"] == "repaired"
    assert not conda_env(BASIC, verify="full")["changed"]


def test_a_file_that_is_only_touched_is_no_change(conda_env, case, host):
    host.check_output(f"touch {SITE}/six.py")
    result = conda_env(BASIC)
    assert not result["changed"] and of(result)["status"] == "ok"


def test_a_killed_run_leaves_nothing_that_looks_whole_and_the_next_completes_it(conda_env, host):
    conda_env({"name": "case", "state": "absent"})
    # A plain process of the host runs the module; it is killed with its children in the middle of the installation.
    host.check_output("rm -rf /tmp/kill && mkdir /tmp/kill")
    wanted = {**BASIC, "wheels": ["six==1.16.0", "ipykernel"]}
    thread = threading.Thread(target=lambda: conda_env(wanted), daemon=True)
    thread.start()
    for _ in range(600):
        found = host.run(f"ls {CASE}/conda-meta/python-*.json 2>/dev/null")
        if found.rc == 0 or not thread.is_alive():
            break
        time.sleep(0.05)
    host.run(f"kill -9 $(pgrep -f {ENGINE})")
    thread.join(60)
    assert host.file(f"{CASE}/conda-meta/dlbox/incomplete").exists
    # Nobody but root can enter, and for a moment the account that the run had its Python ask as.
    assert host.file(CASE).mode & 0o007 == 0
    result = conda_env(wanted)
    assert of(result)["status"] == "completed", of(result)["error"]
    assert of(result)["source"] == "own lock"
    assert host.file(CASE).mode == 0o755
    assert not conda_env(wanted, verify="full")["changed"]
    assert host.run(f"{CASE}/bin/python -c 'import six, tqdm, ipykernel'").rc == 0


def test_from_a_lock_and_warm_caches_without_network(conda_env, case, host):
    locks = {"case": locks_of(host, "case")}
    conda_env({"name": "case", "state": "absent"})
    with unplugged(host):
        # The channel's folder is out of reach too: what is not in the caches cannot come from anywhere.
        result = conda_env(BASIC, locks=locks, offline=True, mirrors={CHANNEL: ["file:///nowhere"]})
        assert of(result)["status"] == "created" and of(result)["source"] == "lock", result
        assert not conda_env(BASIC, locks=locks, offline=True)["changed"]
    assert locks_of(host, "case") == locks["case"]


def rewritten(locks, file, old, new):
    """A lock in which somebody replaced something, and made it look right."""
    assert old in locks[file]
    texts = {**locks, file: locks[file].replace(old, new)}
    meta = json.loads(texts["lock.json"])
    meta["files"] = {name: hashlib.sha256(texts[name].encode()).hexdigest() for name in ("conda.lock", "wheels.txt")}
    return {**texts, "lock.json": json.dumps(meta)}


def test_a_package_or_wheel_with_another_hash_is_refused(conda_env, case, host):
    locks = locks_of(host, "case")
    sha = next(line.split()[1] for line in locks["conda.lock"].splitlines() if line.strip().startswith("sha256:"))
    bad = conda_env(BASIC, locks={"case": rewritten(locks, "conda.lock", sha, "0" * 64)})
    assert bad.get("failed") and "hash" in bad["msg"].lower(), bad
    assert host.file(f"{CASE}/conda-meta/dlbox/incomplete").exists
    conda_env({"name": "case", "state": "absent"})
    bad = conda_env(BASIC, locks={"case": rewritten(locks, "conda.lock", sha, "0" * 64)})
    assert bad.get("failed") and "hash" in bad["msg"].lower(), bad
    conda_env(BASIC, locks={"case": locks})
    wheel = next(word for word in locks["wheels.txt"].split() if word.startswith("--hash"))
    texts = locks["wheels.txt"]
    for word in {w for w in texts.split() if w.startswith("--hash")}:
        texts = texts.replace(word, "--hash=sha256:" + "0" * 64)
    assert wheel
    conda_env({"name": "case", "state": "absent"})
    bad = conda_env(BASIC, locks={"case": rewritten({**locks}, "wheels.txt", locks["wheels.txt"], texts)})
    assert bad["failed"] and "hash" in bad["msg"].lower(), bad["msg"]
    assert not host.file(f"{SITE}/six.py").exists
    halved = {**locks, "wheels.txt": locks["wheels.txt"] + "# x\n"}
    bad = conda_env(BASIC, locks={"case": halved})
    assert "not the one lock.json was written for" in bad["msg"]
    assert not conda_env(BASIC, locks={"case": locks}).get("failed")


def test_a_lock_for_another_gpu_generation_is_refused_with_the_reason(conda_env, case, host):
    plan = {
        "gpus": [{"architecture": "blackwell", "usable": True}],
        "frameworks": {"pytorch": {"requirements": ["six"], "build": "cu130", "python": "3.11", "gpu": True}},
    }
    pascal = {**plan, "gpus": [{"architecture": "pascal", "usable": True}]}
    pascal["frameworks"] = {"pytorch": {**plan["frameworks"]["pytorch"], "build": "cu126"}}
    torch = {"name": "case", "kernel": False, "framework": "pytorch"}
    assert not conda_env(torch, plan=pascal).get("failed")
    locks = {"case": locks_of(host, "case")}
    assert not conda_env(torch, plan=pascal, locks=locks).get("failed")
    bad = conda_env(torch, plan=plan, locks=locks)
    assert bad["failed"]
    for part in ("pascal", "cu126", "blackwell", "cu130", "./dlbox lock case"):
        assert part in bad["msg"]
    assert "no usable GPU" not in bad["msg"]
    declared = conda_env({**torch, "wheels": ["iniconfig"]}, plan=pascal, locks=locks)
    assert declared["failed"] and "older than its declaration" in declared["msg"]


def test_an_unsolvable_request_is_explained_and_the_others_are_made(conda_env, host):
    impossible = {"name": "impossible", "conda": ["fixture-impossible"]}
    wheels = {"name": "wheelless", "kernel": False, "wheels": ["six==99"]}
    result = conda_env(impossible, wheels, {**BASIC, "name": "sound"})
    assert result["failed"]
    assert "fixture-prefix >=9, for which no candidates were found" in result["msg"]
    assert "impossible:" in result["msg"] and "wheelless:" in result["msg"] and "six==99" in result["msg"]
    assert "Traceback" not in result["msg"]
    assert of(result, "sound")["status"] == "created"
    assert not host.file("/opt/conda/envs/impossible").exists and not host.file("/opt/conda/envs/wheelless").exists
    conda_env({"name": "sound", "state": "absent"})


def test_a_missing_channel_is_named(conda_env):
    result = conda_env({"name": "nowhere"}, channels=["file:///srv/no-channel"])
    assert result["failed"] and "/srv/no-channel" in result["msg"]
    result = conda_env({"name": "nowhere"}, channels=["https://127.0.0.1:9/conda-forge"])
    assert result["failed"] and "https://127.0.0.1:9/conda-forge" in result["msg"]


def test_the_defaults_channel_and_mixed_frameworks_are_refused_before_anything(conda_env):
    mixed = {"name": "both", "framework": "pytorch", "wheels": ["tensorflow[and-cuda]"]}
    result = conda_env(mixed, {"name": "Ä/x"}, {"name": "n", "python": 3.12}, channels=["defaults"])
    assert result["failed"]
    for part in ("pytorch and tensorflow", "own environment", "'Ä/x'", "terms", "in quotes"):
        assert part in result["msg"]


def test_a_full_disk_is_named_and_the_next_run_completes(conda_env, host):
    # 80 MB: enough for the caches and Python, not for the 60 MB package beside them.
    host.check_output("mkdir -p /mnt/small && mount -t tmpfs -o size=80m tmpfs /mnt/small")
    large = {"name": "large", "kernel": False, "conda": ["fixture-large"]}
    try:
        result = conda_env(large, root="/mnt/small/conda", channels=[CHANNEL])
        assert result["failed"] and "disk is full" in result["msg"] and "`root`" in result["msg"], result["msg"]
        assert host.file("/mnt/small/conda/envs/large").mode == 0o700
        host.check_output("mount -o remount,size=300m /mnt/small")
        result = conda_env(large, root="/mnt/small/conda", channels=[CHANNEL])
        assert of(result, "large")["status"] == "completed"
        assert not conda_env(large, root="/mnt/small/conda", channels=[CHANNEL], verify="full")["changed"]
    finally:
        host.check_output("umount /mnt/small")


# A channel with one package whose list of files leaves the environment: the link that its name begins with is only in
# the package, so that there the file is found in it, and in the environment the dots begin at a folder.
LEAVES = """
import hashlib, io, json, pathlib, tarfile
deep = "d1/d2/d3/d4/d5/d6/d7/d8"
record = {"name": "leaves", "version": "1", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch",
          "noarch": "generic"}
entry = {"_path": "way/../../../../../srv/planted", "path_type": "hardlink", "size_in_bytes": 5,
         "sha256": hashlib.sha256(b"owned").hexdigest()}
files = {"info/index.json": json.dumps(record), "info/files": entry["_path"], "info/about.json": "{}",
         "info/paths.json": json.dumps({"paths": [entry], "paths_version": 1}),
         f"{deep}/file": "", "d1/d2/d3/srv/planted": "owned"}
noarch = pathlib.Path("/srv/leaving/noarch")
noarch.mkdir(parents=True, exist_ok=True)
with tarfile.open(noarch / "leaves-1-0.tar.bz2", "w:bz2") as tar:
    for name, text in files.items():
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(text), 0o644
        tar.addfile(info, io.BytesIO(text.encode()))
    link = tarfile.TarInfo("way")
    link.type, link.linkname = tarfile.SYMTYPE, deep
    tar.addfile(link)
data = (noarch / "leaves-1-0.tar.bz2").read_bytes()
record |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
(noarch / "repodata.json").write_text(json.dumps({"packages": {"leaves-1-0.tar.bz2": record}}))
(noarch.parent / "linux-64").mkdir(exist_ok=True)
(noarch.parent / "linux-64/repodata.json").write_text(json.dumps({"packages": {}}))
"""


def test_a_package_writes_nothing_outside_of_its_environment(conda_env, host):
    """Observed: rattler wrote /srv/planted as root. Needs a kernel with Landlock of version 2 (5.19)."""
    host.check_output(f"python3 - <<'END'\n{LEAVES}\nEND")
    evil, good = ({"name": name, "kernel": False, "conda": [what]} for name, what in (("e", "leaves"), ("g", "tqdm")))
    try:
        result = conda_env(evil, good, channels=["file:///srv/leaving", CHANNEL])
        assert result["failed"] and "leaves" in result["msg"], result["msg"]
        assert not host.file("/srv/planted").exists, result["msg"]
        assert of(result, "g")["status"] == "created"
    finally:
        host.check_output(
            "rm -rf /srv/leaving /srv/planted /opt/conda/envs/e /opt/conda/envs/g /opt/conda/.cache/pkgs/leaves*"
        )


def test_only_an_environment_is_removed(conda_env, case, host):
    host.check_output("mkdir -p /opt/conda/envs/letters && touch /opt/conda/envs/letters/one")
    host.check_output("ln -sfn /etc /opt/conda/envs/link")
    for name in ("letters", "link"):
        result = conda_env({"name": name, "state": "absent"})
        assert result["failed"] and "not a conda environment" in result["msg"]
        result = conda_env({"name": name})
        assert result["failed"] and "left alone" in result["msg"]
    assert host.file("/opt/conda/envs/letters/one").exists and host.file("/etc/passwd").exists
    host.check_output("rm -r /opt/conda/envs/letters /opt/conda/envs/link")
    gone = conda_env({"name": "case", "state": "absent"}, check=True)
    assert gone["changed"] and host.file(CASE).exists
    assert conda_env({"name": "case", "state": "absent"})["changed"]
    assert not host.file(CASE).exists and host.check_output("ls -A /opt/conda/envs | grep -c removed || true") == "0"
    assert not conda_env({"name": "case", "state": "absent"})["changed"]


def test_an_environment_of_somebody_else_is_left_alone(conda_env, host):
    host.check_output("mkdir -p /opt/conda/envs/theirs/conda-meta && touch /opt/conda/envs/theirs/conda-meta/history")
    result = conda_env({"name": "theirs"})
    assert result["failed"] and "did not make" in result["msg"]
    host.check_output("rm -r /opt/conda/envs/theirs")


def test_everything_from_one_directory(conda_env, host):
    host.check_output(
        f"{CASE.replace('case', 'jupyter')}/bin/python -m pip download -q --no-deps -d /srv/wheels six==1.16.0"
    )
    wanted = {**BASIC, "name": "offline", "conda": ["tqdm"]}
    sources = {"root": "/opt/elsewhere", "channels": [CHANNEL], "offline": True, "find_links": ["/srv/wheels"]}
    result = conda_env(wanted, **sources)
    assert of(result, "offline")["status"] == "created", result
    assert not conda_env(wanted, **sources)["changed"]
    host.check_output("rm -rf /opt/elsewhere")


def test_a_gpu_of_the_plan_chooses_the_gpu_build(conda_env, host):
    wanted = {"name": "accel", "kernel": False, "conda": ["fixture-accel"]}
    plan = {"gpus": [{"architecture": "ada", "usable": True}], "cuda": {"version": "12.9"}}
    conda_env(wanted)
    assert host.file("/opt/conda/envs/accel/share/fixture/accel").content_string == "cpu\n"
    conda_env(wanted, plan=plan)
    assert host.file("/opt/conda/envs/accel/share/fixture/accel").content_string == "cuda\n"
    conda_env({"name": "accel", "state": "absent"})
