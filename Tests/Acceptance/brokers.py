#!/usr/bin/env python3
"""The same delivery on clusters of other brokers: three nodes, of which one is killed in the middle of a rollout.

By hand, where Debian's nats-server and rabbitmq-server are installed; where one is not, that is said.

NATS with JetStream keeps retained messages on all nodes: devices and publisher reach them through a plain TCP balancer, as
they would in a data centre.

RabbitMQ 3.10 keeps a retained message on the node that took it, and gives none to a filter with wildcards; both are shown
before anything else. So each node is published to, devices are asked for by name, and a device has one node as its broker
and the others to fall back on.

usage: brokers.py [nats-server] [rabbitmq-server]
"""
import contextlib
import json
import os
import shutil
import signal
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
        self.balancer = None
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
        self.balancer = Balancer(self.ports)
        self.balancer.start()
        self.publisher_ports = [self.balancer.port]
        self.options = []

    def device_ports(self, _):
        return [self.balancer.port]

    def kill(self, node):
        self.nodes[node].kill()
        self.nodes[node].wait()

    def stop(self):
        for node in self.nodes:
            node.kill()
            node.wait()


class RabbitMQ:
    """Three nodes with the MQTT plugin."""

    program = "rabbitmq-server"
    folder = "/usr/lib/rabbitmq/bin"

    def __init__(self, directory):
        self.ports = self.publisher_ports = [free_port() for _ in range(3)]
        self.nodes, self.environments = [], []
        home = os.path.join(directory, "home")
        os.makedirs(home)
        cookie = os.path.join(home, ".erlang.cookie")
        with open(cookie, "w") as f:
            f.write("one-cluster")
        os.chmod(cookie, 0o400)
        plugins = os.path.join(directory, "enabled_plugins")
        with open(plugins, "w") as f:
            f.write("[rabbitmq_mqtt].\n")
        self.mapper = free_port()
        for i, port in enumerate(self.ports):
            path = os.path.join(directory, f"rabbitmq-{i}.conf")
            nodes = "".join(
                f"cluster_formation.classic_config.nodes.{k + 1} = fleet{k}@localhost\n" for k in range(3))
            with open(path, "w") as f:
                f.write(
                    f"listeners.tcp.1 = 127.0.0.1:{free_port()}\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\n"
                    "mqtt.allow_anonymous = true\nmqtt.default_user = guest\nmqtt.default_pass = guest\n"
                    f"cluster_formation.peer_discovery_backend = classic_config\n{nodes}")
            self.environments.append({
                **os.environ, "HOME": home, "RABBITMQ_NODENAME": f"fleet{i}@localhost", "RABBITMQ_CONFIG_FILE": path,
                "RABBITMQ_MNESIA_BASE": os.path.join(directory, f"data-{i}"),
                "RABBITMQ_LOG_BASE": os.path.join(directory, f"log-{i}"), "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
                "RABBITMQ_PID_FILE": os.path.join(directory, f"pid-{i}"), "RABBITMQ_DIST_PORT": str(free_port()),
                "ERL_EPMD_PORT": str(self.mapper), "ERL_EPMD_ADDRESS": "127.0.0.1",
                # So that it can be ended with its nodes.
                "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
            })
            log = open(os.path.join(directory, f"rabbitmq-{i}.log"), "wb")
            self.nodes.append(
                subprocess.Popen(
                    [f"{self.folder}/rabbitmq-server"], env=self.environments[-1], stdout=log, stderr=log,
                    start_new_session=True))
        for port in self.ports:
            wait_for("a node listens", lambda: listens(port), 180)
        wait_for("the nodes are one cluster", self.is_whole, 120, 1)
        names = os.path.join(directory, "devices")
        with open(names, "w") as f:
            f.write("\n".join(DEVICES))
        self.options = ["--devices", names]
        self.show()

    def is_whole(self):
        done = subprocess.run(
            [f"{self.folder}/rabbitmqctl", "-n", "fleet0@localhost", "cluster_status", "--formatter", "json"],
            env=self.environments[0], capture_output=True, text=True, timeout=60)
        return done.returncode == 0 and len(json.loads(done.stdout)["running_nodes"]) == 3

    def show(self):
        """What the nodes hand out of a message that the first one retains."""
        subprocess.run(
            ["mosquitto_pub", "-p", str(self.ports[0]), "-t", "shown/a", "-r", "-q", "1", "-m", "kept"], check=True)
        time.sleep(1)

        def found(port, topic):
            return subprocess.run(
                ["mosquitto_sub", "-p", str(port), "-t", topic, "-W", "2"], capture_output=True, text=True
            ).stdout.strip()

        exact, elsewhere, wildcard = [
            found(*where) for where in [(self.ports[0], "shown/a"), (self.ports[1], "shown/a"), (self.ports[0], "shown/+")]]
        print(
            f"{self.program}: a retained message, asked for by its topic: {exact or 'nothing'}; at another node: "
            f"{elsewhere or 'nothing'}; by a wildcard: {wildcard or 'nothing'}")
        assert exact == "kept"

    def device_ports(self, i):
        return [*self.ports[i % 3:], *self.ports[:i % 3]]

    def kill(self, node):
        os.killpg(self.nodes[node].pid, signal.SIGKILL)
        self.nodes[node].wait()

    def stop(self):
        for node in self.nodes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(node.pid, signal.SIGKILL)
            node.wait()
        # The nodes' port mapper stays behind in a session of its own.
        subprocess.run(["epmd", "-port", str(self.mapper), "-kill"], env=self.environments[0], capture_output=True)


