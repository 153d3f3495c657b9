"""Resolve the plan's driver into packages for this host's kernels and carry it out as one apt transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import aptsim, dkms, kernels, names
from .apt import Apt, Failed, Refused, Request

# Packages whose name carries a kernel or a version: the next version has others.
_OF_ONE_VERSION = re.compile(
    r"^(?:linux-(?:modules|objects)-nvidia-.*\d+\.\d+\.\d+-\d+-|nvidia-firmware-\d{3}.*-\d{3}\.\d)"
)
_TARGET = re.compile(r"^\s*\|?(?:Pre)?Depends: (linux-modules-nvidia-\S+)", re.MULTILINE)


@dataclass
class Order:
    """What the role asks of this host. provider: "prebuilt", "dkms" or "" for prebuilt where possible; the rest as in
    the role.
    """

    wish: names.Wish
    provider: str = ""
    version: str = ""
    packages: list[str] = field(default_factory=list)
    extra_packages: list[str] = field(default_factory=list)
    running_kernel: str = ""
    upgrade: bool = True
    hold: bool = True
    may_remove: list[str] = field(default_factory=list)
    sources_pending: bool = False


@dataclass
class Result:
    """What was done. provider: "prebuilt", "dkms" or None; notes: sentences for the owner; changes: apt's, a line
    each.
    """

    changed: bool = False
    provider: str | None = None
    install: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Driver:
    """The driver on this host, through an Apt."""

    def __init__(self, apt: Apt, order: Order, root: Path = Path("/")) -> None:
        """Read packages and kernels."""
        self.apt, self.order, self.root = apt, order, root
        self.reread()

    def reread(self) -> None:
        """Read packages and kernels again, after a change."""
        self.before = self.apt.packages()
        self.kernels = kernels.read_kernels(self.root)
        bootable = [kernel.release for kernel in self.kernels if kernel.bootable]
        installed = (name for name, package in self.before.items() if package.installed)
        self.flavours = kernels.flavours(installed, bootable)
        self.newest = kernels.newest(self.kernels)

    def prebuilt(self) -> tuple[list[str], str]:
        """Return Ubuntu's packages of signed modules for these kernels, or none and the reason why not."""
        wish = self.order.wish
        if wish.source != "ubuntu" or not self.flavours:
            return (
                [],
                "only Ubuntu's archive has signed modules" if wish.source != "ubuntu" else "no kernel found in /boot",
            )
        metas = [names.prebuilt_package(wish, flavour) for flavour in self.flavours]
        wanted = [self.order.running_kernel] if self._is_installed(self.order.running_kernel) else []
        wanted += [self.newest.release] if self.newest else []
        exact = {release: names.prebuilt_package(wish, release) for release in wanted}
        offered = self.apt.candidates([*metas, *exact.values()])
        absent = [name for name in metas if name not in offered]
        if absent:
            return [], f"the repository has no {', '.join(absent)}"
        chosen = {*metas, *(name for name in exact.values() if name in offered)}
        targets = _TARGET.findall(self.apt.run(["apt-cache", "depends", *metas]).out)
        if self.newest and exact[self.newest.release] not in offered:
            reach = max((kernels.release_key(_release(name, wish)) for name in targets), default=())
            if reach < kernels.release_key(self.newest.release):
                return [], f"the repository has no signed module for the newest kernel {self.newest.release}"
        return sorted(chosen), ""

    def _is_installed(self, release: str) -> bool:
        return any(kernel.release == release and kernel.bootable for kernel in self.kernels)

    def headers(self) -> list[str]:
        """Return the header packages that apt has for the flavours and every bootable kernel."""
        releases = [kernel.release for kernel in self.kernels if kernel.bootable]
        wanted = kernels.header_packages(self.flavours, releases)
        offered = self.apt.candidates(wanted)
        return [name for name in wanted if name in offered]

    def resolve(self) -> tuple[list[str], str | None, list[str]]:
        """Return the packages to have, the provider of the modules, and notes."""
        order, wish = self.order, self.order.wish
        notes: list[str] = []
        if order.packages:
            built = any(re.search(r"dkms", name) for name in order.packages)
            return [*order.packages, *order.extra_packages], "dkms" if built else None, notes
        base = [*names.userspace_packages(wish), *order.extra_packages]
        if not wish.kernel_modules:
            return base, None, notes
        if order.provider != "dkms":
            modules, reason = self.prebuilt()
            if modules:
                return [*base, *modules], "prebuilt", notes
            if order.provider == "prebuilt" or wish.source == "ubuntu":
                notes.append(f"modules are built on this machine, because {reason}")
        return [*base, *names.dkms_packages(wish), "dkms", *self.headers()], "dkms", notes

    def request(self, packages: list[str], provider: str | None) -> Request:
        """Return the transaction for the packages, with everything of other branches and flavours going in the same
        run.
        """
        order = self.order
        mine = [
            (name, package.version)
            for name, package in self.before.items()
            if package.installed and names.is_driver_package(name)
        ]
        remove = names.conflicting(mine, order.wish)
        # Names without branch (NVIDIA's from 590 on) are of every branch: they move with it instead of going.
        offered = self.apt.candidates(remove)
        changing = [n for n in remove if n in offered and not names.conflicting([(n, offered[n])], order.wish)]
        remove = [name for name in remove if name not in changing]
        if provider == "prebuilt":
            remove += [name for name in names.dkms_packages(order.wish) if self._has(name)]
        install = [name for name in packages if order.upgrade or not self._has(name) or name in changing]
        install += [name for name in changing if not order.upgrade and name not in packages]
        if order.upgrade:
            # All are on hold, so each has to be named to move: libraries, and the modules of every kernel.
            keep = sorted({name for name, _version in mine} - set(remove) - set(packages))
            moving, left = self._with_the_set(keep, packages)
            install += moving
            remove += left
        return Request(
            install=install,
            remove=sorted(set(remove)),
            allow_remove=[*order.may_remove],
        )

    def _has(self, name: str) -> bool:
        return name in self.before and self.before[name].installed

    def _with_the_set(self, names_: list[str], packages: list[str]) -> tuple[list[str], list[str]]:
        """Return what moves with the set, and what cannot: modules for a kernel that the archive left behind."""
        offered = self.apt.candidates([*names_, *packages])
        target = next((aptsim.upstream(offered[name]) for name in packages if name in offered), "")
        moving: list[str] = []
        left: list[str] = []
        for name in names_:
            version = offered.get(name, self.before[name].version)
            stuck = _OF_ONE_VERSION.match(name) and aptsim.upstream(version) != target
            (left if stuck else moving).append(name)
        return [name for name in moving if name in offered], left

    def judge(self, request: Request, change: aptsim.Change) -> None:
        """Raise Refused when the change would take other things away or leave parts of two branches."""
        family = [name for name in change.remove if names.is_driver_package(name)]
        request.allow_remove += [f"^{re.escape(name)}$" for name in family]
        try:
            self.apt.judge(request, change)
        except Refused as refusal:
            raise Refused(
                f"{refusal}; nothing was changed. Remove what no longer fits, or name it in nvidia_driver_may_remove"
            ) from refusal
        rest = aptsim.after(self.before, change)
        mixed = names.conflicting(((n, v) for n, v in rest.items() if names.is_driver_package(n)), self.order.wish)
        if mixed:
            raise Refused(
                f"afterwards parts of another branch than {self.order.wish.suffix} would be there: {', '.join(mixed)};"
                " nothing was changed. Is the driver's origin pinned, and does the repository have the whole branch?"
            )

    def apply(self, check: bool) -> Result:
        """Bring the host to the order; with check only say what would happen."""
        result = Result()
        contradictions = names.refusals(self.order.wish)
        if contradictions:
            raise Refused("; ".join(contradictions))
        broken = sorted(name for name, package in self.before.items() if package.broken)
        if broken:
            result.changed = True
            result.notes.append("an aborted run had left half configured: " + ", ".join(broken))
            if not check:
                self.apt.repair()
                self.reread()
        self._pin(check, result)
        packages, result.provider, notes = self.resolve()
        result.notes += notes
        request = self.request(packages, result.provider)
        result.install, result.remove = request.install, request.remove
        try:
            change = self.apt.simulate(request)
            self.judge(request, change)
        except Refused:
            if check and (self.order.sources_pending or broken):
                result.changed = True
                result.notes.append("not simulated, because the sources are not set up yet")
                return result
            raise
        result.changes = change.lines()
        result.changed = result.changed or not change.empty
        if not change.empty and not check:
            self._execute(request, change)
        self._hold(check, result)
        if result.provider == "dkms" and not (check and change.lines()):
            self._verify_builds(check, result)
        return result

    def _pin(self, check: bool, result: Result) -> None:
        """The pinning package of NVIDIA's repository has to be there, and no other, before the driver is resolved."""
        wanted = names.pinning_packages(self.order.wish, self.order.version)
        offered = self.apt.candidates(wanted)
        fresh = [name for name in wanted if name in offered and not self._has(name)]
        other = [n for n in self.before if n.startswith("nvidia-driver-pinning-") and self._has(n) and n not in wanted]
        if not fresh and not other:
            return
        result.changed = True
        result.changes += [f"install {name} {offered[name]}" for name in fresh] + [f"remove {name}" for name in other]
        if not check:
            self.apt.execute(Request(install=fresh, remove=other))
            self.before = self.apt.packages()

    def _execute(self, request: Request, change: aptsim.Change) -> None:
        before = self.before
        try:
            self.apt.execute(request)
        except Failed as failure:
            logs = self._failed_logs()
            rest = self.apt.roll_back(before, change)
            undone = rest or "the transaction was undone and apt is consistent"
            raise Failed(f"installing the driver failed; {undone}.\n{logs or failure}") from failure
        self.reread()

    def _failed_logs(self) -> str:
        builds = dkms.parse_status(self.apt.run(["dkms", "status"]).out)
        releases = [kernel.release for kernel in self.kernels if kernel.headers or kernel.bootable]
        fresh = [kernel.release for kernel in kernels.read_kernels(self.root) if kernel.headers]
        missing = dkms.missing_builds(builds, dict.fromkeys([*releases, *fresh]))
        if not builds or not missing:
            return ""
        tree = self.root / "var/lib/dkms"
        return "\n".join(f"DKMS build for kernel {release}: {dkms.failed_log(release, tree)}" for release in missing)

    def _hold(self, check: bool, result: Result) -> None:
        mine = {n: p for n, p in self.apt.packages().items() if p.installed and names.is_driver_package(n)}
        wrong = sorted(n for n, p in mine.items() if (p.want == "hold") != self.order.hold)
        if wrong:
            result.changed = True
            result.changes.append(f"{'hold' if self.order.hold else 'release'} {len(wrong)} packages")
            if not check:
                self.apt.select(wrong, "hold" if self.order.hold else "install")

    def _verify_builds(self, check: bool, result: Result) -> None:
        """Every installed kernel needs its module: build what is missing, fail with the compiler's line."""
        todo = [kernel for kernel in self.kernels if kernel.bootable or kernel.headers]
        builds = dkms.parse_status(self.apt.run(["dkms", "status"]).out)
        missing = dkms.missing_builds(builds, (kernel.release for kernel in todo))
        if not missing:
            return
        without_headers = {kernel.release for kernel in todo if not kernel.headers}
        for release in missing:
            if release in without_headers:
                needed = release in (self.order.running_kernel, self.newest.release if self.newest else "")
                text = f"kernel {release} has no headers (linux-headers-{release}), so no module was built for it"
                if needed:
                    raise Failed(f"{text}; install them, or remove that kernel")
                result.notes.append(text)
                continue
            result.changed = True
            if check:
                continue
            self.apt.run(["dkms", "autoinstall", "-k", release])
            builds = dkms.parse_status(self.apt.run(["dkms", "status"]).out)
            if dkms.missing_builds(builds, [release]):
                excerpt = dkms.failed_log(release, self.root / "var/lib/dkms")
                raise Failed(f"the NVIDIA module does not build for kernel {release}: {excerpt}")
        self.kernels = kernels.read_kernels(self.root)


def _release(package: str, wish: names.Wish) -> str:
    """Return the kernel release in the name of a package of signed modules."""
    return package.removeprefix(names.prebuilt_package(wish, ""))
