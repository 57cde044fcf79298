# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds MLIR and the other libraries of the compiler; defines the functions
# that libraries, dialects and passes are declared with.

find_package(MLIR REQUIRED CONFIG
  HINTS "/usr/lib/llvm-${SNUG_LLVM_VERSION}/lib/cmake/mlir")
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
if(NOT LLVM_VERSION_MAJOR EQUAL SNUG_LLVM_VERSION)
  message(FATAL_ERROR "MLIR ${LLVM_VERSION_MAJOR} was found, but tools/dev/llvm-version.txt asks for ${SNUG_LLVM_VERSION}; run tools/dev/setup or set MLIR_DIR")
endif()
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
if(SNUG_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Types of the shared library have no records to check against.
  add_compile_options(-fno-sanitize=vptr,function)
endif()
set(LLVM_RUNTIME_OUTPUT_INTDIR "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
set(LLVM_LIBRARY_OUTPUT_INTDIR "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
set(MLIR_BINARY_DIR "${CMAKE_BINARY_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# MLIR is linked in one of two ways. The shared libraries serve what loads
# plugins (snug-opt), what is one, and tests. A command line that loads none
# takes what it needs out of the static ones: it starts in 3 ms instead of 45,
# since 250 MB need not be bound at each start, and runs where MLIR is not
# installed.
set(SNUG_MLIR_LIBRARIES MLIR LLVM) # the shared libraries
option(SNUG_STATIC_MLIR "Link snug and snug-translate with MLIR's static libraries, where there are any" ON)
get_filename_component(mlir_folder "${MLIR_DIR}/../.." ABSOLUTE)
file(GLOB SNUG_MLIR_ARCHIVES "${mlir_folder}/libMLIR*.a" "${mlir_folder}/libLLVM*.a")
add_library(SnugStaticMLIR INTERFACE)
target_link_libraries(SnugStaticMLIR INTERFACE
  -Wl,--start-group ${SNUG_MLIR_ARCHIVES} -Wl,--end-group # they refer to each other
  $<TARGET_NAME_IF_EXISTS:ZLIB::ZLIB> $<TARGET_NAME_IF_EXISTS:zstd::libzstd_shared> ${CMAKE_DL_LIBS})
target_link_options(SnugStaticMLIR INTERFACE -Wl,--gc-sections -Wl,--as-needed)

# snug_link_mlir_statically(executable)
# It loads no plugin, so that it need not share MLIR with one.
function(snug_link_mlir_statically executable)
  if(SNUG_MLIR_ARCHIVES AND SNUG_STATIC_MLIR)
    set_target_properties(${executable} PROPERTIES LINKS_STATIC_MLIR ON)
  endif()
endfunction()

# Everything that includes MLIR: its headers as system headers, so that only
# our own warnings count.
add_library(SnugMLIR INTERFACE)
# Where they lie is asked again where Snug is installed (SnugConfig.cmake.in).
target_include_directories(SnugMLIR SYSTEM INTERFACE "$<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS};${LLVM_INCLUDE_DIRS}>")
target_include_directories(SnugMLIR INTERFACE
  "$<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include;${CMAKE_CURRENT_SOURCE_DIR};${CMAKE_BINARY_DIR}/include;${CMAKE_BINARY_DIR}>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR};${CMAKE_INSTALL_INCLUDEDIR}/snug-passes>")
target_compile_definitions(SnugMLIR INTERFACE ${LLVM_DEFINITIONS_LIST})
set(static "$<BOOL:$<TARGET_PROPERTY:LINKS_STATIC_MLIR>>") # of who links
target_link_libraries(SnugMLIR INTERFACE "$<BUILD_INTERFACE:$<${static}:SnugStaticMLIR>>")
foreach(library ${SNUG_MLIR_LIBRARIES})
  target_link_libraries(SnugMLIR INTERFACE "$<$<NOT:${static}>:${library}>")
endforeach()
snug_install(compiler SnugMLIR)
# tablegen takes its include paths from the folder, not from a target.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
include_directories("${CMAKE_CURRENT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/include" "${CMAKE_BINARY_DIR}")

# MLIR's headers take most of the time of a compilation; what half of our files
# include is parsed once. Sources include what they use all the same.
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/SnugMLIRPrecompiled.cpp" CONTENT "// A library needs a source.\n")
add_library(SnugMLIRPrecompiled OBJECT "${CMAKE_BINARY_DIR}/SnugMLIRPrecompiled.cpp")
target_link_libraries(SnugMLIRPrecompiled PRIVATE SnugMLIR)
target_precompile_headers(SnugMLIRPrecompiled PRIVATE
  <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/IR/Builders.h>
  <mlir/IR/BuiltinOps.h>
  <mlir/IR/DialectResourceBlobManager.h>
  <mlir/IR/OpImplementation.h>
  <mlir/Interfaces/SideEffectInterfaces.h>
  <mlir/Parser/Parser.h>
  <mlir/Pass/Pass.h>
  <llvm/ADT/StringExtras.h>
  <llvm/ADT/TypeSwitch.h>)

add_custom_target(snug-headers) # all generated headers

# snug_use_mlir(target [PUBLIC])
# The target's sources may include MLIR and generated headers, and with PUBLIC
# those of the targets that link it too.
function(snug_use_mlir target)
  cmake_parse_arguments(ARG "PUBLIC" "" "" ${ARGN})
  if(ARG_PUBLIC)
    target_link_libraries(${target} PUBLIC SnugMLIR)
  else()
    target_link_libraries(${target} PRIVATE SnugMLIR)
  endif()
  target_precompile_headers(${target} REUSE_FROM SnugMLIRPrecompiled)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE") # -fPIE, which GCC does not use it with
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  add_dependencies(${target} snug-headers)
endfunction()
add_custom_target(snug-docs ALL) # all generated pages

# add_snug_pass(Name [SOURCES files...] [LINK libraries...])
# One folder, one pass: <Name>.td, <Name>.h, <Name>.cpp and further sources.
# Generates its declaration, compiles it, and adds it to the registry and the
# docs.
function(add_snug_pass name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS "${name}.td")
  mlir_tablegen("${name}.h.inc" -gen-pass-decls -name ${name})
  add_public_tablegen_target(Snug${name}PassIncGen)
  add_dependencies(snug-headers Snug${name}PassIncGen)
  add_snug_library(Snug${name}Pass "${name}.cpp" ${ARG_SOURCES} MLIR LINK ${ARG_LINK})
  target_include_directories(Snug${name}Pass PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
  set_property(GLOBAL APPEND PROPERTY SNUG_PASSES ${name})
  install(FILES "${name}.h" "${CMAKE_CURRENT_BINARY_DIR}/${name}.h.inc"
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/snug-passes/passes/${name} COMPONENT compiler)
  set(page "${CMAKE_BINARY_DIR}/docs/passes/${name}.md")
  add_custom_command(OUTPUT "${page}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/docs/passes"
    COMMAND ${MLIR_TABLEGEN_EXE} -gen-pass-doc "${CMAKE_CURRENT_SOURCE_DIR}/${name}.td"
            -I "${MLIR_INCLUDE_DIRS}" -I "${PROJECT_SOURCE_DIR}/include" -o "${page}"
    DEPENDS "${name}.td" VERBATIM)
  add_custom_target(snug-docs-${name} DEPENDS "${page}")
  add_dependencies(snug-docs snug-docs-${name})
endfunction()

# add_snug_dialect_page(dialect Ops.td)
# The dialect's page, docs/Dialects/<dialect>.md in the build folder.
function(add_snug_dialect_page dialect definitions)
  set(page "${CMAKE_BINARY_DIR}/docs/Dialects/${dialect}.md")
  file(GLOB all CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.td")
  add_custom_command(OUTPUT "${page}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_BINARY_DIR}/docs/Dialects"
    COMMAND ${MLIR_TABLEGEN_EXE} -gen-dialect-doc -dialect=${dialect} "${CMAKE_CURRENT_SOURCE_DIR}/${definitions}"
            -I "${MLIR_INCLUDE_DIRS}" -I "${PROJECT_SOURCE_DIR}/include" -o "${page}"
    DEPENDS ${all} VERBATIM)
  add_custom_target(snug-docs-dialect-${dialect} DEPENDS "${page}")
  add_dependencies(snug-docs snug-docs-dialect-${dialect})
endfunction()