def brokers(cluster):
    return [word for port in cluster.publisher_ports for word in ("--broker", f"127.0.0.1:{port}")]


def command(fleet, cluster, *arguments, check=True):
    return fleet.run(*arguments, *cluster.options, "--keys", fleet.keys, *brokers(cluster), check=check)


def rows(fleet, cluster, *arguments):
    return json.loads(command(fleet, cluster, "fleet", "--json", *arguments).stdout)["devices"]


def serving(fleet, cluster, version):
    """How many devices say that they serve a version; the reader may be cut off while a node dies."""
    with contextlib.suppress(AssertionError):
        return len(rows(fleet, cluster, "--version", str(version), "--online"))
    return -1


def rollout(fleet, cluster):
    done = []

    def run():
        for _ in range(10):
            done[:] = [command(
                fleet, cluster, "rollout", "run", "--model", "digits", "--stages", "40", "100", "--soak", "2",
                "--interval", "1", check=False)]
            # 3: the node that this command was connected to is the one that died.
            if done[0].returncode != 3:
                return

    command(fleet, cluster, "rollout", "start", "--model", "digits", "--version", "2", "--percent", "40")
    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(3)
    before = time.monotonic()
    cluster.kill(1)
    thread.join(240)
    assert done and done[0].returncode == 0, done
    wait_for("all devices have version 2", lambda: serving(fleet, cluster, 2) == len(DEVICES), 60, 0.5)
    return time.monotonic() - before


def suite(engine):
    with Fleet(broker=False) as fleet:
        cluster = engine(fleet.directory)
        try:
            # The first one is the harness's own to name.
            fleet.port, *_ = cluster.publisher_ports
            others = brokers(cluster)[2:]
            fleet.publish(fleet.pack("v1"), 1, extra=("--trial-minutes", "0", *others))
            devices = [Device(fleet, name, cluster.device_ports(i)) for i, name in enumerate(DEVICES)]
            try:
                wait_for("all devices have version 1", lambda: serving(fleet, cluster, 1) == len(DEVICES), 90, 0.5)
                print(f"{engine.program}: version 1 on {len(DEVICES)} devices over three nodes")
                fleet.publish(fleet.pack("v2"), 2, extra=("--hold", "--trial-minutes", "0", *others))
                seconds = rollout(fleet, cluster)
                print(f"{engine.program}: a node was killed; the rollout was complete {seconds:.1f} s later")
            finally:
                for device in devices:
                    device.process.terminate()
                for device in devices:
                    device.process.wait(20)
        finally:
            cluster.stop()


for engine in (NATS, RabbitMQ):
    if sys.argv[1:] and engine.program not in sys.argv[1:]:
        continue
    if shutil.which(engine.program) or os.path.exists(f"/usr/sbin/{engine.program}"):
        suite(engine)
    else:
        print(f"SKIPPED {engine.program}: not installed")
