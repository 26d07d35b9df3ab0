# The manifest of the checks, and the two things made from it: the registry that both hosts share
# and the module for stock clang-tidy.
include(TorchTidyLLVM)

set(TORCH_TIDY_CHECK_ROWS "")

# torch_tidy_check(NAME PRECISION SEVERITY SUMMARY): adding a check is this line and the page
# torch-<what>.md beside this file. PRECISION (very-high, high, medium, low) and SEVERITY (error,
# warning, recommendation) are what GitHub code scanning reads; SUMMARY is one sentence.
function(torch_tidy_check NAME PRECISION SEVERITY SUMMARY)
  set(page ${CMAKE_CURRENT_SOURCE_DIR}/${NAME}.md)
  if(NOT EXISTS "${page}")
    message(FATAL_ERROR "The check ${NAME} has no page: write checks/${NAME}.md")
  endif()
  file(READ "${page}" text)
  if(NOT text MATCHES "^# ${NAME}\n")
    message(FATAL_ERROR "The first line of checks/${NAME}.md must be '# ${NAME}'")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${page}")
  set(row "{\"${NAME}\", \"${PRECISION}\", \"${SEVERITY}\", \"${SUMMARY}\",\n")
  # In pieces, since compilers may limit a string literal to 64 KiB.
  string(APPEND row "R\"torch-page(${text})torch-page\"},\n")
  string(APPEND TORCH_TIDY_CHECK_ROWS "${row}")
  set(TORCH_TIDY_CHECK_ROWS "${TORCH_TIDY_CHECK_ROWS}" PARENT_SCOPE)
endfunction()

torch_tidy_check(torch-backward-twice very-high error
  "Finds graphs that backward() walks a second time: state kept over iterations without detach(), two losses of one forward pass.")
torch_tidy_check(torch-buffer-reuse high error
  "Finds tensors made by from_blob() on memory that is filled anew, or given back, while they are still needed.")
torch_tidy_check(torch-data-mutation very-high error
  "Finds writes behind autograd's back, through data(), data_ptr(), accessors and their kin, that change a gradient or leave the optimizer with other weights.")
torch_tidy_check(torch-detach-inplace-write very-high error
  "Finds in-place writes through a detached alias of a tensor that the graph still needs.")
torch_tidy_check(torch-graph-cut high error
  "Finds where the graph between a trained parameter and the loss is cut: detach(), item(), guards, operations without a gradient.")
torch_tidy_check(torch-inplace-activation very-high error
  "Finds activations with inplace(true) that overwrite a value which backward or another branch still needs.")
torch_tidy_check(torch-inplace-autograd very-high error
  "Finds in-place operations that overwrite a value saved for backward, or a leaf that requires a gradient.")
torch_tidy_check(torch-lost-write high error
  "Finds writes that go into a temporary: masks and positions index copies, elements of parameters() and by-value handles are rebound.")
torch_tidy_check(torch-missing-detach medium warning
  "Finds bootstrapped targets and advantages that carry gradients into the network they are meant to teach.")
torch_tidy_check(torch-mixed-precision high error
  "Finds loss scales taken back in the wrong place, a misused gradient scaler, and autocast casts of weights that outlive a step.")
torch_tidy_check(torch-nonleaf-grad high error
  "Finds uses of the gradient of a tensor that is no leaf and does not retain it.")
torch_tidy_check(torch-parameter-identity high error
  "Finds parameters that are used but not registered, replaced by other tensors, or not those that the optimizer steps.")
torch_tidy_check(torch-training-step high error
  "Finds the steps of a training loop in the wrong order: gradients not cleared, cleared too early, clipped too late, never stepped.")

file(CONFIGURE OUTPUT CheckRegistry.inc CONTENT "@TORCH_TIDY_CHECK_ROWS@" @ONLY)

add_library(torch_tidy_checks STATIC CheckRegistry.cpp)
target_include_directories(torch_tidy_checks
  PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
target_compile_features(torch_tidy_checks PUBLIC cxx_std_20)
target_link_libraries(torch_tidy_checks PUBLIC TorchTidy::ClangHeaders)

if(NOT TARGET torch_tidy_model)
  message(STATUS "checks: no torch_tidy_model in this build: no clang-tidy module")
  return()
endif()

# Loaded into a clang-tidy that has LLVM, Clang and clang-tidy already: linking any of them a second
# time would give two registries, and the checks would vanish.
add_library(torch_tidy_module MODULE ModelCheck.cpp TorchTidyModule.cpp VersionGuard.cpp)
set_target_properties(torch_tidy_module PROPERTIES
  PREFIX "" OUTPUT_NAME TorchTidyModule-${TORCH_TIDY_LLVM}
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
target_compile_features(torch_tidy_module PRIVATE cxx_std_20)
target_link_libraries(torch_tidy_module
  PRIVATE torch_tidy_checks torch_tidy_model TorchTidy::ClangHeaders)
install(TARGETS torch_tidy_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
