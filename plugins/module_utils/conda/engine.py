"""The engines: py-rattler for conda packages, uv for wheels. The only file that knows their interfaces.

Not the conda command: 171 packages from a warm cache take it 34 s and mamba 16 s where rattler takes 0.6 s, and what it
would do, for check mode, has to be parsed from its output.

Written against py-rattler 0.28 and uv 0.13. Everything here runs in a forked child (child.py); rattler is imported
inside the functions, so that a host without it can still be told what would be done, and so are asyncio and
interpreter.py, whose import takes longer than to find that there is nothing to do.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .confine import write_only_below
from .credentials import credential_for, headers, redact, with_credential
from .definitions import EnvironmentSpec, requirement_name
from .installed import conda_ident, file_digest
from .progress import amount
from .sources import Sources, WheelIndex, index_of, indexes

# Wheels are chosen for the oldest supported host (Ubuntu 22.04), so that one lock serves all of them.
WHEEL_PLATFORM = "x86_64-manylinux_2_35"
LINUX = "5.15"


@dataclass
class CondaRecord:
    """What a solve or a lock says of one package. size: bytes to download; for_python: it is a Python distribution."""

    name: str
    version: str
    ident: str
    size: int
    for_python: bool = False


def available() -> str:
    """ "" when the engines can be used by this interpreter, else what is missing."""
    try:
        import rattler  # noqa: F401
    except ImportError as error:
        return str(error)
    return "" if uv_program().exists() else f"{uv_program()} is missing"


def uv_program() -> Path:
    """uv lies beside the interpreter that runs this."""
    return Path(sys.executable).parent / "uv"


def client(sources: Sources) -> Any:
    """An HTTP client that retries and knows the mirrors; locks keep the canonical URLs."""
    import rattler
    from rattler.networking import AddHeadersMiddleware, AuthenticationMiddleware, MirrorMiddleware, RetryMiddleware

    trust(sources)
    os.environ["TMPDIR"] = temporary(sources)
    online = {}
    for channel, urls in sources.mirrors.items():
        if others := [url for url in urls if not url.startswith("file:")]:
            online[channel] = others
    mirrors = [MirrorMiddleware(online)] if online else []
    known = sources.credentials
    # After the mirrors: a request carries the credential of where it goes.
    own = [AddHeadersMiddleware(lambda host, path: headers(host, path, known))] if known else []
    return rattler.Client([RetryMiddleware(), *mirrors, AuthenticationMiddleware(), *own])


def folders(sources: Sources) -> dict[str, str]:
    """Channel -> its mirror in a folder of this machine, both as URLs that end with a slash."""
    found = {}
    for channel, urls in sources.mirrors.items():
        here = [url for url in urls if url.startswith("file:") and Path(unquote(urlsplit(url).path)).is_dir()]
        if here:
            found[f"{channel.rstrip('/')}/"] = f"{here[0].rstrip('/')}/"
    return found


def moved(url: str, places: Mapping[str, str]) -> str:
    """`url` with another beginning: a folder's for its channel's, or the channel's again."""
    for old, new in places.items():
        if url.startswith(old):
            return new + url[len(old) :]
    return url


def move(records: Sequence[Any], places: Mapping[str, str]) -> Sequence[Any]:
    """The records, taken from elsewhere."""
    for record in records:
        there = moved(str(record.url), places)
        if there != str(record.url):
            record.url = there
            record.channel = there.removesuffix(f"{record.subdir}/{there.rpartition('/')[2]}")
    return records


def trust(sources: Sources) -> None:
    """Make both engines trust the host's certificates, a company's own among them."""
    if sources.ca_bundle and Path(sources.ca_bundle).exists():
        os.environ["SSL_CERT_FILE"] = sources.ca_bundle


def temporary(sources: Sources) -> str:
    """The engines' folder for passing files, made where it is missing.

    In /tmp uv leaves locks that every account can hold for ever, and nothing can be run where it is mounted noexec.
    """
    folder = Path(sources.cache, "tmp")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)


