# shellcheck shell=bash
# Sourced by the scripts: one line per step, with its time, and a sign of life from the long ones.

STEP_DETAIL=$(mktemp)
STEP_LOG=$(mktemp)
remove_step_files() { rm -f "$STEP_DETAIL" "$STEP_LOG"; }
trap remove_step_files EXIT

# What the running step found or did: shown at the end of its line.
detail() { printf '%s' "$*" >"$STEP_DETAIL"; }

# step LABEL COMMAND...: runs it without input. Its output is shown only when it fails, and then ends the script.
step() {
  local label=$1 began=${EPOCHREALTIME/[.,]/} beat work status=0 ms
  shift
  : >"$STEP_DETAIL"
  (
    while sleep 15 >/dev/null 2>&1 </dev/null; do
      printf '  ....           %s: %s\n' "$label" "$(tail -n 1 "$STEP_LOG" | cut -c 1-90)"
    done
  ) &
  beat=$!
  # In the background: errexit holds only outside of a condition.
  (set -e; "$@") >"$STEP_LOG" 2>&1 </dev/null &
  work=$!
  wait "$work" || status=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  ms=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
  if [ "$status" -eq 0 ]; then
    printf '  ok   %4d.%d s  %s%s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$label" "$(sed 's/^/: /' "$STEP_DETAIL")"
    return
  fi
  printf '  FAIL %4d.%d s  %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "$label"
  sed 's/^/    | /' "$STEP_LOG" | tail -n 60
  exit "$status"
}

# A thing that only the user can mend.
give_up() {
  printf '\n%s\n' "$*" >&2
  exit 1
}
