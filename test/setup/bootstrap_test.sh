# What bootstrap.sh says and does about its options and about what is missing. Run by harness.sh.
# Nothing here installs anything: PATH holds fake apt-get and sudo, the cache folder is a fake one.

# A checkout of the script alone, so that nothing is written into the real one.
checkout() {
  mkdir -p checkout
  cp "$top/bootstrap.sh" checkout/
  cp -r "$top/cmake" checkout/
  mkdir checkout/fixtures
  echo 'int main() {}' >checkout/fixtures/model.cpp
  mkdir -p checkout/test/fixtures # what passes findings on to confirm
  echo 'import sys; open(sys.argv[3], "w").close()' >checkout/test/fixtures/repairs.py
}

# machine [COMMAND...]: a PATH with what a minimal Debian has, and these commands; $bin is its folder.
machine() {
  local command
  bin=$work/bin
  mkdir -p "$bin"
  for command in bash sh env cat sed grep head tail tr cut cksum cmp cp mv rm mkdir chown stat uname nproc dirname basename \
    sleep df flock id tee touch ln readelf as ld find sort xargs date "$@"; do
    [ -e "$bin/$command" ] || ln -s "$(real "$command")" "$bin/$command"
  done
}
# Where a command really is. For python3 the system's, which any user may run, or else past the wrappers of
# version managers, which need more of PATH.
real() {
  case $1 in
    python3)
      if /usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo /usr/bin/python3
      else
        python3 -c 'import sys; print(sys.executable)'
      fi
      ;;
    *) type -P "$1" || fail "this test needs the command $1" ;;
  esac
}
# A command that only has to be there.
pretend() { for command; do printf '#!/bin/sh\nexit 0\n' >"$bin/$command" && chmod +x "$bin/$command"; done; }

# as_user COMMAND...: not as root.
as_user() {
  if [ "$EUID" = 0 ]; then
    chown -R nobody: "$work"
    setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
  else
    "$@"
  fi
}

# LLVM's development files are looked for where Debian puts them: those of $LLVM, which this is built with, are there.
all_of_llvm() { pretend "clang++-$LLVM" "clang-tidy-$LLVM" "FileCheck-$LLVM"; }

# A cache in which the test tools are there, and a LibTorch that CMake takes.
with_tools_and_libtorch() {
  mkdir -p home/.cache/torch-tidy/venv
  cp "$top/cmake/tools-requirements.txt" home/.cache/torch-tidy/venv/installed.txt
  libtorch fake 2.15.0
}

test_help_names_commands_and_options() {
  run 0 "$top/bootstrap.sh" --help
  for word in demo test build setup --no-install --libtorch --llvm --jobs debian; do prints "$word"; done
}

test_no_command_is_refused_with_the_usage() {
  run 2 "$top/bootstrap.sh"
  prints "Usage: ./bootstrap.sh COMMAND"
}

test_bad_command_lines_are_refused_by_name() {
  run 2 "$top/bootstrap.sh" demo --frobnicate
  prints "unknown option --frobnicate"
  run 2 "$top/bootstrap.sh" frobnicate
  prints "unknown command frobnicate"
  run 2 "$top/bootstrap.sh" demo test
  prints "one command at a time: demo or test?"
  run 2 "$top/bootstrap.sh" demo --llvm 20
  prints "--llvm 20: torch-tidy is built with LLVM 22 or 19"
  run 2 "$top/bootstrap.sh" demo --jobs none
  prints "--jobs none"
  run 2 "$top/bootstrap.sh" demo --libtorch
  prints "--libtorch needs a value"
}

test_no_install_names_what_is_missing_and_leaves_no_trace() {
  checkout
  machine
  pretend ccache git g++
  run 2 env PATH="$bin" checkout/bootstrap.sh demo --no-install
  for package in cmake ninja-build python3 python3-venv clang-22 clang-tidy-22 llvm-22-tools; do
    grep -q "^bootstrap: missing, and --no-install was given:.* $package\b" output || fail "$package is not named"
  done
  for package in ccache git g++ clang-19; do
    ! grep -q "^bootstrap: missing.* $package\( \|$\)" output || fail "$package is named"
  done
  prints "apt-get install --no-install-recommends"
  [ ! -e checkout/build ] && [ ! -e home/.cache ] || fail "it has written something"
}

