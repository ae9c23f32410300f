"""A fleet on one machine: Debian's mosquitto, the edgeserve binary as publisher and agent, and a socket client."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(PACKAGE, "Tests", "Fixtures", "digits")
BINARY = os.environ.get("EDGESERVE", os.path.join(PACKAGE, ".build", "release", "edgeserve"))


KINDS = ("v1", "v2", "v3", "v4", "v5")


def kind_of(version):
    """Which of the five models a version number carries here."""
    return KINDS[(version - 1) % len(KINDS)]


class UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket, kept alive."""

    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        """Sends one request; returns the status and the decoded JSON body."""
        data = None if body is None else json.dumps(body).encode()
        self.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        reply = self.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=30, every=0.02):
    """Waits until `condition()` is true; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


class Broker:
    def __init__(self, directory, port=None):
        self.port = port or free_port()
        self.configuration = os.path.join(directory, "mosquitto.conf")
        with open(self.configuration, "w") as f:
            f.write(
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                "set_tcp_nodelay true\nmax_queued_messages 2000\nlog_type none\n"
            )
        self.process = None
        self.start()

    def start(self):
        path = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen(
            [path, "-c", self.configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for("the broker listens", self.listens, 10)

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()


class Fleet:
    """A temporary directory with keys, bundles, a broker and one agent."""

    def __init__(self, budget="64MiB", state_dir=None, port=None, broker=True, agent=None):
        # The agent's program, after an emulator if it needs one.
        self.agent_command = agent or [BINARY]
        # A board whose profile gives budget and threads, in their place.
        self.board = None
        # Further settings of the agent.
        self.settings = {}
        self.directory = tempfile.mkdtemp(prefix="edgeserve-fleet-")
        self.state_dir = state_dir or os.path.join(self.directory, "state")
        self.socket = os.path.join(self.directory, "data.sock")
        self.grpc_socket = os.path.join(self.directory, "grpc.sock")
        self.admin = os.path.join(self.directory, "admin.sock")
        self.keys = os.path.join(self.directory, "keys")
        self.budget = budget
        # More of the configuration's delivery.
        self.delivery = {}
        self.broker = Broker(self.directory, port) if broker else None
        self.port = self.broker.port if broker else (port or free_port())
        self.agent = None
        self.log = open(os.path.join(self.directory, "agent.log"), "ab")
        self.run("keygen", "--fleet", "test", "--output-dir", self.keys)

    def run(self, *arguments, check=True):
        done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=120)
        if check and done.returncode:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done

    def pack(self, version, output=None, name="digits", model=None, golden=None):
        output = output or os.path.join(self.directory, f"{name}-{version}.bundle")
        source = os.path.join(FIXTURES, version)
        self.run(
            "pack", "--model", model or os.path.join(source, "model.tflite"), "--name", name,
            "--labels", os.path.join(FIXTURES, "labels.txt"),
            "--golden-dir", golden or os.path.join(source, "golden"), "--output", output,
        )
        return output

    def publish(self, bundle, version, keys=None, check=True, extra=()):
        return self.run(
            "publish", "--bundle", bundle, "--model", "digits", "--version", str(version),
            "--keys", keys or self.keys, "--fleet", "test",
            "--broker", f"127.0.0.1:{self.port}", "--json", *extra, check=check,
        )

    def configure(self):
        path = os.path.join(self.directory, "edgeserve.json")
        with open(path, "w") as f:
            json.dump(
                {
                    "socket": self.socket, "grpc_socket": self.grpc_socket, "admin_socket": self.admin,
                    "state_dir": self.state_dir,
                    **({"board": self.board} if self.board else {"memory_budget": self.budget, "threads": 1}),
                    "delivery": {
                        "broker": {"host": "127.0.0.1", "port": self.port}, "fleet": "test",
                        "device": "device-1", "models": ["digits"],
                        "root_key_file": os.path.join(self.keys, "root.cose"),
                        "reconnect_minimum_ms": 100, **self.delivery,
                    },
                    **self.settings,
                },
                f,
            )
        return path

    def start_agent(self, wait=True, preexec=None):
        self.agent = subprocess.Popen(
            [*self.agent_command, "run", "--config", self.configure()], stdout=self.log, stderr=self.log, preexec_fn=preexec
        )
        if wait:
            wait_for("the agent answers", self.status, 20)
        return self.agent

    def kill_agent(self):
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait()

    def status(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = UnixConnection(self.admin, 5)
            code, document = connection.ask("GET", "/status")
            connection.close()
            if code == 200:
                return document
        return None

    def serving(self, model="digits"):
        """The version that serves, or None."""
        status = self.status()
        for entry in (status or {}).get("models", []):
            if entry["name"] == model:
                for version in entry["versions"]:
                    if version["state"] == "serving":
                        return int(version["version"])
        return None

    def wait_serving(self, version, seconds=30):
        return wait_for(f"version {version} serves", lambda: self.serving() == version, seconds)

    def close(self):
        if self.agent and self.agent.poll() is None:
            self.agent.terminate()
            try:
                self.agent.wait(10)
            except subprocess.TimeoutExpired:
                self.kill_agent()
        if self.broker:
            self.broker.stop()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind:
            with open(os.path.join(self.directory, "agent.log")) as f:
                print("agent log, last lines:\n" + "".join(f.readlines()[-20:]))
        self.close()


class Device:
    """One of several agents of a fleet, with a directory and sockets of its own, at the fleet's broker or at others."""

    def __init__(self, fleet, name, ports=None):
        first, *others = [{"host": "127.0.0.1", "port": port} for port in ports or [fleet.port]]
        self.directory = os.path.join(fleet.directory, name)
        os.makedirs(self.directory, exist_ok=True)
        self.socket = os.path.join(self.directory, "data.sock")
        path = os.path.join(self.directory, "edgeserve.json")
        with open(path, "w") as f:
            json.dump(
                {
                    "socket": self.socket, "admin_socket": os.path.join(self.directory, "admin.sock"),
                    "state_dir": os.path.join(self.directory, "state"), "memory_budget": "16MiB", "threads": 1,
                    "delivery": {
                        "broker": first, "fallback_brokers": others, "fleet": "test", "device": name,
                        "models": ["digits"], "root_key_file": os.path.join(fleet.keys, "root.cose"),
                        "reconnect_minimum_ms": 100,
                    },
                },
                f,
            )
        self.process = subprocess.Popen([BINARY, "run", "--config", path], stdout=fleet.log, stderr=fleet.log)