def gateway(sources: Sources) -> Any:
    """The reader of channel indexes, with its cache."""
    import rattler

    action = "force-cache-only" if sources.offline else "cache-or-fetch"
    config = rattler.SourceConfig(cache_action=action)
    # A channel in a folder is read also when the network is off.
    return rattler.Gateway(
        cache_dir=Path(sources.cache, "repodata"),
        client=client(sources),
        default_config=config,
    )


def virtual_packages(cuda: str, glibc: str) -> list[Any]:
    """What the host offers packages. glibc: its version, "" when it is this machine; cuda: its version, "" for none."""
    import rattler

    def forged(name: str, version: str, build: str = "0") -> Any:
        return rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
        )

    if not glibc:
        found = [package.into_generic() for package in rattler.VirtualPackage.detect()]
        found = [package for package in found if not cuda or package.name.normalized != "__cuda"]
    else:
        found = [
            forged("__unix", "0"),
            forged("__linux", LINUX),
            forged("__glibc", glibc),
            forged("__archspec", "1", "x86_64"),
        ]
    return [*found, forged("__cuda", cuda)] if cuda else found


def names_in(channels: Sequence[str], names: Sequence[str], reader: Any) -> list[str]:
    """Those of `names` that one of the channels has."""
    import asyncio

    answer = asyncio.run(reader.query(list(channels), ["linux-64", "noarch"], list(names), recursive=False))
    found = {record.name.normalized for channel in answer for record in channel}
    return [name for name in names if name in found]


def plain(record: Any) -> CondaRecord:
    """A rattler record as plain values."""
    digest = record.sha256.hex() if record.sha256 else None
    return CondaRecord(
        record.name.normalized,
        str(record.version),
        conda_ident(str(record.version), record.build, digest, str(record.url)),
        record.size or 0,
        record.name.normalized != "python_abi" and any(str(d).split()[0] == "python" for d in record.depends),
    )


def describe(text: str) -> list[CondaRecord]:
    """The packages in a conda.lock."""
    return [plain(record) for record in locked(text)]


def solve(request: EnvironmentSpec, sources: Sources, prefix: Path | None, glibc: str = "") -> tuple[str, list[str]]:
    """Choose the conda packages of `request`: (text of conda.lock, optional names that no channel has).

    prefix: an existing environment whose packages are preferred, None to choose afresh. An unsolvable request raises
    with the solver's explanation.
    """
    import asyncio

    import rattler

    reader = gateway(sources)
    here = folders(sources)
    channels = [here.get(f"{str(rattler.Channel(name).base_url).rstrip('/')}/", name) for name in request.channels]
    optional = names_in(channels, request.optional, reader) if request.optional else []
    specs = [rattler.MatchSpec(text) for text in [*request.specs(), *optional]]
    preferred = []
    if prefix is not None:
        preferred = [
            rattler.PrefixRecord.from_path(record) for record in sorted((prefix / "conda-meta").glob("*.json"))
        ]
    try:
        records = asyncio.run(
            rattler.solve(
                channels,
                specs,
                gateway=reader,
                virtual_packages=virtual_packages(request.cuda, glibc),
                locked_packages=preferred,
                **({"exclude_newer": parse_time(sources.exclude_newer)} if sources.exclude_newer else {}),
            )
        )
    except Exception as error:
        raise RuntimeError(explain_solve(request, str(error))) from error
    text = lock_text(request, move(records, {folder: channel for channel, folder in here.items()}))
    return text, [name for name in request.optional if name not in optional]


def parse_time(text: str) -> Any:
    """An ISO date or time as rattler takes it."""
    import datetime

    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def explain_solve(request: EnvironmentSpec, text: str) -> str:
    """The solver's explanation with what was asked for and where."""
    return (
        f"conda packages cannot be chosen. Asked for: {', '.join(request.specs())}; "
        f"channels: {', '.join(request.channels)}. "
        f"The solver says: {text.strip()}"
    )


