# TorchTidy::LibTorch: one imported target for every way LibTorch comes to a machine.
#
#   pip package       .../site-packages/torch (or the folder around it), built for CPU or for CUDA; its
#                     CUDA libraries lie beside it in nvidia/*/lib. Where only the CPU part is there
#                     (libtorch_cpu, libc10 and the two CUDA libraries those ask for), it is enough.
#   plain archive     libtorch/ with include/ and lib/
#   Debian's package  /usr, libraries in /usr/lib/<architecture>
#
# Never through LibTorch's own TorchConfig.cmake: that of the pip package stops without a CUDA toolkit,
# and with one links libtorch_cuda against the system's NCCL, which lacks symbols it needs.
#
# In:   TORCH_TIDY_LIBTORCH               a folder, or 'debian'; empty: the first that is whole, of
#                                         CMAKE_PREFIX_PATH, Torch_DIR, the package that Python would
#                                         import, the newest in the cache folder, /usr
# Out:  TORCH_TIDY_LIBTORCH_ROOT          the folder that holds include/ and lib/
#       TORCH_TIDY_LIBTORCH_FROM          how it was found: "asked", "prefix", "python", "cache", "system"
#       TORCH_TIDY_LIBTORCH_VERSION       "2.15.0"
#       TORCH_TIDY_LIBTORCH_CUDA          ON where libtorch_cuda and all that it needs are there
#       TORCH_TIDY_LIBTORCH_CXX_STANDARD  the standard its headers parse as: 20 from 2.15 on, else 17.
#                                         The target asks for it as a compile feature; do not set a
#                                         higher CXX_STANDARD on what includes torch.h, since 1.13.1's
#                                         headers do not parse as C++20 with libstdc++ 12
#       TORCH_TIDY_LIBTORCH_CXX11_ABI     1 or 0: how its libraries spell std::string
#       TORCH_TIDY_LIBTORCH_INCLUDE_DIRS  what to put on the include path
#       TORCH_TIDY_LIBTORCH_LIBRARY_DIRS  where its libraries and those that they need lie

# Where the CUDA libraries of a pip package lie relative to the folder torch/: nvidia/cudnn/lib,
# nvidia/cu13/lib, ...; 'torch.libs' is where wheel repair tools put libraries.
function(_torch_tidy_beside root out)
  cmake_path(GET root PARENT_PATH around)
  file(GLOB dirs LIST_DIRECTORIES true "${around}/nvidia/*/lib" "${around}/torch.libs")
  set(${out} "${dirs}" PARENT_SCOPE)
endfunction()

# The libraries that `library` asks the loader for and that are in none of `dirs` nor where the
# system keeps libraries. `used` gets those of `dirs`, and toolkit folders, that have one of them.
function(_torch_tidy_missing_libraries library dirs missing used)
  set(absent "")
  set(found "")
  set(readelf "${CMAKE_READELF}")
  if(NOT readelf)
    find_program(TORCH_TIDY_READELF NAMES readelf llvm-readelf-${TORCH_TIDY_LLVM})
    mark_as_advanced(TORCH_TIDY_READELF)
    set(readelf "${TORCH_TIDY_READELF}")
  endif()
  if(readelf)
    execute_process(COMMAND ${readelf} -d ${library} OUTPUT_VARIABLE dynamic ERROR_VARIABLE errors
                    RESULT_VARIABLE status)
    if(NOT status EQUAL 0 OR NOT dynamic MATCHES "Dynamic section")
      set(absent "${library} itself (the file is damaged)")
    endif()
    set(system ${CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES} ${CMAKE_PLATFORM_IMPLICIT_LINK_DIRECTORIES}
        /lib64 /usr/lib64)
    set(toolkit $ENV{LD_LIBRARY_PATH})
    string(REPLACE ":" ";" toolkit "${toolkit}")
    list(APPEND toolkit /usr/local/cuda/lib64)
    string(REGEX MATCHALL "NEEDED\\)[^\n]*\\[[^]\n]*\\]" entries "${dynamic}")
    foreach(entry IN LISTS entries)
      string(REGEX REPLACE ".*\\[(.*)\\]" "\\1" name "${entry}")
      set(place "")
      foreach(dir IN LISTS dirs system toolkit)
        if(dir AND EXISTS "${dir}/${name}")
          set(place "${dir}")
          break()
        endif()
      endforeach()
      if(NOT place)
        list(APPEND absent "${name}")
      elseif(NOT place IN_LIST system)
        list(APPEND found "${place}")
      endif()
    endforeach()
  endif()
  list(REMOVE_DUPLICATES found)
  set(${missing} "${absent}" PARENT_SCOPE)
  set(${used} "${found}" PARENT_SCOPE)
