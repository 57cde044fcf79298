/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* C API of the Snug runtime: load a plan file, give it an arena, run it.
 *
 * Every function that can fail returns a status; snug_status_message() tells
 * why, in one sentence. Handles are opaque. A plan is immutable after load and
 * may be shared by threads; an executor belongs to one thread at a time. A plan
 * must outlive its executors, a caller-owned arena too. */
#ifndef SNUG_RUNTIME_RUNTIME_H
#define SNUG_RUNTIME_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum snug_status_code {
  SNUG_OK = 0,
  SNUG_INVALID_ARGUMENT = 1, /* the caller's mistake */
  SNUG_NOT_FOUND = 2,        /* no such file, input or output */
  SNUG_INVALID_PLAN = 3,     /* truncated, damaged or hostile file */
  SNUG_UNSUPPORTED = 4,      /* version, target or kernel this build lacks */
  SNUG_OUT_OF_MEMORY = 5,
  SNUG_IO_ERROR = 6
} snug_status_code;

/* A code and a message. The message is null-terminated and truncated to fit. */
typedef struct snug_status {
  snug_status_code code;
  char message[508];
} snug_status;

typedef struct snug_plan snug_plan;
typedef struct snug_executor snug_executor;

/* Memory for the runtime's own bookkeeping (never for the arena). `context` is
 * passed through. `free` accepts null. */
typedef struct snug_allocator {
  void *context;
  void *(*allocate)(void *context, size_t bytes);
  void (*release)(void *context, void *pointer);
} snug_allocator;

typedef struct snug_tensor_info {
  const char *name; /* lives as long as the plan */
  size_t rank;      /* at most 8 */
  int64_t shape[8];
  uint64_t bytes; /* float32, dense, row-major */
} snug_tensor_info;

/* Bytes. peak = weights + activations + workspace + runtime_overhead,
 * arena = activations + workspace. Streamed weights are the most that are
 * mapped at once. */
typedef struct snug_prediction {
  uint64_t weights, activations, workspace, runtime_overhead, arena, peak;
  uint64_t network_macs, executed_macs;
} snug_prediction;

typedef struct snug_group_info {
  const char *schedule;
  size_t op_count;
  uint64_t arena_bytes;
} snug_group_info;

typedef struct snug_profile_record {
  const char *name;    /* layer */
  const char *kernel;  /* kernel and instruction set, e.g. "convolution/avx2" */
  int32_t group, tile; /* -1: none */
  uint64_t start_ns, duration_ns; /* since the run began */
  uint64_t macs;                  /* as reported by the kernel */
} snug_profile_record;

typedef struct snug_executor_options {
  size_t size; /* sizeof(snug_executor_options), set by init */
  const snug_allocator *allocator; /* null: malloc and free */
  void *arena;          /* caller-owned, 64-byte aligned; null: mapped here */
  uint64_t arena_bytes; /* of the caller's arena */
  int profile;          /* 1: record every instruction (memory taken here) */
} snug_executor_options;

/* --- plan: open and verify. Thread-safe. --- */

/* Maps the file and verifies every offset, shape and kernel. A plan that
 * streams its weights keeps the file open. */
snug_status snug_plan_load(const char *path, const snug_allocator *allocator,
                           snug_plan **out_plan);
/* The same from memory that the caller keeps alive (4096-byte aligned). */
snug_status snug_plan_load_memory(const void *data, size_t bytes,
                                  const snug_allocator *allocator,
                                  snug_plan **out_plan);
void snug_plan_release(snug_plan *plan);

const char *snug_plan_model(const snug_plan *plan);
const char *snug_plan_target(const snug_plan *plan);
int snug_plan_threads(const snug_plan *plan);
uint64_t snug_plan_arena_bytes(const snug_plan *plan);
/* 1 where weights are mapped and released as the program runs. Of a plan in
 * memory they are where the caller has them. */
int snug_plan_streams_weights(const snug_plan *plan);
snug_prediction snug_plan_prediction(const snug_plan *plan);
size_t snug_plan_input_count(const snug_plan *plan);
size_t snug_plan_output_count(const snug_plan *plan);
size_t snug_plan_instruction_count(const snug_plan *plan);
size_t snug_plan_group_count(const snug_plan *plan);
/* Indices must be below the counts; otherwise SNUG_INVALID_ARGUMENT. */
snug_status snug_plan_input_info(const snug_plan *plan, size_t index,
                                 snug_tensor_info *out_info);
snug_status snug_plan_output_info(const snug_plan *plan, size_t index,
                                  snug_tensor_info *out_info);
snug_status snug_plan_group_info(const snug_plan *plan, size_t index,
                                 snug_group_info *out_info);
/* Name of the i-th op of a group, null past the end; lives as long as the plan.
 */
const char *snug_plan_group_op(const snug_plan *plan, size_t group, size_t op);

/* --- executor: prepare once, run often. One thread at a time. --- */

void snug_executor_options_init(snug_executor_options *options);
/* Prepares: resolves kernels and addresses, starts the plan's worker threads.
 * After this, running allocates nothing. `options` may be null. */
snug_status snug_executor_create(const snug_plan *plan,
                                 const snug_executor_options *options,
                                 snug_executor **out_executor);
void snug_executor_release(snug_executor *executor);

/* Where input `index` lies in the arena. Written before each run: a run may
 * overwrite it, since its bytes are reused once it has been read. */
snug_status snug_executor_input(snug_executor *executor, size_t index,
                                float **out_data);
/* Where output `index` lies after a run, until the next input is written. */
snug_status snug_executor_output(snug_executor *executor, size_t index,
                                 const float **out_data);
/* Fails where weights are streamed and the system has no room for the next. */
snug_status snug_executor_run(snug_executor *executor);

/* Multiply-accumulates of the last run, summed from what each kernel reports of
 * the extents it was called with. */
uint64_t snug_executor_executed_macs(const snug_executor *executor);
/* Bytes of arena mapped by, or taken from, the caller for this executor. */
uint64_t snug_executor_arena_bytes(const snug_executor *executor);
/* Bytes of weights: all of them, or, where the plan streams them from its file,
 * the most that runs so far had mapped at once. */
uint64_t snug_executor_weight_bytes(const snug_executor *executor);
/* Records of the last run; zero of them unless options.profile was 1. */
size_t snug_executor_profile_count(const snug_executor *executor);
snug_status snug_executor_profile_record(const snug_executor *executor,
                                         size_t index,
                                         snug_profile_record *out_record);

#ifdef __cplusplus
}
#endif

#endif /* SNUG_RUNTIME_RUNTIME_H */
