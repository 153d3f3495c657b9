"""What goes wrong on real workstations, as shell that plants it in a healthy one and shell that takes it away again.

One entry per fault: the check that must find it, the result, words that its report must hold, plant, undo. The stand-ins
read /etc/standin (see tests/fixtures/doctor); everything else is the real thing: dpkg, apt, gpg, sshd, ufw, systemd.
"""

# A table: one fault, one line.
# ruff: noqa: E501
from __future__ import annotations

from dataclasses import dataclass

HARDWARE = "sh /usr/local/lib/standin/standin-hardware.sh"  # rebuilds the healthy stand-ins
CARD = "/sys/bus/pci/devices/0000:01:00.0"
DROPIN = "/etc/ssh/sshd_config.d/00-aaa.conf"  # sorts before dlbox's, as 50-cloud-init.conf would before 99-x.conf
JUPYTER = "/etc/jupyterlab/ada/jupyter_server_config.json"
SPEC = "/usr/local/share/jupyter/kernels/pytorch/kernel.json"
LISTS = "apt-get -qq -o Dir::Etc::SourceList=/dev/null -o APT::List-Cleanup=0 update"


@dataclass(frozen=True)
class Fault:
    """See the module text."""

    title: str
    check: str
    result: str
    words: str
    plant: str
    undo: str = HARDWARE


def log(line: str) -> str:
    """Append a line to the stand-in kernel log."""
    return f"echo '[  99.000000] {line}' >> /etc/standin/dmesg.out"


def keep(path: str) -> str:
    """Put a file aside, to be put back by restore()."""
    return f"cp -a {path} /srv/kept"


def restore(path: str) -> str:
    """Put it back."""
    return f"cp -a /srv/kept {path}"


def sshd(line: str) -> str:
    """A drop-in with one line, as a hand or cloud-init leaves it."""
    return f"printf '%b\\n' '{line}' > {DROPIN}"


def jupyter_set(change: str) -> str:
    """Change the server's settings by a Python statement over `d`."""
    return f"""{keep(JUPYTER)}; python3 -c "import json;p='{JUPYTER}';d=json.load(open(p));{change};open(p,'w').write(json.dumps(d))" """


def torch(key: str, value: str) -> str:
    """Make the stand-in framework fail in one way."""
    return f"""python3 -c "import json;p='/etc/standin/torch.json';d=json.load(open(p));d['{key}']={value};open(p,'w').write(json.dumps(d))" """


RESTART = "systemctl restart jupyterlab@ada; for i in $(seq 400); do [ -S /run/jupyterlab/ada/server.sock ] && break; sleep 0.2; done"
PROXY = "jupyterlab-proxy@ada.socket jupyterlab-proxy@ada.service"

