"""The C client library: its example, its calls on the agent, and what it makes of servers that misbehave."""

import array
import ctypes
import os
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import agent
import c_library
import fixtures

MUTATIONS = 200_000


class Built(unittest.TestCase):
    """The library, built once for the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scratch = tempfile.TemporaryDirectory(prefix="edgeserve-c-")
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.library = c_library.load(cls.scratch.name)

    def path(self, name):
        return os.path.join(self.scratch.name, name)

    def assert_fails(self, status, call, *arguments, **options):
        with self.assertRaises(c_library.Failure) as caught:
            call(*arguments, **options)
        self.assertEqual(caught.exception.status, status, str(caught.exception))
        return caught.exception


def image(pixels, rows=1):
    return ("image", c_library.INT8, [rows, 8, 8, 1], bytes(p & 255 for p in pixels))


class AgentTest(Built, agent.ClientTest):
    def setUp(self):
        self.client = c_library.Client(self.library, self.agent.socket)
        self.addCleanup(self.client.close)

    def test_golden_vectors(self):
        answers = []
        for pixels, _ in fixtures.golden(2):
            version, outputs = self.client.predict("digits", [image(pixels)], outputs=["probabilities"], key="a b")
            self.assertEqual((version, outputs[0][0], outputs[0][1]), ("2", "probabilities", [1, 10]))
            answers.append([byte - 256 if byte > 127 else byte for byte in outputs[0][2]])
        self.assert_golden(2, answers)

    def test_version_and_float(self):
        version, _ = self.client.predict("digits", [image([0] * 64)], version="2", priority=1, timeout=1000)
        self.assertEqual(version, "2")
        numbers = array.array("f", [1, 2, 5]).tobytes()
        _, outputs = self.client.predict("half_plus_two", [("x", c_library.FP32, [3], numbers)])
        self.assertEqual(array.array("f", outputs[0][2]).tolist(), [2.5, 3.0, 4.5])

    def test_lists_and_readiness(self):
        self.assertEqual(self.client.models(), {("digits", "2"), ("digits_v1", "1"), ("half_plus_two", "1")})
        self.assertTrue(self.client.ready())
        self.assertTrue(self.client.ready("digits", "2"))
        self.assert_fails(c_library.NOT_FOUND, self.client.ready, "digits", "9")

    def test_refusals(self):
        predict = self.client.predict
        failure = self.assert_fails(c_library.NOT_FOUND, predict, "no such/model", [image([0] * 64)])
        self.assertEqual(failure.http_status, 404)
        self.assertIn("no such/model", failure.message)
        failure = self.assert_fails(c_library.BAD_REQUEST, predict, "digits", [("image", c_library.INT8, [3], b"abc")])
        self.assertIn("shape", failure.message)
        self.assert_fails(c_library.BAD_REQUEST, predict, "digits", [image([0] * 64)], outputs=["nothing"])
        for inputs in ([], [("image", c_library.INT8, [4], b"abc")], [("", c_library.INT8, [1], b"a")],
                       [("image", 99, [1], b"a")], [("image", c_library.INT8, [-1], b"")],
                       [("x", c_library.FP32, [1 << 40, 1 << 40], b"a")], [image([0] * 64)] * 65):  # fmt: skip
            self.assert_fails(c_library.INVALID_ARGUMENT, predict, "digits", inputs)
        self.assert_fails(c_library.INVALID_ARGUMENT, predict, "digits", [image([0] * 64)], key="two\r\nlines")
        small = c_library.Client(self.library, self.agent.socket, body_bytes=63)
        self.addCleanup(small.close)
        self.assert_fails(c_library.TOO_LARGE, small.predict, "digits", [image([0] * 64)])

    def test_too_large_for_the_agent(self):
        zeros = bytes(40 << 20)
        status = {c_library.TOO_LARGE, c_library.BAD_REQUEST, c_library.UNAVAILABLE}
        with self.assertRaises(c_library.Failure) as caught:
            self.client.predict("digits", [("image", c_library.INT8, [len(zeros)], zeros)])
        self.assertIn(caught.exception.status, status)
        self.assertTrue(self.client.ready())

    def test_one_thread_at_a_time(self):
        found = []

        def ask():
            client = c_library.Client(self.library, self.agent.socket)
            found.extend(client.predict("digits", [image([0] * 64)])[0] for _ in range(100))
            client.close()

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, ["2"] * 800)

    def test_example(self):
        program, library = self.path("classify"), self.path("libedgeserve.a")
        objects = []
        for source in c_library.FILES:
            objects.append(self.path(os.path.basename(source) + ".o"))
            c_library.compile_program(objects[-1], "-c", f"-I{c_library.INCLUDE}", source)
        subprocess.run(["ar", "rcs", library, *objects], check=True)
        example = os.path.join(fixtures.PACKAGE, "Packaging", "examples", "c", "classify.c")
        c_library.compile_program(program, f"-I{c_library.INCLUDE}", example, library)
        pixels, scores = fixtures.golden(2)[0]
        with open(self.path("picture.bin"), "wb") as file:
            file.write(bytes(pixel & 255 for pixel in pixels))
        run = [program, self.agent.socket, "digits", self.path("picture.bin")]
        done = subprocess.run(run, capture_output=True, text=True)
        self.assertEqual(done.stdout, f"digits version 2: class {fixtures.top(scores)}\n", done.stderr)
        done = subprocess.run(run[:2] + ["absent"] + run[3:], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("absent: not found: ", done.stderr)


class Server:
    """Answers each connection with bytes of its own making."""

    def __init__(self, path, *answers):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        self.answers = answers
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for answer in self.answers:
            connection, _ = self.listener.accept()
            with connection:
                answer(connection)
        self.listener.close()


def bytes_of(*parts, close=True):
    """Sends `parts` one after the other once a request came, then closes."""

    def answer(connection):
        connection.recv(1 << 16)
        for part in parts:
            connection.sendall(part)
            time.sleep(0.01)
        if not close:
            connection.recv(1)

    return answer


def head(*fields, status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


READY = head("Content-Length: 2") + b"{}"


class MisbehavingServerTest(Built):
    def setUp(self):
        self.socket = os.path.join(self.scratch.name, f"{self.id().rsplit('.', 1)[1]}.sock")

    def client(self, *answers, **options):
        if answers:
            server = Server(self.socket, *answers)
            self.addCleanup(server.thread.join, 5)
        client = c_library.Client(self.library, self.socket, **options)
        self.addCleanup(client.close)
        return client

    def test_malformed(self):
        wrong = [
            b"HTTP/1.1 200\r\n\r\n", b"SSH-2.0-x\r\n\r\n", head("Content-Length: x"), head("Transfer-Encoding: chunked"),
            head("Content-Length: 2", "Content-Length: 2") + b"{}", head("no colon", "Content-Length: 0"),
            b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 4000, READY + b"more",
            head("Content-Length: 2", "Inference-Header-Content-Length: 3") + b"{}", head("Content-Length: 0", status="302 No"),
        ]  # fmt: skip
        client = self.client(*[bytes_of(answer) for answer in wrong])
        for answer in wrong:
            with self.subTest(answer=answer[:60]):
                self.assert_fails(c_library.MALFORMED_ANSWER, client.ready)

    def test_bodies_that_are_none(self):
        whole = b'{"model_name":"m","model_version":"1","outputs":[{"name":"o","datatype":"INT8","shape":[4],"parameters":%s}]}'
        bodies = [(whole % b'{"binary_data_size":4}', b"abc"), (whole % b'{"binary_data_size":4}', b"abcde"),
                  (whole % b'{"binary_data_size":3}', b"abc"), (whole % b"{}", b""), (b"[]", b""), (b"", b"")]  # fmt: skip
        client = self.client(
            *[
                bytes_of(head(f"Content-Length: {len(a + b)}", f"Inference-Header-Content-Length: {len(a)}", "Connection: close") + a + b)
                for a, b in bodies
            ]
        )
        for body in bodies:
            with self.subTest(body=body):
                self.assert_fails(c_library.MALFORMED_ANSWER, client.predict, "m", [("i", c_library.INT8, [1], b"a")])

    def test_pieces_and_continue(self):
        answer = head(status="100 Continue") + head("content-length:\t2 ", "X: y") + b"{}"
        client = self.client(bytes_of(*[answer[k : k + 1] for k in range(len(answer))], close=False))
        self.assertTrue(client.ready())

    def test_cut_short(self):
        client = self.client(bytes_of(head("Content-Length: 9") + b"{}"), bytes_of(READY))
        self.assert_fails(c_library.CONNECTION_LOST, client.ready)
        self.assertTrue(client.ready())

    def test_kept_connection_closed_is_opened_anew(self):
        def twice(connection):
            connection.recv(1 << 16)
            connection.sendall(READY)
            # Takes the second request, and goes without a word.
            connection.recv(1 << 16)

        client = self.client(twice, bytes_of(READY))
        self.assertTrue(client.ready())
        self.assertTrue(client.ready())

    def test_deadline(self):
        client = self.client(bytes_of(b"HTTP/1.1 200", close=False), timeout=100)
        start = time.monotonic()
        self.assert_fails(c_library.DEADLINE_EXCEEDED, client.ready)
        self.assertTrue(0.09 < time.monotonic() - start < 3)

    def test_interruption(self):
        client = self.client(bytes_of(b"H", close=False), bytes_of(READY))
        timer = threading.Timer(0.1, self.library.edgeserve_interrupt, [client.handle])
        timer.start()
        self.assert_fails(c_library.INTERRUPTED, client.ready)
        self.assert_fails(c_library.INTERRUPTED, client.ready)
        self.library.edgeserve_resume(client.handle)
        self.assertTrue(client.ready())

    def test_busy(self):
        has_come = threading.Event()

        def wait(connection):
            connection.recv(1 << 16)
            has_come.set()
            connection.recv(1)

        client = self.client(wait)
        thread = threading.Thread(target=lambda: self.assert_fails(c_library.INTERRUPTED, client.ready))
        thread.start()
        has_come.wait(10)
        flag = ctypes.c_bool()
        status = self.library.edgeserve_server_ready(client.handle, ctypes.byref(flag))
        self.library.edgeserve_interrupt(client.handle)
        thread.join()
        self.assertEqual(status, c_library.BUSY)

    def test_statuses(self):
        expected = {
            400: c_library.BAD_REQUEST, 403: c_library.FORBIDDEN, 404: c_library.NOT_FOUND, 413: c_library.TOO_LARGE,
            429: c_library.TOO_MANY_REQUESTS, 500: c_library.AGENT_FAILED, 503: c_library.UNAVAILABLE,
            504: c_library.DEADLINE_EXCEEDED,
        }  # fmt: skip
        body = b'{"error":"so \\u20ac"}'
        answers = [
            bytes_of(head(f"Content-Length: {len(body)}", "Retry-After: 7", "Connection: close", status=f"{code} X") + body)
            for code in expected
        ]
        client = self.client(*answers)
        for code, status in expected.items():
            failure = self.assert_fails(status, client.predict, "m", [("i", c_library.INT8, [1], b"a")])
            self.assertEqual((failure.http_status, failure.retry_after, failure.message), (code, 7, "so €"))

    def test_answer_too_large(self):
        client = self.client(bytes_of(head("Content-Length: 1001")), body_bytes=1000)
        self.assert_fails(c_library.TOO_LARGE, client.ready)

    def test_agent_that_comes_late(self):
        client = self.client(reconnect=5000)
        timer = threading.Timer(0.3, Server, [self.socket, bytes_of(READY)])
        timer.start()
        self.assertTrue(client.ready())
        timer.join()

    def test_no_agent(self):
        client = self.client()
        failure = self.assert_fails(c_library.UNREACHABLE, client.ready)
        self.assertIn("No such file", failure.message)
        with self.assertRaises(c_library.Failure) as caught:
            c_library.Client(self.library, "/" + "x" * 107)
        self.assertEqual(caught.exception.status, c_library.INVALID_ARGUMENT)


class MutationTest(Built):
    def test_answers(self):
        program = self.path("mutate")
        source = os.path.join(fixtures.PACKAGE, "Tests", "Clients", "c", "mutate_answers.c")
        decoders = [file for file in c_library.FILES if os.path.basename(file) in ("decoding.c", "json.c")]
        sanitize = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        c_library.compile_program(
            program, *sanitize, f"-I{c_library.SOURCES}", f"-I{c_library.INCLUDE}", source, *decoders
        )
        done = subprocess.run([program, str(MUTATIONS), "24301"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, rf"^{MUTATIONS} mutations, [1-9]\d* decoded")


if __name__ == "__main__":
    unittest.main()