test_the_whole_test_needs_both_llvms_and_debians_libtorch() {
  checkout
  machine
  run 2 env PATH="$bin" checkout/bootstrap.sh test --no-install
  prints clang-tidy-22
  prints clang-tidy-19
  run 2 env PATH="$bin" checkout/bootstrap.sh test --llvm 19 --no-install
  prints clang-tidy-19
  prints_not clang-tidy-22
}

test_without_apt_the_packages_are_named() {
  checkout
  machine
  run 2 env PATH="$bin" checkout/bootstrap.sh setup
  prints "there is no apt-get here"
  prints ninja-build
}

test_without_root_or_sudo_the_command_for_root_is_named() {
  checkout
  machine
  pretend apt-get
  as_user bash -c : # the checkout is the user's from here on
  run 2 as_user env PATH="$bin" HOME="$work/home" checkout/bootstrap.sh setup
  prints "needs root, and there is no sudo"
  prints "As root: apt-get install --no-install-recommends"
}

# apt-get that notes its calls and "installs" by linking the real commands.
fake_apt() {
  cat >"$bin/apt-get" <<TXT
#!/bin/sh
echo "\$(id -un)\${WITH_SUDO:+ through sudo}: \$*" >>"$work/apt-calls"
case "\$*" in *"install -y"*)
  ln -sf $(real cmake) $(real ninja) $(real python3) "$bin"
  ln -sf $CXX "$bin/g++"
  [ -e "$bin/python3" ] || ln -s $(real python3) "$bin/python3"
  for command in clang++-$LLVM clang-tidy-$LLVM FileCheck-$LLVM ccache git; do [ -e "$bin/\$command" ] || ln -s /bin/true "$bin/\$command"; done ;;
esac
TXT
  chmod +x "$bin/apt-get"
}

test_missing_packages_are_announced_then_installed() {
  checkout
  machine
  with_tools_and_libtorch
  fake_apt
  printf '#!/bin/sh\nexport WITH_SUDO=1\n[ "$1" = -v ] || exec "$@"\n' >"$bin/sudo"
  chmod +x "$bin/sudo"
  run 0 as_user env PATH="$bin" HOME="$work/home" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch "$work/fake"
  prints "Debian packages to install:"
  prints "LibTorch: 2.15.0 ($work/fake)"
  grep -q 'through sudo: .*update$' apt-calls || fail "no apt-get update through sudo: $(cat apt-calls)"
  grep -q 'through sudo: .*install -y --no-install-recommends .*\bcmake\b' apt-calls || fail "no install: $(cat apt-calls)"
  : >apt-calls
  run 0 as_user env PATH="$bin" HOME="$work/home" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch "$work/fake"
  prints "Debian packages: all there"
  [ ! -s apt-calls ] || fail "the second run calls apt-get: $(cat apt-calls)"
}

test_a_package_that_apt_does_not_know_is_explained() {
  checkout
  machine
  printf '#!/bin/sh\ncase "$*" in *"install -y"*) echo "E: Unable to locate package clang-22"; exit 100;; esac\n' >"$bin/apt-get"
  printf '#!/bin/sh\n[ "$1" = -v ] || exec "$@"\n' >"$bin/sudo"
  chmod +x "$bin/apt-get" "$bin/sudo"
  run 2 env PATH="$bin" checkout/bootstrap.sh setup
  prints "Unable to locate package clang-22"
  prints "bookworm-security"
}

real_machine() {
  checkout
  machine cmake ninja python3
  ln -s "$CXX" "$bin/g++"
  pretend ccache git
  all_of_llvm
  with_tools_and_libtorch
}

