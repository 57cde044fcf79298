// RUN: snug-opt %s --snug-plan-memory --split-input-file --verify-diagnostics

// expected-error @below {{program lists no groups or work; snug-convert-to-plan should have written them}}
snug_plan.program @unlisted target "portable" threads 1 {
}
