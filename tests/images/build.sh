#!/usr/bin/env bash
# Make the test images that are missing or out of date: dlbox/debian-12, dlbox/debian-13, dlbox/ubuntu-22.04, -24.04, -26.04.
#
# Usage: build.sh [IMAGE...]        (all five by default; names without the dlbox/ prefix)
#
# The base of each is the registry's image where one answers. Where none does, it is a Debian bootstrapped from
# Debian's packages, and the Ubuntu images are that Debian with Ubuntu's identity: label dlbox.base says which.
# DLBOX_IMAGE_SOURCE=registry|packages decides instead of asking; DLBOX_ENGINE=docker|podman (default docker).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
engine=${DLBOX_ENGINE:-docker}
image_source=${DLBOX_IMAGE_SOURCE:-}

# image            registry base      Debian suite   pretend to be
table="
debian-12          debian:bookworm    bookworm       -
debian-13          debian:trixie      trixie         -
ubuntu-22.04       ubuntu:22.04       bookworm       22.04
ubuntu-24.04       ubuntu:24.04       trixie         24.04
ubuntu-26.04       ubuntu:26.04       trixie         26.04
"
key=$(cat "$here/Dockerfile" "$here/as-ubuntu.sh" | sha256sum | cut -c1-16)

say() { printf 'images: %s\n' "$*"; }

label() { "$engine" image inspect --format "{{ index .Config.Labels \"$2\" }}" "$1" 2>/dev/null || true; }

packages=systemd,systemd-sysv,dbus,python3,ca-certificates,iproute2,sudo,openssh-server,procps,mount
base_image() { echo "dlbox/base:$1-$(sha256sum <<<"$packages" | cut -c1-8)"; } # SUITE

bootstrap() { # SUITE: makes base_image SUITE
  local suite=$1 image archive
  image=$(base_image "$1")
  ! "$engine" image inspect "$image" >/dev/null 2>&1 || return 0
  command -v mmdebstrap >/dev/null || { echo "build.sh: no registry answers and mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 69; }
  say "bootstrapping Debian $suite from packages (about a minute)"
  archive=$(mktemp --suffix=.tar)
  # shellcheck disable=SC2064
  trap "rm -f '$archive'" RETURN
  # As root: another account needs subordinate ids and user namespaces, which Debian leaves out and Ubuntu forbids.
  as_root mmdebstrap --mode=root --quiet --variant=minbase --include="$packages" "$suite" - >"$archive"
  "$engine" import "$archive" "$image" >/dev/null
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -p 'dlbox: sudo password of %p on this machine: ' "$@"; fi
}

choose_source() {
  [ -z "$image_source" ] || return 0
  if timeout 60 "$engine" pull --quiet debian:trixie >/dev/null 2>&1; then image_source=registry; else image_source=packages; fi
  say "the base images come from $image_source"
}

build() { # IMAGE REGISTRY_BASE SUITE PRETEND
  local base=$2 pretend='' log
  [ "$(label "dlbox/$1" dlbox.key)" != "$key" ] || return 0
  choose_source
  if [ "$image_source" = packages ]; then
    bootstrap "$3"
    base=$(base_image "$3")
    pretend=${4#-}
  fi
  log=$(mktemp)
  if ! "$engine" build --label "dlbox.key=$key" --label "dlbox.base=$base" --build-arg "BASE=$base" --build-arg "AS_UBUNTU=$pretend" \
    --tag "dlbox/$1" "$here" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  # Podman calls it localhost/dlbox/..., and looks elsewhere when it is asked through Docker's API.
  [ "$engine" != podman ] || podman tag "localhost/dlbox/$1" "docker.io/dlbox/$1"
  say "built dlbox/$1 from $base${pretend:+ as Ubuntu $pretend}"
}

known=" $(awk 'NF { printf "%s ", $1 }' <<<"$table")"
for name in "$@"; do
  case $known in *" $name "*) ;; *) echo "build.sh: unknown image '$name'; known:$known" >&2; exit 64 ;; esac
done
while read -r name registry_base suite pretend; do
  [ -n "$name" ] || continue
  case " ${*:-$name} " in *" $name "*) build "$name" "$registry_base" "$suite" "$pretend" ;; esac
done <<<"$table"
