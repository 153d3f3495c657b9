"""Apply a plan in one transaction: write, load, compare with the kernel, and put everything back where they differ."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..backup import keep_copies
from . import containers, kernel
from .plan import FirewallPlan, container_text, loadable
from .state import DEFAULTS, INIT, TOOLS, USER_RULES, FirewallError, FirewallState, saved_table

# iptables-restore of a filter table as a fresh kernel has it.
OPEN_TABLE = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"


def expected_table(module: AnsibleModule, plan: FirewallPlan, family: int) -> str | None:
    """The planned rules as the kernel spells them, from a network namespace that lives for this one question.

    None where no such namespace can be made; the rules have then passed iptables-restore --test. Raises FirewallError
    where iptables does not take the rules.
    """
    tool = TOOLS[family]
    text = loadable(plan, family)
    script = f"{tool}-restore --noflush && {tool}-save -t filter"
    rc, out, _err = feed(module, ["unshare", "--net", "sh", "-c", script], text)
    if rc == 0:
        return out
    rc, _out, err = feed(module, [f"{tool}-restore", "--test", "--noflush"], text)
    if rc != 0:
        raise FirewallError(
            f"ufw_rules: {tool}-restore refuses the rules, nothing was changed: {err.strip()}. If the list uses a "
            "match that this kernel lacks, leave it out."
        )
    return None


def feed(module: AnsibleModule, command: list[str], text: str) -> tuple[int, str, str]:
    """Run a command with text on its input; a command that dies before reading it is a failure like any other."""
    try:
        rc, out, err = module.run_command(command, data=text, handle_exceptions=False)
    except OSError as error:
        return 1, "", f"{command[0]}: {error}"
    return int(rc), str(out), str(err)


def kernel_differences(plan: FirewallPlan, saved: dict[int, str], expected: dict[int, str | None]) -> list[str]:
    """Sentences about everything that the kernel has otherwise than planned."""
    problems: list[str] = []
    for family, text in saved.items():
        live = kernel.chains(text)
        problems += [f"v{family} {problem}" for problem in kernel.frame_differences(text, family, plan.defaults)]
        names = [name for name in kernel.declared(loadable(plan, family)) if name != containers.USER_CHAIN]
        canonical_text = expected.get(family)
        if canonical_text is not None:
            problems += [f"v{family} {p}" for p in kernel.chain_differences(live, kernel.chains(canonical_text), names)]
        else:
            counts = {name: len(rules) for name, rules in kernel.chains(loadable(plan, family)).items()}
            problems += [
                f"v{family} {name} has {len(live.get(name, []))} rules, expected {counts.get(name, 0)}"
                for name in names
                if name not in live or len(live[name]) != counts.get(name, 0)
            ]
        guarded = kernel.jump_comes_first(text, containers.USER_CHAIN, containers.CHAIN)
        if guarded != bool(plan.container_rules[family]):
            problems.append(
                f"v{family} {containers.USER_CHAIN} {'leads' if guarded else 'does not lead'} to {containers.CHAIN}"
            )
    return problems


def apply_plan(
    module: AnsibleModule,
    plan: FirewallPlan,
    state: FirewallState,
    writes: dict[str, str],
    expected: dict[int, str | None],
) -> str | None:
    """Write, load, verify; put everything back if the kernel does not agree. Returns the backup's directory."""
    backup = keep_copies(Path(module.params["backup_dir"]), writes) if writes else None
    # ufw's frame only has to be built when it is not there or has other policies; rules alone are loaded in one go, and
    # in that case no packet ever meets a half-loaded or an open firewall.
    frame = (
        DEFAULTS in writes
        or not state.enabled
        or any(kernel.frame_differences(text, family, plan.defaults) for family, text in state.saved.items())
    )
    try:
        for path, text in writes.items():
            write_text(module, path, text)
        problems = load(module, plan, state, frame=frame)
        if not problems:
            problems = kernel_differences(
                plan, {family: saved_table(module, family) or "" for family in state.saved}, expected
            )
        if not problems and not state.boot_enabled:
            rc, _out, err = module.run_command(["systemctl", "enable", "ufw.service"])
            problems = [f"systemctl enable ufw.service: {err.strip()}"] if rc else []
    except BaseException:
        # Whatever ended it: half a change is worse than none.
        roll_back(module, state, writes)
        raise
    if problems:
        roll_back(module, state, writes)
        raise FirewallError(
            "The kernel did not take the firewall rules as listed; files and rules are as before.\n"
            + "\n".join(problems),
            problems=problems,
            backup=backup,
        )
    return backup


def load(module: AnsibleModule, plan: FirewallPlan, state: FirewallState, *, frame: bool) -> list[str]:
    """Bring the files into the kernel; returns what went wrong."""
    problems = []
    if frame:
        init = next(path for path in INIT if Path(path).exists())
        running = "ufw-user-input" in kernel.chains(state.saved[4])
        rc, out, err = module.run_command([init, "force-reload" if running else "start"])
        if rc != 0:
            problems.append(f"{init}: {(out + err).strip()}")
    for family, saved in state.saved.items():
        others = containers.others_rules(saved)
        text = "" if frame else plan.files[USER_RULES[family]]
        if plan.container_rules[family] or containers.CHAIN in saved:
            text += container_text(plan, family, others)
        if text:
            rc, _out, err = feed(module, [f"{TOOLS[family]}-restore", "--wait", "--noflush"], text)
            if rc != 0:
                problems.append(f"{TOOLS[family]}-restore: {err.strip()}")
    return problems


def write_text(module: AnsibleModule, path: str, text: str) -> None:
    """Replace a file in one step; owner and mode stay as they are."""
    temporary = Path(module.tmpdir) / Path(path).name
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    module.atomic_move(str(temporary), path)


def roll_back(module: AnsibleModule, state: FirewallState, writes: dict[str, str]) -> None:
    """Files and kernel as they were before."""
    for path in writes:
        write_text(module, path, state.files[path])
    for family, saved in state.saved.items():
        feed(module, [f"{TOOLS[family]}-restore", "--wait"], saved if "*filter" in saved else OPEN_TABLE)
