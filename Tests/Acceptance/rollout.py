#!/usr/bin/env python3
"""A rollout that runs by itself, on eight agents of the real binary: to everyone, and back.

A good version goes through its stages; one whose goldens do not come out is taken back by the
controller; a pinned device takes no part; counters of requests reach the fleet's table.
"""
import json
import os
import sys

from harness import FIXTURES, Device, Fleet, UnixConnection, golden, wait_for

DEVICES = [f"kiosk-{i}" for i in range(8)]


def command(fleet, *arguments, check=True):
    return fleet.run(*arguments, "--keys", fleet.keys, "--broker", f"127.0.0.1:{fleet.port}", check=check)


def rows(fleet, *arguments):
    return json.loads(command(fleet, "fleet", "--json", *arguments).stdout)["devices"]


def settled(fleet, version, state):
    """Waits until every device is at `version` in `state`; as a fleet operator sees it."""
    wait_for(
        f"all devices have version {version}, {state}",
        lambda: len(rows(fleet, "--version", str(version), "--state", state, "--online")) == len(DEVICES), 40, 0.2)


def roll_out(fleet, version, *arguments, **options):
    command(fleet, "rollout", "start", "--model", "digits", "--version", str(version), "--percent", "12.5")
    return command(
        fleet, "rollout", "run", "--model", "digits", "--stages", "12.5", "50", "100", "--soak", "1",
        "--interval", "1", "--json", *arguments, **options)


def hold(fleet, bundle, version):
    fleet.publish(bundle, version, extra=("--hold", "--trial-minutes", "0"))


def main(fleet):
    fleet.publish(fleet.pack("v1"), 1, extra=("--trial-minutes", "0"))
    devices = [Device(fleet, name) for name in DEVICES]
    try:
        settled(fleet, 1, "committed")
        hold(fleet, fleet.pack("v2"), 2)
        done = roll_out(fleet, 2)
        steps = [json.loads(line) for line in done.stdout.splitlines()]
        percents = [step["rollout"]["percent"] for step in steps if "next" in step]
        assert percents == sorted(percents) and percents[-1] == 100, percents
        assert steps[-1]["next"] == "complete", steps[-1]
        settled(fleet, 2, "committed")
        print(f"version 2 went to everyone by itself, in {len(steps)} looks")

        wrong = os.path.join(fleet.directory, "wrong.bundle")
        fleet.pack("v1", output=wrong, golden=os.path.join(FIXTURES, "v3", "golden"))
        hold(fleet, wrong, 3)
        done = roll_out(fleet, 3, "--min-failures", "1", check=False)
        assert done.returncode == 1 and "the rollout was aborted" in done.stderr, (done.returncode, done.stderr)
        settled(fleet, 2, "committed")
        print("version 3, whose goldens differ, was taken back:", done.stderr.strip().splitlines()[-1])

        pinned = DEVICES[0]
        command(fleet, "pin", "--device", pinned, "--model", "digits", "--version", "1")
        wait_for("the pinned device goes back", lambda: rows(fleet, "--device", pinned)[0]["version"] == 1, 20, 0.2)
        hold(fleet, fleet.pack("v4"), 4)
        roll_out(fleet, 4)
        versions = {row["device"]: (row["version"], row["pinned"]) for row in rows(fleet)}
        assert versions.pop(pinned) == (1, True) and set(versions.values()) == {(4, False)}, versions
        replay = command(fleet, "unpin", "--device", pinned, "--model", "digits", "--json")
        assert json.loads(replay.stdout)["answer"] == "accepted", replay.stdout
        settled(fleet, 4, "committed")
        print(f"{pinned} stayed at version 1 while it was pinned, and followed when it was let go")

        connection = UnixConnection(devices[1].socket)
        shape, values, _ = golden("v4")[0]
        name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
        body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": values}]}
        for _ in range(40):
            assert connection.ask("POST", "/v2/models/digits/infer", body)[0] == 200
        # The next status tells of them; a new word of the director's brings one.
        command(fleet, "refresh", "--model", "digits")
        wait_for(
            "the fleet sees the requests",
            lambda: rows(fleet, "--device", DEVICES[1])[0]["requests"] == 40, 20, 0.2)
        row = rows(fleet, "--device", DEVICES[1])[0]
        assert row["errors"] == 0 and row["latency_p99_us"] > 0, row
        print(f"the fleet's table counts 40 requests on {DEVICES[1]}, p99 {row['latency_p99_us']} µs")

        held = DEVICES[2]
        answer = command(fleet, "hold", "--device", held, "--json")
        assert json.loads(answer.stdout)["held_until"] == 0, answer.stdout
        hold(fleet, fleet.pack("v5"), 5)
        roll_out(fleet, 5)
        versions = {row["device"]: (row["version"], row.get("held_until")) for row in rows(fleet)}
        assert versions.pop(held) == (4, 0) and set(versions.values()) == {(5, None)}, versions
        devices[2].process.kill()
        devices[2].process.wait(20)
        devices[2] = Device(fleet, held)
        wait_for("the held device is back", lambda: rows(fleet, "--device", held, "--online"), 20, 0.2)
        row = rows(fleet, "--device", held)[0]
        assert (row["version"], row["held_until"]) == (4, 0), row
        command(fleet, "release", "--device", held)
        settled(fleet, 5, "committed")
        print(f"{held} installed nothing while it was held, over a restart too, and followed when it was let go")
    finally:
        for device in devices:
            device.process.terminate()
        for device in devices:
            device.process.wait(20)


with Fleet() as fleet:
    main(fleet)
sys.exit(0)
