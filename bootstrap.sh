#!/usr/bin/env bash
# From a fresh Debian 12 to a working torch-tidy. ./bootstrap.sh --help says what it does.
set -euo pipefail

libtorch_default=2.15.0 # PyTorch's current package; bumped together with the fact tables
llvm_default=22
top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/torch-tidy
logs=$top/build/logs
started=$SECONDS

usage() {
  cat <<TXT
Usage: ./bootstrap.sh COMMAND [OPTIONS]

  demo     install what is missing, build, analyse fixtures/ and confirm the findings by running them
  test     install what is missing, build and run every test: with LLVM 22 and PyTorch's LibTorch,
           then what differs with Debian's LibTorch and with LLVM 19 (--libtorch or --llvm: that one only)
  build    install what is missing and build
  setup    only install what is missing

Options:
  --no-install        install nothing: name what is missing, and stop if anything is
  --libtorch WHICH    'debian' (apt's libtorch-dev), a folder, or a version of PyTorch's package
                      (default: one that is there - CMAKE_PREFIX_PATH, Torch_DIR, Python's torch - else $libtorch_default)
  --llvm 22|19        the LLVM to build with (default: $llvm_default)
  --jobs N            compile and test N at a time (default: one per core, fewer where memory is short)
  --help              this text

Debian packages are installed with apt-get (through sudo where you are not root). PyTorch's package (its CPU
part) and the test tools from PyPI go into $cache;
nothing else outside this folder is touched. Exit status: 0 done, 1 a test failed, 2 it could not be done.
TXT
}

# --- saying things ----------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }
die() {
  printf '\nbootstrap: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 2
}
have() { command -v "$1" >/dev/null 2>&1; }

# logged TITLE LOG COMMAND...: runs the command with its output in build/logs/LOG, showing how far it is:
# on a terminal its last line, kept up to date; elsewhere that line every 20 seconds. Its status is returned.
child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 130' INT TERM
logged() {
  local title=$1 log=$logs/$2 begin=$SECONDS shown=$SECONDS status=0 last width
  shift 2
  mkdir -p "$logs"
  "$@" >"$log" 2>&1 </dev/null &
  child=$!
  width=$(tput cols 2>/dev/null || echo 100)
  while kill -0 "$child" 2>/dev/null; do
    if [ -t 1 ]; then
      last=$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1)
      printf '\r\033[K%.*s' "$((width - 1))" "  $title: $((SECONDS - begin)) s  $last"
    elif [ $((SECONDS - shown)) -ge 20 ]; then
      shown=$SECONDS
      last=$(tail -c 400 "$log" | tr '\r' '\n' | tail -n 1)
      printf '  %s: %d s  %.90s\n' "$title" "$((SECONDS - begin))" "$last"
    fi
    sleep 0.2
  done
  wait "$child" || status=$?
  child=
  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$status" = 0 ]; then
    say "  $title: done in $((SECONDS - begin)) s"
  else
    say "  $title: FAILED after $((SECONDS - begin)) s; the end of $log:"
    tail -n 40 "$log" | sed 's/^/    /'
  fi
  return "$status"
}

# --- what is needed ---------------------------------------------------------------------------------

