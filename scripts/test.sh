# Sourced by the launcher: ./dlbox test [--fast | [--full] [SCENARIO...]]
# shellcheck shell=bash
# Each step is a line with its outcome and time; its whole output is in .cache/test/STEP.log, shown when it fails.
# DLBOX_TEST_JOBS steps run side by side (default: the processors, at most 4).
# shellcheck disable=SC2154,SC2317  # root is the launcher's; the steps are called by name, through run_step
logs=$root/.cache/test
scenarios=()
mode=default
for argument in "$@"; do
  case $argument in
    --fast | --full) mode=${argument#--} ;;
    -*) die 64 "unknown option '$argument'; see ./dlbox help" ;;
    *)
      [ -e "molecule/$argument/molecule.yml" ] ||
        die 64 "no scenario '$argument'; there are: $(cd molecule && echo */molecule.yml | sed 's|/molecule.yml||g')"
      scenarios+=("$argument")
      ;;
  esac
done
all=$([ ${#scenarios[@]} -gt 0 ] || echo yes)
[ "$mode,$all" != fast, ] || die 64 "--fast runs no scenarios: give either it or ${scenarios[*]}"

step_python_style() { ruff check . && ruff format --check .; }
step_python_types() { mypy collections/ansible_collections/dlbox/workstation/plugins scripts tests/testinfra && mypy scripts/install-collections && mypy scripts/mitogen-path && mypy scripts/update-data; }
step_yaml() { yamllint --strict .; }
step_shell() {
  git ls-files -z --cached --others --exclude-standard '*.sh' dlbox .ci/run scripts | xargs -0 grep --directories=skip -lZE '^#!.*sh$|^# shellcheck shell=' |
    xargs -0 shellcheck --external-sources
}
step_ansible() { ansible-lint --offline; }
step_sanity() { python scripts/sanity.py; }
step_unit() { pytest -m "$DLBOX_TEST_MARKER" tests/unit tests/browser; }

why() { # LOG -> its last lines; of a scenario those before its hosts are removed, which come last and tell nothing
  awk '/^INFO .* > (cleanup|destroy)\] Executing/ { last = NR } { line[NR] = $0 }
    END { end = last > NR / 2 ? last : NR; for (i = end - 80 > 0 ? end - 80 : 1; i <= end; i++) print substr(line[i], 1, 600) }' "$1"
}

run_step() { # NAME COMMAND... -> a line, and the name in $logs/passed or $logs/failed
  local name=$1 begin=$SECONDS
  shift
  if "$@" >"$logs/$name.log" 2>&1; then
    printf '%-32s ok      %4d s\n' "$name" $((SECONDS - begin))
    echo "$name" >>"$logs/passed"
  else
    printf '%-32s FAILED  %4d s\n' "$name" $((SECONDS - begin))
    echo "$name" >>"$logs/failed"
    why "$logs/$name.log" | sed "s/^/  $name | /"
  fi
}

in_background() { # COMMAND... once fewer than the permitted number run
  while [ "$(jobs -rp | wc -l)" -ge "$jobs_at_once" ]; do wait -n || true; done
  "$@" &
}

choose_scenarios() {
  local file name
  for file in molecule/*/molecule.yml; do
    name=$(basename "$(dirname "$file")")
    case $mode,$name in default,full-*) ;; *) scenarios+=("$name") ;; esac
  done
}

prepare_browser() { # for the steps that open pages
  python tests/browser/chromium.py 2>/dev/null && return
  # Ubuntu has it as a snap only, which sees neither /tmp nor this folder.
  if [ "$(. /etc/os-release && echo "$ID")" != ubuntu ]; then
    install_packages "a browser, which opens the pages," chromium
  else
    say "a browser, which opens the pages, is missing: downloading Playwright's Chromium"
    playwright install --with-deps --only-shell chromium || die 69 "no browser; see above, or install google-chrome"
  fi
}

leave() { # whatever happens: leave nothing running that was not there before
  trap - EXIT INT TERM
  # shellcheck disable=SC2046  # one process id per word
  kill $(jobs -rp) 2>/dev/null || true
  wait || true
  if [ "$mode" != fast ]; then stop_engine; fi
}

jobs_at_once=${DLBOX_TEST_JOBS:-$(($(nproc) < 4 ? $(nproc) : 4))}
rm -rf "$logs"
mkdir -p "$logs"
touch "$logs/passed" "$logs/failed"
command -v shellcheck >/dev/null || install_packages "shellcheck, which the lint step runs," shellcheck
command -v ssh-keygen >/dev/null || install_packages "the ssh client" openssh-client
prepare test
enter_venv
export NO_COLOR=1 ANSIBLE_NOCOLOR=1 DLBOX_TEST_MARKER
case $mode in
  fast) DLBOX_TEST_MARKER="not full and not slow" ;;
  full) DLBOX_TEST_MARKER="full or not full" ;;
  *) DLBOX_TEST_MARKER="not full" ;;
esac
trap leave EXIT
trap 'exit 130' INT TERM

[ "$mode" = fast ] || [ -z "$all" ] || choose_scenarios
case "$all ${scenarios[*]-}" in yes* | *jupyter*) prepare_browser ;; esac
if [ "$mode" != fast ]; then
  start_engine
  build_images
  use_conda_channel
  # Scenarios that plant faults need the small channel's made-up packages, also where conda-forge answers.
  [ "$DLBOX_CONDA_CHANNEL" != conda-forge ] || python tests/fixtures/conda_channel/build.py "$root/.cache/conda-channel"
fi
if [ -n "$all" ]; then
  for step in unit ansible sanity python_types python_style yaml shell; do in_background run_step "$step" "step_$step"; done
fi
for scenario in ${scenarios[@]+"${scenarios[@]}"}; do
  in_background run_step "molecule-$scenario" molecule test --scenario-name "$scenario"
done
wait

failed=$(wc -l <"$logs/failed")
echo "$(wc -l <"$logs/passed") passed, $failed failed"
if [ "$failed" -gt 0 ]; then
  say "failed: $(paste -sd' ' "$logs/failed"); the whole output is in .cache/test/"
  exit 1
fi
exit 0
