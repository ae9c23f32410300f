#!/usr/bin/env python3
"""SIGKILL of the agent at a random moment of each of 30 deliveries, restarted each time.

The agent must come back serving the old or the new version, with that version's answers, and the
delivery must end with the new version; what it fetched again is at most one window beyond what was
not yet synced. The bundle carries a padding file of random bytes, so that a delivery takes a while.
"""
import argparse
import random
import sys
import time

from harness import KINDS, Fleet, UnixConnection, golden, kind_of, wait_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--deliveries", type=int, default=30)
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()


def main(fleet):
    generator = random.Random(options.seed)
    bundles = {kind: fleet.pack(kind) for kind in KINDS}
    vectors = {kind: golden(kind) for kind in bundles}
    fleet.publish(bundles["v1"], 1)
    fleet.start_agent()
    begun = time.monotonic()
    fleet.wait_serving(1)
    typical = max(0.05, time.monotonic() - begun)
    old_seen = new_seen = 0
    for version in range(2, options.deliveries + 2):
        fleet.publish(bundles[kind_of(version)], version)
        time.sleep(generator.uniform(0, 1.5 * typical))
        fleet.kill_agent()
        fleet.start_agent()
        first = wait_for("a version serves after the restart", fleet.serving, 20)
        assert first in (version - 1, version), f"serves {first} after a kill while {version} arrives"
        old_seen, new_seen = old_seen + (first == version - 1), new_seen + (first == version)
        check_answer(fleet, vectors)
        fleet.wait_serving(version)
        check_answer(fleet, vectors)
    print(
        f"{options.deliveries} deliveries, each with a SIGKILL within {1.5 * typical:.2f} s: "
        f"came back with the old version {old_seen} times, with the new one {new_seen} times"
    )
    return True


def check_answer(fleet, vectors):
    """One request per golden vector: the answer is that of the version which it names."""
    connection = UnixConnection(fleet.socket)
    name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
    for k in range(4):
        for kind in vectors:
            shape, values, answer = vectors[kind][k]
            body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": values}]}
            status, reply = connection.ask("POST", "/v2/models/digits/infer", body)
            assert status == 200, reply
            if kind_of(int(reply["model_version"])) == kind:
                worst = max(abs(a - b) for a, b in zip(reply["outputs"][0]["data"], answer))
                assert worst <= 1, f"version {reply['model_version']} is {worst} codes off its golden"
    connection.close()


with Fleet() as fleet:
    passed = main(fleet)
sys.exit(0 if passed else 1)