def lock_text(request: EnvironmentSpec, records: Sequence[Any]) -> str:
    """conda.lock for `records`."""
    from rattler import Channel, LockChannel, LockFile, LockPlatform, Subdir

    platform = LockPlatform(str(Subdir.current()))
    lock = LockFile([platform])
    lock.set_channels("default", [LockChannel(Channel(channel).base_url) for channel in request.channels])
    for record in sorted(records, key=lambda r: r.name.normalized):
        lock.add_conda_package("default", platform, record)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "conda.lock")
        lock.to_path(file)
        return file.read_text()


def locked(text: str) -> list[Any]:
    """The rattler records in a conda.lock."""
    from rattler import LockFile, Subdir

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "conda.lock")
        file.write_text(text)
        lock = LockFile.from_path(file)
    environment = lock.environment("default")
    if environment is None:
        raise ValueError("conda.lock has no environment `default`")
    here = next((p for p in environment.platforms() if p.subdir == Subdir.current()), None)
    if here is None:
        raise ValueError(f"conda.lock is not for {Subdir.current()}")
    return list(environment.conda_repodata_records_for_platform(here))


def refuse_other_bytes(records: Sequence[Any], pkgs: Path) -> None:
    """See to it that what gets linked has the hashes of `records`, where rattler 0.28 does not.

    It verifies what it downloads, but no package of a channel in a folder, and with a full check of the cache it takes
    a cached package of the same name for the one that was asked for.
    """
    for record in records:
        wanted = record.sha256.hex() if record.sha256 else ""
        cached = pkgs / f"{record.name.normalized}-{record.version}-{record.build}"
        # 8 bytes of revision, then the SHA-256 of the package that was unpacked.
        note = cached.with_name(f"{cached.name}.lock")
        known = note.read_bytes()[8:40].hex() if note.exists() else ""
        if wanted and cached.is_dir() and len(known) == 64 and known != wanted:
            shutil.rmtree(cached)
            note.unlink()
        file = Path(unquote(urlsplit(str(record.url)).path)) if str(record.url).startswith("file:") else None
        if wanted and file and not cached.is_dir() and file.exists() and file_digest(file) != wanted:
            raise ValueError(f"hash mismatch: {file} has SHA-256 {file_digest(file)}, expected {wanted}")


def install(prefix: Path, text: str, again: set[str], sources: Sources, tell: Callable[[str], None]) -> None:
    """Make the conda packages in `prefix` those of conda.lock `text`; install the packages `again` anew.

    tell: takes a line now and then that says how far it is.

    With `again`, the package cache is checked by content: files are hard links, so what damaged the environment may
    have damaged the cache. For a process of its own, which can write nothing else afterwards.
    """
    import asyncio

    import rattler

    # Before there are threads: rattler takes the paths in a package for what they say, and may write nowhere else.
    os.environ["TMPDIR"] = tempfile.tempdir = temporary(sources)
    write_only_below([prefix, Path(sources.cache)])
    have = []
    for record in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            have.append(rattler.PrefixRecord.from_path(record))
        except Exception:
            record.unlink()  # unreadable: forgotten, so that its package is installed anew

    class Counter(rattler.InstallerReporter):  # type: ignore[misc]  # rattler is not there on the controller
        """What rattler tells of its transaction."""

        done = total = 0
        told = 0.0

        def on_transaction_start(self, total_operations: int) -> None:
            """Take the number of packages that come, change or go."""
            self.total = total_operations

        def on_transaction_operation_complete(self, operation: int) -> None:
            """Count one."""
            self.done += 1
            if time.monotonic() - self.told >= 1:
                self.told = time.monotonic()
                tell(f"conda packages, {self.done} of {self.total}")

    mode = rattler.ValidationMode.full() if again else rattler.ValidationMode.fast()
    cache = rattler.PackageCache.new_layered([str(Path(sources.cache, "pkgs"))], validation_mode=mode)
    names = {record.name.normalized for record in have}
    records = move(locked(text), folders(sources))
    refuse_other_bytes(records, Path(sources.cache, "pkgs"))
    asyncio.run(
        rattler.install(
            records,
            prefix,
            package_cache=cache,
            client=client(sources),
            installed_packages=have,
            reinstall_packages=again & names,
            reporter=Counter(),
            execute_link_scripts=False,
        )
    )


