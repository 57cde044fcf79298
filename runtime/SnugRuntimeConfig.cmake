# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# find_package(SnugRuntime): Snug::SnugRuntime with its C API, Snug::snug-run.
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
include("${CMAKE_CURRENT_LIST_DIR}/SnugRuntimeTargets.cmake")
