# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Tests of single kernels: snug-runtime-kernel-tests.
set(emulated "")
# With a sanitizer they would take as long to compile as all other kernels.
string(FIND "${CMAKE_CXX_FLAGS} ${SNUG_SANITIZE}" "sanitize" sanitized)
set(emulate_avx512 OFF)
if(SNUG_X86_KERNELS AND sanitized EQUAL -1 AND NOT SNUG_SANITIZE)
  set(emulate_avx512 ON)
  # The 16-lane sources with AVX2's registers: tests their logic on machines
  # without AVX-512. Vectors wider than the registers are passed in memory,
  # between functions of one file only.
  add_snug_kernels(SnugKernelsAvx512Emulated avx512emulated AVX512 16 -mavx2 -mfma -Wno-psabi)
  # It shows what is computed, not how fast, and in full would take minutes to
  # compile.
  target_compile_definitions(SnugKernelsAvx512Emulated PRIVATE SNUG_KEEP_LOOPS)
  target_compile_options(SnugKernelsAvx512Emulated PRIVATE -O1)
  set(emulated $<TARGET_OBJECTS:SnugKernelsAvx512Emulated>)
endif()
add_executable(snug-runtime-kernel-tests
  ${CMAKE_CURRENT_LIST_DIR}/kernels_support.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_catalogue.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_convolution.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_copies.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_elementwise.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_others.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_products.cpp
  ${CMAKE_CURRENT_LIST_DIR}/kernels_resize.cpp
  ${emulated})
target_include_directories(snug-runtime-kernel-tests PRIVATE
  "${CMAKE_CURRENT_LIST_DIR}/../src/cpu")
target_link_libraries(snug-runtime-kernel-tests PRIVATE
  SnugCpuKernels SnugCatalogue SnugThreadPool GTest::GTest GTest::Main)
target_compile_options(snug-runtime-kernel-tests PRIVATE ${SNUG_TEST_OPTIONS})
if(NOT SNUG_PORTABLE_KERNELS_ONLY AND SNUG_AVX512_KERNELS)
  target_compile_definitions(snug-runtime-kernel-tests PRIVATE SNUG_ALL_KERNELS)
endif()
if(emulate_avx512)
  target_compile_definitions(snug-runtime-kernel-tests PRIVATE SNUG_EMULATED_AVX512)
endif()
add_test(NAME runtime-kernels COMMAND snug-runtime-kernel-tests)

# The objects of the larger instruction sets may define nothing that a linker
# would merge with another set's copy.
if(TARGET SnugKernelsAvx512 AND CMAKE_NM AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SNUG_SANITIZE)
  add_test(NAME runtime-kernels-no-shared-inlines
    COMMAND ${CMAKE_COMMAND} "-DNM=${CMAKE_NM}"
      "-DOBJECTS=$<TARGET_OBJECTS:SnugKernelsAvx2>;$<TARGET_OBJECTS:SnugKernelsAvx512>"
      -P "${CMAKE_CURRENT_LIST_DIR}/kernels_weak_symbols.cmake")
endif()