# ---- wheels ----------------------------------------------------------------------------------------------------------


# What uv says of steps that went well.
UV_STEPS = ("Using ", "Resolved ", "Prepared ", "Uninstalled ", "Installed ", " + ", " - ", " ~ ")
UV_BEGINS = re.compile(r"Downloading (\S+) \(([0-9.]+)([KMGT]?)iB\)")
UV_ENDS = re.compile(r" Downloaded (\S+)")


class Downloads:
    """The downloads that uv tells of, which are the larger ones; as text how much of how much, and what is left."""

    def __init__(self) -> None:
        """Begin without any."""
        self.sizes: dict[str, float] = {}
        self.left: list[str] = []

    def read(self, line: str) -> bool:
        """Take one line of uv; whether it was about a download."""
        if begins := UV_BEGINS.match(line):
            name, number, unit = begins.groups()
            self.sizes[name] = float(number) * 1024 ** " KMGT".index(unit or " ")
            self.left.append(name)
        elif ends := UV_ENDS.match(line):
            self.left = [name for name in self.left if name != ends[1]]
        return bool(begins or ends)

    def __str__(self) -> str:
        """As in `wheels, 1.1 of 2.9 GB (torch is left)`."""
        total = sum(self.sizes.values())
        largest = sorted(self.left, key=lambda name: -self.sizes[name])[:3]
        more = f" and {len(self.left) - 3} more" if len(self.left) > 3 else ""
        left = f" ({', '.join(largest)}{more} left)" if largest else ""
        return amount(total - sum(self.sizes[name] for name in self.left), total) + left


def uv_environment(sources: Sources) -> dict[str, str]:
    """uv's settings, and nobody else's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "PIP_", "PYTHON", "CONDA", "VIRTUAL_ENV"))}
    own = {
        "UV_CACHE_DIR": str(Path(sources.cache, "uv")),
        "TMPDIR": temporary(sources),
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "UV_HTTP_TIMEOUT": "120",
        "UV_LINK_MODE": "hardlink",
        "NO_COLOR": "1",
    }
    if sources.ca_bundle and Path(sources.ca_bundle).exists():
        own["SSL_CERT_FILE"] = sources.ca_bundle
    return {**kept, **own}


def uv_sources(found: Sequence[WheelIndex], sources: Sources) -> tuple[list[str], dict[str, str]]:
    """Options and variables for the first of these indexes as the only one for all, and the credentials of all."""
    options, variables = [], {}
    for index in found:
        if credential := credential_for(index.url, sources.credentials):
            username, password = credential.pair()
            variables[f"UV_INDEX_{index.name.upper()}_USERNAME"] = username
            variables[f"UV_INDEX_{index.name.upper()}_PASSWORD"] = password
    first = found[0]
    links = [*sources.find_links, *([first.folder()] if first.folder() else [])]
    if sources.folders_only():
        links += [place for entry in sources.wheel_indexes if (place := WheelIndex("", entry["url"]).folder())]
    if first.folder() or sources.folders_only():
        options.append("--no-index")
    elif first.url:
        options += ["--default-index", f"{first.name}={first.url}"]
    if any(credential_for(place, sources.credentials) for place in links):
        variables["UV_FIND_LINKS"] = ",".join(with_credential(place, sources.credentials) for place in links)
    else:
        options += [part for place in links for part in ("--find-links", place)]
    if sources.offline:
        options.append("--offline")
    return options, variables


def uv(
    arguments: Sequence[str],
    sources: Sources,
    what: str,
    variables: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
) -> None:
    """Run uv. A failure raises with uv's own explanation. tell: takes a line now and then that says how far it is."""
    downloads = Downloads()
    command = [str(uv_program()), *arguments, *(() if tell else ("--quiet",))]
    environment = {**uv_environment(sources), **(variables or {})}
    with subprocess.Popen(
        command, env=environment, cwd="/", text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        said = []
        for line in process.stderr or ():
            if tell and downloads.read(line):
                tell(f"wheels, {downloads}")
            else:
                said.append(line.rstrip())
    if process.returncode:
        told = "\n".join(
            line for line in said if line and not line.startswith(("warning:", *(UV_STEPS if tell else ())))
        )
        if os.strerror(errno.ENOSPC).lower() in told.lower():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), what)
        raise RuntimeError(redact(f"{what}: {told}", sources.credentials))


