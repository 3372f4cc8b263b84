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

# Prints where the dependency NAME is, or will be once built: capnproto, wasmtime, wasmtime-oracle,
# wasm-tools. The name of the folder holds the hash of everything that decides its content.
dep_dir() {
  local crate=deps/wasmtime hash
  case $1 in
    capnproto) hash=$(tenon_hash "$CAPNPROTO_VERSION" "$CAPNPROTO_SHA256" "$CAPNPROTO_RECIPE") ;;
    wasmtime) hash=$(tenon_hash "$WASMTIME_RECIPE" $crate/Cargo.toml $crate/Cargo.lock $crate/src/lib.rs) ;;
    wasmtime-oracle)
      hash=$(tenon_hash "$WASMTIME_RECIPE" $crate/Cargo.toml $crate/Cargo.lock $crate/src/lib.rs $crate/src/oracle.rs)
      ;;
    wasm-tools) hash=$(tenon_hash "$WASM_TOOLS_VERSION" "$WASM_TOOLS_RECIPE") ;;
    *) die "no dependency is named $1" ;;
  esac
  printf '%s/deps/%s-%s\n' "$TENON_CACHE" "$1" "$hash"
}
