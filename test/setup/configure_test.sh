# What configuring the project says when something is not there. Run by harness.sh.

configure() {
  rm -rf "$work/build"
  run "${status:-0}" "$CMAKE" -S "$top" -B "$work/build" -DTORCH_TIDY_SYSTEM_PREFIX="$work/usr" -DTORCH_TIDY_PYTHON=false "$@"
}

test_without_llvm_it_says_what_to_install() {
  local status=1
  configure -DTORCH_TIDY_LLVM=99 -DTORCH_TIDY_BUILD_RUNTIME=OFF
  says "torch-tidy needs LLVM 99, and llvm-config-99 was not found."
  says "apt-get install llvm-99-dev libclang-99-dev"
  says "-DTORCH_TIDY_BUILD_TOOL=OFF"
}

test_without_libtorch_it_says_how_to_get_one() {
  local status=1
  configure -DTORCH_TIDY_BUILD_TOOL=OFF
  says "The runtime half needs LibTorch, and none was found."
  says "./bootstrap.sh setup"
}

test_every_preset_is_known_to_cmake() {
  (cd "$top" && run 0 "$CMAKE" --list-presets=all)
  for preset in developer release sanitizer debian-libtorch llvm-19 runtime; do
    [ "$(grep -c "\"$preset\"" output)" = 3 ] || fail "$preset is not there to configure, build and test"
  done
}