def project(request: EnvironmentSpec, names: Sequence[str], python: str, found: Sequence[WheelIndex]) -> str:
    """A pyproject.toml that asks for the wheels of `request` and for `names`, each from the index that it belongs to.

    An index is explicit: nothing comes from it but what is named for it. uv reads the requirements as PEP 508 alone,
    so that none can be an option of uv's.
    """
    asked = [*request.wheels, *names]
    named = sorted({requirement_name(text) for text in asked})
    lines = ["[project]", 'name = "dlbox-environment"', 'version = "0"', f'requires-python = "=={python}"']
    lines.append(f"dependencies = {json.dumps(asked)}")
    for index in found[1:]:
        place = index.folder()
        lines += ["[[tool.uv.index]]", f"name = {json.dumps(index.name)}", "explicit = true"]
        lines += [f"url = {json.dumps(Path(place).as_uri() if place else index.url)}"]
        lines += ['format = "flat"'] if place else []
    lines.append("[tool.uv.sources]")
    lines += [
        f"{json.dumps(name)} = {{index = {json.dumps(index_of(name, found).name)}}}"
        for name in named
        if index_of(name, found) is not found[0] and not any(is_url(t) for t in asked if requirement_name(t) == name)
    ]
    return "\n".join(lines) + "\n"


def is_url(requirement: str) -> bool:
    """Whether a requirement names its file itself (PEP 508: `name @ url`)."""
    return bool(re.match(r"[^;@]*@", requirement))


def compile_wheels(
    request: EnvironmentSpec, sources: Sources, python: str, owned: Mapping[str, str], prefer: str
) -> str:
    """Choose the wheels of `request`: the text of wheels.txt, with hashes.

    python: full version of the interpreter that conda brings; owned: distributions that conda brings (name -> version),
    which wheels must fit and never replace; prefer: an earlier wheels.txt whose versions are kept where they fit.

    uv takes only what is asked for itself from an explicit index, so whatever else is named for one (a private package
    that another one needs) is asked for too, until nothing more turns up.
    """
    if not request.wheels:
        return ""
    found = indexes(request, sources)
    named = frozenset(name for index in found for name in index.packages)
    asked = {requirement_name(text) for text in request.wheels}
    needed: set[str] = set()
    while True:
        try:
            text = resolve(request, sources, python, owned, prefer, sorted(needed), found)
        except RuntimeError:
            # Perhaps because what a package needs is only on an index of its own: look which that is.
            if needed or not named - asked:
                raise
            needed = named_in(resolve(request, sources, python, owned, prefer, [], found, True), named) - asked
            if not needed:
                raise
            continue
        more = named_in(text, named) - asked - needed
        if not more:
            return text
        needed |= more


def named_in(wheels: str, names: frozenset[str]) -> set[str]:
    """Those of `names` that a wheels.txt pins."""
    return {
        name for name in (requirement_name(line) for line in wheels.splitlines() if line[:1].strip()) if name in names
    }


