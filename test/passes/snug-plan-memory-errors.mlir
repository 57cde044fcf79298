// RUN: snug-opt %s --snug-plan-memory --split-input-file --verify-diagnostics

// expected-error @below {{program lists no groups or work; snug-convert-to-plan should have written them}}
snug_plan.program @unlisted target "portable" threads 1 {
}

// -----

// expected-error @below {{the module has no program whose memory could be planned; run snug-convert-to-plan before}}
module {
}
