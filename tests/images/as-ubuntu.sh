#!/bin/sh
# Stand-in: make a Debian root file system identify itself as Ubuntu $1 (22.04, 24.04, 26.04).
# Facts, release names and ssh's socket activation are Ubuntu's, and the programs that 26.04 has instead of GNU's and of
# the classic sudo; the packages stay Debian's.
set -eu
case $1 in
  22.04) codename=jammy; name="Jammy Jellyfish"; release="22.04.5 LTS" ;;
  24.04) codename=noble; name="Noble Numbat"; release="24.04.3 LTS" ;;
  26.04) codename=resolute; name="Resolute Raccoon"; release="26.04.1 LTS" ;;
  *) echo "as-ubuntu: unknown release $1" >&2; exit 1 ;;
esac

# Diverted, so that an upgrade of base-files does not bring Debian's identity back.
for path in /usr/lib/os-release /etc/issue /etc/issue.net /etc/debian_version; do
  [ ! -e "$path" ] || dpkg-divert --quiet --local --rename --divert "$path.real" --add "$path"
done
rm -f /etc/os-release
cat > /usr/lib/os-release <<OS
PRETTY_NAME="Ubuntu $release (stand-in for tests)"
NAME="Ubuntu"
VERSION_ID="$1"
VERSION="$release ($name)"
VERSION_CODENAME=$codename
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=$codename
LOGO=ubuntu-logo
OS
ln -s ../usr/lib/os-release /etc/os-release
cat > /etc/lsb-release <<LSB
DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=$1
DISTRIB_CODENAME=$codename
DISTRIB_DESCRIPTION="Ubuntu $release (stand-in for tests)"
LSB
echo trixie/sid > /etc/debian_version
printf "Ubuntu %s \\\\n \\\\l\n" "$release" > /etc/issue

# From 22.10 on Ubuntu starts sshd by socket activation.
if [ "$1" != 22.04 ]; then
  systemctl disable ssh.service 2>/dev/null || true
  systemctl enable ssh.socket 2>/dev/null || true
fi

# 26.04's own: uutils in the place of GNU's coreutils, which keep cp, mv and rm, and sudo-rs beside sudo.ws.
if [ "$1" = 26.04 ]; then
  for tool in /usr/lib/cargo/bin/coreutils/*; do
    name=${tool##*/}
    case $name in cp | mv | rm) continue ;; esac
    for path in /usr/bin/$name /usr/sbin/$name; do
      if [ -f "$path" ] && [ ! -L "$path" ]; then
        dpkg-divert --quiet --local --rename --divert "${path%/*}/gnu$name" --add "$path"
        /usr/lib/cargo/bin/coreutils/ln -s "$tool" "$path"
      fi
    done
  done
  for path in /usr/bin/sudo /usr/sbin/visudo; do
    dpkg-divert --quiet --local --rename --divert "$path.ws" --add "$path"
    update-alternatives --quiet --install "$path" "${path##*/}" "$path.ws" 40
    update-alternatives --quiet --install "$path" "${path##*/}" "/usr/lib/cargo/bin/${path##*/}" 50
  done
fi
