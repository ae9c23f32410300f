#!/usr/bin/env python3
"""What can go wrong with a delivery, each on the real binary and broker.

After every fault the old version still serves, with its own answers, and status names the cause.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import FIXTURES, BINARY, Fleet, UnixConnection, golden, wait_for

passed, failed, skipped = [], [], []


def fault(function):
    """Runs a case on a fresh fleet with version 1 in service; its name is the function's."""
    name = function.__name__.replace("_", " ")
    try:
        function()
        passed.append(name)
        print(f"ok      {name}", flush=True)
    except Skipped as reason:
        skipped.append(name)
        print(f"SKIPPED {name}: {reason}", flush=True)
    except Exception as error:  # Any failure is the case's failure.
        failed.append(name)
        print(f"FAILED  {name}: {error!r}", flush=True)


class Skipped(Exception):
    pass


def fleet_with_version_1(**options):
    fleet = Fleet(**options)
    fleet.publish(fleet.pack("v1"), 1)
    fleet.start_agent()
    fleet.wait_serving(1)
    return fleet


def assert_old_serves(fleet, version=1):
    """The old version answers, as its goldens say."""
    connection = UnixConnection(fleet.socket)
    name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
    shape, values, answer = golden("v1")[0]
    body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": values}]}
    status, reply = connection.ask("POST", "/v2/models/digits/infer", body)
    assert status == 200 and int(reply["model_version"]) == version, (status, reply)
    assert max(abs(a - b) for a, b in zip(reply["outputs"][0]["data"], answer)) <= 1, reply


def cause_of(fleet):
    return ((fleet.status() or {}).get("delivery") or {}).get("cause")


def expect_cause(fleet, cause, seconds=20):
    seen = []

    def check():
        now = cause_of(fleet)
        if now not in seen:
            seen.append(now)
        return now == cause

    try:
        wait_for(cause, check, seconds)
    except AssertionError:
        raise AssertionError(f"no cause {cause} within {seconds} s; seen {seen}") from None
    assert_old_serves(fleet)


def retained(fleet, pattern):
    """Retained messages under a topic pattern, as a dictionary of bytes."""
    done = subprocess.run(
        ["mosquitto_sub", "-p", str(fleet.port), "-t", pattern, "-F", "%t %x", "--retained-only", "-W", "1"],
        capture_output=True, text=True,
    )
    lines = (line.partition(" ") for line in done.stdout.splitlines())
    return {topic: bytes.fromhex(payload) for topic, _, payload in lines}


def retain(fleet, topic, payload):
    with tempfile.NamedTemporaryFile() as f:
        f.write(payload)
        f.flush()
        subprocess.run(
            ["mosquitto_pub", "-p", str(fleet.port), "-t", topic, "-r", "-q", "1", "-f", f.name], check=True
        )


def publish_while_down(fleet, change):
    """Publishes version 2 while the agent is down, changes what is retained, starts the agent."""
    fleet.agent.terminate()
    fleet.agent.wait(10)
    before = set(retained(fleet, "es/1/test/o/+/0"))
    bundle = fleet.pack("v2")
    fleet.publish(bundle, 2)
    fresh = set(retained(fleet, "es/1/test/o/+/0")) - before
    assert len(fresh) == 1, fresh
    change(next(iter(fresh)))
    fleet.start_agent()
    return bundle


def tampered_block():
    with fleet_with_version_1() as fleet:
        original = {}

        def flip(topic):
            payload = retained(fleet, topic)[topic]
            original[topic] = payload
            middle = len(payload) // 2
            retain(fleet, topic, payload[:middle] + bytes([payload[middle] ^ 1]) + payload[middle + 1 :])

        publish_while_down(fleet, flip)
        expect_cause(fleet, "block-hash")
        for topic, payload in original.items():
            retain(fleet, topic, payload)
        fleet.wait_serving(2, 60)


def missing_block():
    with fleet_with_version_1() as fleet:
        original = {}

        def wipe(topic):
            original[topic] = retained(fleet, topic)[topic]
            retain(fleet, topic, b"")

        publish_while_down(fleet, wipe)
        expect_cause(fleet, "truncated", 30)
        for topic, payload in original.items():
            retain(fleet, topic, payload)
        fleet.wait_serving(2, 60)


def release_signed_by_the_wrong_key():
    with fleet_with_version_1() as fleet:
        strange = os.path.join(fleet.directory, "strange")
        fleet.run("keygen", "--fleet", "test", "--output-dir", strange)
        genuine = retained(fleet, "es/1/test/#")
        fleet.publish(fleet.pack("v2"), 2, keys=strange, check=False, extra=("--allow-down",))
        now = retained(fleet, "es/1/test/dir/#")
        assert now["es/1/test/dir/digits"] != genuine["es/1/test/dir/digits"], "nothing was published"
        expect_cause(fleet, "signature")


def older_release_replayed():
    with fleet_with_version_1() as fleet:
        old = retained(fleet, "es/1/test/dir/digits")["es/1/test/dir/digits"]
        bundle = os.path.join(fleet.directory, "again.bundle")
        fleet.pack("v1", output=bundle)
        fleet.publish(bundle, 2)
        fleet.wait_serving(2)
        retain(fleet, "es/1/test/dir/digits", old)
        wait_for("the replay is named", lambda: cause_of(fleet) == "rollback", 20)
        assert_old_serves(fleet, 2)
        fleet.kill_agent()
        fleet.start_agent()
        fleet.wait_serving(2)
        wait_for("the replay is named after a restart", lambda: cause_of(fleet) == "rollback", 20)


