#!/usr/bin/env python3
"""What a device costs Debian's mosquitto, as coefficients for the arithmetic of large fleets.

Opens connections as devices do (a last will, a birth, three subscriptions, a status), and takes blocks of 64 KiB in windows
of eight by their topics, plain and over TLS; prints the broker's processor time for each and its memory for each session.
By hand; needs openssl for the certificate.

usage: broker_costs.py [--sessions 2000] [--mebibytes 512]
"""
import argparse
import os
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Acceptance"))
from harness import free_port, memory, wait_for

TICKS = os.sysconf("SC_CLK_TCK")
BLOCK = 65536


def packet(kind, body):
    length, rest = b"", len(body)
    while True:
        rest, byte = divmod(rest, 128)
        length += bytes([byte | (128 if rest else 0)])
        if not rest:
            return bytes([kind]) + length + body


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


class Client:
    def __init__(self, port, name, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        will = text(f"es/1/f/l/00/{name}") + struct.pack(">H", 20) + bytes(20)
        self.send(packet(0x10, text("MQTT") + bytes([4, 0x2E]) + struct.pack(">H", 600) + text(name) + will))
        assert self.read()[0] == 0x20
        self.number = 0

    def send(self, data):
        self.socket.sendall(data)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            assert more, "the broker closed"
            data += more
        return data

    def read(self):
        kind, length, shift = self.exactly(1)[0], 0, 0
        while True:
            byte = self.exactly(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, self.exactly(length)

    def ask(self, kind, topics):
        self.number = self.number % 65535 + 1
        options = b"" if kind == 0xA2 else b"\0"
        self.send(packet(kind, struct.pack(">H", self.number) + b"".join(text(topic) + options for topic in topics)))

    def publish(self, topic, payload):
        self.send(packet(0x31, text(topic) + payload))

    def greet(self, name):
        """What a device does once it is connected; returns when the broker has answered."""
        self.publish(f"es/1/f/l/00/{name}", bytes(40))
        self.ask(0x82, ["es/1/f/dir/m", f"es/1/f/c/{name}", "es/1/f/root/2"])
        self.publish(f"es/1/f/s/00/{name}", bytes(250))
        while self.read()[0] != 0x90:
            pass

    def take(self, topics):
        """Takes one window of retained blocks."""
        self.ask(0x82, topics)
        missing = len(topics)
        while missing:
            kind, _ = self.read()
            missing -= kind & 0xF0 == 0x30
        self.ask(0xA2, topics)


class Broker:
    def __init__(self, directory, security):
        self.port = free_port()
        path = os.path.join(directory, f"{self.port}.conf")
        with open(path, "w") as f:
            f.write(
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
                f"max_queued_messages 2000\nlog_type none\nmax_connections -1\n{security}")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", path])
        wait_for("the broker listens", self.listens, 10)

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(name, broker, context, sessions, mebibytes):
    first = Client(broker.port, "first", context)
    topics = [f"es/1/f/o/object/{i}" for i in range(64)]
    for topic in topics:
        first.publish(topic, os.urandom(BLOCK))
    first.greet("first")
    seconds, resident = broker.seconds(), memory(broker.process.pid)[0]
    clients = []
    for i in range(sessions):
        clients.append(Client(broker.port, f"device-{i}", context))
        clients[-1].greet(f"device-{i}")
    connect = (broker.seconds() - seconds) / sessions
    session = (memory(broker.process.pid)[0] - resident) / sessions
    seconds = broker.seconds()
    time.sleep(10)
    idle = (broker.seconds() - seconds) / 10 / sessions
    seconds, windows = broker.seconds(), mebibytes * 2
    for i in range(windows):
        clients[i % sessions].take(topics[i % 8 * 8:][:8])
    clients[-1].greet("again")
    rate = mebibytes / (broker.seconds() - seconds)
    print(
        f"{name}: {sessions} sessions; processor for a connection {1e3 * connect:.2f} ms, for a block of 64 KiB "
        f"{1e3 / 16 / rate:.3f} ms ({rate:.0f} MiB a second), idle {1e6 * idle:.2f} us a second; "
        f"memory for a session {session / 1024:.1f} KiB, status and birth retained", flush=True)
    for client in clients:
        client.socket.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=2000)
    parser.add_argument("--mebibytes", type=int, default=512)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{directory}/key.pem", "-out",
             f"{directory}/cert.pem"], check=True, capture_output=True)
        os.chmod(directory, 0o755)
        os.chmod(f"{directory}/key.pem", 0o644)
        context = ssl.create_default_context(cafile=f"{directory}/cert.pem")
        security = f"certfile {directory}/cert.pem\nkeyfile {directory}/key.pem\ntls_version tlsv1.2\n"
        for name, lines, tls in (("plain", "", None), ("TLS", security, context)):
            broker = Broker(directory, lines)
            try:
                measure(name, broker, tls, options.sessions, options.mebibytes)
            finally:
                broker.stop()


main()
