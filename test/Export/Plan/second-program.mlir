// RUN: not snug-translate %s --export-plan -o %t 2>&1 | FileCheck %s

// CHECK: a plan file holds one snug_plan.program, this is a second operation beside it
snug_plan.program @first target "portable" threads 1 {
}

snug_plan.program @second target "portable" threads 1 {
}