def resolve(
    request: EnvironmentSpec,
    sources: Sources,
    python: str,
    owned: Mapping[str, str],
    prefer: str,
    needed: Sequence[str],
    found: Sequence[WheelIndex],
    survey: bool = False,
) -> str:
    """One run of uv's resolver: the text of wheels.txt.

    survey: only to see which of the named packages are needed; the indexes that name them are asked first for anything.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "pyproject.toml"
        file.write_text(project(request, needed, python, found))
        (folder / "conda.txt").write_text("".join(f"{n}=={v}\n" for n, v in sorted(owned.items())))
        if prefer:
            (folder / "wheels.txt").write_text(prefer)
        options, variables = uv_sources(found, sources)
        if survey:
            options += [part for index in found[1:] for part in ("--index", f"{index.name}-survey={index.url}")]
            variables |= {
                key.replace(f"_{index.name.upper()}_", f"_{index.name.upper()}_SURVEY_"): value
                for key, value in variables.items()
                for index in found[1:]
            }
        arguments = [
            *("pip", "compile", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--only-binary", ":all:", "--no-emit-index-url", "--no-emit-find-links"),
            *("--python-version", python, "--python-platform", WHEEL_PLATFORM),
            *("--python", sys.executable),
            *("--constraint", str(folder / "conda.txt")),
            *(option for n in sorted(owned) for option in ("--no-emit-package", n)),
            *(("--exclude-newer", sources.exclude_newer) if sources.exclude_newer else ()),
            *options,
            *("--output-file", str(folder / "wheels.txt"), str(file)),
        ]
        uv(arguments, sources, f"wheels cannot be chosen. Asked for: {', '.join(request.wheels)}", variables)
        return (folder / "wheels.txt").read_text()


def uninstall_wheels(prefix: Path, names: Sequence[str], sources: Sources) -> None:
    """Remove distributions."""
    from .interpreter import answering_uv

    if names:
        with answering_uv(prefix, Path(sources.cache)) as python:
            arguments = ["pip", "uninstall", "--break-system-packages", "--python", python, *names]
            uv(arguments, sources, f"wheels cannot be removed ({', '.join(names)})")


def by_index(wheels: str, found: Sequence[WheelIndex]) -> dict[WheelIndex, str]:
    """Which pins of a wheels.txt come from which index."""
    out: dict[WheelIndex, str] = {}
    index = found[0]
    for line in wheels.splitlines(keepends=True):
        if line[:1].strip() and not line.startswith("#"):
            index = index_of(requirement_name(line), found)
        out[index] = out.get(index, "") + line
    return out


def install_wheels(
    request: EnvironmentSpec,
    text: str,
    again: Sequence[str],
    spoilt: Sequence[str],
    sources: Sources,
    tell: Callable[[str], None],
) -> None:
    """Install what wheels.txt `text` pins, checked against its hashes; the distributions `again` anew.

    tell: takes a line now and then that says how far it is.
    spoilt: those whose content differs. uv's files are hard links too, so their copy in the cache is thrown away.
    """
    from .interpreter import answering_uv

    if spoilt and not sources.offline:
        uv(["cache", "clean", *spoilt], sources, "the wheel cache cannot be cleaned")
    with answering_uv(Path(request.prefix), Path(sources.cache)) as python, tempfile.TemporaryDirectory() as name:
        file = Path(name, "wheels.txt")
        for index, pins in by_index(text, indexes(request, sources)).items():
            file.write_text(pins)
            options, variables = uv_sources([index], sources)
            arguments = [
                *("pip", "install", "--break-system-packages", "--python", python),
                *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile-bytecode"),
                *(option for n in again for option in ("--reinstall-package", n) if f"\n{n}==" in f"\n{pins}"),
                *options,
                *("--requirement", str(file)),
            ]
            uv(arguments, sources, "wheels cannot be installed", variables, tell)
