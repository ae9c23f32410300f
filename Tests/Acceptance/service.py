#!/usr/bin/env python3
"""The agent as a service whose manager holds its sockets, as systemd does.

It says when it is ready and keeps the watchdog fed; SIGHUP brings another model; and while apps keep asking it is
restarted again and again, as an upgrade does, without a failed request.
"""
import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import BINARY, FIXTURES, UnixConnection, wait_for

RESTARTS = 5
APPS = 4
DIGIT = {"inputs": [{"name": "image", "shape": [1, 8, 8, 1], "datatype": "INT8", "data": [0] * 64}]}


class Manager:
    """Opens the sockets once, starts the agent with them, and hears what it says."""

    def __init__(self, directory):
        self.directory = directory
        self.data, self.admin = (os.path.join(directory, name) for name in ("data.sock", "admin.sock"))
        self.sockets = []
        for path in (self.data, self.admin):
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(path)
            listening.listen(128)
            self.sockets.append(listening)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(directory, "notify"))
        self.process = None

    def start(self):
        environment = dict(
            os.environ, NOTIFY_SOCKET=os.path.join(self.directory, "notify"), WATCHDOG_USEC="300000",
            LISTEN_FDS="2")
        descriptors = [listening.fileno() for listening in self.sockets]

        def hand_over():
            # Out of the way first, then to 3 and 4, where the protocol wants them.
            high = [os.dup2(one, 100 + index) for index, one in enumerate(descriptors)]
            for index, one in enumerate(high):
                os.dup2(one, 3 + index)
            # Only here is the number known that LISTEN_PID must be.
            os.environ.update(environment, LISTEN_PID=str(os.getpid()))
            os.execv(BINARY, [BINARY, "run", "--config", os.path.join(self.directory, "edgeserve.json")])

        with open(os.path.join(self.directory, "agent.log"), "ab") as log:
            self.process = subprocess.Popen(["true"], preexec_fn=hand_over, close_fds=False, stderr=log)
        self.hear("READY=1")

    def hear(self, line, seconds=20):
        """Waits for a datagram with that line, and returns all its lines."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.notify.settimeout(max(0.01, end - time.monotonic()))
            with contextlib.suppress(TimeoutError):
                lines = self.notify.recv(4096).decode().splitlines()
                if line in lines:
                    return lines
        raise AssertionError(f"the agent did not say {line} within {seconds} s")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.hear("STOPPING=1")
        assert self.process.wait(20) == 0, f"exit {self.process.returncode}"


def configure(directory, models):
    with open(os.path.join(directory, "edgeserve.json"), "w") as file:
        json.dump({
            "models": models, "memory_budget": "16MiB", "threads": 1, "state_dir": directory,
            "socket": directory + "/data.sock", "admin_socket": directory + "/admin.sock",
        }, file)


def ask_until(stop, path, counts, failures):
    """An app that keeps its connection and opens another when the agent has closed it between requests."""
    connection = UnixConnection(path)
    while not stop.is_set():
        if connection.sock is not None and is_closed(connection.sock):
            connection.close()
        try:
            status, reply = connection.ask("POST", "/v2/models/digits/infer", DIGIT)
        except ConnectionError:
            # Closed between the look and the request: nothing was read of it, so it is asked again.
            connection.close()
            status, reply = connection.ask("POST", "/v2/models/digits/infer", DIGIT)
        if status != 200:
            failures.append((status, reply))
        counts[0] += 1


def is_closed(connected):
    connected.setblocking(False)
    try:
        return connected.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        connected.settimeout(30)


def main(directory):
    digits = os.path.join(FIXTURES, "v2", "model.tflite")
    configure(directory, {"digits": digits})
    manager = Manager(directory)
    manager.start()
    alive = [manager.hear("WATCHDOG=1") for _ in range(3)]
    assert any("STATUS=ok" in lines for lines in alive), alive

    configure(directory, {"digits": digits, "more": digits})
    diff = subprocess.run(
        [BINARY, "config", "diff", "--config", directory + "/edgeserve.json"], capture_output=True, text=True)
    assert diff.returncode == 1 and "reload" in diff.stdout, diff
    doctor = subprocess.run(
        [BINARY, "doctor", "--json", "--config", directory + "/edgeserve.json"], capture_output=True, text=True)
    findings = {one["check"]: one for one in json.loads(doctor.stdout)["findings"]}
    assert doctor.returncode == 0 and findings["agent"]["state"] == "ok", doctor
    manager.process.send_signal(signal.SIGHUP)
    manager.hear("READY=1")
    app = UnixConnection(manager.data)
    wait_for("the model of the new configuration", lambda: app.ask("GET", "/v2/models/more/ready")[0] == 200)
    app.close()

    stop, counts, failures = threading.Event(), [[0] for _ in range(APPS)], []
    apps = [threading.Thread(target=ask_until, args=(stop, manager.data, count, failures)) for count in counts]
    for thread in apps:
        thread.start()
    longest = 0
    for _ in range(RESTARTS):
        time.sleep(0.3)
        before = time.monotonic()
        manager.stop()
        manager.start()
        longest = max(longest, time.monotonic() - before)
    time.sleep(0.3)
    stop.set()
    for thread in apps:
        thread.join(40)
        assert not thread.is_alive(), "an app hangs"
    manager.stop()
    total = sum(count[0] for count in counts)
    assert not failures, f"{len(failures)} of {total} failed, the first {failures[0]}"
    assert all(count[0] > 100 for count in counts), counts
    assert os.path.exists(manager.data), "the manager's socket file is gone"
    print(f"service: {RESTARTS} restarts, {total} requests of {APPS} apps, 0 failed; "
          f"the longest restart {longest * 1000:.0f} ms")


with tempfile.TemporaryDirectory(prefix="edgeserve-service-") as scratch:
    main(scratch)
