# Sourced by the launcher: ./dlbox demo [--keep | --stop]
# shellcheck shell=bash
# A fresh install in a container, reached over ssh as a real box is, provisioned with the whole of site.yml and
# tested; it stays until `./dlbox demo --stop`, so that its JupyterLab can be looked at.
# shellcheck disable=SC2154  # root is the launcher's
demo=$root/.cache/demo
name=dlbox-demo
owner=ada
keep=false

stop_demo() {
  if [ -S "$demo/tunnel" ]; then ssh -S "$demo/tunnel" -O exit demo 2>/dev/null || true; fi
  if docker info >/dev/null 2>&1; then
    docker rm --force --volumes "$name" >/dev/null 2>&1 || true
    docker network rm "$name" >/dev/null 2>&1 || true
  fi
  rm -rf "$demo"
}

write_inventory() { # -> $demo/inventory: what an owner would write, for this container
  mkdir -p "$demo/inventory/group_vars/molecule"
  cat >"$demo/inventory/hosts.yml" <<INVENTORY
---
molecule:
  vars:
    ct_network: $name
    ct_image: dlbox/ubuntu-24.04
    ct_volumes: [${DLBOX_CONDA_PYTHON:+"$root/.cache/conda-channel:/srv/conda-channel:ro"}]
  hosts:
    $name:
      ansible_user: $owner
      ansible_ssh_private_key_file: $demo/id_ed25519
      ansible_ssh_common_args: -o UserKnownHostsFile=$demo/known_hosts -o IdentitiesOnly=yes
INVENTORY
  cat >"$demo/inventory/group_vars/molecule/owner.yml" <<OWNER
---
dlbox_admins:
  - {name: $owner, keys: [$demo/id_ed25519.pub], sudo: nopasswd}
conda_environments:
  - {name: jupyter}
  - {name: datascience}
OWNER
  if [ -n "${DLBOX_CONDA_PYTHON:-}" ]; then
    cat >>"$demo/inventory/group_vars/molecule/owner.yml" <<OWNER
# conda-forge does not answer here: a small local channel of the same format stands in for it.
conda_channels: ["$DLBOX_CONDA_CHANNEL"]
conda_python: "$DLBOX_CONDA_PYTHON"
OWNER
  fi
}

create_container() { # as it is after Ubuntu's installer: one account, with a key, that may use sudo
  ANSIBLE_STRATEGY=linear ansible-playbook --inventory "$demo/inventory" molecule/shared/create.yml \
    --extra-vars ansible_connection=local >"$demo/create.log" 2>&1 || { cat "$demo/create.log" >&2; die 70 "could not create the container"; }
  docker exec "$name" useradd --create-home --shell /bin/bash --groups sudo "$owner"
  docker exec --interactive "$name" sh -c "
    install -d -m 700 -o $owner -g $owner /home/$owner/.ssh
    cat >/home/$owner/.ssh/authorized_keys
    chown $owner: /home/$owner/.ssh/authorized_keys; chmod 600 /home/$owner/.ssh/authorized_keys
    echo '$owner ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/90-installer" <"$demo/id_ed25519.pub"
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    # Trust what this controller trusts, such as the authority of a package mirror.
    docker exec --interactive "$name" sh -c 'cat >/etc/ssl/certs/ca-certificates.crt' </etc/ssl/certs/ca-certificates.crt
  fi
}

learn_address() { # the host key is taken from the container itself, not from the first connection
  address=$(docker inspect --format "{{ (index .NetworkSettings.Networks \"$name\").IPAddress }}" "$name")
  docker exec "$name" cat /etc/ssh/ssh_host_ed25519_key.pub | sed "s/^/$address /" >"$demo/known_hosts"
  sed -i '/ansible_host:/d' "$demo/inventory/hosts.yml"
  sed -i "s/^    $name:\$/&\n      ansible_host: $address/" "$demo/inventory/hosts.yml"
}

open_tunnel() { # sets port
  port=$(python -I -c 'import socket
for port in range(8888, 8988):
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", port)):
            print(port)
            break')
  ssh -f -N -M -S "$demo/tunnel" -o ExitOnForwardFailure=yes -o UserKnownHostsFile="$demo/known_hosts" -o IdentitiesOnly=yes \
    -i "$demo/id_ed25519" -L "127.0.0.1:$port:127.0.0.1:8888" "$owner@$address" 8>&- 9>&- >/dev/null 2>&1
  python - "$port" <<'PYTHON' || die 70 "JupyterLab does not answer through the tunnel"
import sys, time, urllib.request
for _ in range(60):
    try:
        page = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/login", timeout=5).read()
        sys.exit(0 if b"password" in page.lower() else 1)
    except OSError:
        time.sleep(1)
sys.exit(1)
PYTHON
}

for argument in "$@"; do
  case $argument in
    --keep) keep=true ;;
    --stop)
      stop_demo
      stop_engine
      say "the demo is gone"
      exit 0
      ;;
    *) die 64 "unknown option '$argument'; see ./dlbox help" ;;
  esac
done

command -v ssh-keygen >/dev/null || install_packages "the ssh client" openssh-client
prepare test
enter_venv
use_mitogen
start_engine
build_images ubuntu-24.04
if ! $keep || [ "$(docker inspect --format '{{ .State.Running }}' "$name" 2>/dev/null)" != true ]; then
  say "making a fresh workstation in the container $name"
  stop_demo
  mkdir -p "$demo"
  ssh-keygen -q -t ed25519 -N '' -C "$owner@demo" -f "$demo/id_ed25519"
  use_conda_channel
  write_inventory
  create_container
fi
learn_address
ansible-playbook site.yml --inventory "$demo/inventory"
say "testing it"
python scripts/doctor.py -i "$demo/inventory" || die $? "the doctor found something, see above"
open_tunnel
cat <<SUMMARY

The demo workstation is up, until: ./dlbox demo --stop
  JupyterLab   http://127.0.0.1:$port   (through an ssh tunnel that this demo holds open)
  password     $(docker exec "$name" cat "/home/$owner/.config/dlbox/jupyter-password" 2>/dev/null || echo "see the summary above")
  log in       ssh -i $demo/id_ed25519 -o UserKnownHostsFile=$demo/known_hosts $owner@$address
  look inside  docker exec --interactive --tty $name bash
SUMMARY
