"""One environment: what state it is in, what it shall consist of, and the way from the one to the other."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from .. import run_as
from . import bytecode, child, engine, guards, installed, lockfile, manifest, progress
from .definitions import EnvironmentSpec, normal
from .installed import InstalledPackage
from .lockfile import Lock
from .sources import Sources

OWN = "conda-meta/dlbox"
# Exists from the first to the last moment of a change: an environment with it is not whole.
INCOMPLETE = f"{OWN}/incomplete"


@dataclass
class Inspection:
    """What an inspection found. action: "" (nothing to do), create, complete, change, repair or guard; why: sentences.

    damaged: paths that are gone or touched.
    """

    action: str = ""
    why: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


@dataclass
class Solution:
    """What the environment shall consist of. source: lock, own lock or solve; absent: optional names no channel has.

    packages: name -> version for conda, "name (wheel)" -> version for wheels; download: bytes of the conda packages.
    """

    lock: Lock
    source: str
    packages: dict[str, str] = field(default_factory=dict)
    idents: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    download: int = 0


@dataclass
class EnvironmentResult:
    """What was done, or would be. before and after: package -> version, for the diff."""

    name: str
    status: str = "ok"
    changed: bool = False
    why: list[str] = field(default_factory=list)
    source: str = ""
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""


def own_lock(prefix: Path) -> Lock | None:
    """The lock the environment was made from, None when there is none of dlbox's or it is damaged."""
    if not made_by_dlbox(prefix):
        return None
    try:
        return lockfile.parse(prefix.name, {name: (prefix / OWN / name).read_text() for name in lockfile.FILES})
    except (OSError, lockfile.LockError):
        return None


def others_write(path: Path) -> str:
    """Who else than root could change what lies at `path` or above; "" when root alone can. Not asked without root."""
    return run_as.root_only(path) if os.geteuid() == 0 else ""


def others_add(folder: Path) -> str:
    """Who else than root could replace what root makes in `folder`. In one with the sticky bit only names are added."""
    state = folder.stat()
    return others_write(folder.parent if state.st_mode & stat.S_ISVTX and state.st_uid == 0 else folder)


def made_by_dlbox(prefix: Path) -> bool:
    """Whether dlbox made what lies there. A record that anybody but root could have put there says nothing."""
    return (prefix / OWN).is_dir() and not others_write(prefix / OWN)


def refuse_foreign(request: EnvironmentSpec) -> bool:
    """Whether an environment or an empty folder of root's lies at the prefix, which nobody else can replace any more.

    Raises when something else lies there, or when others than root could put it there.
    """
    prefix = Path(request.prefix)
    if not prefix.exists() and not prefix.is_symlink():
        problem = others_add(next(folder for folder in prefix.parents if folder.exists()))
        if problem:
            raise PermissionError(
                f"{prefix} is not made: {problem}, who could put own programs in its place. Set `root` to a folder "
                "that root alone can write"
            )
        return False
    refuse_existing(request)
    return True


def refuse_existing(request: EnvironmentSpec) -> None:
    """Raise unless an environment of dlbox's or an empty folder lies at the prefix, which is root's alone.

    Whose it is, is read once and last: before, a member of the group may exchange it.
    """
    prefix = Path(request.prefix)
    if prefix.is_symlink() or not prefix.is_dir():
        raise FileExistsError(
            f"{prefix} is not a folder; it is left alone. Move it away or give the environment another name"
        )
    remedy = "Rename or remove it (conda env remove), or give the environment another name"
    if problem := others_write(prefix) or (others_write(prefix / OWN) if (prefix / OWN).exists() else ""):
        raise PermissionError(
            f"{prefix} was not made by dlbox: {problem}. It is neither changed nor run by root. {remedy}"
        )
    if (prefix / OWN).is_dir():
        return
    if (prefix / "conda-meta").is_dir():
        raise FileExistsError(f"{prefix} is a conda environment that dlbox did not make; it is left alone. {remedy}")
    # The role writes .condarc first, and keeps a copy of one that it changes: there after a first run that failed.
    beside = ("envs", ".cache", ".condarc", ".condarc.*~") if request.name == "base" else ()
    others = [p.name for p in prefix.iterdir() if not any(fnmatch(p.name, pattern) for pattern in beside)]
    if others:
        raise FileExistsError(
            f"{prefix} holds {', '.join(sorted(others)[:3])} and is not a conda environment; it is left alone. "
            "Move it away or give the environment another name"
        )


