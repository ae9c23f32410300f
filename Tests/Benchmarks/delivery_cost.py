#!/usr/bin/env python3
"""What an update of a large model costs a device: bytes on the wire and on the disk, memory, and time.

Two versions, the directories of two models with their golden vectors, take turns on one agent; for each update: from the
director's document on the device to the version in service, by the agent's own log; bytes of the connection by the
kernel's count, over the encoded bytes; bytes written to the disk, the file of packed weights with them, over the bundle;
anonymous memory above that of the idle agent, while blocks come and while the version is loaded beside the one that
serves. Between updates `mosquitto_sub` takes the same messages from the same broker. Medians are printed, and processor
times of agent and broker.

By hand. The state directory must be on a disk for what is written to be counted; --state-dir names one.

usage: EDGESERVE=.build/release/edgeserve delivery_cost.py MODEL-1 MODEL-2 [--rounds 6] [--state-dir DIRECTORY]
"""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Acceptance"))
from harness import Fleet, memory, wait_for

TICKS = os.sysconf("SC_CLK_TCK")


def counters(pid, port):
    """Bytes written to the disk, bytes of the connection to the broker both ways, and seconds of processor."""
    with open(f"/proc/{pid}/io") as f:
        written = int(re.search(r"^write_bytes: (\d+)", f.read(), re.M)[1])
    sockets = subprocess.run(["ss", "-tniHp", f"dport = :{port}"], capture_output=True, text=True, check=True).stdout
    entry = next(text for text in re.split(r"\n(?=\S)", sockets) if f"pid={pid}," in text)
    wire = sum(int(n) for n in re.findall(r"bytes_(?:received|acked):(\d+)", entry))
    return written, wire, processor(pid)


def processor(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Watch(threading.Thread):
    """The most anonymous memory before and after the blocks are together."""

    def __init__(self, pid, log):
        super().__init__(daemon=True)
        self.pid, self.log, self.peaks, self.is_over = pid, log, {"fetch": 0, "load": 0}, False

    def run(self):
        start = os.path.getsize(self.log)
        phase = "fetch"
        while not self.is_over:
            anonymous = memory(self.pid)[1]
            if phase == "fetch":
                with open(self.log) as f:
                    f.seek(start)
                    if "state=candidate" in f.read():
                        phase = "load"
                        continue
            self.peaks[phase] = max(self.peaks[phase], anonymous)
            time.sleep(0.002)


def states(log, start):
    """When each state was first told of after `start` bytes of the log, in seconds."""
    times = {}
    with open(log) as f:
        f.seek(start)
        for line in f:
            found = re.match(r"(\S+)Z info delivery .*state=(\S+)", line)
            if found:
                times.setdefault(found[2], datetime.datetime.fromisoformat(found[1]).timestamp())
    return times


def update(fleet, version, bundle):
    log = os.path.join(fleet.directory, "agent.log")
    published = json.loads(fleet.publish(bundle, version, extra=("--hold", "--trial-minutes", "0")).stdout)
    # The allocator gives back what the last version had.
    time.sleep(3)
    idle = memory(fleet.agent.pid)[1]
    before, broker, start = counters(fleet.agent.pid, fleet.port), processor(fleet.broker.process.pid), os.path.getsize(log)
    watch = Watch(fleet.agent.pid, log)
    watch.start()
    fleet.run(
        "rollout", "start", "--model", "digits", "--version", str(version), "--percent", "100", "--keys", fleet.keys,
        "--broker", f"127.0.0.1:{fleet.port}")
    wait_for("it is kept", lambda: states(log, start).get("committed"), 120)
    watch.is_over = True
    watch.join()
    time.sleep(0.3)
    after = counters(fleet.agent.pid, fleet.port)
    at = states(log, start)
    return {
        "encoded": published["encoded_bytes"],
        "wire": after[1] - before[1],
        "disk": (after[0] - before[0]) / published["raw_bytes"],
        "fetch_memory": watch.peaks["fetch"] - idle, "load_memory": watch.peaks["load"] - idle,
        "agent_cpu": after[2] - before[2], "broker_cpu": processor(fleet.broker.process.pid) - broker,
        "fetch": at["assembled"] - at["offered"] if "assembled" in at else at["candidate"] - at["offered"],
        "assemble": at["candidate"] - at.get("assembled", at["candidate"]),
        "prepare": min(at[s] for s in ("trial", "committed") if s in at) - at["candidate"],
        "total": min(at[s] for s in ("trial", "committed") if s in at) - at["offered"],
    }


def plain(fleet, version):
    """Seconds in which mosquitto_sub takes the index, blocks and seal of the version's object."""
    shown = json.loads(
        fleet.run("show", os.path.join(fleet.keys, f"release-digits-{version}.cose"), check=False).stdout)["release"]
    command = ["mosquitto_sub", "-p", str(fleet.port), "-t", f"es/1/test/o/{shown['object']}/+", "-C",
               str(shown["blocks"] + 2), "-N", "-W", "60"]
    with open(os.path.join(fleet.directory, "copy"), "wb") as copy:
        begun = time.monotonic()
        subprocess.run(command, stdout=copy, check=True)
        os.fsync(copy.fileno())
        seconds = time.monotonic() - begun
        assert copy.tell() >= shown["encoded_bytes"], "mosquitto_sub lost some"
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs=2)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--state-dir")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.state_dir) as state, Fleet(
        budget="256MiB", state_dir=os.path.join(state, "state")
    ) as fleet:
        bundles = []
        for i, path in enumerate(options.models):
            bundles.append(fleet.pack(
                "v1", os.path.join(fleet.directory, f"{i}.bundle"), model=os.path.join(path, "model.tflite"),
                golden=os.path.join(path, "golden")))
        fleet.publish(bundles[0], 1, extra=("--trial-minutes", "0"))
        fleet.start_agent()
        fleet.wait_serving(1, 120)
        rounds = []
        for version in range(2, 2 + options.rounds):
            rounds.append(update(fleet, version, bundles[(version + 1) % 2]))
            rounds[-1]["plain"] = plain(fleet, version)
            rounds[-1]["ratio"] = rounds[-1]["fetch"] / rounds[-1]["plain"]
        print(f"{os.path.getsize(bundles[0])} bytes of bundle, {rounds[0]['encoded']} encoded, {len(rounds)} updates, medians:")

        def median(name):
            return statistics.median(r[name] for r in rounds)

        print(f"connection, both ways: {100 * median('wire') / median('encoded') - 100:.3f} % over the encoded bytes")
        print(f"written to the disk: {median('disk'):.3f} of the bundle (most {max(r['disk'] for r in rounds):.3f})")
        for name, what in (("fetch_memory", "while blocks come"), ("load_memory", "while it is loaded beside the old one")):
            print(f"anonymous memory above idle {what}: {median(name) / 2**20:.2f} MiB "
                  f"(most {max(r[name] for r in rounds) / 2**20:.2f})")
        print(f"from the director's document to service: {median('total'):.3f} s: fetch {median('fetch'):.3f}, "
              f"check and sync {median('assemble'):.3f}, load and prove {median('prepare'):.3f}")
        print(f"mosquitto_sub of the same messages to a file: {median('plain'):.3f} s; fetch takes {median('ratio'):.2f} of it")
        print(f"processor: agent {median('agent_cpu'):.2f} s, broker {median('broker_cpu'):.2f} s")


main()