FAULTS = [
    # GPU and driver
    Fault("the card fell out", "gpu.present", "fail", "now gone", f"rm -r {CARD}"),
    Fault("the module is not loaded", "gpu.module-loaded", "fail", "not loaded", "rm -r /sys/module/nvidia /proc/driver/nvidia"),
    Fault("libraries upgraded under the module", "gpu.versions-match", "fail", "reboot pending", "sed -i s/580.178.04/580.105.08/ /proc/driver/nvidia/version"),
    Fault("nvidia-smi finds a mismatch", "gpu.versions-match", "fail", "reboot pending", "echo 'Failed to initialize NVML: Driver/library version mismatch' > /etc/standin/nvidia-smi.out; echo 18 > /etc/standin/nvidia-smi.rc"),
    Fault("no devices were found", "gpu.answers", "fail", "No devices were found", "echo 'No devices were found' > /etc/standin/nvidia-smi.out; echo 6 > /etc/standin/nvidia-smi.rc"),
    Fault("a new kernel without the module", "gpu.newest-kernel", "fail", "99.1.0-1", "touch /boot/vmlinuz-99.1.0-1; mkdir -p /lib/modules/99.1.0-1", "rm -r /boot/vmlinuz-99.1.0-1 /lib/modules/99.1.0-1"),
    Fault("DKMS did not build for the new kernel", "gpu.dkms", "fail", "not built for 99.1.0-1", "touch /boot/vmlinuz-99.1.0-1; mkdir -p /lib/modules/99.1.0-1", "rm -r /boot/vmlinuz-99.1.0-1 /lib/modules/99.1.0-1"),
    Fault("DKMS has the source, not the module", "gpu.dkms", "fail", "added", "echo 'nvidia/580.178.04: added' > /etc/standin/dkms.out"),
    Fault("headers are missing", "gpu.headers", "fail", "no headers", 'rm -r "/lib/modules/$(uname -r)/build"'),
    Fault("nouveau is loaded", "gpu.nouveau", "fail", "nouveau", "mkdir /sys/module/nouveau", "rmdir /sys/module/nouveau"),
    Fault("Secure Boot rejects the key", "gpu.secure-boot", "fail", "mokutil --import", log("Loading of module with unavailable key is rejected; nvidia: Key was rejected by service")),
    Fault("the module is not signed", "gpu.secure-boot", "fail", "is not signed", "echo 'version:        580.178.04' > /etc/standin/modinfo.out"),
    Fault("the module is signed with another key", "gpu.secure-boot", "fail", "signed by somebody (ABC), which is not enrolled", "printf 'signer:         somebody\\nsig_key:        0A:BC\\n' > /etc/standin/modinfo.out"),
    Fault("the GPU fell off the bus", "gpu.kernel-log", "fail", "fell off the bus", log("NVRM: Xid (PCI:0000:01:00): 79, pid=0, GPU has fallen off the bus.")),
    Fault("the driver cannot start the GPU", "gpu.kernel-log", "fail", "could not start the GPU", log("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x22:0x40:762)")),
    Fault("the wrong module flavour", "gpu.kernel-log", "fail", "open kernel modules only", log("NVRM: installed in this system requires use of the NVIDIA open kernel modules.")),
    Fault("a program faulted on the GPU", "gpu.kernel-log", "warn", "bug in that program", log("NVRM: Xid (PCI:0000:01:00): 31, pid=4242, name=python, Ch 00000008")),
    Fault("persistence is off", "gpu.persistence", "warn", "persistence is off", "sed -i s/Enabled/Disabled/ /etc/standin/nvidia-smi.out"),
    Fault("Fabric Manager does not run", "gpu.services", "fail", "is inactive, and CUDA does not start", "systemctl stop nvidia-fabricmanager", "systemctl start nvidia-fabricmanager"),
    Fault("a power limit nobody keeps", "gpu.power-limit", "warn", "300 W", "sed -i 's/450.00, 450.00/300.00, 450.00/' /etc/standin/nvidia-smi.out"),
    Fault("the card sits in a narrow slot", "gpu.link-width", "warn", "x4", f"echo 4 > {CARD}/current_link_width"),
    Fault("the GPU overheats", "gpu.health", "fail", "93 degrees", "sed -i 's/, 41,/, 93,/' /etc/standin/nvidia-smi.out"),
    Fault("the GPU's memory is defective", "gpu.health", "fail", "memory errors", "sed -i 's/16, 16, 0,/16, 16, 7,/' /etc/standin/nvidia-smi.out"),
    # packages
    Fault("driver packages from two origins", "apt.nvidia-origin", "fail", "mixed origins", f"cp /srv/standin-apt/vendor.sources /etc/apt/sources.list.d/; {LISTS}; apt-get -qq install -y nvidia-settings-580", f"apt-get -qq purge -y nvidia-settings-580; rm /etc/apt/sources.list.d/vendor.sources; {LISTS}"),
    Fault("two driver branches", "apt.driver-branches", "fail", "580, 595", "dpkg -i /srv/standin-apt/vendor/nvidia-utils-595_*.deb", "dpkg --purge nvidia-utils-595"),
    Fault("a repository listed twice, other key", "apt.sources-duplicates", "fail", "different keys", "echo 'deb [signed-by=/etc/apt/keyrings/other.gpg] file:/srv/standin-apt/main ./' > /etc/apt/sources.list.d/again.list", "rm /etc/apt/sources.list.d/again.list"),
    Fault("a repository without signature", "apt.sources-signed", "fail", "without a signature", "echo 'deb [trusted=yes] http://apt.example.com ./' > /etc/apt/sources.list.d/odd.list", "rm /etc/apt/sources.list.d/odd.list"),
    Fault("a vendor without its own key", "apt.sources-signed", "warn", "any trusted key", "echo 'deb http://apt.example.com stable main' > /etc/apt/sources.list.d/odd.list", "rm /etc/apt/sources.list.d/odd.list"),
    Fault("an expired signing key", "apt.keys", "fail", "expired on 2024-01-02", "cp /srv/standin-apt/expired.gpg /usr/share/keyrings/standin.gpg", "cp /srv/standin-apt/key.gpg /usr/share/keyrings/standin.gpg"),
    Fault("upgrades may replace the driver", "apt.holds", "fail", "libnvidia-compute-580", "mv /etc/apt/apt.conf.d/52dlbox /srv/kept", "mv /srv/kept /etc/apt/apt.conf.d/52dlbox"),
    Fault("a package whose set-up failed", "apt.state", "fail", "nvidia-dkms-580", "! dpkg -i /srv/standin-apt/broken/*.deb 2>/dev/null", "dpkg --purge nvidia-dkms-580"),
    Fault("a security update waits", "apt.security-updates", "warn", "standin-app", f"cp /srv/standin-apt/security.sources /etc/apt/sources.list.d/; {LISTS}", f"rm /etc/apt/sources.list.d/security.sources; {LISTS}"),
    Fault("package lists of last month", "apt.lists-fresh", "warn", "days old", "touch -d '40 days ago' /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists/partial /var/lib/apt/lists", "touch /var/lib/apt/periodic/update-success-stamp"),
    Fault("security updates switched off", "apt.unattended", "warn", "switched off", "echo 'APT::Periodic::Unattended-Upgrade \"0\";' > /etc/apt/apt.conf.d/99off", "rm /etc/apt/apt.conf.d/99off"),
    # environments
    Fault("an environment lost its Python", "environments.python", "fail", "is missing", "mv /opt/conda/envs/pytorch/bin/python /srv/kept", "mv /srv/kept /opt/conda/envs/pytorch/bin/python"),
    Fault("a framework finds no cuDNN", "environments.imports", "fail", "LD_LIBRARY_PATH", torch("import", "'libcudnn.so.9: cannot open shared object file: No such file or directory'")),
    Fault("a framework sees no GPU", "environments.gpu", "fail", "sees no GPU", torch("gpus", "[]")),
    Fault("a CPU build on a GPU machine", "environments.gpu", "fail", "CPU only", torch("gpus", "[]") + "; " + torch("cuda", "None")),
    Fault("a build without code for this GPU", "environments.compute", "fail", "no kernel image", torch("compute", "'CUDA error: no kernel image is available for execution on the device'")),
    Fault("a wrong cuDNN is mixed in", "environments.cudnn", "fail", "CUDNN_STATUS", torch("convolution", "'cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH'")),
    Fault("works in a shell, not in Jupyter", "environments.kernel", "fail", "in a shell does", f"""{keep(SPEC)}; sed -i 's/"env": {{}}/"env": {{"CUDA_VISIBLE_DEVICES": ""}}/' {SPEC}""", restore(SPEC)),
    Fault("the Jupyter kernel does not start", "environments.kernel", "fail", "did not answer", f"{keep(SPEC)}; sed -i s/ipykernel_launcher/no_such_module/ {SPEC}", restore(SPEC)),
    Fault("an environment without a Jupyter kernel", "environments.kernel", "warn", "no Jupyter kernel is registered", f"mv {SPEC} /srv/kept", f"mv /srv/kept {SPEC}"),
    Fault("an environment anybody may change", "environments.frozen", "warn", "frozen is missing", "rm /opt/conda/envs/pytorch/conda-meta/frozen", "echo '{}' > /opt/conda/envs/pytorch/conda-meta/frozen"),
    Fault("LD_LIBRARY_PATH for everybody", "environments.ld-library-path", "fail", "cuda.sh", "echo 'export LD_LIBRARY_PATH=/usr/local/cuda/lib64:$LD_LIBRARY_PATH' > /etc/profile.d/cuda.sh", "rm /etc/profile.d/cuda.sh"),
    Fault("a system cuDNN", "environments.system-cudnn", "warn", "/usr/local/lib", "sed s/libcrypt.so.1/libcudnn.so.9/ /usr/lib/x86_64-linux-gnu/libcrypt.so.1 > /usr/local/lib/libcudnn.so.9; ldconfig", "rm /usr/local/lib/libcudnn.so.9; ldconfig"),
    # Jupyter
    Fault("Jupyter does not run", "jupyter.running", "fail", "inactive", "systemctl stop jupyterlab@ada", RESTART),
    Fault("Jupyter does not answer", "jupyter.answers", "fail", "journalctl", jupyter_set("d['ServerApp']['sock']='/run/jupyterlab/ada/other.sock'") + "; systemctl restart jupyterlab@ada", f"{restore(JUPYTER)}; {RESTART}"),
    Fault("Jupyter's port is free", "jupyter.answers", "fail", "any account could take", f"systemctl stop {PROXY}", "systemctl start jupyterlab-proxy@ada.socket"),
    Fault("somebody else listens on Jupyter's port", "jupyter.answers", "fail", "a process of nobody listens there", f"systemctl stop {PROXY}; systemd-run -q --unit standin-squatter --uid=nobody python3 -m http.server --bind 127.0.0.1 --directory /var/empty 8888; for i in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/8888) 2>/dev/null && break; sleep 0.2; done", "systemctl stop standin-squatter; systemctl start jupyterlab-proxy@ada.socket"),
    Fault("Jupyter without a password", "jupyter.password", "fail", "without a password", jupyter_set("d['PasswordIdentityProvider']={'password_required':False}") + f"; {RESTART}", f"{restore(JUPYTER)}; {RESTART}"),
    Fault("Jupyter on every address", "jupyter.listens", "fail", "listens on", jupyter_set("d['ServerApp'].update(sock='', ip='0.0.0.0', port=8899)") + "; systemctl restart jupyterlab@ada; for i in $(seq 400); do (exec 3<>/dev/tcp/127.0.0.1/8899) 2>/dev/null && break; sleep 0.2; done", f"{restore(JUPYTER)}; {RESTART}"),
    Fault("everybody reads the password hash", "jupyter.secrets", "fail", "0644", f"chmod 0644 {JUPYTER}", f"chmod 0640 {JUPYTER}"),
    # ssh
    Fault("sshd would not start again", "ssh.server", "fail", "locks you out", sshd("NoSuchOption yes"), f"rm {DROPIN}"),
    Fault("sshd does not run", "ssh.server", "fail", "nothing listens on port 22", "systemctl stop ssh", "systemctl start ssh"),
    Fault("a drop-in allows passwords", "ssh.passwords", "fail", "outside of Match blocks: password without a key", sshd("PasswordAuthentication yes"), f"rm {DROPIN}"),
    Fault("passwords from one network only", "ssh.passwords", "fail", "(Match Address 10.99.0.0/16): password without a key", sshd("Match Address 10.99.0.0/16\\nPasswordAuthentication yes"), f"rm {DROPIN}"),
    Fault("a Match block that nobody is known to meet", "ssh.passwords", "warn", "not known whether every login needs a key", sshd("Match Group no-such-group\\nPasswordAuthentication yes"), f"rm {DROPIN}"),
    Fault("root may use a password", "ssh.root", "fail", "PermitRootLogin is yes", sshd("PermitRootLogin yes"), f"rm {DROPIN}"),
    Fault("a weak cipher is offered", "ssh.algorithms", "warn", "aes128-cbc", sshd("Ciphers aes256-gcm@openssh.com,aes128-cbc"), f"rm {DROPIN}"),
    Fault("ssh-audit objects", "ssh.audit", "fail", "3des-cbc", sshd("Ciphers aes256-gcm@openssh.com,3des-cbc"), f"rm {DROPIN}"),
    Fault("everybody reads a host key", "ssh.host-keys", "fail", "0644", "chmod 0644 /etc/ssh/ssh_host_ed25519_key", "chmod 0600 /etc/ssh/ssh_host_ed25519_key"),
    Fault("AllowUsers forgets the admin", "ssh.admins", "fail", "is not in AllowUsers (carla)", sshd("AllowUsers carla"), f"rm {DROPIN}"),
    Fault("the admin's key is gone", "ssh.admins", "fail", "authorized_keys does not exist", "mv /home/ada/.ssh/authorized_keys /srv/kept", "mv /srv/kept /home/ada/.ssh/authorized_keys"),
    Fault("the admin's only key is revoked", "ssh.admins", "fail", "is revoked", f"cp /home/ada/.ssh/authorized_keys /etc/ssh/revoked; {sshd('RevokedKeys /etc/ssh/revoked')}", f"rm {DROPIN} /etc/ssh/revoked"),
    Fault("the admin's account has expired", "ssh.admins", "fail", "has expired on 1970-01-02", "chage --expiredate 1 ada", "chage --expiredate -1 ada"),
    Fault("another file spares the admin the password", "ssh.admins", "warn", "becomes root without a password", "echo 'ada ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/99-cloud; chmod 440 /etc/sudoers.d/99-cloud", "rm /etc/sudoers.d/99-cloud"),
    Fault("no second login", "ssh.second-login", "fail", "Keep this session open", "systemctl stop ssh", "systemctl start ssh"),
    # firewall
    Fault("an account keeps ufw waiting", "firewall.active", "warn", "/run/ufw.lock", "systemd-run -q --unit standin-lock --uid=nobody python3 -c 'import fcntl, time; f = open(\"/run/ufw.lock\"); fcntl.lockf(f, fcntl.LOCK_SH); time.sleep(600)'; sleep 1", "systemctl stop standin-lock"),
    Fault("the firewall is off", "firewall.active", "fail", "inactive", "ufw disable", "ufw --force enable"),
    Fault("another tool opened the chain", "firewall.active", "fail", "lets everything in", "iptables -P INPUT ACCEPT", "iptables -P INPUT DROP"),
    Fault("the firewall does not start at boot", "firewall.boot", "fail", "disabled", "systemctl disable -q ufw", "systemctl enable -q ufw"),
    Fault("the firewall forgets ssh", "firewall.ssh-allowed", "fail", "port 22", "ufw delete limit 22/tcp", "ufw limit 22/tcp comment 'dlbox: ssh'"),
    Fault("a rule added by hand", "firewall.rules", "warn", "9999", "ufw allow 9999/tcp", "ufw delete allow 9999/tcp"),
    Fault("a port opened past ufw", "firewall.outside", "fail", "7777", "iptables -I INPUT -p tcp --dport 7777 -j ACCEPT; systemd-run -q --unit standin-7777 python3 -m http.server 7777; sleep 1", "systemctl stop standin-7777; iptables -D INPUT -p tcp --dport 7777 -j ACCEPT"),
    Fault("a port opened by a hand-made rule", "firewall.outside", "fail", "7777", "ufw allow 7777/tcp; systemd-run -q --unit standin-7777 python3 -m http.server 7777; sleep 1", "systemctl stop standin-7777; ufw delete allow 7777/tcp"),
    # the machine
    Fault("a full file system", "system.disk", "fail", "/data", "mkdir -p /data; mount -t tmpfs -o size=8m standin /data; head -c 8300000 /dev/zero > /data/full || true", "umount /data; rmdir /data"),
    Fault("no inodes left", "system.inodes", "fail", "/data", "mkdir -p /data; mount -t tmpfs -o nr_inodes=20 standin /data; touch /data/{1..30} 2>/dev/null || true", "umount /data; rmdir /data"),
    Fault("the kernel killed for memory", "system.memory", "warn", "lack of memory", log("Out of memory: Killed process 4242 (python) total-vm:1kB")),
    Fault("swap is full", "system.swap", "warn", "100 MiB", "sed -e 's/^SwapTotal.*/SwapTotal: 1048576 kB/' -e 's/^SwapFree.*/SwapFree: 102400 kB/' /proc/meminfo > /srv/meminfo; mount --bind /srv/meminfo /proc/meminfo", "umount /proc/meminfo"),
    Fault("a drive that fails", "system.drives", "fail", "failing", "sed -i s/true/false/ /etc/standin/smartctl.out"),
    Fault("a worn drive", "system.drives", "warn", "write endurance", "sed -i 's/: 3/: 97/' /etc/standin/smartctl.out"),
    Fault("read errors in the log", "system.drive-errors", "fail", "nvme0n1", log("blk_update_request: critical medium error, I/O error, dev nvme0n1, sector 1234")),
    Fault("the clock runs free", "system.time", "warn", "not synchronised", "sed -i s/NTPSynchronized=yes/NTPSynchronized=no/ /etc/standin/timedatectl.out"),
    Fault("a unit of dlbox has failed", "system.units", "fail", "dlbox-broken", "systemd-run -q --unit dlbox-broken false; sleep 0.3", "systemctl reset-failed dlbox-broken"),
    Fault("another unit has failed", "system.units", "warn", "standin-broken", "systemd-run -q --unit standin-broken false; sleep 0.3", "systemctl reset-failed standin-broken"),
    Fault("a reboot is pending", "system.reboot", "warn", "linux-image", "echo linux-image-99 > /run/reboot-required.pkgs; touch /run/reboot-required", "rm /run/reboot-required*"),
    Fault("a newer kernel waits for a reboot", "system.reboot", "warn", "99.1.0-1 is installed", "touch /boot/vmlinuz-99.1.0-1", "rm /boot/vmlinuz-99.1.0-1"),
]  # fmt: skip
