# Shared by the scripts; sourced, not run. Sets TENON_ROOT and moves there.

set -euo pipefail
TENON_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TENON_ROOT"
# shellcheck source=../deps/pins
source deps/pins

TENON_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tenon
[ -d "$HOME/.cargo/bin" ] && case ":$PATH:" in *":$HOME/.cargo/bin:"*) ;; *) PATH=$HOME/.cargo/bin:$PATH ;; esac
export PATH

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Prints 12 hex digits for the given words and files (each argument that is a file counts by content).
tenon_hash() {
  local item
  for item in "$@"; do
    if [ -f "$item" ]; then cat "$item"; else printf '%s\n' "$item"; fi
  done | sha256sum | cut -c1-12
}

# Prints where the dependency NAME is, or will be once built: capnproto, capnproto-tsan, wasmtime,
# wasmtime-oracle, wasm-tools, wasmtime-cli, wasmtime-newest. The name of the folder holds the hash of everything that decides its content,
# for the last three the version.
dep_dir() {
  local crate=deps/wasmtime hash
  case $1 in
    capnproto | capnproto-tsan) hash=$(tenon_hash "$CAPNPROTO_VERSION" "$CAPNPROTO_SHA256" "$CAPNPROTO_RECIPE") ;;
    wasmtime) hash=$(tenon_hash "$WASMTIME_RECIPE" $crate/Cargo.toml $crate/Cargo.lock $crate/src/lib.rs $crate/src/extend.rs) ;;
    wasmtime-oracle)
      hash=$(tenon_hash "$WASMTIME_RECIPE" $crate/Cargo.toml $crate/Cargo.lock $crate/src/{lib,extend,oracle}.rs)
      ;;
    wasm-tools) hash=$WASM_TOOLS_VERSION ;;
    wasmtime-cli) hash=$WASMTIME_CLI_VERSION ;;
    wasmtime-newest) hash=$WASMTIME_NEWEST_VERSION ;;
    *) die "no dependency is named $1" ;;
  esac
  printf '%s/deps/%s-%s\n' "$TENON_CACHE" "$1" "$hash"
}

# step_begin N TOTAL TEXT, step_end TEXT: one line of progress, "[2/6] Wasmtime ... done (3m12s)".
step_begin() {
  STEP_START=$SECONDS
  printf '[%s/%s] %s ' "$1" "$2" "$3"
}
step_end() {
  printf '%s (%s)\n' "$1" "$(duration $((SECONDS - STEP_START)))"
}
duration() {
  if [ "$1" -ge 60 ]; then printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); else printf '%ds' "$1"; fi
}

# run_logged NAME COMMAND...: runs a long command with its output in a log, and shows that it lives: on a
# terminal its last line, elsewhere a line every 30 seconds. When it fails, shows the end of the log.
run_logged() {
  local name=$1 log="$TENON_CACHE/log/$1.log" pid start=$SECONDS shown=$SECONDS last
  shift
  mkdir -p "$TENON_CACHE/log"
  set -m  # a process group of its own, so that an interrupt ends all of it
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  set +m
  # shellcheck disable=SC2064
  trap "kill -- -$pid 2>/dev/null; printf '\n'; exit 130" INT TERM
  while kill -0 $pid 2>/dev/null; do
    sleep 0.5
    last=$(tail -c 400 "$log" 2>/dev/null | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | cut -c1-72 || true)
    if [ -t 1 ]; then
      printf '\r\033[K  %s %s: %s' "$(duration $((SECONDS - start)))" "$name" "$last"
    elif [ $((SECONDS - shown)) -ge 30 ]; then
      [ $shown -ne $start ] || printf '\n'
      printf '      %s %s: %s\n' "$(duration $((SECONDS - start)))" "$name" "$last"
      shown=$SECONDS
    fi
  done
  [ ! -t 1 ] || printf '\r\033[K'
  local status=0
  wait $pid || status=$?
  trap - INT TERM
  if [ $status -ne 0 ]; then
    printf '\n'
    tail -n 40 "$log" >&2
    die "$name failed; the whole log is $log"
  fi
}

# configure DIR [-DOPTION=VALUE...]: configures a build folder unless it is configured with these options.
configure() {
  local dir=$1 option missing=
  shift
  [ -f "$dir/build.ninja" ] || missing=yes
  for option in "$@"; do
    grep -qE "^${option%%=*}:[A-Z]+=${option#*=}$" <(sed 's/^/-D/' "$dir/CMakeCache.txt" 2>/dev/null) || missing=yes
  done
  [ -z "$missing" ] || run_logged "configure-${dir##*/}" cmake -S "$TENON_ROOT" -B "$dir" -G Ninja "$@"
}

# build DIR [TARGET...]: builds, all when no target is named.
build() {
  local dir=$1 arguments=()
  shift
  [ $# -eq 0 ] || arguments=(--target "$@")
  NINJA_STATUS='[%f/%t, %es] ' cmake --build "$dir" -j "$(jobs)" "${arguments[@]}"
}

# jobs: how many compilers may run at once. One job needs up to 1.5 GB.
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((cores < memory ? cores : memory))
}
