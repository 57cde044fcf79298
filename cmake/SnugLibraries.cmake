# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How libraries of the compiler are declared, with and without MLIR.

# add_snug_library(Name sources... [LINK libraries...] [MLIR])
# A static library. With MLIR it may include MLIR; without it must not.
function(add_snug_library name)
  cmake_parse_arguments(ARG "MLIR" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    snug_use_mlir(${name} PUBLIC)
  endif()
endfunction()
