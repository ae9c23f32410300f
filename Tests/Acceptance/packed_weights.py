#!/usr/bin/env python3
"""Files of packed weights over the life of versions: restarts, rollbacks, garbage, damage and full disks.

Every answer is compared with the golden vectors of the version that serves.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time

from harness import FIXTURES, Fleet, UnixConnection, golden, wait_for

# The models of these tests are small.
SMALL = {"weights_cache": {"bytes_minimum": 1}}


def version_status(fleet, model="digits"):
    """What status says of the version that serves."""
    for entry in (fleet.status() or {}).get("models", []):
        if entry["name"] == model:
            return next((v for v in entry["versions"] if v["state"] == "serving"), None)
    return None


def assert_answers(fleet, kind, model="digits"):
    connection = UnixConnection(fleet.socket)
    name = connection.ask("GET", f"/v2/models/{model}")[1]["inputs"][0]["name"]
    for shape, values, answer in golden(kind)[:4]:
        body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": values}]}
        status, reply = connection.ask("POST", f"/v2/models/{model}/infer", body)
        assert status == 200, (status, reply)
        assert max(abs(a - b) for a, b in zip(reply["outputs"][0]["data"], answer)) <= 1, reply


def assert_mapped(fleet, path):
    """The file is there and mapped, and status counts its weights."""
    memory = version_status(fleet)["memory"]
    assert memory["weights_bytes"] >= memory["weights_file_bytes"] > memory["weights_bytes"] / 2, memory
    assert os.path.getsize(path) == memory["weights_file_bytes"] + 4096
    with open(f"/proc/{fleet.agent.pid}/maps") as maps:
        assert any(line.rstrip().endswith(path) for line in maps), f"{path} is not mapped"


def publish(fleet, version):
    """Publishes a version and waits until the agent keeps it."""
    fleet.publish(fleet.pack(f"v{version}"), version, extra=("--trial-minutes", "0"))
    fleet.wait_serving(version, 60)
    wait_for(f"version {version} is committed", lambda: fleet.status()["delivery"]["state"] == "committed", 60)


def restart(fleet, version):
    fleet.agent.terminate()
    fleet.agent.wait(20)
    fleet.start_agent()
    fleet.wait_serving(version)


def identity(path):
    facts = os.stat(path)
    return facts.st_ino, facts.st_mtime_ns


def delivered():
    """Beside the bundle: kept over a restart, for the version before too, and gone with its version."""
    with Fleet() as fleet:
        fleet.settings = SMALL
        path = lambda version: os.path.join(fleet.state_dir, f"store/digits/{version}/packed")
        fleet.start_agent()
        for version in (1, 2):
            publish(fleet, version)
            assert_mapped(fleet, path(version))
            assert_answers(fleet, f"v{version}")
        first, second = identity(path(1)), identity(path(2))
        for end in (restart, lambda *a: (fleet.kill_agent(), fleet.start_agent(), fleet.wait_serving(2))):
            end(fleet, 2)
            assert_mapped(fleet, path(2))
            assert identity(path(2)) == second and identity(path(1)) == first, "packed again"
            assert_answers(fleet, "v2")
        fleet.run(
            "rollback", "--model", "digits", "--version", "1", "--keys", fleet.keys,
            "--broker", f"127.0.0.1:{fleet.port}",
        )
        fleet.wait_serving(1)
        assert identity(path(1)) == first, "the rollback packed again"
        assert_mapped(fleet, path(1))
        assert_answers(fleet, "v1")
        for version in (3, 4):
            publish(fleet, version)
        wait_for("the files of old versions go", lambda: not os.path.exists(path(2)))
        assert_mapped(fleet, path(4))


def local():
    """In the cache: by model and version, gone when the version is."""
    with Fleet(broker=False) as fleet:
        models = os.path.join(fleet.directory, "models")
        for version in (1, 2):
            shutil.copytree(os.path.join(FIXTURES, f"v{version}"), os.path.join(models, str(version)))
        fleet.settings = {**SMALL, "models": {"local": {"path": models, "versions": {"latest": 2}}}}
        fleet.start_agent()
        path = lambda version: os.path.join(fleet.state_dir, f"cache/local/{version}/packed")
        wait_for("both serve", lambda: all(os.path.exists(path(v)) for v in (1, 2)))
        wait_for("version 2 serves", lambda: fleet.serving("local") == 2)
        assert_answers(fleet, "v2", "local")
        before = identity(path(1)), identity(path(2))
        fleet.agent.terminate()
        fleet.agent.wait(20)
        fleet.start_agent()
        wait_for("version 2 serves", lambda: fleet.serving("local") == 2)
        assert_answers(fleet, "v2", "local")
        wait_for("both serve", lambda: sum(
            v["state"] == "serving" for m in fleet.status()["models"] for v in m["versions"]) == 2)
        # A header may have been stamped anew, the weights never.
        assert [i for i, _ in before] == [identity(path(v))[0] for v in (1, 2)], "packed again"
        # Versions that vanish serve on; their files go once they no longer do.
        shutil.rmtree(os.path.join(models, "1"))
        fleet.settings["models"]["local"]["versions"] = {"latest": 1}
        restart_local(fleet)
        wait_for("the file of version 1 goes", lambda: not os.path.exists(path(1)))
        assert os.path.exists(path(2))
        assert_answers(fleet, "v2", "local")


def restart_local(fleet):
    fleet.agent.terminate()
    fleet.agent.wait(20)
    fleet.start_agent()
    wait_for("version 2 serves", lambda: fleet.serving("local") == 2)


def damaged():
    """Bits that rot while the agent is down, and a file that is cut while it serves."""
    with Fleet() as fleet:
        fleet.settings = SMALL
        fleet.publish(fleet.pack("v1"), 1)
        fleet.start_agent()
        fleet.wait_serving(1)
        path = os.path.join(fleet.state_dir, "store/digits/1/packed")
        for offset in (0, 100, 5000, os.path.getsize(path) - 1):
            fleet.agent.terminate()
            fleet.agent.wait(20)
            with open(path, "r+b") as f:
                f.seek(offset)
                byte = f.read(1)[0]
                f.seek(offset)
                f.write(bytes([byte ^ 4]))
            before = identity(path)
            fleet.start_agent()
            fleet.wait_serving(1)
            assert identity(path) != before, f"byte {offset}: not packed again"
            assert_mapped(fleet, path)
            assert_answers(fleet, "v1")
        os.truncate(path, 4096)
        end = time.monotonic() + 30
        while True:
            try:
                assert_answers(fleet, "v1")
                assert_mapped(fleet, path)
                break
            except AssertionError as error:
                # No answer is better than a wrong one; then the version is back.
                assert "503" in str(error) or "not mapped" in str(error) or time.monotonic() < end, error
                assert time.monotonic() < end, error
                time.sleep(0.05)


def switched_off():
    with Fleet() as fleet:
        fleet.settings = {"weights_cache": {"enabled": False, "bytes_minimum": 1}}
        fleet.publish(fleet.pack("v1"), 1)
        fleet.start_agent()
        fleet.wait_serving(1)
        memory = version_status(fleet)["memory"]
        assert memory["weights_file_bytes"] == 0 and memory["weights_file_refusal"] == "off", memory
        assert not os.path.exists(os.path.join(fleet.state_dir, "store/digits/1/packed"))
        assert_answers(fleet, "v1")


def full_disk():
    """No room for weights: they lie in memory, and status says so, until there is room again."""
    if os.geteuid() != 0:
        return "needs root to mount a small tmpfs"
    state = tempfile.mkdtemp(prefix="edgeserve-small-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state], capture_output=True).returncode:
        return "cannot mount a tmpfs here"
    try:
        with Fleet(state_dir=state) as fleet:
            fleet.settings = SMALL
            fleet.publish(fleet.pack("v1"), 1)
            fleet.start_agent()
            fleet.wait_serving(1)
            path = os.path.join(state, "store/digits/1/packed")
            assert_mapped(fleet, path)
            fleet.agent.terminate()
            fleet.agent.wait(20)
            os.unlink(path)
            filler = os.path.join(state, "filler")
            with open(filler, "wb", buffering=0) as f, contextlib.suppress(OSError):
                while True:
                    f.write(b"x" * 4096)
            fleet.start_agent()
            fleet.wait_serving(1)
            assert_answers(fleet, "v1")
            memory = version_status(fleet)["memory"]
            assert memory["weights_file_bytes"] == 0 and memory["weights_file_refusal"] == "no-space", memory
            status = fleet.status()
            assert any("no room on the disk" in problem for problem in status["problems"]), status["problems"]
            assert not os.path.exists(path) and not os.path.exists(path + ".new")
            os.unlink(filler)
            restart(fleet, 1)
            assert_mapped(fleet, path)
            assert_answers(fleet, "v1")
    finally:
        subprocess.run(["umount", "-l", state], check=False)
        os.rmdir(state)
    return None


begun = time.monotonic()
failures = 0
for case in (delivered, local, damaged, switched_off, full_disk):
    if len(sys.argv) > 1 and case.__name__ not in sys.argv[1:]:
        continue
    try:
        skipped = case()
        print(f"SKIPPED {case.__name__}: {skipped}" if skipped else f"ok      {case.__name__}", flush=True)
    except Exception as error:  # Any failure is the case's failure.
        failures += 1
        print(f"FAILED  {case.__name__}: {error!r}", flush=True)
print(f"in {time.monotonic() - begun:.0f} s")
sys.exit(1 if failures else 0)
