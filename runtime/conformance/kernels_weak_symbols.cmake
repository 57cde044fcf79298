# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Fails if an object file defines weak symbols: inline functions that a linker
# merges, and with them the instructions of one instruction set into another.
# Not for sanitizer or unoptimised builds, whose inline functions stay functions.
if(NOT OBJECTS)
  message(FATAL_ERROR "no object files were given")
endif()
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${NM}" --defined-only "${object}"
    RESULT_VARIABLE result OUTPUT_VARIABLE symbols)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${NM} cannot read ${object}")
  endif()
  string(REGEX MATCHALL "[0-9a-f]+ [WVu] [^\n]+" weak "${symbols}")
  if(weak)
    message(FATAL_ERROR "${object} defines weak symbols: ${weak}")
  endif()
endforeach()
