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

# The LLVM-free half where there is only LibTorch, CMake and a compiler.
bare=(-DTORCH_TIDY_BUILD_TOOL=OFF -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON -DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON
  -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON)

test_without_googletest_the_llvm_free_half_is_built_without_tests() {
  configure "${bare[@]}" -DTORCH_TIDY_LIBTORCH="$LIBTORCH" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
  says "The tests are left out: they need GoogleTest and Python 3"
  run 0 "$CMAKE" --build "$work/build" --parallel --target torch-tidy-confirm
  run 0 "$work/build/bin/torch-tidy-confirm" --help
  prints "FINDINGS"
}

test_without_headers_and_network_it_says_what_to_install() {
  local status=1
  libtorch here 2.15.0
  export https_proxy=http://127.0.0.1:9 # nobody listens
  configure "${bare[@]}" -DTORCH_TIDY_LIBTORCH="$work/here" -DCMAKE_DISABLE_FIND_PACKAGE_CLI11=ON
  says "CLI11 is not installed, and it could not be fetched: "
  says "apt-get install libcli11-dev"
  [ "$(grep -c "^CMake Error" output)" = 1 ] || fail "one message is enough"
}

test_every_preset_is_known_to_cmake() {
  (cd "$top" && run 0 "$CMAKE" --list-presets=all)
  for preset in developer release sanitizer debian-libtorch llvm-19 runtime; do
    [ "$(grep -c "\"$preset\"" output)" = 3 ] || fail "$preset is not there to configure, build and test"
  done
}
