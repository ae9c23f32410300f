#!/usr/bin/env python3
"""Releases that come in a file, on the real binary, with no broker at all.

Installed without an agent, taken by one that runs, refused for what a broker's release would be
refused for, and a state directory that two processes want.
"""
import json
import os
import sys

from harness import BINARY, FIXTURES, Fleet, UnixConnection, golden


def write(fleet, bundle, version, name, **options):
    path = os.path.join(fleet.directory, name)
    fleet.run(
        "publish", "--bundle", bundle, "--model", "digits", "--version", str(version),
        "--keys", fleet.keys, "--to", path, **options,
    )
    return path


def install(fleet, path, status=0, extra=()):
    done = fleet.run("install", path, "--config", fleet.configure(), "--json", *extra, check=False)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout else None, done.stderr


def answers(fleet, kind, version):
    connection = UnixConnection(fleet.socket)
    name = connection.ask("GET", "/v2/models/digits")[1]["inputs"][0]["name"]
    shape, values, answer = golden(kind)[0]
    body = {"inputs": [{"name": name, "shape": shape, "datatype": "INT8", "data": values}]}
    status, reply = connection.ask("POST", "/v2/models/digits/infer", body)
    assert status == 200 and int(reply["model_version"]) == version, (status, reply)
    assert max(abs(a - b) for a, b in zip(reply["outputs"][0]["data"], answer)) <= 1, reply


with Fleet(broker=False) as fleet:
    first = write(fleet, fleet.pack("v1"), 1, "1.release")
    report, _ = install(fleet, first)
    assert report["installed"] and report["version"] == 1, report
    fleet.start_agent()
    fleet.wait_serving(1)
    answers(fleet, "v1", 1)
    print("installed without an agent: version 1 serves at the agent's first start")

    second = write(fleet, fleet.pack("v2"), 2, "2.release")
    report, _ = install(fleet, second)
    assert report["installed"] and report["serving"] == 2, report
    answers(fleet, "v2", 2)
    print("taken by the agent that runs: version 2 serves")

    wrong = os.path.join(fleet.directory, "wrong.bundle")
    fleet.pack("v1", output=wrong, golden=os.path.join(FIXTURES, "v3", "golden"))
    report, words = install(fleet, write(fleet, wrong, 3, "3.release"), status=1)
    assert report["cause"] == "gate-mismatch" and report["serving"] == 2, report
    report, _ = install(fleet, first, status=1)
    assert report["cause"] == "rollback" and not report["installed"], report
    with open(second, "rb") as whole, open(os.path.join(fleet.directory, "cut.release"), "wb") as cut:
        cut.write(whole.read()[:5000])
    _, words = install(fleet, cut.name, status=2)
    assert "cut off or damaged at byte" in words, words
    answers(fleet, "v2", 2)
    print("wrong goldens, an older file and a cut one: refused, version 2 serves")

    elsewhere = os.path.join(fleet.directory, "elsewhere.sock")
    _, words = install(fleet, second, status=1, extra=("--admin-socket", elsewhere))
    # The kernel keeps 15 bytes of a program's name.
    assert f"in use by process {fleet.agent.pid} ({os.path.basename(BINARY)[:15]})" in words, words
    print("a state directory in use:", words.strip())
sys.exit(0)