def inspect(request: EnvironmentSpec, owners: Lock | None, verify: str, renew: bool) -> Inspection:
    """What has to be done, without a solve and without the network. verify: quick (sizes and times), full (content)."""
    there = refuse_foreign(request)
    prefix = Path(request.prefix)
    if owners:
        lockfile.refuse_foreign(owners, request)
    if not there or not (prefix / OWN).is_dir():
        return Inspection("create", ["it is not there"])
    if (prefix / INCOMPLETE).exists():
        return Inspection("complete", ["an earlier run was interrupted"])
    lock = own_lock(prefix)
    if lock is None:
        return Inspection("repair", [f"its lock in {OWN} is gone or damaged"])
    if owners and lock.digest() != owners.digest():
        return Inspection("change", ["the lock is another"])
    if not owners and lock.meta.get("request") != request.digest():
        return Inspection("change", ["something else is declared"])
    if renew:
        return Inspection("change", ["newer packages are wanted"])
    found = manifest.compare(prefix)
    if found is None:
        return Inspection("complete", ["its list of files is missing"])
    if found.any():
        return Inspection("repair", told(found), [*found.gone, *found.touched])
    if verify == "full":
        conda = installed.conda_packages(prefix)
        packages = [*conda.values(), *installed.wheel_packages(prefix, conda).values()]
        bad = installed.damage(prefix, packages, full=True)
        if bad:
            return Inspection(
                "repair", [f"{name}: {what[0]}" for name, what in sorted(bad.items())], sorted(suspects(bad))
            )
    wrong = guards.wrong(request, lock.wheels)
    private = stat_mode(prefix) != 0o755
    if wrong or private:
        return Inspection("guard", [f"{', '.join(wrong) or 'the mode of the folder'} is not as it should be"])
    return Inspection()


def suspects(bad: Mapping[str, list[str]]) -> set[str]:
    """The paths in what `installed.damage` says."""
    return {text.split(" ", 2)[-1].removeprefix("of ") for texts in bad.values() for text in texts}


def told(found: manifest.Findings) -> list[str]:
    """Findings as sentences, the first few of each."""
    out = []
    for paths, word in ((found.gone, "gone"), (found.touched, "touched"), (found.added, "not declared")):
        if paths:
            out.append(f"{word}: {', '.join(paths[:3])}{f' and {len(paths) - 3} more' if len(paths) > 3 else ''}")
    return out


def stat_mode(path: Path) -> int:
    """A folder's permission bits."""
    return path.stat().st_mode & 0o7777


def lock_anew(
    request: EnvironmentSpec, sources: Sources, prefix: Path | None = None, prefer: str = "", glibc: str = ""
) -> tuple[Lock, list[str]]:
    """Solve: the lock, and the optional names that no channel has.

    prefix, prefer: what is installed and pinned now, kept where it fits. glibc: of
    the host, when that is another machine.
    """
    conda, absent = engine.solve(request, sources, prefix, glibc)
    records = engine.describe(conda)
    python = next((r.version for r in records if r.name == "python"), "")
    brought = {normal(r.name): r.version for r in records if r.for_python}
    lock = lockfile.make(request, conda, engine.compile_wheels(request, sources, python, brought, prefer))
    refuse_two_cudas(request, lock)
    return lock, absent


