"""An agent on local directories of versions, and what every client test asserts about its answers."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import fixtures

BINARY = os.environ.get("EDGESERVE", os.path.join(fixtures.PACKAGE, ".build", "release", "edgeserve"))
# Steps of int8: the golden vectors are pictures on which kernels that round differently agree.
TOLERANCE = 1


class UnixConnection(http.client.HTTPConnection):
    """The standard library's HTTP client on a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def install_digits(directory):
    """A directory with versions 1 and 2 of the digits classifier."""
    versions = os.path.join(directory, "digits")
    for version in (1, 2):
        os.makedirs(os.path.join(versions, str(version)))
        shutil.copy(fixtures.model(version), os.path.join(versions, str(version)))
    return versions


class Agent:
    """`edgeserve run` with digits (a directory with versions 1 and 2), digits_v1 and half_plus_two.

    `models(directory)` gives other arguments that name models, and what they need in the directory.
    """

    def __init__(self, models=None):
        self.directory = tempfile.mkdtemp(prefix="edgeserve-clients-")
        self.socket = os.path.join(self.directory, "edgeserve.sock")
        self.grpc_socket = os.path.join(self.directory, "grpc.sock")
        self.admin_socket = os.path.join(self.directory, "admin.sock")
        arguments = (models or self.usual_models)(self.directory)
        self.log = open(os.path.join(self.directory, "log"), "w+")
        self.process = subprocess.Popen(
            [BINARY, "run", "--socket", self.socket, "--grpc-socket", self.grpc_socket]
            + ["--admin-socket", self.admin_socket]
            + ["--state-dir", os.path.join(self.directory, "state"), "--memory-budget", "32MiB"]
            + arguments,
            stdout=self.log,
            stderr=self.log,
        )
        try:
            self.wait_until_ready()
        except Exception:
            self.close()
            raise

    @staticmethod
    def usual_models(directory):
        versions = install_digits(directory)
        plain = os.path.join(fixtures.FIXTURES, "half_plus_two", "model.tflite")
        names = {"digits": versions, "digits_v1": fixtures.model(1), "half_plus_two": plain}
        return [word for name, path in names.items() for word in ("--model", f"{name}={path}")]

    def wait_until_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), contextlib.closing(UnixConnection(self.socket)) as ask:
                ask.request("GET", "/v2/health/ready")
                reply = ask.getresponse()
                reply.read()
                if reply.status == 200:
                    return
            time.sleep(0.02)
        self.log.seek(0)
        raise AssertionError(f"the agent is not ready:\n{self.log.read()}")

    def close(self):
        """Ends the agent; returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)
        return status


class ClientTest(unittest.TestCase):
    """One agent per test class, ended in order."""

    # What the agent's models are, where they are not the usual ones.
    models = None

    @classmethod
    def setUpClass(cls):
        cls.agent = Agent(cls.models)

    @classmethod
    def tearDownClass(cls):
        status = cls.agent.close()
        assert status == 0, f"the agent ended with {status}"

    def assert_golden(self, version, answers):
        """`answers`, in the order of the golden vectors, are theirs within the tolerance."""
        vectors = fixtures.golden(version)
        self.assertEqual(len(answers), len(vectors))
        for (_, expected), actual in zip(vectors, answers):
            distance = max(abs(a - b) for a, b in zip(actual, expected, strict=True))
            self.assertLessEqual(distance, TOLERANCE)
            self.assertEqual(fixtures.top(actual), fixtures.top(expected))

    def assert_accuracy(self, version, answers):
        """As many test pictures are right as with the reference kernels, give or take two."""
        _, labels = fixtures.test_split()
        right = sum(fixtures.top(a) == label for a, label in zip(answers, labels, strict=True))
        self.assertAlmostEqual(right, fixtures.REFERENCE_RIGHT[version], delta=2)
