#!/bin/sh
# On a host of the suite: run one role under guard with the controller that lies in /opt.
# on_the_box.sh ROLE DOES [VARIABLE=VALUE...]
set -eu
cd /opt/dlbox
export PYTHONPATH=/opt/lib PYTHONDONTWRITEBYTECODE=1 ANSIBLE_NOCOLOR=1 ANSIBLE_CONFIG=/opt/dlbox/ansible.cfg
export ANSIBLE_ROLES_PATH=/opt/dlbox/tests/fixtures
role=$1 does=$2
shift 2
for given; do
  set -- "$@" -e "$given"
  shift
done
exec python3 -m ansible playbook -i "box," -e "{access_guard_roles: [$role]}" -e "foreign_role_does=$does" \
  -e '{ansible_connection: local, dlbox_admins: [{name: ada}], access_guard_known_hosts: /tmp/known_hosts}' \
  -e access_guard_login_timeout=5 "$@" molecule/access/case.yml
