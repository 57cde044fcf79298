# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Other engines, as tools/dev/bench peers drives them: environment.py installs
them, engines.py and tflite.py run in that environment, worker.py is the process
that is timed, client.py its other end."""
