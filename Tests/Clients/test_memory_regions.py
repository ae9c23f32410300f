"""Tensors in memory files whose descriptors an app hands over, in requests of both kinds."""

import contextlib
import fcntl
import json
import os
import socket
import tempfile
import unittest

import httpx
import numpy
import tritonclient.grpc as triton

import agent
import fixtures

F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2
REGIONS_MAXIMUM = 16


def memory_file(content, seals=F_SEAL_SHRINK):
    """A memory file that holds `content` and cannot shrink."""
    descriptor = os.memfd_create("tensor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    if seals:
        fcntl.fcntl(descriptor, F_ADD_SEALS, seals)
    return descriptor


class MemorySocket:
    """A connection on which memory is handed over; regions live as long as it is open."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(path)

    def ask(self, order, descriptors=()):
        socket.send_fds(self.socket, [json.dumps(order).encode()], list(descriptors))
        return json.loads(self.socket.recv(1 << 16))

    def register(self, descriptor, size, **rest):
        return self.ask({"register": {"byte_size": size, **rest}}, [descriptor])

    def close(self):
        self.socket.close()


class MemoryRegionTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        MemoryRegionTest.path = os.path.join(directory, "memory.sock")
        return agent.Agent.usual_models(directory) + ["--memory-socket", MemoryRegionTest.path]

    def setUp(self):
        transport = httpx.HTTPTransport(uds=self.agent.socket)
        self.http = httpx.Client(transport=transport, base_url="http://localhost")
        self.addCleanup(self.http.close)
        self.memory = MemorySocket(self.path)
        self.addCleanup(self.memory.close)

    def hand_over(self, content, **rest):
        descriptor = memory_file(content)
        try:
            reply = self.memory.register(descriptor, rest.pop("size", len(content)), **rest)
        finally:
            # The agent has one of its own.
            os.close(descriptor)
        self.assertNotIn("error", reply)
        return reply["regions"][0]["region"]

    def infer(self, parameters, shape=(1, 8, 8, 1), model="digits"):
        body = {"inputs": [{"name": "image", "datatype": "INT8", "shape": shape, "parameters": parameters}]}
        return self.http.post(f"/v2/models/{model}/infer", json=body)

    def test_answers_are_those_of_bytes_that_were_sent(self):
        vectors = fixtures.golden(2)
        content = b"".join(numpy.array(image, numpy.int8).tobytes() for image, _ in vectors)
        region = self.hand_over(content)
        answers = []
        for index in range(len(vectors)):
            place = {"shared_memory_region": region, "shared_memory_offset": index * 64}
            reply = self.infer({**place, "shared_memory_byte_size": 64})
            self.assertEqual(reply.status_code, 200, reply.text)
            answers.append(reply.json()["outputs"][0]["data"])
        self.assert_golden(2, answers)
        # All rows at once.
        reply = self.infer({"shared_memory_region": region}, (len(vectors), 8, 8, 1))
        self.assertEqual(reply.json()["outputs"][0]["data"], [code for answer in answers for code in answer])

    def test_the_bytes_are_read_when_the_model_runs(self):
        descriptor = memory_file(bytes(64))
        region = self.memory.register(descriptor, 64)["regions"][0]["region"]
        images = [numpy.array(image, numpy.int8) for image, _ in fixtures.golden(2)[:2]]
        for image in images:
            os.pwrite(descriptor, image.tobytes(), 0)
            shared = self.infer({"shared_memory_region": region}).json()["outputs"][0]["data"]
            tensor = {"name": "image", "datatype": "INT8", "shape": [1, 8, 8, 1]}
            body = {"inputs": [{**tensor, "data": image.flatten().tolist()}]}
            sent = self.http.post("/v2/models/digits/infer", json=body).json()["outputs"][0]["data"]
            self.assertEqual(shared, sent)
        os.close(descriptor)

    def test_grpc_takes_the_same_regions(self):
        image = numpy.array(fixtures.golden(2)[0][0], numpy.int8).reshape(1, 8, 8, 1)
        region = self.hand_over(bytes(64) + image.tobytes())
        with contextlib.closing(triton.InferenceServerClient(f"unix:{self.agent.grpc_socket}")) as client:
            shared, sent = (triton.InferInput("image", [1, 8, 8, 1], "INT8") for _ in range(2))
            shared.set_shared_memory(region, 64, 64)
            sent.set_data_from_numpy(image)
            answers = [client.infer("digits", [one]).as_numpy("probabilities") for one in (shared, sent)]
            self.assertEqual(answers[0].tolist(), answers[1].tolist())
            shared.set_shared_memory(region, 64, 65)
            with self.assertRaisesRegex(triton.InferenceServerException, "65 bytes at 65|expecting|64"):
                client.infer("digits", [shared])

    def test_bounds_are_checked(self):
        region = self.hand_over(bytes(128), size=100, offset=20)
        for parameters, message in [
            ({"shared_memory_offset": 37}, "64 bytes at 37 of a shared memory region of 100"),
            ({"shared_memory_offset": -1}, "64 bytes at -1"),
            ({"shared_memory_offset": 2**63 - 1}, "of a shared memory region of 100"),
            ({"shared_memory_byte_size": 63}, "expecting 64 bytes, got 63"),
            ({"binary_data_size": 64}, "either"),
        ]:
            reply = self.infer({"shared_memory_region": region, **parameters})
            self.assertEqual(reply.status_code, 400, reply.text)
            self.assertIn(message, reply.json()["error"])
        self.assertEqual(self.infer({"shared_memory_region": region, "shared_memory_offset": 36}).status_code, 200)
        reply = self.infer({"shared_memory_region": "region-0"})
        self.assertIn("Unable to find shared memory region", reply.json()["error"])

    def test_what_could_shrink_or_is_no_memory_is_refused(self):
        def refused(descriptor, size=64, **rest):
            reply = self.memory.register(descriptor, size, **rest)
            os.close(descriptor)
            return reply["error"]

        self.assertIn("F_SEAL_SHRINK", refused(memory_file(bytes(64), seals=0)))
        self.assertIn("do not lie within the 64", refused(memory_file(bytes(64)), 65))
        self.assertIn("do not lie within the 64", refused(memory_file(bytes(64)), 64, offset=1))
        self.assertIn("do not lie within", refused(memory_file(bytes(64)), -1))
        self.assertIn("do not lie within", refused(memory_file(bytes(64)), 2**62, offset=2**62))
        with tempfile.TemporaryFile() as file:
            file.write(bytes(64))
            self.assertRegex(refused(os.dup(file.fileno())), "no memory file|F_SEAL_SHRINK")
        pipe = os.pipe()
        os.close(pipe[1])
        self.assertIn("no memory file", refused(pipe[0]))
        blind = memory_file(bytes(64))
        writer = os.open(f"/proc/self/fd/{blind}", os.O_WRONLY)
        os.close(blind)
        self.assertIn("cannot be read", refused(writer))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.agent.process.pid}/fd"))

    def test_orders_are_checked_and_their_descriptors_closed(self):
        descriptor = memory_file(bytes(64))
        self.addCleanup(os.close, descriptor)
        orders = [
            ({"register": {"byte_size": 64}}, [], "with one descriptor, this with 0"),
            ({"register": {"byte_size": 64}}, [descriptor] * 2, "with one descriptor, this with 2"),
            ({"register": {"byte_size": 64}}, [descriptor] * 9, "one of"),
            ({"status": {}}, [descriptor], "only 'register'"),
            ({"unregister": "region-0"}, [], "no such region"),
            ({}, [descriptor], "one of"),
            ({"status": {}, "unregister": "a"}, [], "one of"),
            ({"register": {"byte_size": "many"}}, [descriptor], "one of"),
            ("x" * 5000, [], "one of"),
        ]

        def all_refused():
            for order, descriptors, message in orders:
                self.assertIn(message, self.memory.ask(order, descriptors)["error"])

        # The first round also waits until the agent has accepted this connection, which connect(2) does not. Connections
        # of earlier tests may still close: five rounds outnumber them if each leaves a descriptor behind.
        all_refused()
        before = self.descriptors()
        for _ in range(5):
            all_refused()
        self.assertLessEqual(self.descriptors(), before)

    def test_regions_are_bounded_and_end_with_their_connection(self):
        regions = [self.hand_over(bytes(64)) for _ in range(REGIONS_MAXIMUM)]
        descriptor = memory_file(bytes(64))
        self.assertIn("at most 16", self.memory.register(descriptor, 64)["error"])
        self.assertNotIn("error", self.memory.ask({"unregister": regions[0]}))
        self.assertNotIn("error", self.memory.register(descriptor, 64))
        os.close(descriptor)
        listed = self.http.get("/v2/systemsharedmemory/status").json()
        self.assertEqual(len(listed), REGIONS_MAXIMUM)
        self.assertEqual(listed[0]["byte_size"], 64)
        one = self.http.get(f"/v2/systemsharedmemory/region/{regions[1]}/status").json()
        self.assertEqual([entry["name"] for entry in one], [regions[1]])
        # Another connection of the same user may use a region, and may not end it.
        other = MemorySocket(self.path)
        self.assertIn("no such region", other.ask({"unregister": regions[1]})["error"])
        other.close()
        self.assertEqual(self.infer({"shared_memory_region": regions[1]}).status_code, 200)
        self.memory.close()
        for _ in range(200):
            if self.infer({"shared_memory_region": regions[1]}).status_code == 400:
                break
        self.assertEqual(self.http.get("/v2/systemsharedmemory/status").json(), [])

    def test_memory_is_not_taken_by_name(self):
        self.assertIn("descriptor_shared_memory", self.http.get("/v2").json()["extensions"])
        body = {"key": "/shm", "offset": 0, "byte_size": 64}
        reply = self.http.post("/v2/systemsharedmemory/region/a/register", json=body)
        self.assertEqual(reply.status_code, 501)
        self.assertIn("descriptor", reply.json()["error"])


if __name__ == "__main__":
    unittest.main()