missing=() # Debian packages
# needs PACKAGE PROBE...: the package is missing unless one of the probes succeeds: a command on PATH,
# or an absolute path that exists. What the user has from elsewhere counts too.
needs() {
  local package=$1 probe
  shift
  for probe in "$@"; do
    case $probe in
      /*) [ ! -e "$probe" ] || return 0 ;;
      *) ! have "$probe" || return 0 ;;
    esac
  done
  missing+=("$package")
}
needs_header() { needs "$1" "/usr/local/include/$2" "/usr/include/$2"; }

find_missing() {
  local version
  missing=()
  needs ca-certificates /etc/ssl/certs/ca-certificates.crt
  needs g++ g++
  needs cmake cmake
  needs ninja-build ninja
  needs ccache ccache
  needs git git # pre-commit's, and the tests' of changed files
  needs python3 python3
  have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  needs_header nlohmann-json3-dev nlohmann/json.hpp
  needs_header libcli11-dev CLI/CLI.hpp
  needs_header libgtest-dev gtest/gtest.h
  needs_header libgmock-dev gmock/gmock.h
  needs_header libbenchmark-dev benchmark/benchmark.h
  for version in "${llvms[@]}"; do
    needs "clang-$version" "clang++-$version"
    needs "clang-tidy-$version" "clang-tidy-$version"
    needs "llvm-$version-dev" "/usr/lib/llvm-$version/include/llvm/ADT/StringRef.h"
    needs "libclang-$version-dev" "/usr/lib/llvm-$version/include/clang/AST/AST.h"
    needs "llvm-$version-tools" "FileCheck-$version"
  done
  if [ "$needs_debian_libtorch" = yes ]; then
    needs libtorch-dev /usr/include/torch/csrc/api/include/torch/torch.h
  fi
}

root_do() { if [ "$EUID" = 0 ]; then env DEBIAN_FRONTEND=noninteractive "$@"; else sudo env DEBIAN_FRONTEND=noninteractive "$@"; fi; }

install_packages() {
  find_missing
  if [ ${#missing[@]} = 0 ]; then
    say "Debian packages: all there"
    return
  fi
  local command="apt-get install --no-install-recommends ${missing[*]}"
  [ "$install" = yes ] || die "missing, and --no-install was given: ${missing[*]}" "$command"
  have apt-get || die "missing: ${missing[*]}" \
    "These are Debian's package names, and there is no apt-get here. Install what they hold, and run this again."
  step "Debian packages to install: ${missing[*]}"
  if [ "$EUID" != 0 ]; then
    have sudo || die "installing Debian packages needs root, and there is no sudo." "As root: $command" "Then run this again."
    sudo -v || die "sudo refused." "As root: $command" "Then run this again."
  fi
  logged "package lists" apt-update.log root_do apt-get -o DPkg::Lock::Timeout=120 update ||
    die "apt-get update failed: is the network there?" "Log: $logs/apt-update.log"
  # What apt says it costs, before it is done.
  root_do apt-get install --assume-no --no-install-recommends "${missing[@]}" 2>/dev/null |
    grep -E '^(Need to get|After this operation)' | sed 's/^/  /' || true
  if ! logged "installing" apt-install.log root_do apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}"; then
    if grep -q 'Unable to locate package' "$logs/apt-install.log"; then
      die "this system's package sources lack a package of Debian 12's (clang-22 is in bookworm-security)." \
        "Add 'bookworm-security' to the sources, or install LLVM yourself, or try --llvm 19."
    fi
    die "apt-get could not install: ${missing[*]}" "Log: $logs/apt-install.log"
  fi
  find_missing
  [ ${#missing[@]} = 0 ] || die "installed, but still not found: ${missing[*]}"
}

# lit, pre-commit and a pip that can resume, in a virtual environment of our own. The stamp is written last.
install_tools() {
  local wanted=$top/cmake/tools-requirements.txt
  venv=$cache/venv
  if cmp -s "$wanted" "$venv/installed.txt"; then
    say "Test tools: all there ($venv)"
    return
  fi
  [ "$install" = yes ] || die "missing, and --no-install was given: the test tools of $wanted in $venv" \
    "python3 -m venv $venv && $venv/bin/pip install -r $wanted && cp $wanted $venv/installed.txt"
  step "Test tools from PyPI, into $venv: $(grep -v '^#' "$wanted" | tr '\n' ' ')"
  mkdir -p "$cache"
  logged "test tools" tools.log sh -c "python3 -m venv --clear '$venv' && '$venv/bin/python' -m pip install -r '$wanted'" ||
    explain_pip tools.log "the test tools"
  cp "$wanted" "$venv/installed.txt"
}

explain_pip() { # LOG WHAT
  if grep -q 'No space left on device' "$logs/$1"; then
    die "the disk filled up while fetching $2 into $cache." "Free some space (3 GB), or set XDG_CACHE_HOME to a folder on a larger disk, and run this again."
  elif grep -qE 'Max retries|NewConnectionError|Temporary failure|Name or service|Network is unreachable|Read timed out|Connection (refused|reset|broken)|CERTIFICATE_VERIFY' "$logs/$1"; then
    die "PyPI could not be reached while fetching $2." \
      "Is the network there? A proxy or mirror is set as for pip (PIP_INDEX_URL, PIP_CERT, https_proxy)." "What is complete is kept; run this again."
  fi
  die "pip could not fetch $2." "Log: $logs/$1"
}

# --- LibTorch ---------------------------------------------------------------------------------------

# probe [FOLDER|debian]: what cmake/TorchTidyLibTorch.cmake takes here: sets libtorch_{version,from,root};
# fails, with CMake's message in build/logs/libtorch-probe.log, where it takes none.
probe() {
  local line
  mkdir -p "$logs"
  cmake -G Ninja -S "$top/cmake/probe" -B "$top/build/probe" -DTORCH_TIDY_LIBTORCH="${1-}" >"$logs/libtorch-probe.log" 2>&1 || return 1
  line=$(grep -o 'torch-tidy-libtorch|.*' "$logs/libtorch-probe.log")
  IFS='|' read -r _ libtorch_version libtorch_from libtorch_root _ <<<"$line"
}

# fetch_libtorch VERSION: PyTorch's package from PyPI, its CPU part, into $cache/libtorch-VERSION.
# A run that was broken off leaves whole wheels in downloads/, which the next one takes up.
fetch_libtorch() {
  local version=$1 folder=$cache/libtorch-$1 downloads=$cache/downloads/libtorch-$1 python
  [ "$install" = yes ] || die "missing, and --no-install was given: LibTorch" \
    "Name one with --libtorch, or let this fetch PyTorch's $version into $folder."
  step "LibTorch $version: PyTorch's package from PyPI, its CPU part, into $folder (550 MB to fetch, 0.7 GB to keep)"
  mkdir -p "$downloads/tmp"
  exec 9>"$cache/lock"
  flock -n 9 || { say "  another bootstrap is fetching; waiting for it"; flock 9; }
  if [ ! -e "$folder" ]; then
    [ "$(df --output=avail -k "$cache" | tail -n 1)" -gt 2000000 ] ||
      die "less than 2 GB free for $cache; LibTorch takes that while it is unpacked." \
        "Free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and run this again."
    # The wheel of one Python release is taken whatever Python is here, since its C++ part is the same in all.
    local pip=("$venv/bin/python" -m pip download --dest "$downloads" --no-deps --only-binary=:all: --no-cache-dir
      --retries 3 --implementation cp) platform
    # Every name that wheels for a C library up to Debian 12's go by; pip takes them literally.
    for platform in manylinux{1,2010,2014,_2_{17..36}}; do pip+=(--platform "${platform}_$(uname -m)"); done
    local wheel="" log=libtorch-download.log
    for python in 311 312 313; do
      if logged "fetching torch $version" $log env TMPDIR="$downloads/tmp" "${pip[@]}" \
        --python-version "${python:0:1}.${python:1}" --abi "cp$python" "torch==$version"; then
        wheel=$(echo "$downloads"/torch-*.whl)
        break
      fi
      grep -q 'No matching distribution' "$logs/$log" || explain_pip $log "torch $version"
    done
    [ -n "$wheel" ] || die "PyPI has no PyTorch $version for this machine ($(uname -m))." "The end of $logs/$log lists what it has."
    local cuda
    cuda=$("$venv/bin/python" "$top/cmake/unpack_libtorch.py" --cuda-packages "$wheel") ||
      die "$wheel is damaged." "Delete it, and run this again."
    if [ -n "$cuda" ]; then
      # shellcheck disable=SC2086 # one requirement a word
      logged "fetching the CUDA libraries that its CPU part asks for" $log env TMPDIR="$downloads/tmp" "${pip[@]}" --python-version 3.11 $cuda ||
        explain_pip $log "the CUDA libraries that LibTorch's CPU part asks for"
    fi
    logged "unpacking" libtorch-unpack.log "$venv/bin/python" "$top/cmake/unpack_libtorch.py" "$folder" "$downloads"/*.whl ||
      die "LibTorch could not be unpacked into $folder." "Log: $logs/libtorch-unpack.log"
    rm -rf "$downloads"
  fi
  exec 9>&-
}

# Sets libtorch_flag, what to configure with: empty where CMake's own search finds the right one.
install_libtorch() {
  libtorch_flag=$libtorch
  case $libtorch in
    "")
      # Debian's counts only when asked for: the current package knows more (fp16 autocast on the CPU).
      if ! probe || [ "$libtorch_from" = system ]; then
        fetch_libtorch $libtorch_default
        probe || libtorch_unusable
      fi
      ;;
    debian) probe debian || libtorch_unusable ;;
    [0-9]*.[0-9]*)
      libtorch_flag=$cache/libtorch-$libtorch
      [ -e "$libtorch_flag" ] || fetch_libtorch "$libtorch"
      probe "$libtorch_flag" || libtorch_unusable
      ;;
    *)
      [ -d "$libtorch" ] || die "--libtorch: there is no folder $libtorch" "Give a folder, a version such as $libtorch_default, or 'debian'."
      libtorch_flag=$(cd "$libtorch" && pwd)
      probe "$libtorch_flag" || libtorch_unusable
      ;;
  esac
  say "LibTorch: $libtorch_version ($libtorch_root)"
}
libtorch_unusable() {
  sed -n '/CMake Error/,${/^-- /d;/Call Stack/d;/(include)$/d;/^See also/d;p}' "$logs/libtorch-probe.log" >&2
  die "LibTorch ${libtorch:-$libtorch_default} cannot be used, as CMake says above." "Log: $logs/libtorch-probe.log"
}

# --- the three things to do ---------------------------------------------------------------------------

set_up() {
  install_packages
  become_owner
  install_tools
  install_libtorch
}

# Called through sudo in somebody's checkout: packages are in, so go on as its owner; build/ and the cache are theirs.
become_owner() {
  local owner
  owner=$(stat -c %U "$top")
  if [ "$EUID" = 0 ] && [ -n "${SUDO_USER-}" ] && [ "$owner" = "$SUDO_USER" ] && [ "$owner" != root ]; then
    chown -R "$owner": "$top/build" 2>/dev/null || true
    exec sudo -H -u "$owner" --preserve-env=CMAKE_PREFIX_PATH,Torch_DIR,XDG_CACHE_HOME,TERM,PIP_CERT,PIP_INDEX_URL,https_proxy,http_proxy,no_proxy -- "$top/bootstrap.sh" "${arguments[@]}"
  fi
}

# configure_and_build NAME PRESET [FLAG...]: into build/NAME. What fails has been shown.
configure_and_build() {
  local name=$1 preset=$2
  shift 2
  step "Building (build/$name)"
  logged configuring "configure-$name.log" cmake -S "$top" --preset "$preset" -B "$top/build/$name" "$@" &&
    logged compiling "build-$name.log" cmake --build "$top/build/$name" -j "$jobs"
}

# The configuration that the options ask for: its name (and folder in build/), preset and flags.
choose_configuration() {
  preset=release flags=()
  [ "$llvm" = 22 ] || preset=llvm-$llvm
  name=$preset
  case $libtorch in
    "") ;;
    debian)
      flags+=(-DTORCH_TIDY_LIBTORCH=debian)
      if [ "$preset" = release ]; then name=debian-libtorch; else name=$preset-debian-libtorch; fi
      ;;
    *)
      flags+=(-DTORCH_TIDY_LIBTORCH="$libtorch_flag")
      name=$name-libtorch-$(printf %s "$libtorch_flag" | cksum | cut -d' ' -f1)
      ;;
  esac
}

build() {
  choose_configuration
  configure_and_build "$name" "$preset" "${flags[@]}" || die "the build failed, as shown above." "Logs: $logs"
}

# Findings are no failure.
find_defects() { "$@" || [ $? = 1 ]; }

demo() {
  build
  local bin=$top/build/$name/bin findings=$top/build/$name/demo-findings.sarif confirmed=$top/build/$name/demo-confirmed.sarif
  local inputs stamp status=0
  cd "$top"
  step "Analysing fixtures/: nothing is run, only read"
  # What the findings depend on; unchanged since the last run, they are taken from there. (What was run is
  # remembered by torch-tidy confirm itself.)
  inputs=$(find fixtures "$bin/torch-tidy" -type f -print0 | sort -z | xargs -0 cksum && echo "$libtorch_root $libtorch_version")
  stamp=$findings.inputs
  if [ -e "$findings" ] && [ "$inputs" = "$(cat "$stamp" 2>/dev/null)" ]; then
    say "  programs and analyzer are as they were: the findings of $(date -r "$findings" '+%F %T') stand (rm $findings to analyse anew)"
  else
    rm -f "$stamp"
    logged "analysing" demo-check.log find_defects "$bin/torch-tidy" check fixtures --verbose --format sarif --output "$findings" ||
      die "the analysis of fixtures/ failed, as shown above." "Log: $logs/demo-check.log"
    printf '%s\n' "$inputs" >"$stamp"
  fi
  step "Confirming: each model is run with every defect repaired, and with one defect alone"
  # The table is what the demo is for: it belongs to the demo's own output, also where that goes to a file.
  python3 test/fixtures/repairs.py fixtures/manifest.json "$findings" "$confirmed" --needed ||
    die "the repairs of fixtures/manifest.json could not be read."
  "$bin/torch-tidy" confirm "$confirmed" 2>&1 || status=$?
  [ "$status" -le 1 ] || die "the confirmation failed (status $status)."
  say ""
  say "Findings with their measurements: $confirmed"
  say "Your own code: $bin/torch-tidy check FILE.cpp"
  say "Done in $((SECONDS - started)) s."
}

# run_tests TITLE NAME PRESET LABEL [FLAG...]: builds one configuration and runs its tests of that label; keeps
# CTest's closing line for the end, or what went wrong before there was one.
closing=()
failed=no
run_tests() {
  local title=$1 name=$2 preset=$3 label=$4 line
  shift 4
  if ! configure_and_build "$name" "$preset" "$@"; then
    failed=yes
    closing+=("$title: not built, see $logs/build-$name.log")
    return
  fi
  step "Tests: $title"
  ctest --test-dir "$top/build/$name" -j "$jobs" --output-on-failure --no-tests=error -L "$label" 2>&1 |
    tee "$logs/ctest-$name.log" || failed=yes
  line=$(grep -E 'tests passed|No tests were found' "$logs/ctest-$name.log" | tail -n 1)
  closing+=("$title: ${line:-CTest did not come to its end, see $logs/ctest-$name.log}")
}

test_all() {
  choose_configuration
  run_tests "LLVM $llvm, LibTorch $libtorch_version" "$name" "$preset" . "${flags[@]}"
  if [ "$matrix" = yes ]; then
    # What another LibTorch changes: the runtime, the fixtures, the model that is held against it, and the analyzer
    # where it reads other headers.
    run_tests "LLVM $llvm, Debian's LibTorch, what depends on LibTorch" debian-libtorch debian-libtorch '^(libtorch|analyzer)$'
    # What another LLVM changes.
    run_tests "LLVM 19, the analyzer" llvm-19-analyzer llvm-19 '^analyzer$' -DTORCH_TIDY_BUILD_RUNTIME=OFF
  fi
  step "All test runs, $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
  printf '%s\n' "${closing[@]}"
  [ "$failed" = no ] || exit 1
}

# --- the command line ---------------------------------------------------------------------------------

arguments=("$@")
command='' install=yes libtorch='' llvm=$llvm_default matrix=yes
jobs=$(nproc 2>/dev/null || echo 2)
# A translation unit that includes torch.h takes up to 2 GB.
memory=$(($(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo 2>/dev/null || echo 8000000) / 2000000))
[ "$memory" -ge 1 ] || memory=1
[ "$jobs" -le "$memory" ] || jobs=$memory
value() { [ -n "${2-}" ] || die "$1 needs a value; see ./bootstrap.sh --help"; }
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --no-install) install=no ;;
    --libtorch) value "$@"; libtorch=$2 matrix=no; shift ;;
    --libtorch=*) libtorch=${1#*=} matrix=no; value --libtorch "$libtorch" ;;
    --llvm) value "$@"; llvm=$2 matrix=no; shift ;;
    --llvm=*) llvm=${1#*=} matrix=no ;;
    --jobs) value "$@"; jobs=$2; shift ;;
    --jobs=*) jobs=${1#*=} ;;
    -*) die "unknown option $1; see ./bootstrap.sh --help" ;;
    demo | test | build | setup)
      [ -z "$command" ] || die "one command at a time: $command or $1?"
      command=$1
      ;;
    *) die "unknown command $1; it is one of demo, test, build, setup (./bootstrap.sh --help)" ;;
  esac
  shift
done
[ -n "$command" ] || { usage >&2; exit 2; }
case $llvm in 22 | 19) ;; *) die "--llvm $llvm: torch-tidy is built with LLVM 22 or 19" ;; esac
case $jobs in *[!0-9]* | 0*) die "--jobs $jobs: a number of at least 1 is needed" ;; esac
[ "$command" = test ] || matrix=no

llvms=("$llvm") needs_debian_libtorch=no
if [ "$matrix" = yes ]; then llvms=(22 19) needs_debian_libtorch=yes; fi
[ "$libtorch" != debian ] || needs_debian_libtorch=yes

set_up
# Last on PATH: only for what is nowhere else (lit, pre-commit).
export PATH=$PATH:$venv/bin
case $command in
  setup) say "Set up in $((SECONDS - started)) s." ;;
  build) build; say "Built in build/$name in $((SECONDS - started)) s." ;;
  demo) demo ;;
  test) test_all ;;
esac
