#!/bin/bash
# Run the box in the foreground until it is powered off or killed.
#
# Usage: start.sh DISK      (inside the container; its disk stays as it is, what the box writes goes to /var/tmp/box)
set -euo pipefail
disk=$1
state=/var/tmp/box
mkdir -p "$state"
cd "$state"

# Both in a format that keeps snapshots (savevm NAME and loadvm NAME in the monitor).
[ -e disk.qcow2 ] || qemu-img create -q -f qcow2 -F qcow2 -b "$disk" disk.qcow2
# The variables with Microsoft's keys: Secure Boot is on.
[ -e variables.qcow2 ] || qemu-img convert -O qcow2 /usr/share/OVMF/OVMF_VARS_4M.ms.fd variables.qcow2

# shellcheck disable=SC2054  # the commas are qemu's
machine=(
  qemu-system-x86_64 -name bigbox
  -machine q35,smm=on -cpu max -smp 2 -m 4G
  -nodefaults -display none -vga none
  -global driver=cfi.pflash01,property=secure,value=on
  -drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
)

kvm_runs_guests() { # WHY: /dev/kvm opens also where no guest starts on it, or none with what Secure Boot needs
  [ -w /dev/kvm ] || return 1
  : >probe.serial
  "${machine[@]}" -accel kvm -serial file:probe.serial 2>probe.errors &
  local pid=$! works=1 _
  for _ in $(seq 60); do
    # The firmware alone, which says so when it has found nothing to boot.
    if grep -q BdsDxe probe.serial; then works=0; fi
    if [ "$works" -eq 0 ] || [ -s probe.errors ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.5
  done
  kill "$pid" 2>/dev/null || true
  wait "$pid" || true
  return "$works"
}

if kvm_runs_guests; then accel=kvm; else accel=tcg,thread=multi; fi
echo "the box runs with $accel"

# Its address is the container's, whose port 22 qemu forwards; who logs in keeps his own.
exec nice -n 10 "${machine[@]}" -accel "$accel" \
  -drive if=pflash,format=qcow2,unit=1,file=variables.qcow2 \
  -drive file=disk.qcow2,if=virtio,cache=unsafe,discard=unmap \
  -netdev user,id=net,hostfwd=tcp::22-:22 -device virtio-net-pci,netdev=net,addr=0x3 \
  -device virtio-rng-pci \
  -serial file:console.log \
  -monitor unix:monitor.sock,server=on,wait=off