def golden_mismatch():
    with fleet_with_version_1() as fleet:
        bundle = os.path.join(fleet.directory, "wrong.bundle")
        # The first model with the second's answers: it loads, and it is not what was signed for.
        fleet.pack("v1", output=bundle, golden=os.path.join(FIXTURES, "v2", "golden"))
        fleet.publish(bundle, 2)
        expect_cause(fleet, "gate-mismatch")


# What an agent takes besides models: connections, and the delivery of one model. The rest holds one digits model.
AGENT_BYTES = 8 * 32768 + 8 * 66560 + 2 * 5461 * 48 + 4 * 263168 + 320 * 1024 + 21844 * 16
TIGHT_BUDGET = AGENT_BYTES + 24576


def model_over_budget():
    with fleet_with_version_1(budget=str(TIGHT_BUDGET)) as fleet:
        large = os.path.join(os.path.dirname(FIXTURES), "digits_float")
        bundle = os.path.join(fleet.directory, "large.bundle")
        fleet.pack("large", output=bundle, model=os.path.join(large, "model.tflite"),
                   golden=os.path.join(large, "golden"))
        fleet.publish(bundle, 2)
        expect_cause(fleet, "over-budget")


def drain_first_when_two_do_not_fit():
    with fleet_with_version_1(budget=str(TIGHT_BUDGET)) as fleet:
        fleet.publish(fleet.pack("v2"), 2)
        fleet.wait_serving(2)
        status = fleet.status()["memory"]
        assert status["charged_bytes"] <= status["budget_bytes"] == TIGHT_BUDGET, status


def truncated_model():
    directory = tempfile.mkdtemp(prefix="edgeserve-local-")
    agent = None
    try:
        os.makedirs(os.path.join(directory, "store", "1"))
        shutil.copy(os.path.join(FIXTURES, "v1", "model.tflite"), os.path.join(directory, "store", "1"))
        admin = os.path.join(directory, "admin.sock")
        fleet = Fleet.__new__(Fleet)
        fleet.socket, fleet.admin = os.path.join(directory, "data.sock"), admin
        agent = subprocess.Popen(
            [BINARY, "run", "--model", f"digits={directory}/store", "--socket", fleet.socket,
             "--admin-socket", admin, "--state-dir", os.path.join(directory, "state")],
            stderr=subprocess.DEVNULL,
        )
        fleet.wait_serving(1)
        os.makedirs(os.path.join(directory, "incoming"))
        with open(os.path.join(FIXTURES, "v2", "model.tflite"), "rb") as whole:
            with open(os.path.join(directory, "incoming", "model.tflite"), "wb") as part:
                part.write(whole.read()[:7000])
        os.rename(os.path.join(directory, "incoming"), os.path.join(directory, "store", "2"))

        def refused():
            for version in fleet.status()["models"][0]["versions"]:
                if int(version["version"]) == 2 and version["state"] == "refused":
                    return version["cause"]
            return None

        cause = wait_for("version 2 is refused", refused, 20)
        assert "model-invalid" in json.dumps(cause), cause
        assert_old_serves(fleet)
    finally:
        if agent:
            agent.terminate()
            agent.wait(10)
        shutil.rmtree(directory, ignore_errors=True)


def broker_down():
    with fleet_with_version_1() as fleet:
        fleet.broker.stop()
        expect_cause(fleet, "broker-unreachable")
        fleet.kill_agent()
        fleet.start_agent()
        fleet.wait_serving(1)
        expect_cause(fleet, "broker-unreachable")
        doctor = fleet.run("doctor", "--config", fleet.configure(), check=False)
        assert doctor.returncode == 1 and "PROBLEM  broker: 127.0.0.1" in doctor.stdout, doctor
        # The broker kept nothing: the publisher seeds it again.
        fleet.broker.start()
        fleet.publish(fleet.pack("v2"), 2)
        fleet.wait_serving(2, 60)


def full_disk():
    if os.geteuid() != 0:
        raise Skipped("needs root to mount a small tmpfs")
    state = tempfile.mkdtemp(prefix="edgeserve-small-")
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state], capture_output=True)
    if mount.returncode:
        raise Skipped("cannot mount a tmpfs here: " + mount.stderr.decode().strip())
    try:
        with fleet_with_version_1(state_dir=state) as fleet:
            with open(os.path.join(state, "filler"), "wb", buffering=0) as filler:
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"x" * 4096)
            fleet.publish(fleet.pack("v2"), 2)
            expect_cause(fleet, "no-space")
            os.unlink(os.path.join(state, "filler"))
            fleet.wait_serving(2, 90)
    finally:
        subprocess.run(["umount", "-l", state], check=False)
        os.rmdir(state)


begun = time.monotonic()
for case in (
    tampered_block, missing_block, release_signed_by_the_wrong_key, older_release_replayed, golden_mismatch,
    model_over_budget, drain_first_when_two_do_not_fit, truncated_model, broker_down, full_disk,
):
    if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]:
        fault(case)
print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
print(f"in {time.monotonic() - begun:.0f} s")
sys.exit(1 if failed else 0)
