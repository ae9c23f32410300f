"""Clients that stall, crowd, flood or send rubbish, on both sockets of a real agent.

Each must be answered or sent away within a bound, be counted by reason, cost no more memory than the budget, and cost nobody
else an answer.
"""

import contextlib
import gzip
import os
import random
import re
import socket
import struct
import time
import unittest
import zlib

import grpc
import numpy
from tritonclient.grpc import service_pb2, service_pb2_grpc

import agent

CONNECTIONS = 1_000
# What one server takes, and how long it lets a request arrive.
CONNECTIONS_MAXIMUM = 256
REQUEST_SECONDS = 30
BODY = b'{"instances": [4.0]}'
REQUEST = b"POST /v1/models/half_plus_two:predict HTTP/1.1\r\nHost: localhost\r\n"
# Before anything of HTTP/2: the preface, and settings that change nothing.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
PING = b"\0\0\10\6\0\0\0\0\0" + bytes(8)
# The agent's own needs besides its budget: code, stacks, the allocator.
SLACK_BYTES = 24 << 20
BUDGET_BYTES = 32 << 20


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def connect(place):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Without a bound of its own it waits while the queue of the socket is full.
    client.connect(place)
    client.settimeout(60)
    return client


def rest(client):
    """All that comes until the agent closes."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := client.recv(1 << 16):
            received += piece
    return received


def is_answered(client):
    """Whether a ping comes back over HTTP/2; who is sent away gets GOAWAY before, or the end."""
    received = b""
    while True:
        while len(received) >= 9 and len(received) >= 9 + int.from_bytes(received[:3], "big"):
            kind, flags = received[3:5]
            if kind in (6, 7):
                return (kind, flags) == (6, 1)
            received = received[9 + int.from_bytes(received[:3], "big") :]
        piece = client.recv(1 << 16)
        if not piece:
            return False
        received += piece


def status(reply):
    match = re.match(rb"HTTP/1\.1 (\d+) ", reply)
    return int(match[1]) if match else None


class HostileClientsTest(agent.ClientTest):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def tearDown(self):
        # Whatever was done, the next client is answered and the memory is bounded.
        self.assertEqual(self.predict(), 200)
        self.assertEqual(self.infer(), [4.0])
        self.assertLess(self.memory(), BUDGET_BYTES + SLACK_BYTES)

    def open(self, place):
        return self.stack.enter_context(connect(place))

    def memory(self):
        """Bytes of the agent that no file backs."""
        with open(f"/proc/{self.agent.process.pid}/status") as file:
            return int(re.search(r"RssAnon:\s+(\d+) kB", file.read())[1]) << 10

    def predict(self):
        with contextlib.closing(agent.UnixConnection(self.agent.socket)) as connection:
            connection.request("POST", "/v1/models/half_plus_two:predict", BODY)
            reply = connection.getresponse()
            reply.read()
            return reply.status

    def infer(self):
        with grpc.insecure_channel("unix:" + self.agent.grpc_socket) as channel:
            reply = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(self.call([4.0]), timeout=60)
            return list(numpy.frombuffer(reply.raw_output_contents[0], numpy.float32))

    @staticmethod
    def call(values):
        request = service_pb2.ModelInferRequest(model_name="half_plus_two")
        request.inputs.add(name="x", datatype="FP32", shape=[len(values)])
        request.raw_input_contents.append(numpy.array(values, numpy.float32).tobytes())
        return request

    def refused(self, protocol, reason):
        """How often the agent refused for this reason."""
        with contextlib.closing(agent.UnixConnection(self.agent.admin_socket)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        pattern = rf'edgeserve_transport_refused_total{{protocol="{protocol}",reason="{reason}"}} (\d+)'
        return sum(int(count) for count in re.findall(pattern, text))

    @contextlib.contextmanager
    def counted(self, protocol, *reasons, at_least=1):
        before = sum(self.refused(protocol, reason) for reason in reasons)
        yield
        self.assertTrue(
            until(lambda: sum(self.refused(protocol, reason) for reason in reasons) >= before + at_least),
            f"{protocol} {reasons} were not counted",
        )

    def send(self, head, body=b""):
        client = self.open(self.agent.socket)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(REQUEST + head + b"\r\n" + body)
        reply = b""
        with contextlib.suppress(ConnectionError):
            while b"\r\n\r\n" not in reply and (piece := client.recv(1 << 16)):
                reply += piece
        return reply

    def test_stalled_requests_end_in_time_and_hold_nobody_up(self):
        begun = time.monotonic()
        heads = [b"", b"POST /v1/mod", REQUEST, REQUEST + b"Content-Length: 20\r\n\r\n" + BODY[:7]]
        with self.counted("http", "too_slow", at_least=len(heads) - 1):
            stalled = [self.open(self.agent.socket) for _ in heads]
            for client, head in zip(stalled, heads):
                client.sendall(head)
            with self.counted("grpc", "too_slow"):
                # A call whose message never comes whole: metadata without a table, and half a prefix.
                fields = [
                    (b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"localhost"),
                    (b":path", b"/inference.GRPCInferenceService/ModelInfer"),
                    (b"content-type", b"application/grpc"), (b"te", b"trailers"),
                ]  # fmt: skip
                block = b"".join(
                    b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
                )
                frames = struct.pack(">I", len(block))[1:] + b"\1\4\0\0\0\1" + block + b"\0\0\2\0\0\0\0\0\1\0\0"
                call = self.open(self.agent.grpc_socket)
                call.sendall(PREFACE + frames)
                while time.monotonic() < begun + 3:
                    self.assertEqual(self.predict(), 200)
            for client in stalled[1:]:
                self.assertEqual(status(rest(client)), 408)
            self.assertLess(time.monotonic() - begun, 3 * REQUEST_SECONDS)
            self.assertGreater(time.monotonic() - begun, REQUEST_SECONDS / 2)

    def test_a_client_that_closed_its_sending_side_is_answered(self):
        client = self.open(self.agent.socket)
        client.sendall(REQUEST + b"Content-Length: 20\r\n\r\n" + BODY)
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(status(rest(client)), 200)
        # And one that closes in the middle of its request is let go.
        half = self.open(self.agent.socket)
        half.sendall(REQUEST + b"Content-Length: 20\r\n\r\n" + BODY[:7])
        half.shutdown(socket.SHUT_WR)
        self.assertNotEqual(status(rest(half)), 200)

    def test_a_thousand_connections_are_bounded_told_so_and_counted(self):
        for protocol, place, request in [
            ("http", self.agent.socket, b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            ("grpc", self.agent.grpc_socket, PREFACE + PING),
        ]:
            least = CONNECTIONS - CONNECTIONS_MAXIMUM
            with self.subTest(protocol), self.counted(protocol, "too_many_connections", "over_memory", at_least=least):
                clients = [self.open(place) for _ in range(CONNECTIONS)]
                answered = 0
                for client in clients:
                    with contextlib.suppress(ConnectionError):
                        client.sendall(request)
                        if protocol == "http":
                            answered += status(client.recv(1 << 16)) == 200
                        else:
                            answered += is_answered(client)
                self.assertGreater(answered, 0)
                self.assertLessEqual(answered, CONNECTIONS_MAXIMUM)
                for client in clients:
                    client.close()
            # Who comes once they have gone is taken.
            ask = self.predict if protocol == "http" else self.infer
            self.assertTrue(until(lambda: self.answers(ask)))

    @staticmethod
    def answers(ask):
        with contextlib.suppress(OSError, grpc.RpcError):
            return ask() in (200, [4.0])
        return False

    def test_bodies_too_large_are_refused_before_they_come(self):
        with self.counted("http", "too_large"):
            self.assertEqual(status(self.send(b"Content-Length: 1073741824\r\n")), 413)
        with self.counted("http", "too_large"):
            piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
            self.assertEqual(status(self.send(b"Transfer-Encoding: chunked\r\n", piece * 32)), 413)
        with self.counted("grpc", "too_large"), grpc.insecure_channel("unix:" + self.agent.grpc_socket) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            with self.assertRaises(grpc.RpcError) as caught:
                stub.ModelInfer(self.call(numpy.zeros(8 << 20)), timeout=60)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_bombs_are_refused_by_what_they_would_hold(self):
        bomb = gzip.compress(bytes(1 << 30 >> 4), 9)
        # A trailer that lies: what comes out is bounded all the same.
        liar = bomb[:-4] + struct.pack("<I", 100)
        self.assertLess(len(bomb), 1 << 18)
        head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(bomb)
        with self.counted("http", "too_large"):
            self.assertEqual(status(self.send(head, bomb)), 413)
        self.assertIn(status(self.send(head, liar)), (400, 413))
        with self.counted("grpc", "too_large"), grpc.insecure_channel("unix:" + self.agent.grpc_socket) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            with self.assertRaises(grpc.RpcError) as caught:
                stub.ModelInfer(self.call(numpy.zeros(8 << 20)), timeout=60, compression=grpc.Compression.Gzip)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_rubbish_is_refused_and_counted(self):
        generator = random.Random(2026)
        rubbish = [generator.randbytes(generator.randrange(1, 2000)) + b"\r\n\r\n" for _ in range(100)]
        with self.counted("http", "malformed", at_least=50):
            for bytes_ in rubbish:
                client = self.open(self.agent.socket)
                with contextlib.suppress(ConnectionError):
                    client.sendall(bytes_)
                    client.shutdown(socket.SHUT_WR)
                self.assertIn(status(rest(client)), (400, 408, 413, 414, 431, 501, 505, None))
        for bytes_ in rubbish:
            for start in (b"", PREFACE):
                client = self.open(self.agent.grpc_socket)
                with contextlib.suppress(ConnectionError):
                    client.sendall(start + bytes_)
                    client.shutdown(socket.SHUT_WR)
                rest(client)
        for body in [b"", b"{", b'{"instances": [', b"[" * 10_000, BODY + b"\0", b'{"instances": "\xff"}', zlib.compress(BODY)]:
            reply = self.send(b"Content-Length: %d\r\n" % len(body), body)
            self.assertIn(status(reply), (200, 400), body[:40])


if __name__ == "__main__":
    unittest.main()
