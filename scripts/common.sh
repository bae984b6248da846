# Sourced by the other scripts: where things are, and how they speak.
set -euo pipefail
shopt -s inherit_errexit  # else $(...) goes on after a failure
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway}
jobs=$(nproc)

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 2; }
