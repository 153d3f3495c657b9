#!/bin/bash
# Build the box's disk: Debian as its installer leaves it after a minimal choice ("SSH server" and "standard system
# utilities"), with UEFI, shim and GRUB. An account with sudo by password, no python3-apt, no ufw.
#
# Usage: disk.sh SECRETS DISK       (inside the container; SECRETS: folder of ada.pub, password, ssh_host_ed25519_key)
#
# Other than by the installer: packages are unpacked by mmdebstrap; the kernel is the oldest that the archive still
# has, so that there is one to upgrade to, and the metapackage that would have pulled the newest is not there;
# GRUB's menu is a written one until the first update-grub makes its own (the kernel's upgrade does).
set -euo pipefail
secrets=$1 disk=$2
suite=trixie
root_uuid=11111111-2222-4333-8444-555555555555 esp_id=ABCD1234
size=20G
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

# Before the packages: the kernel's choice needs the archive's lists.
apt-get update --quiet=2
kernel=$(apt-cache pkgnames linux-image- | grep -E '^linux-image-[0-9][0-9.]*\+deb[0-9]+-amd64$' | sort --version-sort | head -n 1)
[ -n "$kernel" ] || { echo "the archive has no kernel by the name that Debian gives it" >&2; exit 69; }
echo "the box begins with $kernel"

# sudo asks for this password; it is in no argument list.
hash=$(openssl passwd -6 -stdin <"$secrets/password")

in_root() { mkdir -p "$(dirname "$root$1")" && cat >"$root$1"; }

mmdebstrap --quiet --variant=important --include="$(tr '\n' ' ' <<PACKAGES
$kernel grub-efi-amd64 grub-efi-amd64-signed shim-signed efibootmgr initramfs-tools
systemd-timesyncd libpam-systemd dbus openssh-server sudo python3 ca-certificates
ifupdown dhcpcd-base locales console-setup bash-completion less man-db wget pciutils dosfstools
PACKAGES
)" "$suite" "$root" ${DLBOX_DEBIAN_MIRROR:+"$DLBOX_DEBIAN_MIRROR"}

in_root /etc/hostname <<<bigbox
in_root /etc/hosts <<'X'
127.0.0.1	localhost
127.0.1.1	bigbox
::1		localhost ip6-localhost ip6-loopback
X
in_root /etc/network/interfaces <<'X'
source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

allow-hotplug enp0s3
iface enp0s3 inet dhcp
X
: >"$root/etc/resolv.conf" # dhcpcd fills it in
in_root /etc/fstab <<X
UUID=$root_uuid / ext4 errors=remount-ro 0 1
UUID=${esp_id:0:4}-${esp_id:4} /boot/efi vfat umask=0077 0 1
X
mkdir -p "$root/boot/efi" "$root/boot/grub"
in_root /etc/default/grub <<'X'
GRUB_DEFAULT=0
GRUB_TIMEOUT=1
GRUB_DISTRIBUTOR=`( . /etc/os-release && echo ${NAME} )`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=ttyS0"
X
version=${kernel#linux-image-}
in_root /boot/grub/grub.cfg <<X
set timeout=1
search --no-floppy --fs-uuid --set=root $root_uuid
menuentry Debian {
  linux /boot/vmlinuz-$version root=UUID=$root_uuid ro console=ttyS0
  initrd /boot/initrd.img-$version
}
X
in_root /etc/locale.gen <<<'en_US.UTF-8 UTF-8'
in_root /etc/default/locale <<<'LANG=en_US.UTF-8'
chroot "$root" locale-gen >/dev/null

chroot "$root" useradd --create-home --shell /bin/bash --comment 'Ada Lovelace' \
  --groups sudo,cdrom,audio,video,plugdev,users,netdev ada
chroot "$root" chpasswd --encrypted <<<"ada:$hash"
install -d -m 700 "$root/home/ada/.ssh"
install -m 600 "$secrets/ada.pub" "$root/home/ada/.ssh/authorized_keys"
chroot "$root" chown --recursive ada:ada /home/ada/.ssh
# The controller knows the box's key before the first connection.
rm -f "$root"/etc/ssh/ssh_host_*
install -m 600 "$secrets/ssh_host_ed25519_key" "$root/etc/ssh/"
ssh-keygen -y -f "$secrets/ssh_host_ed25519_key" >"$root/etc/ssh/ssh_host_ed25519_key.pub"

esp=$work/esp.img
truncate --size 64M "$esp"
mkfs.vfat -F 32 -i "$esp_id" -n ESP "$esp" >/dev/null
mmd -i "$esp" ::/EFI ::/EFI/debian ::/EFI/BOOT
mcopy -i "$esp" "$root/usr/lib/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$root/usr/lib/shim/shimx64.efi.signed" ::/EFI/debian/shimx64.efi
for folder in BOOT debian; do
  mcopy -i "$esp" "$root/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" "::/EFI/$folder/grubx64.efi"
  mcopy -i "$esp" "$root/usr/lib/shim/mmx64.efi.signed" "::/EFI/$folder/mmx64.efi"
done
cat >"$work/grub.cfg" <<X
search.fs_uuid $root_uuid root
set prefix=(\$root)/boot/grub
configfile \$prefix/grub.cfg
X
mcopy -i "$esp" "$work/grub.cfg" ::/EFI/debian/grub.cfg

raw=$work/disk.raw
truncate --size "$size" "$raw"
sfdisk --quiet "$raw" <<'X'
label: gpt
start=2048, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=133120, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
X
dd if="$esp" of="$raw" bs=512 seek=2048 conv=notrunc status=none
sectors=$(sfdisk --json "$raw" | python3 -c 'import json, sys; print(json.load(sys.stdin)["partitiontable"]["partitions"][1]["size"])')
mke2fs -q -t ext4 -F -L root -U "$root_uuid" -E "offset=$((133120 * 512))" -d "$root" "$raw" "$((sectors / 2))k"
qemu-img convert -O qcow2 "$raw" "$disk.new"
mv "$disk.new" "$disk"
