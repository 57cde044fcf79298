# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Options, warnings and the linker; used by the compiler's part of the build.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

option(SNUG_BUILD_COMPILER "Build the compiler: libraries, passes and tools that need MLIR" ON)
option(SNUG_BUILD_TESTS "Build the tests" ON)
option(SNUG_WARNINGS_AS_ERRORS "Fail on any warning" OFF)
option(SNUG_FUZZ "Build libFuzzer targets, and of the compiler only what they need (clang only; see tools/dev/fuzz)" OFF)
set(SNUG_SANITIZE "" CACHE STRING "Sanitizers to build with, for instance address,undefined")

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET default)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

find_program(SNUG_CCACHE ccache)
if(SNUG_CCACHE)
  # Results that used a precompiled header are cached only if told so.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${SNUG_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
# GCC knows LLVM's linker only by its bare name, which Debian's package of one
# version has in a folder of its own.
file(STRINGS "${PROJECT_SOURCE_DIR}/tools/dev/llvm-version.txt" SNUG_LLVM_VERSION LIMIT_COUNT 1)
find_program(SNUG_LINKER ld.lld HINTS "/usr/lib/llvm-${SNUG_LLVM_VERSION}/bin")
if(SNUG_LINKER)
  get_filename_component(folder "${SNUG_LINKER}" DIRECTORY)
  add_link_options("-fuse-ld=lld" "-B${folder}")
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(SNUG_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()
# Tests, command lines and generated code take no time, but most of that of
# a build: with less optimisation a third less.
set(SNUG_QUICK_COMPILE "$<$<NOT:$<CONFIG:Debug>>:-O1>")

if(SNUG_SANITIZE)
  add_compile_options(-fsanitize=${SNUG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SNUG_SANITIZE})
endif()

# snug_generated_ops(files...)
# What tablegen generates of ops takes long to compile and no time to run.
function(snug_generated_ops)
  if(SNUG_SANITIZE) # precompiled headers are optimised as the rest
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O0 SKIP_PRECOMPILE_HEADERS ON)
  else()
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "${SNUG_QUICK_COMPILE}")
  endif()
endfunction()
