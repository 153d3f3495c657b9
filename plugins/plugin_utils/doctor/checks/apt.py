"""Packages: one origin for the driver, sources that apt can trust, keys that do not expire, upgrades that cannot break it."""

# What a check says is kept on one line, so that a message can be searched for.
# ruff: noqa: E501
from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from ....module_utils.host import apt_sources, gpg_keys
from ....module_utils.host.apt_sources import SourceEntry
from ..model import Context, Finding, check, fail, na, ok, warn
from .common import driver_packages, joined, packages

DISTRIBUTION_HOSTS = re.compile(r"(^|\.)(debian\.org|ubuntu\.com)$")
SOON = 60 * 86400  # seconds before a key's end from which the owner is told


class Source(NamedTuple):
    """What an entry of a source list names once: type, address, suite and component."""

    kind: str
    uri: str
    suite: str
    component: str


def entries(context: Context) -> list[SourceEntry]:
    """Every enabled entry of every source list."""
    read = [entry for path, text in context.evidence["apt_sources"].items() for entry in apt_sources.parse(text, path)]
    return [entry for entry in read if entry.enabled]


def sources(context: Context) -> list[tuple[Source, SourceEntry]]:
    """Everything that the entries name, each with its entry."""
    return [
        (Source(kind, entry.uri.rstrip("/"), suite, component), entry)
        for entry in entries(context)
        for kind in entry.types
        for suite in entry.suites
        for component in entry.components or [""]
    ]


@check("apt.nvidia-origin", ("package_origins",))
def nvidia_origin(context: Context) -> Finding:
    """The driver's packages come from one repository."""
    origins = {
        name: places
        for name, places in context.evidence["package_origins"].items()
        if re.search(r"nvidia|^libcuda1", name) and not re.search(r"container|cudnn|toolkit", name)
    }
    if not origins:
        return na("no driver package is installed")
    common = set.intersection(*({place.split()[0] for place in places} for places in origins.values()))
    if common:
        return ok(f"{len(origins)} packages from {joined(sorted(common))}")
    # Security and release pockets of one archive are one origin.
    hosts = {name: {_archive(place) for place in places} for name, places in origins.items()}
    orphans = sorted(name for name, places in hosts.items() if not places)
    if orphans:
        return warn(
            f"in no repository any more: {joined(orphans)}",
            "sudo apt update; if they stay, ./dlbox up brings the packages of the plan",
        )
    if set.intersection(*hosts.values()):
        return ok(f"{len(origins)} packages from {joined(sorted(set.intersection(*hosts.values())))}")
    groups = sorted({min(places) for places in hosts.values()})
    return fail(
        f"mixed origins: {joined(groups)}",
        "./dlbox up removes the second one; never add NVIDIA's repository beside the distribution's driver by hand",
    )


def _archive(place: str) -> str:
    """The archive that a repository address belongs to: distribution mirrors count as one."""
    uri = place.split()[0]
    if uri.startswith(("file:", "copy:")):
        return uri  # a directory on the host is its own archive
    host = re.sub(r"^\w+://", "", uri).split("/")[0].split(":")[0]
    return "the distribution" if DISTRIBUTION_HOSTS.search(host) else host


@check("apt.driver-branches", ("packages",))
def driver_branches(context: Context) -> Finding:
    """One driver branch is installed."""
    branches = {
        match.group(1) for name in driver_packages(context) for match in [re.search(r"-(\d{3})\b", name)] if match
    }
    if not branches:
        return na("no driver package with a branch in its name")
    if len(branches) > 1:
        return fail(
            f"branches {joined(sorted(branches))} are installed together",
            "./dlbox up: it changes the branch in one transaction; or apt purge the one that the plan does not name",
        )
    wanted = (context.plan.get("driver") or {}).get("branch")
    if wanted and str(wanted) not in branches:
        return warn(f"branch {joined(branches)} is installed, the plan says {wanted}", "./dlbox up")
    return ok(f"branch {joined(branches)}")


@check("apt.sources-duplicates", ("apt_sources",))
def sources_duplicates(context: Context) -> Finding:
    """No repository is listed twice."""
    seen: dict[Source, SourceEntry] = {}
    double: list[str] = []
    conflicts: list[str] = []
    for source, entry in sources(context):
        if source in seen:
            other = seen[source]
            text = f"{' '.join(filter(None, source[1:]))} ({other.file}, {entry.file})"
            (conflicts if other.signed_by.split() != entry.signed_by.split() else double).append(text)
        else:
            seen[source] = entry
    if conflicts:
        return fail(
            f"listed twice with different keys, which apt refuses: {joined(conflicts, 3)}",
            "Delete the older of the two files below /etc/apt/sources.list.d, then sudo apt update",
        )
    if double:
        return warn(f"listed twice: {joined(double, 3)}", "Delete one of the two entries, then sudo apt update")
    return ok(f"{len(seen)} entries, each once")


@check("apt.sources-signed", ("apt_sources",))
def sources_signed(context: Context) -> Finding:
    """Every repository is signed, third parties by their own key."""
    used = [(source.uri, entry) for source, entry in sources(context) if source.kind == "deb"]
    trusted = sorted({f"{uri} ({entry.file})" for uri, entry in used if entry.trusted})
    foreign = sorted(
        {
            f"{uri} ({entry.file})"
            for uri, entry in used
            if not entry.signed_by
            and _archive(uri) != "the distribution"
            and not uri.startswith(("file:", "copy:", "cdrom:"))
        }
    )
    if trusted:
        return fail(
            f"accepted without a signature: {joined(trusted, 3)}",
            "Remove trusted=yes and give the repository its key with signed-by",
        )
    if foreign:
        return warn(
            f"no key of its own, so any trusted key may sign it: {joined(foreign, 3)}",
            "Add Signed-By with the vendor's keyring to the entry",
        )
    return ok(f"{len(used)} entries, all signed")


