# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The measurements of tools/dev/bench, one module each.

A module has TITLE (its heading in docs/Measurements.md), `measure(options)`,
which returns what goes under "results" of its JSON, and `report(results)`, which
returns the lines of its section. It may have `add_arguments(parser)`; options
that are not given have the defaults stated there; and `finish(path)`, called
when the JSON has been written there.
"""

# The order of the page. A name becomes a module with underscores for dashes.
NAMES = ["whole-way", "any-cnn", "peers", "predictions", "limits", "training", "training-here", "addresses", "kernels", "overhead"]
