/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The header compiles as C99, and a C program can run a plan. */

#include "snug/runtime/runtime.h"

#include <stdio.h>
#include <string.h>

int snugRunPlanFromC(const void *bytes, size_t size, const float *input,
                     size_t inputCount, float *output, size_t outputCount,
                     char *message, size_t messageBytes);

int snugRunPlanFromC(const void *bytes, size_t size, const float *input,
                     size_t inputCount, float *output, size_t outputCount,
                     char *message, size_t messageBytes) {
  snug_plan *plan = NULL;
  snug_executor *executor = NULL;
  float *place = NULL;
  const float *result = NULL;
  snug_status status = snug_plan_load_memory(bytes, size, NULL, &plan);
  if (status.code == SNUG_OK)
    status = snug_executor_create(plan, NULL, &executor);
  if (status.code == SNUG_OK)
    status = snug_executor_input(executor, 0, &place);
  if (status.code == SNUG_OK) {
    memcpy(place, input, inputCount * sizeof(float));
    status = snug_executor_run(executor);
  }
  if (status.code == SNUG_OK)
    status = snug_executor_output(executor, snug_plan_output_count(plan) - 1,
                                  &result);
  if (status.code == SNUG_OK)
    memcpy(output, result, outputCount * sizeof(float));
  snprintf(message, messageBytes, "%s", status.message);
  snug_executor_release(executor);
  snug_plan_release(plan);
  return (int)status.code;
}
