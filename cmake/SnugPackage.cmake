# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The package Snug: headers, and what find_package(Snug) reads. The libraries
# and tools were installed where they were declared, the runtime by itself.
include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/Snug")

install(DIRECTORY include/snug/Network include/snug/Planner
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/snug COMPONENT planner)
install(DIRECTORY include/snug/Predict DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/snug COMPONENT predict)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/snug COMPONENT planner)
set(components planner predict)
if(SNUG_BUILD_COMPILER)
  list(APPEND components compiler tools)
  install(DIRECTORY include/snug "${CMAKE_BINARY_DIR}/include/snug"
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT compiler
    FILES_MATCHING PATTERN "*.h" PATTERN "*.inc" PATTERN "*.td"
    PATTERN CMakeFiles EXCLUDE PATTERN Network EXCLUDE PATTERN Planner EXCLUDE PATTERN Predict EXCLUDE)
endif()
foreach(component ${components})
  install(EXPORT Snug_${component} NAMESPACE Snug:: DESTINATION ${package} COMPONENT ${component})
endforeach()

configure_package_config_file(cmake/SnugConfig.cmake.in "${CMAKE_BINARY_DIR}/SnugConfig.cmake"
  INSTALL_DESTINATION ${package})
write_basic_package_version_file("${CMAKE_BINARY_DIR}/SnugConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
# Every component needs them, and each but the runtime needs the planner's.
install(FILES "${CMAKE_BINARY_DIR}/SnugConfig.cmake" "${CMAKE_BINARY_DIR}/SnugConfigVersion.cmake"
  DESTINATION ${package} COMPONENT planner)
