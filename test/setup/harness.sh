# harness.sh SCRIPT FUNCTION: runs one test function in an empty folder ($work, removed afterwards), with an
# empty home, so that nothing of the machine's user takes part. Needs CXX, CMAKE and LLVM (its
# major version) in the environment.
# Gives the tests: $top (the checkout), run, the expectations, and fake LibTorch trees.
set -euo pipefail
script=$(realpath "$1")
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir home
export HOME=$work/home
unset XDG_CACHE_HOME CMAKE_PREFIX_PATH Torch_DIR PYTHONPATH SUDO_USER LD_LIBRARY_PATH

CXX=$(type -P "$CXX")
export CXX

fail() {
  echo "FAILED: $*" >&2
  [ ! -e "$work/output" ] || { echo "--- what it printed:"; cat "$work/output"; } >&2
  exit 1
}
# run STATUS COMMAND...: its output goes to $work/output; any other status is a failure.
run() {
  local wanted=$1 status=0
  shift
  "$@" >"$work/output" 2>&1 </dev/null || status=$?
  [ "$status" = "$wanted" ] || fail "exit status $status, wanted $wanted, of: $*"
}
prints() { grep -qF -- "$1" "$work/output" || fail "it does not print: $1"; }
prints_not() { ! grep -qF -- "$1" "$work/output" || fail "it prints: $1"; }
# CMake breaks the lines of its messages: compare without line breaks.
says() { tr -s ' \n' ' ' <"$work/output" | grep -qF -- "$1" || fail "it does not say: $1"; }

# library FILE [NEEDED-LIBRARY-FILE...]: a shared library that asks the loader for the others.
library() {
  local file=$1
  shift
  mkdir -p "$(dirname "$file")"
  echo "${source-}" | "$CXX" -shared -fPIC -o "$file" -Wl,-soname,"$(basename "$file")" -x c++ - -x none -Wl,--no-as-needed "$@"
}

# libtorch ROOT VERSION [LIBRARY-FOLDER]: what TorchTidyLibTorch.cmake looks at in a LibTorch.
libtorch() {
  local root=$1 version=$2 lib=$1/${3:-lib} api=$1/include/torch/csrc/api/include/torch
  mkdir -p "$api" "$root/include/ATen" "$lib"
  printf '#pragma once\n#include "torch/version.h"\n' >"$api/torch.h"
  : >"$root/include/ATen/ATen.h"
  printf '#if __cplusplus < 201703L\n#error C++17 or later compatible compiler is required to use PyTorch.\n#endif\n' >"$api/all.h"
  IFS=. read -r major minor patch <<<"$version"
  printf '#define TORCH_VERSION_MAJOR %s\n#define TORCH_VERSION_MINOR %s\n#define TORCH_VERSION_PATCH %s\n' \
    "$major" "$minor" "$patch" >"$api/version.h"
  library "$lib/libc10.so"
  library "$lib/libtorch_cpu.so" "$lib/libc10.so"
}

# probe [CMAKE-FLAG...]: what CMake takes; nothing of the machine's own Python or Debian unless a flag says so.
probe() {
  rm -rf "$work/probe"
  run "${status:-0}" "$CMAKE" -S "$top/cmake/probe" -B "$work/probe" \
    -DTORCH_TIDY_SYSTEM_PREFIX="$work/usr" -DTORCH_TIDY_PYTHON="${python:-false}" "$@"
}
# takes VERSION FROM ROOT
takes() { prints "torch-tidy-libtorch|$1|$2|$3|"; }

. "$script"
"$2"
