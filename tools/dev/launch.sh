# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# launch MODULE ARGUMENT...: runs a module of tools/dev/snug_dev from the
# project's root, in build/python; tools/dev/setup comes first, unless
# --no-setup or --help is among the arguments. Sourced by the tools beside it.

launch() {
  local module=$1 python=build/python/bin/python
  shift
  cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
  case " $* " in
    *" --no-setup "* | *" --help "* | *" -h "*) ;;
    *) tools/dev/setup || exit 1 ;;
  esac
  [[ -x $python ]] || python=python3
  PYTHONPATH=tools/dev PYTHONDONTWRITEBYTECODE=1 exec "$python" -m "snug_dev.$module" "$@"
}
