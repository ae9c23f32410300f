#!/usr/bin/env python3
"""Ten times the requests that the agent can answer, for a bounded time: who is answered in what time, and who is not.

One model whose requests take milliseconds (a batch of pictures, the plainest kernels), one compute thread, a short
queue. First one client, for the time of an unloaded request; then many, which together send ten times what that allows,
and come again when they are refused. Every request that is not answered must be a 503 with Retry-After or a 504, and the
metrics must count as many by the same reasons. Memory must stay within the budget.

Clients and agent share the machine, so a request takes longer under load than alone whatever the queue does: the time
that an accepted one may take is told in the time that the model then takes, which the agent's histogram has. Where
other work shares it too, the tail is theirs: the median is judged, and the 99th percentile with --strict.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

from harness import BINARY, FIXTURES, UnixConnection, memory, wait_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--connections", type=int, default=48)
parser.add_argument("--times", type=float, default=10)
parser.add_argument("--strict", action="store_true", help="judge the 99th percentile: on a machine without other work")
parser.add_argument("--rows", type=int, default=256)
parser.add_argument("--queue", type=int, default=8)
parser.add_argument("--timeout-ms", type=int, default=2000)
parser.add_argument("--budget", default="64MiB")
options = parser.parse_args()


def body():
    """A batch in the binary form, and the length of its JSON part."""
    data = bytes(64 * options.rows)
    tensor = {"name": "image", "datatype": "INT8", "shape": [options.rows, 8, 8, 1]}
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + data, len(head)


class Client:
    """Sends one request again and again over a connection of its own."""

    def __init__(self, path):
        self.connection = UnixConnection(path)
        self.body, length = body()
        self.headers = {"Inference-Header-Content-Length": str(length)}
        self.headers["X-Request-Timeout-Ms"] = str(options.timeout_ms)
        self.outcomes = collections.Counter()
        self.seconds = []
        self.hints = collections.Counter()

    def ask(self):
        begun = time.monotonic()
        self.connection.request("POST", "/v2/models/digits/infer", self.body, self.headers)
        reply = self.connection.getresponse()
        reply.read()
        if reply.status == 200:
            self.seconds.append(time.monotonic() - begun)
        self.outcomes[reply.status] += 1
        if reply.status == 503:
            self.hints[reply.headers.get("Retry-After")] += 1
        return reply.status


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def counted(admin):
    """The agent's own counts of requests, by outcome."""
    connection = UnixConnection(admin, 5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    pattern = r'edgeserve_requests_total\{model="digits",version="1",outcome="(\w+)"\} (\d+)'
    return {name: int(count) for name, count in re.findall(pattern, text)}


def infer_time(admin):
    """How many inferences there were, and the seconds that they took."""
    connection = UnixConnection(admin, 5)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    labels = r'\{model="digits",version="1",stage="infer"\} ([\d.e+-]+)'
    count, total = (re.search(f"edgeserve_stage_seconds_{name}{labels}", text) for name in ("count", "sum"))
    return int(count[1]), float(total[1])


def latency(admin):
    """The median and the 99th percentile from admission to answer that the agent saw, in seconds."""
    status = UnixConnection(admin, 5).ask("GET", "/status")[1]
    found = status["models"][0]["versions"][0]["latency_us"]
    return found["p50"] / 1e6, found["p99"] / 1e6


def main(directory):
    socket, admin = os.path.join(directory, "data.sock"), os.path.join(directory, "admin.sock")
    config = os.path.join(directory, "edgeserve.json")
    with open(config, "w") as file:
        json.dump({
            "socket": socket, "admin_socket": admin, "state_dir": os.path.join(directory, "state"),
            "memory_budget": options.budget, "threads": 1, "queue_depth": options.queue,
            "kernels": "baseline",
            "models": {"digits": os.path.join(FIXTURES, "v2", "model.tflite")},
        }, file)
    log = open(os.path.join(directory, "log"), "w")
    agent = subprocess.Popen([BINARY, "run", "--config", config], stdout=log, stderr=log)
    try:
        wait_for("the model serves", lambda: os.path.exists(socket) and ready(socket), 20)
        return measure(socket, admin, agent.pid)
    finally:
        agent.terminate()
        agent.wait(15)


def ready(socket):
    try:
        return UnixConnection(socket, 5).ask("GET", "/v2/health/ready")[0] == 200
    except OSError:
        return False


def measure(socket, admin, pid):
    alone = Client(socket)
    for _ in range(100):
        assert alone.ask() == 200
    unloaded, capacity = quantile(alone.seconds, 0.5), len(alone.seconds) / sum(alone.seconds)
    before, peak, inferred = counted(admin), [0], infer_time(admin)
    clients = [Client(socket) for _ in range(options.connections)]
    end = time.monotonic() + options.seconds

    pause = options.connections / (options.times * capacity)

    def run(client):
        due = time.monotonic()
        while time.monotonic() < end:
            client.ask()
            due = max(due + pause, time.monotonic() - pause)
            time.sleep(max(0, due - time.monotonic()))

    threads = [threading.Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        peak[0] = max(peak[0], memory(pid)[0])
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    outcomes = sum((client.outcomes for client in clients), collections.Counter())
    hints = sum((client.hints for client in clients), collections.Counter())
    accepted = [second for client in clients for second in client.seconds]
    after, inside = counted(admin), latency(admin)
    count, total = (now - then for now, then in zip(infer_time(admin), inferred))
    service = total / max(1, count)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    bound = 2 * quantile(alone.seconds, 0.99) + 2 * (options.queue + 1) * service
    offered = sum(outcomes.values()) / options.seconds
    # The clients' own time, on a machine that they share with the agent, is shown and not judged.
    print(
        f"unloaded p50 {unloaded * 1e3:.2f} ms, p99 {quantile(alone.seconds, 0.99) * 1e3:.2f} ms, "
        f"{capacity:.0f}/s; offered {offered:.0f}/s ({offered / capacity:.1f} times), answered "
        f"{outcomes[200] / options.seconds:.0f}/s of {service * 1e3:.2f} ms each, p50 {quantile(accepted, 0.5) * 1e3:.2f} ms, p99 "
        f"{quantile(accepted, 0.99) * 1e3:.2f} ms, in the agent p50 {inside[0] * 1e3:.2f} ms, "
        f"p99 {inside[1] * 1e3:.2f} ms (bound {bound * 1e3:.2f}); by status {dict(outcomes)}, counted "
        f"{grown}, Retry-After {dict(hints)}; RSS at most {peak[0] / 2**20:.1f} MiB"
    )
    budget = int(options.budget.removesuffix("MiB")) << 20
    checks = {
        "only 200, 503 and 504": set(outcomes) <= {200, 503, 504},
        "some are refused": outcomes[503] > 0,
        "each 503 says when to come again": None not in hints and sum(hints.values()) == outcomes[503],
        "the agent counts what clients see": (
            grown.get("ok", 0), grown.get("queue_full", 0), grown.get("deadline", 0)
        ) == (outcomes[200], outcomes[503], outcomes[504]),
        "what is accepted is answered in time": inside[1 if options.strict else 0] <= bound,
        "memory stays within the budget": peak[0] < budget,
        "the offer is what it is meant to be": offered > 0.5 * options.times * capacity,
        "the model is kept busy": total > 0.5 * options.seconds,
    }
    for name, holds in checks.items():
        if not holds:
            print(f"NOT SO: {name}")
    return all(checks.values())


with tempfile.TemporaryDirectory(prefix="edgeserve-overload-") as scratch:
    passed = main(scratch)
sys.exit(0 if passed else 1)