def memory(pid):
    """RSS in bytes: total, anonymous, file."""
    fields = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssAnon", "RssFile"):
                fields[name] = int(value.split()[0]) * 1024
    return fields["VmRSS"], fields["RssAnon"], fields["RssFile"]


def load_npy(path):
    """Reads a little-endian, C-ordered int8, uint8 or float32 .npy file; returns shape and a flat list."""
    import ast
    import array

    with open(path, "rb") as f:
        data = f.read()
    assert data[:6] == b"\x93NUMPY", path
    start = 10 if data[6] == 1 else 12
    length = int.from_bytes(data[8:start], "little")
    header = ast.literal_eval(data[start : start + length].decode())
    code = {"|i1": "b", "|u1": "B", "<f4": "f"}[header["descr"]]
    return list(header["shape"]), array.array(code, data[start + length :]).tolist()


def golden(version):
    """The golden vectors of a digits version: a list of (shape, input, output)."""
    directory = os.path.join(FIXTURES, version, "golden")
    vectors = []
    while os.path.exists(os.path.join(directory, f"{len(vectors)}_in_0.npy")):
        k = len(vectors)
        shape, values = load_npy(os.path.join(directory, f"{k}_in_0.npy"))
        vectors.append((shape, values, load_npy(os.path.join(directory, f"{k}_out_0.npy"))[1]))
    return vectors


def answers_of(fleet, kind, inputs):
    """What the model of a kind answers on `(shape, values)` pairs, asked of `edgeserve invoke` one at a time."""
    answers = []
    for shape, values in inputs:
        path = os.path.join(fleet.directory, "in.npy")
        header = str({"descr": "|i1", "fortran_order": False, "shape": tuple(shape)}).encode()
        header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
        with open(path, "wb") as f:
            f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
            f.write(bytes(v & 255 for v in values))
        model, out = os.path.join(FIXTURES, kind, "model.tflite"), os.path.join(fleet.directory, "out")
        fleet.run("invoke", model, "--input", path, "--output-dir", out)
        answers.append(load_npy(os.path.join(out, "0.npy"))[1])
    return answers
