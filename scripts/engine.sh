# Sourced by the launcher: what `demo` and `test` need around them, a container engine first.
# shellcheck shell=bash
# Reuses a running Docker or Podman. On a machine without an init system it starts the engine itself, and
# stop_engine stops only that one.
# shellcheck disable=SC2154  # root is the launcher's
engine_state=$root/.cache/engine # pid of the engine that we started

start_engine() {
  allow_many_systemds
  export DLBOX_ENGINE=docker
  ! docker info >/dev/null 2>&1 || return 0
  if podman info >/dev/null 2>&1; then
    use_podman
    return
  fi
  command -v dockerd >/dev/null || install_packages "a container engine" docker.io iptables
  # Debian 13 has the command in a package of its own.
  command -v docker >/dev/null || install_packages "the command of the container engine" docker-cli
  ! docker info >/dev/null 2>&1 || return 0 # its package has started it
  if [ -d /run/systemd/system ]; then
    start_engine_by_hand="systemctl start docker"
    may_be_root "the container engine does not answer" ||
      die 77 "the container engine does not answer. As root, run: systemctl start docker && usermod -aG docker $(id -un)"
    as_root systemctl start docker
    as_member_of_docker
  else
    [ "$(id -u)" -eq 0 ] || die 77 "the container engine does not run, and without an init system only root can start it"
    mkdir -p "$engine_state"
    forget_dead /var/run/docker.pid dockerd
    forget_dead /var/run/docker/containerd/containerd.pid containerd
    say "starting the container engine (it is stopped again at the end)"
    setsid nohup dockerd >"$engine_state/log" 2>&1 </dev/null 8>&- 9>&- &
    echo $! >"$engine_state/pid"
    disown # no job of ours: the tests wait for their jobs
    start_engine_by_hand="dockerd (see $engine_state/log)"
  fi
  local _
  for _ in $(seq 60); do
    ! docker info >/dev/null 2>&1 || return 0
    sleep 0.5
  done
  if [ -e "$engine_state/log" ]; then tail -n 5 "$engine_state/log" >&2; fi
  die 69 "the container engine does not answer after 30 s: $start_engine_by_hand"
}

as_member_of_docker() { # goes on as this account with the group docker, for this run; the account is not put into it
  ! docker info >/dev/null 2>&1 || return 0
  local group input=/dev/null
  ! $at_terminal || input=/dev/tty # who sits there may be asked again
  group=$(getent group docker | cut -d: -f3)
  if [ "$(id -u)" -eq 0 ] || [ -z "$group" ] || [ -n "${DLBOX_IN_DOCKER_GROUP:-}" ]; then return 0; fi
  export DLBOX_IN_DOCKER_GROUP=1
  # The environment goes through a pipe: sudo drops it, and arguments are anybody's to read.
  # shellcheck disable=SC2016  # expanded there
  export -p | as_root setpriv --reuid "$(id -u)" --regid "$(id -g)" --groups "$(id -G | tr ' ' ','),$group" \
    bash -c 'eval "$(cat)"; exec bash "$@" <"$0"' "$input" "$root/dlbox" "${launcher_arguments[@]}"
  exit
}

forget_dead() { # PIDFILE NAME: an engine that was killed leaves its process id, which may be another process by now
  [ -e "$1" ] || return 0
  [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null || true)" = "$2" ] || rm -f "$1"
}

allow_many_systemds() { # each container's systemd takes a dozen inotify instances, and 128 is a common limit
  local limit=/proc/sys/fs/inotify/max_user_instances
  [ "$(cat $limit)" -lt 1024 ] || return 0
  if ! as_root sysctl --quiet --write fs.inotify.max_user_instances=1024 2>/dev/null; then
    say "with more than about ten containers, systemd may run out of inotify instances: sysctl fs.inotify.max_user_instances=1024"
  fi
}

use_podman() { # Docker's API and command, served by Podman
  mkdir -p "$engine_state/bin"
  export DLBOX_ENGINE=podman DOCKER_HOST=unix://$engine_state/podman.sock
  if [ ! -S "$engine_state/podman.sock" ]; then
    setsid nohup podman system service --time=0 "$DOCKER_HOST" >"$engine_state/log" 2>&1 </dev/null 8>&- 9>&- &
    echo $! >"$engine_state/pid"
    disown
    sleep 1
  fi
  if ! command -v docker >/dev/null; then
    ln -sf "$(command -v podman)" "$engine_state/bin/docker"
    PATH=$engine_state/bin:$PATH
  fi
}

stop_engine() { # only the one that start_engine started
  [ -e "$engine_state/pid" ] || return 0
  kill "$(cat "$engine_state/pid")" 2>/dev/null || true
  local _
  for _ in $(seq 40); do
    kill -0 "$(cat "$engine_state/pid")" 2>/dev/null || break
    sleep 0.25
  done
  rm -rf "$engine_state"
}

build_images() { # [IMAGE...]
  if ! command -v mmdebstrap >/dev/null && [ "${DLBOX_IMAGE_SOURCE:-}" != registry ] &&
    ! timeout 60 "$DLBOX_ENGINE" image inspect dlbox/debian-13 >/dev/null 2>&1 &&
    ! timeout 60 "$DLBOX_ENGINE" pull --quiet debian:trixie >/dev/null 2>&1; then
    install_packages "mmdebstrap (no container registry answers, so the test images are made from packages)" mmdebstrap
  fi
  tests/images/build.sh "$@"
}

use_conda_channel() { # conda-forge, or where it does not answer the small stand-in of the same format
  if python -I -c 'import urllib.request
urllib.request.urlopen(urllib.request.Request("https://conda.anaconda.org/conda-forge/noarch/repodata.json.zst", method="HEAD"), timeout=10)' 2>/dev/null; then
    export DLBOX_CONDA_CHANNEL=conda-forge
    return
  fi
  python tests/fixtures/conda_channel/build.py "$root/.cache/conda-channel" >&2
  # As the containers see it: the directory is mounted there.
  export DLBOX_CONDA_CHANNEL=file:///srv/conda-channel DLBOX_CONDA_PYTHON=3.11
}
