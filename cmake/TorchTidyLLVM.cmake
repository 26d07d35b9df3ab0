# TorchTidy::Clang: Clang and LLVM of TORCH_TIDY_LLVM, through their two shared libraries.
#
# Debian's own ClangConfig.cmake wants every static archive and tool of the distribution to be
# present; the two shared libraries and the headers are all that this project needs.
find_program(TORCH_TIDY_LLVM_CONFIG
             NAMES llvm-config-${TORCH_TIDY_LLVM}
             HINTS /usr/lib/llvm-${TORCH_TIDY_LLVM}/bin
             DOC "llvm-config of the LLVM to build with")
if(NOT TORCH_TIDY_LLVM_CONFIG)
  message(FATAL_ERROR "torch-tidy needs LLVM ${TORCH_TIDY_LLVM}, and llvm-config-${TORCH_TIDY_LLVM} was not found.\n"
    "Install it: apt-get install llvm-${TORCH_TIDY_LLVM}-dev libclang-${TORCH_TIDY_LLVM}-dev clang-tidy-${TORCH_TIDY_LLVM}\n"
    "or choose the other supported version with -DTORCH_TIDY_LLVM=19 (or 22),\n"
    "or build the LLVM-free half alone with -DTORCH_TIDY_BUILD_TOOL=OFF.")
endif()
foreach(what IN ITEMS includedir libdir bindir version)
  execute_process(COMMAND ${TORCH_TIDY_LLVM_CONFIG} --${what}
                  OUTPUT_VARIABLE TORCH_TIDY_LLVM_${what} OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(NOT EXISTS "${TORCH_TIDY_LLVM_includedir}/clang/AST/AST.h")
  message(FATAL_ERROR "LLVM ${TORCH_TIDY_LLVM_version} is here but Clang's headers are not.\n"
    "Install them: apt-get install libclang-${TORCH_TIDY_LLVM}-dev")
endif()
find_library(TORCH_TIDY_CLANG_CPP NAMES clang-cpp libclang-cpp.so.${TORCH_TIDY_LLVM}.1
             PATHS ${TORCH_TIDY_LLVM_libdir} NO_DEFAULT_PATH REQUIRED)
find_library(TORCH_TIDY_LLVM_LIB NAMES LLVM-${TORCH_TIDY_LLVM} LLVM
             PATHS ${TORCH_TIDY_LLVM_libdir} NO_DEFAULT_PATH REQUIRED)

if(TARGET torch_tidy_clang)
  return() # included before, from another room
endif()

# Headers and flags alone, for what is loaded into a program that already has LLVM (the plugin).
add_library(torch_tidy_clang_headers INTERFACE)
add_library(TorchTidy::ClangHeaders ALIAS torch_tidy_clang_headers)
target_include_directories(torch_tidy_clang_headers SYSTEM INTERFACE ${TORCH_TIDY_LLVM_includedir})
target_compile_definitions(torch_tidy_clang_headers INTERFACE
  _GNU_SOURCE __STDC_CONSTANT_MACROS __STDC_FORMAT_MACROS __STDC_LIMIT_MACROS)
# Debian builds LLVM without run-time type information.
target_compile_options(torch_tidy_clang_headers INTERFACE -fno-rtti)

add_library(torch_tidy_clang INTERFACE)
add_library(TorchTidy::Clang ALIAS torch_tidy_clang)
target_link_libraries(torch_tidy_clang INTERFACE
  TorchTidy::ClangHeaders ${TORCH_TIDY_CLANG_CPP} ${TORCH_TIDY_LLVM_LIB})