def choose(request: EnvironmentSpec, owners: Lock | None, sources: Sources, renew: bool) -> Solution:
    """Decide what the environment shall consist of: the owner's lock, else its own, else a solve."""
    prefix = Path(request.prefix)
    own = own_lock(prefix)
    absent: list[str] = []
    if owners:
        lock, source = owners, "lock"
    elif own and own.meta.get("request") == request.digest() and not renew:
        lock, source = own, "own lock"
    else:
        # What is there is kept where it fits; not for another GPU, where a CPU build would fit too.
        another_gpu = own is not None and own.meta.get("cuda") != request.cuda
        if renew or another_gpu or not made_by_dlbox(prefix):
            lock, absent = lock_anew(request, sources)
        else:
            lock, absent = lock_anew(request, sources, prefix, own.wheels if own else installed_pins(prefix))
        source = "solve"
    refuse_two_cudas(request, lock)
    records = engine.describe(lock.conda)
    return Solution(
        lock=lock,
        source=source,
        packages={r.name: r.version for r in records}
        | {f"{n} (wheel)": v for n, v in lockfile.pins(lock.wheels).items()},
        idents={r.name: r.ident for r in records},
        absent=absent,
        download=sum(r.size for r in records),
    )


def installed_pins(prefix: Path) -> str:
    """The installed wheels as requirements, for an environment that lost its lock."""
    wheels = installed.wheel_packages(prefix, installed.conda_packages(prefix), records=False)
    return "".join(f"{name}=={package.ident}\n" for name, package in sorted(wheels.items()))


def refuse_two_cudas(request: EnvironmentSpec, lock: Lock) -> None:
    """Raise when the wheels bring libraries for two CUDA generations, which would overwrite each other."""
    twice = lockfile.two_cudas(lock.wheels)
    if twice:
        raise ValueError(
            f"the wheels of {request.name} bring {', '.join(twice)} for two CUDA generations at once; they own the "
            "same files and would overwrite each other. Put the two frameworks into two environments, or choose builds "
            "of one CUDA generation"
        )


def before_of(prefix: Path) -> dict[str, str]:
    """Package -> version of what is installed now, named as in Choice.packages."""
    conda = installed.conda_packages(prefix)
    wheels = installed.wheel_packages(prefix, conda, records=False)
    out = {name: p.ident.split(" ")[0] for name, p in conda.items()}
    return out | {f"{name} (wheel)": p.ident for name, p in wheels.items()}