@check("apt.keys", ("apt_keys", "apt_sources"))
def keys(context: Context) -> Iterator[Finding]:
    """No signing key has expired or will soon."""
    listings = context.evidence["apt_keys"]
    if not listings:
        yield na("no key files outside the distribution's own keyring")
        return
    if all(answer["rc"] is None for answer in listings.values()):
        yield na("gpg is not installed, so key dates are not readable")
        return
    used = {keyring for entry in entries(context) for keyring in entry.keyrings}
    now, fine = time.time(), 0
    for path, answer in sorted(listings.items()):
        # Only primary keys count: a retired signing subkey in a vendor's file is harmless.
        ends = [key.ends for key in gpg_keys.parse(answer["out"])]
        if answer["rc"] != 0 and not ends:
            severity = fail if path in used else warn
            yield severity(
                f"gpg cannot read it: {(answer['err'].strip().splitlines() or ['empty file'])[-1]}",
                "Fetch the vendor's key again",
                subject=path,
            )
            continue
        alive = [end for end in ends if end is None or end > now]
        if not alive:
            severity = fail if path in used or (path.startswith("/etc/apt/trusted.gpg.d") and not used) else warn
            date = time.strftime("%Y-%m-%d", time.gmtime(max(end for end in ends if end is not None)))
            yield severity(f"expired on {date}", "Fetch the vendor's new key, or remove the repository", subject=path)
        elif all(end is not None and end - now < SOON for end in alive) and path in used:
            days = int((max(end for end in alive if end is not None) - now) // 86400)
            yield warn(f"expires in {days} days", "Fetch the vendor's new key before then", subject=path)
        else:
            fine += 1
    if fine == len(listings):
        yield ok(f"{fine} key files are valid")


@check("apt.holds", ("packages", "apt_config"))
def holds(context: Context) -> Finding:
    """Unattended upgrades leave the driver alone."""
    drivers = driver_packages(context)
    if not drivers:
        return na("no driver package is installed")
    if not packages(context, r"^unattended-upgrades$"):
        return na("unattended-upgrades is not installed")
    held = {item["name"] for item in context.evidence["packages"]["known"] if item["hold"]}
    patterns = re.findall(
        r'^Unattended-Upgrade::Package-Blacklist:: "([^"]*)"',
        "\n".join(context.evidence["apt_config"]["lines"]),
        re.MULTILINE,
    )
    open_to_change = sorted(
        name for name in drivers if name not in held and not any(_matches(pattern, name) for pattern in patterns)
    )
    if open_to_change:
        return fail(
            f"may be upgraded under the loaded module: {joined(open_to_change)}",
            "./dlbox up writes the exclusion; by hand: sudo apt-mark hold " + " ".join(open_to_change[:3]),
        )
    return ok(f"{len(drivers)} driver packages are held or excluded")


def _matches(pattern: str, name: str) -> bool:
    """unattended-upgrades matches its expressions from the beginning of the name."""
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return False


@check("apt.state", ("packages",), quick=True)
def state(context: Context) -> Finding:
    """Every package is properly installed."""
    if context.evidence["packages"]["rc"] != 0:
        return fail("dpkg's database is not readable", "sudo dpkg --audit")
    broken = context.evidence["packages"]["broken"]
    if broken:
        return fail(
            f"half installed: {joined(broken)}",
            "sudo dpkg --configure -a && sudo apt --fix-broken install; a DKMS build that fails is the usual reason",
        )
    return ok("no package is half installed")


@check("apt.security-updates", ("updates", "apt_config"))
def security_updates(context: Context) -> Finding:
    """No security update is waiting."""
    if not context.evidence["apt_config"]["lists"]:
        return warn("apt has no package lists", "sudo apt update")
    found = context.evidence["updates"]
    if found["rc"] != 0:
        return fail(
            f"apt cannot plan an upgrade: {(found['err'].strip().splitlines() or ['no message'])[-1]}",
            "sudo apt --fix-broken install",
        )
    if found["security"]:
        return warn(
            f"{len(found['security'])} security updates wait: {joined(found['security'])}",
            "sudo apt upgrade, or wait for unattended-upgrades",
        )
    return ok(f"none ({len(found['all'])} other updates)")


@check("apt.lists-fresh", ("apt_config",))
def lists_fresh(context: Context) -> Finding:
    """Package lists are not old."""
    age = context.evidence["apt_config"]["age"]
    if not context.evidence["apt_config"]["lists"]:
        return na("apt has no package lists")
    if age > 14 * 86400:
        return warn(f"{age / 86400:.0f} days old", "sudo apt update; check that apt-daily.timer is enabled")
    return ok(f"{age / 3600:.0f} hours old")


@check("apt.unattended", ("apt_config", "packages"))
def unattended(context: Context) -> Finding:
    """Security updates install themselves."""
    if not packages(context, r"^unattended-upgrades$"):
        return warn("unattended-upgrades is not installed", "./dlbox up, or sudo apt install unattended-upgrades")
    lines = "\n".join(context.evidence["apt_config"]["lines"])
    value = re.search(r'^APT::Periodic::Unattended-Upgrade "(\w+)"', lines, re.MULTILINE)
    if not value or value.group(1) in ("0", "false", "no"):
        return warn(
            "installed, and switched off (APT::Periodic::Unattended-Upgrade)",
            "sudo dpkg-reconfigure -plow unattended-upgrades",
        )
    return ok("on")
