#!/usr/bin/env python3
"""Row 26: a version that the budget allows, and for which the machine has no memory.

The agent may map so much data and no more: what it maps with the first version in service, and less than the second needs,
by several amounts. Whatever that does to it, the first version serves at the end, the second is refused with a cause, and a
restart keeps it so; with memory again, and another word from the director, the second serves. A service manager's restarts
are played here. SKIPPED without the model that is large enough.
"""
import os
import re
import resource
import sys
import time

from harness import PACKAGE, Fleet, wait_for

SHARED = os.environ.get("EDGESERVE_SHARED", os.path.join(PACKAGE, "..", "shared"))
LARGE = os.path.join(SHARED, "models", "generated", "mobilenet_v2_224.int8.tflite")
# Bytes beyond what the first version takes: enough for a delivery, and less than the second needs.
ROOMS = (1 << 20, 2 << 20, 3 << 20)


def data_bytes(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"^VmData:\s+(\d+)", f.read(), re.M)[1]) * 1024


def delivery(fleet):
    return (fleet.status() or {}).get("delivery", {})


def main(fleet, room):
    fleet.publish(fleet.pack("v1"), 1, extra=("--trial-minutes", "0"))
    fleet.start_agent()
    fleet.wait_serving(1)
    time.sleep(2)
    limit = data_bytes(fleet.agent.pid) + room
    fleet.kill_agent()
    large = os.path.join(fleet.directory, "large.bundle")
    fleet.run("pack", "--model", LARGE, "--name", "digits", "--output", large)

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    fleet.publish(large, 2, extra=("--trial-minutes", "0"))
    ends = 0
    fleet.start_agent(wait=False, preexec=limited)
    begun = time.monotonic()
    while delivery(fleet).get("state") != "refused":
        assert time.monotonic() - begun < 120, f"not refused after {ends} ends: {delivery(fleet)}"
        if fleet.agent.poll() is not None:
            ends += 1
            assert ends <= 5, "the agent ends again and again"
            fleet.start_agent(wait=False, preexec=limited)
        time.sleep(0.1)
    cause = delivery(fleet)["cause"]
    assert fleet.serving() == 1, "the first version does not serve"
    fleet.kill_agent()
    fleet.start_agent(preexec=limited)
    fleet.wait_serving(1)
    time.sleep(3)
    assert fleet.serving() == 1 and fleet.agent.poll() is None
    fleet.kill_agent()
    fleet.start_agent()
    fleet.run("refresh", "--model", "digits", "--keys", fleet.keys, "--broker", f"127.0.0.1:{fleet.port}")
    fleet.wait_serving(2)
    print(
        f"{room >> 20} MiB for version 2: refused with {cause} after {ends} ends of the agent; version 1 served, over a "
        "restart; with memory version 2 does")


if not os.path.exists(LARGE):
    print(f"SKIPPED: {LARGE} is not there")
    sys.exit(0)
for room in ROOMS:
    with Fleet(budget="128MiB") as fleet:
        main(fleet, room)
