# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs commands under hard limits of memory and of disk speed: control groups, and a swap file.

Versions 1 and 2 of Linux' control groups. Everything that is made here is
removed again by close().
"""

import os
import subprocess
import time

ROOT = "/sys/fs/cgroup"
MIB = 1 << 20


class Unavailable(Exception):
    """Why limits cannot be set here."""


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(text))


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def swapped_pages():
    """Pages read from and written to swap by the whole system since it began."""
    counts = dict(line.split() for line in read("/proc/vmstat").splitlines())
    return int(counts.get("pswpin", 0)), int(counts.get("pswpout", 0))


def disk_of(folder):
    """MAJOR:MINOR of the disk that holds a folder; null where it is no single disk."""
    device = os.stat(folder).st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    place = "/sys/dev/block/" + name
    if not os.path.exists(place):
        return None
    # Speed is limited for whole disks, not for their partitions.
    whole = os.path.join(os.path.realpath(place), "..", "dev")
    return read(whole).strip() if os.path.exists(os.path.join(place, "partition")) else name


class Limits:
    """Control groups for one command at a time."""

    def __init__(self, folder):
        """`folder` holds the swap file; its disk is the one whose speed is limited."""
        self.version = 2 if os.path.exists(os.path.join(ROOT, "cgroup.controllers")) else 1
        self.name = f"snug-limits-{os.getpid()}"
        self.swap = None
        self.folder = folder
        self.disk = disk_of(folder)
        self.missing_throttle = self._why_no_throttle()
        try:
            self._make()
            self._remove()
        except OSError as error:
            raise Unavailable(f"control groups of memory cannot be created: {error.strerror}: {error.filename}; "
                              "run it as root on a machine with the memory controller") from error

    def _folders(self):
        if self.version == 2:
            return [os.path.join(ROOT, self.name)]
        names = ["memory"] + ([] if self.missing_throttle else ["blkio"])
        return [os.path.join(ROOT, controller, self.name) for controller in names]

    def _why_no_throttle(self):
        if not self.disk:
            return "the swap file lies on no single disk"
        there = "io" in read(os.path.join(ROOT, "cgroup.controllers")).split() if self.version == 2 else os.path.exists(
            os.path.join(ROOT, "blkio", "blkio.throttle.read_bps_device"))
        return None if there else "there is no controller of disk speed"

    def _make(self):
        if self.version == 2:
            wanted = "+memory" + ("" if self.missing_throttle else " +io")
            write(os.path.join(ROOT, "cgroup.subtree_control"), wanted)
        for folder in self._folders():
            os.mkdir(folder)

    def _remove(self):
        for folder in self._folders():
            for _ in range(100):  # a group is busy for a moment after its last process
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)

    def add_swap(self, size):
        """Makes a swap file and uses it."""
        self.swap = os.path.join(self.folder, self.name + ".swap")
        try:
            with open(self.swap, "wb") as file:
                os.chmod(self.swap, 0o600)
                os.posix_fallocate(file.fileno(), 0, size)
            for command in (["mkswap", self.swap], ["swapon", self.swap]):
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                if done.returncode != 0:
                    raise Unavailable(f"{' '.join(command)} failed: {done.stdout.decode(errors='replace').strip()}")
        except OSError as error:
            raise Unavailable(f"a swap file cannot be made: {error.strerror}: {error.filename}") from error

    def _limit(self, memory, swap, speed):
        folders = self._folders()
        if self.version == 2:
            write(os.path.join(folders[0], "memory.max"), memory)
            write(os.path.join(folders[0], "memory.swap.max"), "max" if swap else 0)
            if speed:
                write(os.path.join(folders[0], "io.max"), f"{self.disk} rbps={speed} wbps={speed}")
            return
        write(os.path.join(folders[0], "memory.limit_in_bytes"), memory)
        if not swap:
            write(os.path.join(folders[0], "memory.memsw.limit_in_bytes"), memory)
        if speed:
            for direction in ("read", "write"):
                write(os.path.join(folders[1], f"blkio.throttle.{direction}_bps_device"), f"{self.disk} {speed}")

    def _peak(self):
        name = "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes"
        try:
            return int(read(os.path.join(self._folders()[0], name)))
        except (OSError, ValueError):
            return None

    def _killed(self):
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        for line in read(os.path.join(self._folders()[0], name)).splitlines():
            key, _, count = line.partition(" ")
            if key == "oom_kill" and int(count) > 0:
                return True
        return False

    def run(self, argv, memory, swap=False, speed=None, timeout=300):
        """Runs a command alone in a fresh group: a dictionary of its exit status (None: it ran past `timeout` seconds), whether the
        system killed it for memory, wall seconds, the group's peak and swap traffic in bytes, and its output."""
        self._make()
        try:
            self._limit(memory, swap, speed)
            inside = " && ".join(f"echo $$ > {folder}/cgroup.procs" for folder in self._folders())
            before, start = swapped_pages(), time.monotonic()
            process = subprocess.Popen(["sh", "-c", inside + ' && exec "$@"', "sh", *argv], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                output, _ = process.communicate(timeout=timeout)
                status = process.returncode
            except subprocess.TimeoutExpired:
                process.kill()
                output, _ = process.communicate()
                status = None
            seconds, after = time.monotonic() - start, swapped_pages()
            page = os.sysconf("SC_PAGESIZE")
            return {"status": status, "killed": self._killed(), "seconds": seconds, "peak_bytes": self._peak(),
                    "swap_in_bytes": (after[0] - before[0]) * page, "swap_out_bytes": (after[1] - before[1]) * page,
                    "output": output.decode(errors="replace")}
        finally:
            self._remove()

    def close(self):
        self._remove()
        if self.swap:
            subprocess.run(["swapoff", self.swap], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            if os.path.exists(self.swap):
                os.remove(self.swap)


def forget(path):
    """Takes a file out of the page cache, so that whoever reads it next is charged for it."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