def apply(request: EnvironmentSpec, verdict: Inspection, choice: Solution, sources: Sources) -> dict[str, float]:
    """Make the environment what was chosen; seconds per step.

    Until the last step the environment is marked as not whole, and a new one can be entered by nobody but root: what a
    killed run leaves behind cannot be mistaken for an environment, and the next run completes it.
    """
    os.umask(0o022)
    prefix = Path(request.prefix)
    seconds: dict[str, float] = {}
    clock = time.monotonic()
    tell = partial(progress.note, sources.cache, request.name)

    def step(name: str, following: str) -> None:
        nonlocal clock
        seconds[name] = round(time.monotonic() - clock, 3)
        clock = time.monotonic()
        tell(following)

    # One environment at a time: two would download twice what they share. Byte code is compiled beside the next one's.
    with Path(sources.cache, "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        step("wait", "conda packages")
        packages, fresh = install(request, verdict, choice, sources, tell, step)

    bytecode.make(prefix, fresh)
    step("byte code", "list of files")

    guards.write(request, choice.lock.wheels)
    write_manifest(prefix, packages)
    (prefix / INCOMPLETE).unlink()
    prefix.chmod(0o755)
    step("finish", progress.MADE)
    return seconds


def install(
    request: EnvironmentSpec,
    verdict: Inspection,
    choice: Solution,
    sources: Sources,
    tell: Callable[[str], None],
    step: Callable[[str, str], None],
) -> tuple[list[InstalledPackage], list[InstalledPackage]]:
    """Install the packages of the choice, conda's and wheels: (all that are there now, those that need byte code)."""
    prefix = Path(request.prefix)
    create_folder(request)
    run_as.replace_file(prefix / INCOMPLETE, f"{request.digest()}\n", 0o644)
    (prefix / manifest.NAME).unlink(missing_ok=True)
    for name, text in choice.lock.texts().items():
        run_as.replace_file(prefix / OWN / name, text, 0o644)
    for folder in guards.pythons(prefix):
        (prefix / folder / "EXTERNALLY-MANAGED").unlink(missing_ok=True)

    conda = installed.conda_packages(prefix)
    wheels = installed.wheel_packages(prefix, conda)
    bad = installed.damage(prefix, [*conda.values(), *wheels.values()], frozenset(verdict.damaged))
    step("read", "conda packages")

    touched = {
        n
        for n in conda.keys() | choice.idents.keys()
        if n in bad or n not in conda or conda[n].ident != choice.idents.get(n)
    }
    if touched:
        bytecode.remove(prefix, [conda[n] for n in touched & conda.keys()])
        # Same version and build, other hash: rattler would look at the MD5 and let it be.
        same = {n for n in touched & conda.keys() if conda[n].ident.split()[:2] == choice.idents.get(n, "").split()[:2]}
        if error := child.run([partial(engine.install, prefix, choice.lock.conda, same, sources, tell)])[0].error:
            raise RuntimeError(error)
        conda = installed.conda_packages(prefix)
        other = sorted(n for n, ident in choice.idents.items() if n not in conda or conda[n].ident != ident)
        if other:
            raise ValueError(f"hash mismatch: {', '.join(other)} in {prefix} are not those of the lock")
        if "python" in touched:
            remove_other_pythons(prefix)
            bytecode.remove(prefix, conda.values())
    for record in (prefix / "conda-meta").glob("*.json"):
        run_as.set_mode(record, 0o644)  # rattler writes 0600 (pixi issue 4284): nobody else could list the environment
    step("conda", "wheels")

    changed_wheels = make_wheels(request, choice, conda, bad, sources, tell)
    wheels = installed.wheel_packages(prefix, conda)
    step("wheels", "byte code")

    fresh = [p for n, p in conda.items() if n in touched or "python" in touched]
    fresh += [p for n, p in wheels.items() if n in changed_wheels or "python" in touched]
    return [*conda.values(), *wheels.values()], fresh


def remove_other_pythons(prefix: Path) -> None:
    """Remove what another minor version's wheels left: their folder has no standard library any more."""
    for folder in prefix.glob("lib/python3.*"):
        if not folder.is_symlink() and not (folder / "os.py").exists():
            shutil.rmtree(folder)


def create_folder(request: EnvironmentSpec) -> None:
    """Make the prefix, closed until it is whole, or take the one of root's that is there."""
    prefix = Path(request.prefix)
    # Once more: a member of the group may have made one of this name since, and may do so at any moment until mkdir.
    refuse_foreign(request)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    try:
        prefix.mkdir(mode=0o700)
    except FileExistsError:
        refuse_existing(request)
    else:
        # Below a folder of the group conda (conda_group) it would be the group's, and everything in it.
        os.chown(prefix, -1, os.getegid())
        prefix.chmod(0o700)
    (prefix / OWN).mkdir(parents=True, exist_ok=True)


def make_wheels(
    request: EnvironmentSpec,
    choice: Solution,
    conda: Mapping[str, InstalledPackage],
    bad: Mapping[str, list[str]],
    sources: Sources,
    tell: Callable[[str], None],
) -> set[str]:
    """Make the wheels those of the lock; the names that were added, changed or repaired."""
    prefix = Path(request.prefix)
    have = installed.wheel_packages(prefix, conda)
    wanted = lockfile.pins(choice.lock.wheels)
    owned = installed.conda_distributions(prefix, conda)
    twice = sorted(f"{n} (conda {owned[n]}, wheel {v})" for n, v in wanted.items() if n in owned)
    if twice:
        raise ValueError(
            f"both conda and a wheel bring {', '.join(twice)}; the two would undo each other for ever. "
            "Ask for it on one side only, in `conda` or in `wheels`"
        )
    for package in have.values():
        if package.broken:
            # What an interrupted install left cannot be uninstalled by its own record.
            shutil.rmtree(prefix / package.info)
    drop = [n for n, p in have.items() if n not in wanted and not p.broken]
    bytecode.remove(prefix, [p for n, p in have.items() if n in drop or wanted.get(n) != p.ident])
    engine.uninstall_wheels(prefix, drop, sources)
    again = sorted(n for n in wanted if n in bad)
    missing = {n for n, v in wanted.items() if n not in have or have[n].ident != v or have[n].broken}
    if missing or again:
        spoilt = [n for n in again if any(not text.startswith("missing ") for text in bad[n])]
        engine.install_wheels(request, choice.lock.wheels, again, spoilt, sources, tell)
    return missing | set(again)


def write_manifest(prefix: Path, packages: list[InstalledPackage]) -> None:
    """Record every file of the packages, their byte code, their records and the lock."""
    cache_tag = bytecode.tag(prefix)
    paths: list[str] = []
    for package in packages:
        for entry in package.files:
            paths.append(entry.path)
            if cache_tag and entry.path.endswith(".py"):
                paths.append(bytecode.place(entry.path, cache_tag))
        if package.layer == "conda":
            paths.append(package.info)
    paths += [f"{OWN}/{name}" for name in lockfile.FILES]
    manifest.write(prefix, paths)


def refuse_removal(prefix: Path, root: Path) -> bool:
    """Whether an environment of root's lies there. Raises when something else does, or others could change it."""
    if not prefix.exists() and not prefix.is_symlink():
        return False
    if prefix.parent != root / "envs" or prefix.is_symlink() or not (prefix / "conda-meta").is_dir():
        raise ValueError(
            f"{prefix} is not a conda environment (no folder with conda-meta in it); it is left alone. "
            "Remove it by hand"
        )
    if problem := others_write(prefix):
        raise PermissionError(f"{prefix} was not made by dlbox: {problem}. It is left alone; its owner can remove it")
    return True


def remove(prefix: Path, root: Path, check: bool) -> bool:
    """Remove an environment that dlbox or conda made; whether there was one. Nothing else is ever removed."""
    if not refuse_removal(prefix, root):
        return False
    if not check:
        # Out of sight at once, so that an interrupted removal leaves no half environment behind.
        trash = tempfile.mkdtemp(prefix=f".removed-{prefix.name}-", dir=prefix.parent)
        prefix.rename(trash)
        shutil.rmtree(trash)
    return True


def clear_trash(root: Path) -> None:
    """Finish removals that were interrupted."""
    for trash in (root / "envs").glob(".removed-*"):
        if not others_write(trash):
            shutil.rmtree(trash, ignore_errors=True)


@contextmanager
def alone(root: Path, patience: float = 300.0) -> Iterator[None]:
    """Let one run at a time change environments; waits `patience` seconds for another."""
    place = next(folder for folder in (root, *root.parents) if os.path.lexists(folder))
    if problem := others_write(place) if place == root else others_add(place):
        raise PermissionError(f"{root} is not used: {problem}. Set `root` to a folder that root alone can write")
    root.mkdir(parents=True, exist_ok=True)
    # What is installed comes from there: nobody but root reads or writes it.
    (root / ".cache").mkdir(mode=0o700, exist_ok=True)
    (root / ".cache").chmod(0o700)
    with (root / ".cache" / progress.LOCK).open("w") as file:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES) or time.monotonic() > until:
                    raise OSError(
                        f"another run has been changing the environments in {root} for {patience:.0f} s; "
                        "wait for it, then run again"
                    ) from error
                time.sleep(0.5)
        yield


def explain(error: str, root: str, name: str) -> str:
    """An engine's error with the remedy where it is known."""
    if os.strerror(errno.ENOSPC).lower() in error.lower() or "os error 28" in error:
        free = shutil.disk_usage(root if Path(root).exists() else "/").free
        return (
            f"the disk is full ({root}, {free / 1e6:.0f} MB left). {name} is marked as incomplete and cannot be used; "
            f"make room or set `root` to a larger file system, then run again. Said: {error}"
        )
    if "hash mismatch" in error.lower():
        return (
            f"{error}\nThe file at the source is not the one that was locked: a damaged mirror, or somebody changed "
            "it. Nothing of it was installed"
        )
    return error
