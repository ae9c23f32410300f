"""A port of this machine with a token, beside the Unix socket."""

import os
import socket
import subprocess
import tempfile
import unittest

import httpx

import agent
import fixtures

TOKEN = "f3b1c8d2e4a5968790ab"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(path, text, mode=0o600):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


class LoopbackPortTest(agent.ClientTest):
    port = free_port()

    @classmethod
    def models(cls, directory):
        token = write(os.path.join(directory, "token"), TOKEN + "\n")
        text = '{"tcp": {"port": %d, "token_file": "%s"}}' % (cls.port, token)
        config = write(os.path.join(directory, "edgeserve.json"), text)
        return agent.Agent.usual_models(directory) + ["--config", config]

    def client(self, **headers):
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers)
        self.addCleanup(client.close)
        return client

    def test_answers_who_shows_the_token(self):
        client = self.client(Authorization=f"Bearer {TOKEN}")
        reply = client.post("/v1/models/half_plus_two:predict", json={"instances": [1.0, 2.0, 5.0]})
        self.assertEqual(reply.json(), {"predictions": [2.5, 3.0, 4.5]})
        self.assertEqual(client.get("/v2/health/ready").status_code, 200)
        self.assertEqual(self.client(Authorization=f"bearer {TOKEN}").get("/v2").status_code, 200)

    def test_refuses_whoever_does_not_before_the_body_is_read(self):
        wrong = [f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN]
        for field in [None, "", "Bearer", *wrong]:
            headers = {} if field is None else {"Authorization": field}
            reply = self.client(**headers).get("/v2/health/ready")
            self.assertEqual((reply.status_code, reply.headers["WWW-Authenticate"]), (401, "Bearer"))
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as stream:
            stream.sendall(b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
            self.assertTrue(stream.recv(100).startswith(b"HTTP/1.1 401 "))

    def test_is_not_for_pages_of_other_origins(self):
        client = self.client(Origin="https://example.org", Authorization=f"Bearer {TOKEN}")
        asked = [client.options(f"/v{path}") for path in ("1/models/digits:predict", "2/models/digits/infer")]
        for reply in [client.get("/v2"), *asked]:
            self.assertFalse([name for name in reply.headers if name.lower().startswith("access-control")])
        self.assertEqual(client.options("/v1/models/digits:predict").status_code, 400)

    def test_the_unix_socket_needs_no_token_and_has_no_administration(self):
        transport = httpx.HTTPTransport(uds=self.agent.socket)
        with httpx.Client(transport=transport, base_url="http://localhost") as client:
            self.assertEqual(client.get("/v2/health/ready").status_code, 200)
        client = self.client(Authorization=f"Bearer {TOKEN}")
        for path in ["/status", "/metrics", "/v2/repository/index", "/log-level"]:
            self.assertEqual(client.get(path).status_code, 404)

    def test_refusals_are_counted(self):
        self.client().get("/v2")
        with httpx.Client(transport=httpx.HTTPTransport(uds=self.agent.admin_socket), base_url="http://a") as client:
            self.assertRegex(client.get("/metrics").text, r'reason="unauthorized"\} [1-9]')


class RefusedPortTest(unittest.TestCase):
    def refused(self, text):
        with tempfile.TemporaryDirectory() as directory:
            config = write(os.path.join(directory, "edgeserve.json"), text)
            places = [f"--{name}={os.path.join(directory, name)}" for name in ("socket", "admin-socket", "state-dir")]
            done = subprocess.run(
                [agent.BINARY, "run", "--config", config] + places, capture_output=True, text=True, timeout=30
            )
            self.assertNotEqual(done.returncode, 0)
            return done.stderr

    def test_no_address_that_others_reach(self):
        for address in ["0.0.0.0", "::", "192.168.1.1", "localhost", "127.1", "127.0.0.01", "::ffff:127.0.0.1", ""]:
            text = '{"tcp": {"address": "%s", "port": 1, "token_file": "/none"}}' % address
            self.assertIn("this machine alone reaches", self.refused(text))

    def test_no_token_that_others_can_read_or_guess(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "token")
            text = '{"tcp": {"port": 0, "token_file": "%s"}}' % path
            self.assertIn("cannot be read", self.refused(text))
            for mode in (0o644, 0o660, 0o604, 0o666):
                write(path, TOKEN, mode)
                self.assertIn("others cannot read or change", self.refused(text))
            for token in ("short", "with spaces in it all over", "x" * 513, ""):
                write(path, token)
                self.assertIn("16 to 512 visible characters", self.refused(text))


if __name__ == "__main__":
    unittest.main()
