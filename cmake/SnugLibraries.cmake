# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How libraries of the compiler are declared and installed, with and without MLIR.
include(GNUInstallDirs)
# Installed tools find MLIR's shared libraries where they were linked.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# snug_install(component targets...)
# Installs targets with a component of the package: planner, predict, compiler or
# tools, see SnugConfig.cmake.in.
function(snug_install component)
  install(TARGETS ${ARGN} EXPORT Snug_${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component})
endfunction()

# add_snug_library(Name sources... [LINK libraries...] [COMPONENT component] [MLIR])
# A static library. With MLIR it may include MLIR; without it must not. It is
# installed with the component, which is `compiler` if none is named.
function(add_snug_library name)
  cmake_parse_arguments(ARG "MLIR" "COMPONENT" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_MLIR)
    snug_use_mlir(${name} PUBLIC)
  endif()
  if(NOT ARG_COMPONENT)
    set(ARG_COMPONENT compiler)
  endif()
  snug_install(${ARG_COMPONENT} ${name})
endfunction()
