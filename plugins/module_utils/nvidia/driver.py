"""Carry out the plan's driver as one apt transaction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..host import dpkg, kernels
from . import aptsim, dkms, holders, names
from .apt import Apt, Failed, Refused, Request

# Packages whose name carries a kernel or a version: the next version has others.
_OF_ONE_VERSION = re.compile(
    r"^(?:linux-(?:modules|objects)-nvidia-.*\d+\.\d+\.\d+-\d+-|nvidia-firmware-\d{3}.*-\d{3}\.\d)"
)


@dataclass
class Order:
    """The plan's driver and the owner's rules for this host.

    planned: what every driver package has to belong to; packages, before, kernel_headers, provider: as the plan has
    them (`provider` "prebuilt", "dkms", or "" for userspace alone); extra_packages: the owner's, in the same
    transaction.
    """

    planned: names.DriverSet
    packages: list[str]
    before: list[str] = field(default_factory=list)
    kernel_headers: str = ""
    provider: str = ""
    extra_packages: list[str] = field(default_factory=list)
    running_kernel: str = ""
    upgrade: bool = True
    hold: bool = True
    may_remove: list[str] = field(default_factory=list)
    sources_pending: bool = False

    @classmethod
    def from_plan(cls, driver: Mapping[str, Any], **rules: Any) -> Order:
        """Return the order for the plan's `driver` and the owner's rules; raise ValueError for what is no plan."""
        missing = [key for key in ("branch", "modules", "source", "packages") if not driver.get(key)]
        if missing:
            raise ValueError(f"driver has no {', '.join(missing)}: expected the `driver` of a plan (`dlbox plan`)")
        return cls(
            planned=names.DriverSet(
                branch=str(driver["branch"]),
                modules=str(driver["modules"]),
                source=str(driver["source"]),
                server=bool(driver.get("server")),
            ),
            packages=list(driver["packages"]),
            before=list(driver.get("before") or []),
            kernel_headers=driver.get("kernel_headers") or "",
            provider=driver.get("provider") or "",
            **rules,
        )


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
        self.newest = kernels.newest(self.kernels)

    def wanted(self) -> list[str]:
        """Return the packages to ask apt for: the plan's as they stand, and the owner's extra ones.

        Raises Refused when the running kernel's headers are neither here nor in the repositories any more.
        """
        order = self.order
        headers = [order.kernel_headers] if order.kernel_headers else []
        missing = [name for name in headers if not self._has(name) and not self.apt.candidates([name])]
        if missing:
            raise Refused(
                f"the running kernel's headers ({missing[0]}) are not installed and no longer in the repositories,"
                " so no module can be built for it; nothing was changed. Upgrade the kernel and restart first:"
                " sudo apt full-upgrade && sudo systemctl reboot"
            )
        return list(dict.fromkeys([*order.packages, *headers, *order.extra_packages]))

    def request(self, packages: list[str]) -> Request:
        """Return the transaction for the packages, with everything of other branches and flavours going in the same
        run.
        """
        order = self.order
        mine = [
            (name, package.version)
            for name, package in self.before.items()
            if package.installed and names.is_driver_package(name)
        ]
        remove = names.conflicting(mine, order.planned)
        # Names without branch (NVIDIA's from 590 on) are of every branch: they move with it instead of going.
        offered = self.apt.candidates(remove)
        changing = [n for n in remove if n in offered and not names.conflicting([(n, offered[n])], order.planned)]
        remove = [name for name in remove if name not in changing]
        if order.provider == "prebuilt":
            remove += [name for name, _version in mine if names.builds_modules(name)]
        install = [name for name in packages if order.upgrade or not self._has(name) or name in changing]
        install += [name for name in changing if not order.upgrade and name not in packages]
        if order.upgrade:
            # All are on hold, so each has to be named to move: libraries, and the modules of every kernel.
            keep = sorted({name for name, _version in mine} - set(remove) - set(packages) - set(order.before))
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
        target = next((dpkg.upstream(offered[name]) for name in packages if name in offered), "")
        moving: list[str] = []
        left: list[str] = []
        for name in names_:
            version = offered.get(name, self.before[name].version)
            stuck = _OF_ONE_VERSION.match(name) and dpkg.upstream(version) != target
            (left if stuck else moving).append(name)
        return [name for name in moving if name in offered], left

    def validate(self, request: Request, change: aptsim.Change) -> None:
        """Raise Refused when the change would take other things away or leave parts of two branches."""
        family = [name for name in change.remove if names.is_driver_package(name)]
        request.allow_remove += [f"^{re.escape(name)}$" for name in family]
        try:
            self.apt.validate(request, change)
        except Refused as refusal:
            raise Refused(
                f"{refusal}; nothing was changed. Remove what no longer fits, or name it in may_remove"
            ) from refusal
        rest = aptsim.after(self.before, change)
        planned = self.order.planned
        mixed = names.conflicting(((n, v) for n, v in rest.items() if names.is_driver_package(n)), planned)
        if mixed:
            raise Refused(
                f"afterwards parts of another branch than {planned.label} ({planned.modules} modules) would be there:"
                f" {', '.join(mixed)};"
                " nothing was changed. Is the driver's origin pinned, and does the repository have the whole branch?"
            )

    def apply(self, check: bool) -> Result:
        """Bring the host to the order; with check only say what would happen."""
        result = Result(provider=self.order.provider or None)
        broken = sorted(name for name, package in self.before.items() if package.unfinished)
        if broken:
            result.changed = True
            result.notes.append("an aborted run had left half configured: " + ", ".join(broken))
            if not check:
                self.apt.repair()
                self.reread()
        try:
            self._install_before(check, result)
            request = self.request(self.wanted())
            change = self.apt.simulate(request)
            self.validate(request, change)
        except Refused:
            if check and (self.order.sources_pending or broken):
                result.changed = True
                result.notes.append("not simulated, because the sources are not set up yet")
                return result
            raise
        result.install, result.remove = request.install, request.remove
        result.changes += change.lines()
        result.changed = result.changed or not change.empty
        if not change.empty and not check:
            self._execute(request, change, result)
        self._hold(check, result)
        if result.provider == "dkms" and not (check and change.lines()):
            self._verify_builds(check, result)
        return result

    def _install_before(self, check: bool, result: Result) -> None:
        """Install what the plan wants before the driver is resolved (NVIDIA's pinning package), in a transaction of its
        own; another pinning package than the plan's goes.
        """
        wanted = self.order.before
        fresh = [name for name in wanted if not self._has(name)]
        other = [n for n in self.before if n.startswith("nvidia-driver-pinning-") and self._has(n) and n not in wanted]
        if not fresh and not other:
            return
        request = Request(install=fresh, remove=other)
        change = self.apt.simulate(request)
        result.changed = True
        result.changes += change.lines()
        if not check:
            self.apt.execute(request)
            self.before = self.apt.packages()

    def _execute(self, request: Request, change: aptsim.Change, result: Result) -> None:
        before = self.before
        using = holders.read_holders(self.root)
        stopped = holders.stop(holders.units_to_stop(using, self.apt.run), self.apt.run)
        result.notes += holders.report(using, stopped)
        try:
            self.apt.execute(request)
        except Failed as failure:
            logs = self._failed_logs()
            rest = self.apt.roll_back(before, change)
            undone = rest or "the transaction was undone and apt is consistent"
            raise Failed(f"installing the driver failed; {undone}.\n{logs or failure}") from failure
        finally:
            result.notes += holders.start(stopped, self.apt.run)
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
