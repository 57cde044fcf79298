/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs a plan file once with an installed runtime, on zeros. */
#include "snug/runtime/runtime.h"

#include <stdio.h>

static int report(snug_status status) {
  if (status.code != SNUG_OK)
    fprintf(stderr, "error: %s\n", status.message);
  return status.code == SNUG_OK ? 0 : 1;
}

int main(int argc, char **argv) {
  snug_plan *plan = NULL;
  snug_executor *executor = NULL;
  snug_executor_options options;
  int failed = report(snug_plan_load(argc > 1 ? argv[1] : "", NULL, &plan));
  if (!failed) {
    snug_executor_options_init(&options);
    failed = report(snug_executor_create(plan, &options, &executor));
  }
  if (!failed)
    failed = report(snug_executor_run(executor));
  if (!failed)
    printf("%s ran in %llu bytes\n", snug_plan_model(plan),
           (unsigned long long)snug_executor_arena_bytes(executor));
  snug_executor_release(executor);
  snug_plan_release(plan);
  return failed;
}
