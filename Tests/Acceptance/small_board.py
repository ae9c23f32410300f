#!/usr/bin/env python3
"""A whole life within the memory of a small board: the profile's limit of the service is put on a control group, and the
agent starts there, takes updates over MQTT, swaps, answers 10,000 requests and is rolled back.

It must never be ended by the kernel, the ledger must stay within the profile's budget, and memory that is not pages of
files must stay within the limit. Needs root and a control group of memory, of version 1 or 2.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading

from harness import BINARY, Fleet, UnixConnection, answers_of, golden, kind_of, memory, wait_for

MIB = 1 << 20
VERSIONS = 4
# What the program may take besides what is charged, as the schema of profiles grants it.
PROGRAM = 32 * MIB


class MemoryGroup:
    """A control group whose memory is limited; use as a context."""

    def __init__(self, maximum):
        groups = [line.split(":", 2) for line in open("/proc/self/cgroup").read().splitlines()]
        first = next((path for _, names, path in groups if "memory" in names.split(",")), None)
        self.is_first_version = first is not None
        root = pathlib.Path("/sys/fs/cgroup/memory" if self.is_first_version else "/sys/fs/cgroup")
        self.path = root / f"edgeserve-{os.getpid()}"
        self.maximum = maximum

    def __enter__(self):
        self.path.mkdir()
        names = ("memory.limit_in_bytes",) if self.is_first_version else ("memory.max",)
        for name in names:
            (self.path / name).write_text(str(self.maximum))
        if not self.is_first_version:
            (self.path / "memory.swap.max").write_text("0")
        return self

    def __exit__(self, *_):
        self.path.rmdir()

    def enter(self):
        """Puts the calling process into the group."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def peak_file(self):
        return self.path / ("memory.max_usage_in_bytes" if self.is_first_version else "memory.peak")

    @property
    def peak(self):
        return int(self.peak_file.read_text())

    def forget_peak(self):
        """Begins the peak anew, where the kernel can."""
        with contextlib.suppress(OSError):
            self.peak_file.write_text("0")

    @property
    def kills(self):
        """How often the kernel ended a process of the group."""
        name = "memory.oom_control" if self.is_first_version else "memory.events"
        fields = dict(line.split() for line in (self.path / name).read_text().splitlines())
        return int(fields["oom_kill"])


def profile(board):
    shown = subprocess.run([BINARY, "board", "show", board, "--json"], check=True, capture_output=True)
    return json.loads(shown.stdout)["choices"]


class Watch(threading.Thread):
    """Looks at the ledger and the process all the time, and keeps the most of each."""

    def __init__(self, fleet):
        super().__init__()
        self.fleet, self.ends = fleet, threading.Event()
        self.charged = self.resident = self.anonymous = 0

    def run(self):
        while not self.ends.wait(0.02):
            status = self.fleet.status()
            if status:
                self.charged = max(self.charged, status["memory"]["charged_bytes"])
            resident, anonymous, _ = memory(self.fleet.agent.pid)
            self.resident, self.anonymous = max(self.resident, resident), max(self.anonymous, anonymous)


def ask(fleet, inputs, expected, count):
    """Asks so often; each answer is compared with what the version that it names answers."""
    connection = UnixConnection(fleet.socket)
    for number in range(count):
        shape, values = inputs[number % len(inputs)]
        body = {"inputs": [{"name": "image", "datatype": "INT8", "shape": shape, "data": values}]}
        status, reply = connection.ask("POST", "/v2/models/digits/infer", body)
        assert status == 200, (status, reply)
        output = expected[reply["model_version"]][number % len(inputs)]
        assert reply["outputs"][0]["data"] == output, f"request {number}"


def live(fleet, group, options):
    choices = profile(options.board)
    inputs = [(shape, values) for shape, values, _ in golden("v1")]
    expected = {str(v): answers_of(fleet, kind_of(v), inputs) for v in range(1, VERSIONS + 1)}
    # Written within the group, so that its pages count there.
    program = os.path.join(fleet.directory, "edgeserve")
    subprocess.run(["llvm-objcopy", "--strip-all", BINARY, program], check=True, preexec_fn=group.enter)
    fleet.agent_command = [program]
    group.forget_peak()
    fleet.publish(fleet.pack("v1"), 1, extra=("--board", options.board))
    fleet.start_agent(preexec=group.enter)
    fleet.wait_serving(1)
    shown = fleet.status()
    assert shown["agent"]["board"] == options.board
    assert shown["memory"]["budget_bytes"] == choices["budget_mib"] * MIB
    watch = Watch(fleet)
    watch.start()
    try:
        for version in range(2, VERSIONS + 1):
            ask(fleet, inputs, expected, options.requests // VERSIONS)
            fleet.publish(fleet.pack(kind_of(version)), version)
            fleet.wait_serving(version)
        ask(fleet, inputs, expected, options.requests - options.requests // VERSIONS * (VERSIONS - 1))
        fleet.run(
            "rollback", "--model", "digits", "--keys", fleet.keys, "--broker", f"127.0.0.1:{fleet.port}"
        )
        wait_for("the version before serves", lambda: fleet.serving() == VERSIONS - 1, 30)
        ask(fleet, inputs, expected, 100)
    finally:
        watch.ends.set()
        watch.join()
    assert fleet.agent.poll() is None, "the agent ended"
    assert group.kills == 0, "the kernel ended the agent"
    assert watch.charged <= choices["budget_mib"] * MIB, watch.charged
    assert group.peak <= group.maximum, group.peak
    assert watch.resident <= PROGRAM + watch.charged, (watch.resident, watch.charged)
    print(
        f"{options.board}: start, {VERSIONS - 1} updates, {options.requests:,} requests and a rollback within "
        f"{group.maximum // MIB} MiB; at most {group.peak / MIB:.1f} MiB with pages of files, resident "
        f"{watch.resident / MIB:.1f}, anonymous {watch.anonymous / MIB:.1f}, charged {watch.charged / MIB:.2f} of "
        f"{choices['budget_mib']} MiB"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--board", default="raspberry-pi-zero-2-w")
    parser.add_argument("--requests", type=int, default=10_000)
    options = parser.parse_args()
    group = MemoryGroup(profile(options.board)["service_maximum_mib"] * MIB)
    try:
        group.__enter__()
    except OSError as error:
        print(f"SKIPPED: no control group of memory can be made here ({error})")
        sys.exit(0)
    try:
        with Fleet(budget=None) as fleet:
            fleet.board = options.board
            live(fleet, group, options)
    finally:
        group.__exit__()


if __name__ == "__main__":
    main()
