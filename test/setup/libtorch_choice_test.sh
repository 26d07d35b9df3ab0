# Which LibTorch TorchTidyLibTorch.cmake takes, and what it says where it takes none. Run by harness.sh.

test_the_one_asked_for_wins() {
  libtorch asked 2.1.0
  libtorch prefix 2.2.0
  CMAKE_PREFIX_PATH=$work/prefix probe -DTORCH_TIDY_LIBTORCH="$work/asked"
  takes 2.1.0 asked "$work/asked"
}

test_places_are_searched_in_order() {
  local python
  python=$(command -v python3)
  libtorch prefix 2.1.0
  libtorch torch_dir 2.2.0
  libtorch site/torch 2.3.0
  touch site/torch/__init__.py
  libtorch home/.cache/torch-tidy/libtorch-2.4.0/torch 2.4.0
  libtorch usr 2.5.0
  export PYTHONPATH=$work/site
  CMAKE_PREFIX_PATH=$work/prefix Torch_DIR=$work/torch_dir/share/cmake/Torch probe
  takes 2.1.0 prefix "$work/prefix"
  Torch_DIR=$work/torch_dir/share/cmake/Torch probe
  takes 2.2.0 prefix "$work/torch_dir"
  probe
  takes 2.3.0 python "$work/site/torch"
  rm -r site
  probe
  takes 2.4.0 cache "$work/home/.cache/torch-tidy/libtorch-2.4.0/torch"
  rm -r home/.cache
  probe
  takes 2.5.0 system "$work/usr"
}

test_a_cmake_variable_counts_as_the_environment_does() {
  libtorch prefix 2.1.0
  libtorch torch_dir 2.2.0
  probe -DCMAKE_PREFIX_PATH="$work/none;$work/prefix"
  takes 2.1.0 prefix "$work/prefix"
  probe -DTorch_DIR="$work/torch_dir/share/cmake/Torch"
  takes 2.2.0 prefix "$work/torch_dir"
}

test_the_newest_in_the_cache_wins_by_number() {
  libtorch cache/torch-tidy/libtorch-2.9.1/torch 2.9.1
  libtorch cache/torch-tidy/libtorch-2.15.0/torch 2.15.0
  XDG_CACHE_HOME=$work/cache probe
  takes 2.15.0 cache "$work/cache/torch-tidy/libtorch-2.15.0/torch"
}

test_each_way_of_packing_is_understood() {
  local architecture
  architecture=$("$CXX" -print-multiarch)
  libtorch site/torch 2.1.0
  probe -DTORCH_TIDY_LIBTORCH="$work/site" # the folder that pip installs into
  takes 2.1.0 asked "$work/site/torch"
  probe -DTORCH_TIDY_LIBTORCH="$work/site/torch"
  takes 2.1.0 asked "$work/site/torch"
  libtorch unpacked/libtorch 2.2.0 # where the archive was unpacked
  probe -DTORCH_TIDY_LIBTORCH="$work/unpacked"
  takes 2.2.0 asked "$work/unpacked/libtorch"
  [ -z "$architecture" ] || {
    libtorch usr 1.13.1 "lib/$architecture"
    probe -DTORCH_TIDY_LIBTORCH=debian
    takes 1.13.1 asked "$work/usr"
  }
}

test_a_relative_folder_counts_from_where_cmake_is_called() {
  libtorch here/libtorch 2.1.0
  probe -DTORCH_TIDY_LIBTORCH=here/libtorch
  takes 2.1.0 asked "$work/here/libtorch"
  run 0 "$CMAKE" -B probe -S "$top/cmake/probe"
  (cd / && run 0 "$CMAKE" "$work/probe")
  takes 2.1.0 asked "$work/here/libtorch"
}

test_the_headers_say_the_standard() {
  libtorch new 2.15.0
  sed -i 's/C++17/C++20/' new/include/torch/csrc/api/include/torch/all.h
  probe -DTORCH_TIDY_LIBTORCH="$work/new"
  prints '|OFF|20|1'
  libtorch old 1.13.1
  sed -i 's/C++17/C++14/' old/include/torch/csrc/api/include/torch/all.h
  probe -DTORCH_TIDY_LIBTORCH="$work/old"
  prints '|OFF|17|1' # our own code needs 17
}

test_the_version_is_found_where_newer_headers_keep_it() {
  libtorch new 2.15.0
  mkdir -p new/include/torch/headeronly
  mv new/include/torch/csrc/api/include/torch/version.h new/include/torch/headeronly/version.h
  echo '#include <torch/headeronly/version.h>' >new/include/torch/csrc/api/include/torch/version.h
  probe -DTORCH_TIDY_LIBTORCH="$work/new"
  takes 2.15.0 asked "$work/new"
}