test_a_libtorch_folder_that_is_not_whole_is_refused() {
  real_machine
  rm fake/lib/libc10.so
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch "$work/fake"
  says "it lacks $work/fake/lib/libc10.so"
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch "$work/nowhere"
  prints "there is no folder $work/nowhere"
}

test_a_libtorch_that_is_there_is_taken_without_fetching() {
  real_machine
  run 0 env PATH="$bin" CMAKE_PREFIX_PATH="$work/fake" checkout/bootstrap.sh --llvm "$LLVM" setup --no-install
  prints "LibTorch: 2.15.0 ($work/fake)"
}

# pip as the virtual environment has it, which fails as the test wants it to.
pip_says() {
  mkdir -p home/.cache/torch-tidy/venv/bin
  printf '#!/bin/sh\n%s\necho "%s"\nexit 1\n' "${2-}" "$1" >home/.cache/torch-tidy/venv/bin/python
  chmod +x home/.cache/torch-tidy/venv/bin/python
}

test_a_fetch_that_fails_says_why_and_leaves_no_half_libtorch() {
  real_machine
  rm -r fake
  pip_says "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection"
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch 2.15.0
  prints "PyPI could not be reached"
  pip_says "ERROR: [Errno 28] No space left on device"
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch 2.15.0
  prints "the disk filled up"
  pip_says "ERROR: No matching distribution found for torch==2.99.0"
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch 2.99.0
  prints "PyPI has no PyTorch 2.99.0"
  [ -z "$(ls -d home/.cache/torch-tidy/libtorch-* 2>/dev/null)" ] || fail "half a LibTorch: $(ls home/.cache/torch-tidy)"
}

test_no_install_does_not_fetch_libtorch() {
  real_machine
  pip_says "called" "touch $work/pip-was-called"
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" setup --libtorch 2.15.0 --no-install
  prints "missing, and --no-install was given: LibTorch"
  [ ! -e pip-was-called ] || fail "pip was called"
}

# cmake, ctest and torch-tidy that note their calls; a call that matches the pattern $breaks (? for a space) fails with
# status $breaks_with.
fake_build() {
  cat >"$bin/fake" <<TXT
#!/bin/sh
call="\$(basename "\$0") \$*"
case "\$call" in *cmake/probe*) exec $(real cmake) "\$@" ;; esac
echo "\$call" >>"$work/calls"
case "\$call" in
*--preset*) build=\$(echo "\$call" | sed 's/.* -B \([^ ]*\).*/\1/'); mkdir -p "\$build/bin"; ln -sf "$bin/fake" "\$build/bin/torch-tidy" ;;
ctest*) echo "100% tests passed, 0 tests failed out of 7" ;;
torch-tidy?confirm*) echo "the table" >&2 ;;
torch-tidy*) case "\$call" in $breaks) ;; *) exit 1 ;; esac ;; # 1: findings
esac
case "\$call" in $breaks) echo "error: no such thing"; exit $breaks_with ;; esac
TXT
  chmod +x "$bin/fake"
  ln -sf fake "$bin/cmake"
  ln -sf fake "$bin/ctest"
}
calls_in_order() {
  local line=0 next pattern
  for pattern; do
    next=$(tail -n "+$((line + 1))" calls | grep -n -m 1 -- "$pattern" | cut -d: -f1 || true)
    [ -n "$next" ] || fail "no call of $pattern in its turn: $(cat calls)"
    line=$((line + next))
  done
}
both_llvms() { for LLVM in 19 22; do all_of_llvm; done; }
# The whole matrix asks for the development files of both, at Debian's places.
needs_whole_machine() {
  for file in /usr/lib/llvm-{19,22}/include/clang/AST/AST.h /usr/include/torch/csrc/api/include/torch/torch.h; do
    [ -e "$file" ] || { echo "SKIPPED: $file is not there"; exit 77; }
  done
}
test_the_whole_test_runs_each_version_and_ends_with_the_closing_lines() {
  needs_whole_machine
  real_machine
  both_llvms
  local breaks=none breaks_with=0
  fake_build
  run 0 env PATH="$bin" CMAKE_PREFIX_PATH="$work/fake" checkout/bootstrap.sh test
  calls_in_order '^cmake .*--preset release' '^ctest .*build/release .*-L .$' \
    '^cmake .*--preset debian-libtorch' '^ctest .*build/debian-libtorch .*-L ^(libtorch|analyzer)\$$' \
    '^cmake .*--preset llvm-19 .*RUNTIME=OFF' '^ctest .*build/llvm-19-analyzer .*-L ^analyzer\$$'
  [ "$(tail -n 3 output | grep -c ': 100% tests passed, 0 tests failed out of 7$')" = 3 ] || fail "no closing lines"
}

