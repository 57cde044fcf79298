# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Starts worker.py in the peers' environment and talks to it."""

import json
import os
import subprocess

from snug_dev.common import ROOT
from snug_dev.peers.environment import FOLDER, PYTHON


class PeerError(Exception):
    """A peer cannot do what was asked of it; its text is the reason."""


class Worker:
    """A process of one engine; use with `with`."""

    def __init__(self, *arguments, prefix=()):
        environment = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "tools", "dev"), PYTHONDONTWRITEBYTECODE="1")
        self.log_name = f"worker-{arguments[1]}.log"
        self.log = open(os.path.join(FOLDER, self.log_name), "w", encoding="utf-8")
        self.process = subprocess.Popen([*prefix, PYTHON, "-m", "snug_dev.peers.worker", *map(str, arguments)], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=FOLDER)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise PeerError(f"its process ended, status {self.process.returncode}; see build/peers/{self.log_name}")
        value = json.loads(line)
        if "error" in value:
            raise PeerError(value["error"])
        return value

    def ask(self, *words):
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # answer() tells how it ended
        return self.answer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


def once(*arguments):
    """The one answer of a worker that gives only one."""
    with Worker(*arguments) as worker:
        return worker.answer()