test_the_libraries_say_the_string_abi() {
  libtorch old 2.5.0
  source='#include <string>
namespace c10 { struct Error { Error(std::string); }; Error::Error(std::string) {} }'
  CXXFLAGS='' source="#define _GLIBCXX_USE_CXX11_ABI 0
$source" library old/lib/libc10.so
  probe -DTORCH_TIDY_LIBTORCH="$work/old"
  prints '|17|0'
  source="$source" library old/lib/libc10.so
  probe -DTORCH_TIDY_LIBTORCH="$work/old"
  prints '|17|1'
}

test_cuda_counts_only_when_whole() {
  libtorch site/torch 2.15.0
  library site/nvidia/cudnn/lib/libcudnn.so.999
  library site/torch/lib/libc10_cuda.so
  library site/torch/lib/libtorch_cuda.so site/nvidia/cudnn/lib/libcudnn.so.999
  probe -DTORCH_TIDY_LIBTORCH="$work/site"
  prints '|ON|17|1'
  rm -r site/nvidia
  probe -DTORCH_TIDY_LIBTORCH="$work/site"
  prints '|OFF|17|1'
  says 'CPU only: libtorch_cuda.so needs libcudnn.so.999, not found'
}

test_a_program_builds_and_runs_in_place() {
  libtorch site/torch 2.15.0
  library site/nvidia/cu13/lib/libcupti.so.999
  source='extern "C" int answer() { return 42; }' library site/torch/lib/libtorch_cpu.so site/nvidia/cu13/lib/libcupti.so.999 \
    -Wl,-rpath,'$ORIGIN/../../nvidia/cu13/lib' # as the real one has it
  printf '#include <torch/torch.h>\nextern "C" int answer();\nint main() { return answer() == 42 && TORCH_VERSION_MINOR == 15 ? 0 : 1; }\n' >program.cpp
  probe -DTORCH_TIDY_LIBTORCH="$work/site" -DTORCH_TIDY_PROBE_PROGRAM="$work/program.cpp"
  run 0 "$CMAKE" --build probe
  (cd / && run 0 "$work/probe/program")
}

test_cuda_kernels_are_loaded_though_nothing_names_them() {
  libtorch site/torch 2.15.0
  library site/torch/lib/libc10_cuda.so
  source='#include <cstdio>
struct Registers { Registers() { std::puts("kernels registered"); } } registers;' library site/torch/lib/libtorch_cuda.so
  echo 'int main() {}' >program.cpp
  probe -DTORCH_TIDY_LIBTORCH="$work/site" -DTORCH_TIDY_PROBE_PROGRAM="$work/program.cpp" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--as-needed
  run 0 "$CMAKE" --build probe
  run 0 probe/program
  prints 'kernels registered'
}

test_an_incomplete_folder_asked_for_is_refused_by_name() {
  local status=1
  libtorch half 2.15.0
  rm half/lib/libc10.so
  probe -DTORCH_TIDY_LIBTORCH="$work/half"
  says "TORCH_TIDY_LIBTORCH is $work/half, which is not a whole LibTorch"
  says "it lacks $work/half/lib/libc10.so"
  mkdir empty
  probe -DTORCH_TIDY_LIBTORCH="$work/empty"
  says "There is no include/torch/csrc/api/include/torch/torch.h"
  probe -DTORCH_TIDY_LIBTORCH=debian
  says "apt-get install libtorch-dev"
}

test_a_damaged_library_is_refused() {
  local status=1
  libtorch cut 2.15.0
  head -c 200 cut/lib/libtorch_cpu.so >short
  mv short cut/lib/libtorch_cpu.so
  probe -DTORCH_TIDY_LIBTORCH="$work/cut"
  says "the file is damaged"
}

test_missing_cuda_runtime_is_named_with_its_package() {
  local status=1
  libtorch site/torch 2.15.0
  library gone/libcupti.so.999
  library site/torch/lib/libtorch_cpu.so gone/libcupti.so.999
  rm -r gone
  probe -DTORCH_TIDY_LIBTORCH="$work/site"
  says "libtorch_cpu.so needs libcupti.so.999, not found"
  says "nvidia-cuda-cupti"
}

test_an_unusable_one_is_passed_over_in_the_search() {
  libtorch prefix 2.15.0
  rm prefix/lib/libtorch_cpu.so
  libtorch usr 1.13.1
  CMAKE_PREFIX_PATH=$work/prefix probe
  takes 1.13.1 system "$work/usr"
}

test_none_found_says_how_to_get_one() {
  local status=1
  libtorch prefix 2.15.0
  rm prefix/lib/libtorch_cpu.so
  CMAKE_PREFIX_PATH=$work/prefix probe
  says "The runtime half needs LibTorch, and none was found."
  says "$work/prefix: it lacks $work/prefix/lib/libtorch_cpu.so"
  says "./bootstrap.sh setup"
  says "-DTORCH_TIDY_BUILD_RUNTIME=OFF"
}