test_a_failing_configuration_fails_the_test_and_does_not_hide_the_others() {
  needs_whole_machine
  real_machine
  both_llvms
  local breaks='*--build*/debian-libtorch*' breaks_with=1
  fake_build
  run 1 env PATH="$bin" CMAKE_PREFIX_PATH="$work/fake" checkout/bootstrap.sh test
  prints "Debian's LibTorch, what depends on LibTorch: not built"
  [ "$(tail -n 3 output | grep -c '100% tests passed')" = 2 ] || fail "the other two are not told"
  local breaks='ctest*llvm-19*' breaks_with=8
  fake_build
  run 1 env PATH="$bin" CMAKE_PREFIX_PATH="$work/fake" checkout/bootstrap.sh test
  [ "$(grep -c '^ctest' calls)" = 5 ] || fail "not all were run: $(cat calls)"
}

test_the_demo_confirms_what_was_found() {
  real_machine
  local breaks=none breaks_with=0
  fake_build
  run 0 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" demo --libtorch "$work/fake"
  calls_in_order '^cmake .*--preset' '^cmake --build' '^torch-tidy check fixtures .*--format sarif --output .*findings.sarif$' \
    '^torch-tidy confirm .*confirmed.sarif$'
}

test_the_demo_reads_again_only_what_changed() {
  real_machine
  local breaks=none breaks_with=0
  fake_build
  local demo=(env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" demo --libtorch "$work/fake")
  run 0 "${demo[@]}"
  for folder in checkout/build/*/bin; do touch "$folder/../demo-findings.sarif"; done # as the analysis would have
  run 0 "${demo[@]}"
  prints "are as they were"
  [ "$(grep -c 'torch-tidy check' calls)" = 1 ] || fail "it analyses again: $(cat calls)"
  echo '// changed' >>checkout/fixtures/model.cpp
  run 0 "${demo[@]}"
  [ "$(grep -c 'torch-tidy check' calls)" = 2 ] || fail "it does not analyse what changed: $(cat calls)"
}

# Where its output goes to a file, and errors elsewhere: the table is no error.
test_the_demo_prints_its_table_every_time() {
  real_machine
  local breaks=none breaks_with=0 time
  fake_build
  for time in first second; do
    env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" demo --libtorch "$work/fake" >output 2>errors </dev/null ||
      fail "the $time demo fails: $(cat errors)"
    for folder in checkout/build/*/bin; do touch "$folder/../demo-findings.sarif"; done
    grep -q "the table" output || fail "the $time demo prints no table"
  done
}

test_the_demo_stops_where_the_analysis_could_not_work() {
  real_machine
  local breaks='torch-tidy?check*' breaks_with=2
  fake_build
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" demo --libtorch "$work/fake"
  prints "the analysis of fixtures/ failed"
  ! grep -q confirm calls || fail "it goes on to confirm"
}

test_a_build_that_fails_shows_its_end() {
  real_machine
  local breaks='cmake?--build*' breaks_with=1
  fake_build
  run 2 env PATH="$bin" checkout/bootstrap.sh --llvm "$LLVM" build --libtorch "$work/fake"
  prints "error: no such thing"
  prints "the build failed"
}