endfunction()

# Is there a LibTorch whose include/ and lib/ are in `root`? Sets `why` to "" and the description in
# the caller's _tt_* variables, or `why` to what is wrong: "none" where nothing looks like LibTorch,
# otherwise a clause for the user.
function(_torch_tidy_inspect root why)
  set(${why} "none" PARENT_SCOPE)
  set(include "${root}/include")
  set(libdir "${root}/lib")
  if(NOT EXISTS "${libdir}/libtorch_cpu.so" AND EXISTS "${root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}/libtorch_cpu.so")
    set(libdir "${root}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
  endif()
  set(api "${include}/torch/csrc/api/include")
  if(NOT EXISTS "${api}/torch/torch.h" AND NOT EXISTS "${libdir}/libtorch_cpu.so")
    return()
  endif()
  foreach(file IN ITEMS "${api}/torch/torch.h" "${include}/ATen/ATen.h"
                        "${libdir}/libtorch_cpu.so" "${libdir}/libc10.so")
    if(NOT EXISTS "${file}")
      set(${why} "it lacks ${file}" PARENT_SCOPE)
      return()
    endif()
  endforeach()

  # 1.13 has the version in the API's header, 2.15 in a header that the API's includes.
  set(version "")
  foreach(header IN ITEMS "${include}/torch/headeronly/version.h" "${api}/torch/version.h")
    if(EXISTS "${header}")
      file(STRINGS "${header}" lines REGEX "^#define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX REPLACE "[^0-9;]" "" numbers "${lines}")
      list(LENGTH numbers count)
      if(count EQUAL 3)
        list(JOIN numbers "." version)
        break()
      endif()
    endif()
  endforeach()
  if(NOT version)
    set(${why} "its version cannot be read from ${api}/torch/version.h (older than 1.8?)" PARENT_SCOPE)
    return()
  endif()

  # The headers say themselves which standard they need at least; our own code needs 17.
  set(standard 17)
  foreach(header IN ITEMS "${api}/torch/all.h" "${include}/ATen/ATen.h")
    if(EXISTS "${header}")
      file(STRINGS "${header}" lines REGEX "#error C\\+\\+[0-9]+ or later")
      if(lines MATCHES "C\\+\\+([0-9]+) or later" AND CMAKE_MATCH_1 GREATER standard)
        set(standard ${CMAKE_MATCH_1})
      endif()
    endif()
  endforeach()

  # How the libraries spell std::string is in the mangled names that they export (pip packages before
  # 2.6 and the archives without 'cxx11-abi' in their name: the old way).
  file(STRINGS "${libdir}/libc10.so" spelled REGEX "_ZN3c10[^ ]*__cxx11" LIMIT_COUNT 1)
  file(STRINGS "${libdir}/libc10.so" old_spelled REGEX "_ZN3c105ErrorC[12][^ ]*Ss" LIMIT_COUNT 1)
  set(abi 1)
  if(old_spelled AND NOT spelled)
    set(abi 0)
  endif()

  _torch_tidy_beside("${root}" beside)
  _torch_tidy_missing_libraries("${libdir}/libtorch_cpu.so" "${libdir};${beside}" missing used)
  if(missing)
    list(JOIN missing ", " missing)
    set(hint "")
    if(missing MATCHES "libcu")
      set(hint " (the pip packages nvidia-cuda-runtime and nvidia-cuda-cupti have these)")
    endif()
    set(${why} "libtorch_cpu.so needs ${missing}, not found${hint}" PARENT_SCOPE)
    return()
  endif()

  set(cuda OFF)
  set(cuda_why "")
  if(EXISTS "${libdir}/libtorch_cuda.so" AND EXISTS "${libdir}/libc10_cuda.so")
    set(cuda ON)
    foreach(library IN ITEMS torch_cuda c10_cuda)
      _torch_tidy_missing_libraries("${libdir}/lib${library}.so" "${libdir};${beside}" missing more)
      list(APPEND used ${more})
      if(missing)
        list(JOIN missing ", " missing)
        set(cuda OFF)
        set(cuda_why "lib${library}.so needs ${missing}, not found")
        break()
      endif()
    endforeach()
    if(cuda)
      # What the CUDA libraries need of each other (cuBLAS its Lt part) lies beside them.
      list(APPEND used ${beside})
    endif()
  endif()
  list(PREPEND used "${libdir}")
  list(REMOVE_DUPLICATES used)

  set(${why} "" PARENT_SCOPE)
  set(_tt_root "${root}" PARENT_SCOPE)
  set(_tt_include "${include}" PARENT_SCOPE)
  set(_tt_libdir "${libdir}" PARENT_SCOPE)
  set(_tt_version "${version}" PARENT_SCOPE)
  set(_tt_standard "${standard}" PARENT_SCOPE)
  set(_tt_abi "${abi}" PARENT_SCOPE)
  set(_tt_dirs "${used}" PARENT_SCOPE)
  set(_tt_cuda "${cuda}" PARENT_SCOPE)
  set(_tt_cuda_why "${cuda_why}" PARENT_SCOPE)
endfunction()

# A folder as users name it: the one with include/ and lib/, the one around it (site-packages, or
# where the archive was unpacked), or the one with LibTorch's CMake files. A macro: _tt_* land in the
# includer's scope.
macro(_torch_tidy_try folder from)
  if(NOT _tt_root)
    set(TORCH_TIDY_LIBTORCH_FROM "${from}")
    set(_tt_places "${folder}" "${folder}/torch" "${folder}/libtorch")
    if("${folder}" MATCHES "^(.*)/(share|lib/[^/]+|lib)/cmake(/[Tt]orch)?/?$")
      list(APPEND _tt_places "${CMAKE_MATCH_1}")
    endif()
    foreach(_tt_place IN LISTS _tt_places)
      _torch_tidy_inspect("${_tt_place}" _tt_why)
      if(_tt_why STREQUAL "")
        break()
      elseif(NOT _tt_why STREQUAL "none")
        list(APPEND _tt_rejected "  ${_tt_place}: ${_tt_why}")
      endif()
    endforeach()
  endif()
endmacro()

set(TORCH_TIDY_SYSTEM_PREFIX /usr CACHE PATH "Where Debian's packages lie")
mark_as_advanced(TORCH_TIDY_SYSTEM_PREFIX)
set(_tt_root "")
set(_tt_rejected "")
if(NOT CMAKE_LIBRARY_ARCHITECTURE)
  # Known once a language is on with GCC and Clang on Debian; said here for compilers that do not tell.
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-multiarch OUTPUT_VARIABLE CMAKE_LIBRARY_ARCHITECTURE
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()

if(TORCH_TIDY_LIBTORCH STREQUAL "debian")
  _torch_tidy_try("${TORCH_TIDY_SYSTEM_PREFIX}" asked)
  if(NOT _tt_root)
    list(JOIN _tt_rejected "\n" _tt_rejected)
    message(FATAL_ERROR "TORCH_TIDY_LIBTORCH is 'debian', but Debian's LibTorch is not installed whole.\n"
      "${_tt_rejected}\nInstall it: apt-get install libtorch-dev   (or: ./bootstrap.sh setup --libtorch debian)")
  endif()
elseif(TORCH_TIDY_LIBTORCH)
  # Relative to where cmake was called; kept absolute, since ninja calls it from elsewhere later.
  get_filename_component(_tt_asked "${TORCH_TIDY_LIBTORCH}" ABSOLUTE BASE_DIR "$ENV{PWD}")
  _torch_tidy_try("${_tt_asked}" asked)
  if(NOT _tt_root)
    if(NOT _tt_rejected)
      set(_tt_rejected "  There is no include/torch/csrc/api/include/torch/torch.h and no lib/libtorch_cpu.so in it.")
    endif()
    list(JOIN _tt_rejected "\n" _tt_rejected)
    message(FATAL_ERROR "TORCH_TIDY_LIBTORCH is ${_tt_asked}, which is not a whole LibTorch:\n${_tt_rejected}\n"
      "Name a folder that holds LibTorch's include/ and lib/ (an unpacked archive, or site-packages/torch),\n"
      "or 'debian', or leave it empty to have one found; ./bootstrap.sh setup fetches one.")
  endif()
  set(TORCH_TIDY_LIBTORCH "${_tt_asked}" CACHE STRING "LibTorch to build the runtime with" FORCE)
else()
  string(REPLACE ":" ";" _tt_folders "$ENV{CMAKE_PREFIX_PATH}")
  foreach(_tt_folder IN ITEMS ${CMAKE_PREFIX_PATH} ${_tt_folders} ${Torch_DIR})
    _torch_tidy_try("${_tt_folder}" prefix)
  endforeach()
  if(NOT "$ENV{Torch_DIR}" STREQUAL "")
    _torch_tidy_try("$ENV{Torch_DIR}" prefix)
  endif()
  if(NOT _tt_root)
    # Where Python would import torch from, without importing it (seconds, and impossible where only
    # the CPU part is there). From / so that a folder named torch in the current one does not count.
    find_program(TORCH_TIDY_PYTHON NAMES python3 python)
    mark_as_advanced(TORCH_TIDY_PYTHON)
    if(TORCH_TIDY_PYTHON)
      execute_process(
        COMMAND ${TORCH_TIDY_PYTHON} -c
          "import importlib.util as u; s = u.find_spec('torch'); print(*(s.submodule_search_locations if s else []), sep=';', end='')"
        WORKING_DIRECTORY / OUTPUT_VARIABLE _tt_folders ERROR_QUIET)
      foreach(_tt_folder IN LISTS _tt_folders)
        _torch_tidy_try("${_tt_folder}" python)
      endforeach()
    endif()
  endif()
  if(NOT _tt_root)
    set(_tt_cache "$ENV{XDG_CACHE_HOME}")
    if(NOT _tt_cache)
      set(_tt_cache "$ENV{HOME}/.cache")
    endif()
    file(GLOB _tt_folders LIST_DIRECTORIES true "${_tt_cache}/torch-tidy/libtorch-*")
    list(SORT _tt_folders COMPARE NATURAL ORDER DESCENDING)
    foreach(_tt_folder IN LISTS _tt_folders)
      _torch_tidy_try("${_tt_folder}" cache)
    endforeach()
  endif()
  _torch_tidy_try("${TORCH_TIDY_SYSTEM_PREFIX}" system)
  if(NOT _tt_root)
    if(_tt_rejected)
      list(JOIN _tt_rejected "\n" _tt_rejected)
      set(_tt_rejected "Found, but not usable:\n${_tt_rejected}\n")
    endif()
    message(FATAL_ERROR "The runtime half needs LibTorch, and none was found.\n${_tt_rejected}"
      "Get one:  ./bootstrap.sh setup                       (PyTorch's package, CPU part, into ~/.cache/torch-tidy)\n"
      "or name one:  -DTORCH_TIDY_LIBTORCH=/path/to/libtorch (or 'debian' for apt's libtorch-dev),\n"
      "or build the analyzer alone:  -DTORCH_TIDY_BUILD_RUNTIME=OFF")
  endif()
endif()

set(TORCH_TIDY_LIBTORCH_ROOT "${_tt_root}")
set(TORCH_TIDY_LIBTORCH_VERSION "${_tt_version}")
set(TORCH_TIDY_LIBTORCH_CUDA "${_tt_cuda}")
set(TORCH_TIDY_LIBTORCH_CXX_STANDARD "${_tt_standard}")
set(TORCH_TIDY_LIBTORCH_CXX11_ABI "${_tt_abi}")
set(TORCH_TIDY_LIBTORCH_INCLUDE_DIRS "${_tt_include}" "${_tt_include}/torch/csrc/api/include")
set(TORCH_TIDY_LIBTORCH_LIBRARY_DIRS "${_tt_dirs}")

# Include folders of an imported target are system folders: no warnings from LibTorch's headers.
# (CMake drops /usr/include itself, which must never be named on the command line.)
add_library(TorchTidy::LibTorch INTERFACE IMPORTED GLOBAL)
set_target_properties(TorchTidy::LibTorch PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES "${TORCH_TIDY_LIBTORCH_INCLUDE_DIRS}"
  INTERFACE_COMPILE_DEFINITIONS "_GLIBCXX_USE_CXX11_ABI=${_tt_abi}"
  INTERFACE_COMPILE_FEATURES cxx_std_${_tt_standard})
set(_tt_libraries "${_tt_libdir}/libtorch_cpu.so" "${_tt_libdir}/libc10.so")
if(_tt_cuda)
  # Nothing names a symbol of libtorch_cuda: it registers its kernels when it is loaded. So the linker
  # must not drop it.
  list(PREPEND _tt_libraries "-Wl,--push-state,--no-as-needed,${_tt_libdir}/libtorch_cuda.so,--pop-state"
       "${_tt_libdir}/libc10_cuda.so")
endif()
set_property(TARGET TorchTidy::LibTorch PROPERTY INTERFACE_LINK_LIBRARIES "${_tt_libraries}")
# So that programs run where they are built; and that the linker takes the CUDA libraries beside the
# package, not others that the system may have.
foreach(_tt_dir IN LISTS _tt_dirs)
  if(NOT _tt_dir IN_LIST CMAKE_PLATFORM_IMPLICIT_LINK_DIRECTORIES AND
     NOT _tt_dir IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
    set_property(TARGET TorchTidy::LibTorch APPEND PROPERTY INTERFACE_LINK_OPTIONS "LINKER:-rpath,${_tt_dir}")
  endif()
endforeach()

set(_tt_what "CPU")
if(_tt_cuda)
  set(_tt_what "with CUDA")
elseif(_tt_cuda_why)
  set(_tt_what "CPU only: ${_tt_cuda_why}")
endif()
message(STATUS "LibTorch ${_tt_version} (${_tt_what}, C++${_tt_standard}): ${_tt_root}")
