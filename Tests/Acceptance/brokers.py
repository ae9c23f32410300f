#!/usr/bin/env python3
"""The same delivery on a cluster of another broker: three NATS servers, of which one is killed in the middle of a rollout.

By hand, where Debian's nats-server is installed; where it is not, that is said. Devices reach the nodes through a plain
TCP balancer, as they would in a data centre.
"""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from harness import Device, Fleet, free_port, wait_for

DEVICES = [f"kiosk-{i}" for i in range(6)]


class Balancer(threading.Thread):
    """Sends each connection to the next node that accepts it."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.ports, self.turn = ports, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]

    def run(self):
        while True:
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                node = self.connect()
                if node is None:
                    client.close()
                    continue
                for source, target in ((client, node), (node, client)):
                    threading.Thread(target=self.pump, args=(source, target), daemon=True).start()

    def connect(self):
        for _ in self.ports:
            self.turn += 1
            with contextlib.suppress(OSError):
                node = socket.create_connection(("127.0.0.1", self.ports[self.turn % len(self.ports)]), 1)
                node.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                node.settimeout(None)
                return node
        return None

    @staticmethod
    def pump(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class NATS:
    """Three servers with JetStream, which keeps retained messages on all of them."""

    program = "nats-server"

    def __init__(self, directory):
        routes = [free_port() for _ in range(3)]
        self.ports = [free_port() for _ in range(3)]
        self.nodes = []
        for i, port in enumerate(self.ports):
            path = os.path.join(directory, f"nats-{i}.conf")
            others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes)
            with open(path, "w") as f:
                f.write(
                    f'server_name: n{i}\nlisten: "127.0.0.1:{free_port()}"\n'
                    f'jetstream {{ store_dir: "{directory}/nats-{i}" }}\n'
                    f'cluster {{ name: fleet, listen: "127.0.0.1:{routes[i]}", routes: [{others}] }}\n'
                    f'mqtt {{ listen: "127.0.0.1:{port}" }}\n')
            log = open(os.path.join(directory, f"nats-{i}.log"), "wb")
            self.nodes.append(subprocess.Popen([self.program, "-c", path], stdout=log, stderr=log))
        for port in self.ports:
            wait_for("a node listens", lambda: listens(port), 30)
        # The nodes elect whose word counts.
        time.sleep(5)

    def kill(self, node):
        self.nodes[node].kill()
        self.nodes[node].wait()

    def stop(self):
        for node in self.nodes:
            node.kill()
            node.wait()


def command(fleet, *arguments, check=True):
    return fleet.run(*arguments, "--keys", fleet.keys, "--broker", f"127.0.0.1:{fleet.port}", check=check)


def rows(fleet, *arguments):
    return json.loads(command(fleet, "fleet", "--json", *arguments).stdout)["devices"]


def serving(fleet, version):
    """How many devices say that they serve a version; the reader may be cut off while a node dies."""
    with contextlib.suppress(AssertionError):
        return len(rows(fleet, "--version", str(version), "--online"))
    return -1


def rollout(fleet, cluster):
    done = []

    def run():
        for _ in range(10):
            done[:] = [command(
                fleet, "rollout", "run", "--model", "digits", "--stages", "40", "100", "--soak", "2",
                "--interval", "1", check=False)]
            # 3: the node that this command was connected to is the one that died.
            if done[0].returncode != 3:
                return

    command(fleet, "rollout", "start", "--model", "digits", "--version", "2", "--percent", "40")
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(3)
    before = time.monotonic()
    cluster.kill(1)
    thread.join(240)
    assert done and done[0].returncode == 0, done
    wait_for("all devices have version 2", lambda: serving(fleet, 2) == len(DEVICES), 60, 0.5)
    return time.monotonic() - before


def suite(engine):
    with Fleet(broker=False) as fleet:
        cluster = engine(fleet.directory)
        try:
            balancer = Balancer(cluster.ports)
            balancer.start()
            fleet.port = balancer.port
            fleet.publish(fleet.pack("v1"), 1, extra=("--trial-minutes", "0"))
            devices = [Device(fleet, name) for name in DEVICES]
            try:
                wait_for("all devices have version 1", lambda: serving(fleet, 1) == len(DEVICES), 90, 0.5)
                print(f"{engine.program}: version 1 on {len(DEVICES)} devices over three nodes")
                fleet.publish(fleet.pack("v2"), 2, extra=("--hold", "--trial-minutes", "0"))
                seconds = rollout(fleet, cluster)
                print(f"{engine.program}: a node was killed; the rollout was complete {seconds:.1f} s later")
            finally:
                for device in devices:
                    device.process.terminate()
                for device in devices:
                    device.process.wait(20)
        finally:
            cluster.stop()


if shutil.which(NATS.program) or os.path.exists(f"/usr/sbin/{NATS.program}"):
    suite(NATS)
else:
    print(f"SKIPPED {NATS.program}: not installed")
sys.exit(0)
