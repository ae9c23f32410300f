"""Deadlines, priorities and calls that are taken back, with real clients on a version that is busy."""

import collections
import contextlib
import re
import threading
import time
import unittest

import httpx
import numpy
import tritonclient.grpc as triton

import agent

ROWS = 256
CALLERS = 16
CALLS = 15


class DeadlineTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        # One thread of the plainest kernels, so that requests do wait for each other.
        return agent.Agent.usual_models(directory) + ["--kernels", "baseline", "--threads", "1"]

    def setUp(self):
        self.http = httpx.Client(transport=httpx.HTTPTransport(uds=self.agent.socket), base_url="http://localhost")
        self.addCleanup(self.http.close)

    def counts(self):
        with contextlib.closing(agent.UnixConnection(self.agent.admin_socket)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        pattern = r'edgeserve_requests_total\{model="digits",version="2",outcome="(\w+)"\} (\d+)'
        return collections.Counter({name: int(count) for name, count in re.findall(pattern, text)})

    def until_seen(self, wanted, call):
        """Counts what `call` gives to many callers, until `wanted` is among it; how busy they keep the version is
        up to the machine."""
        results = collections.Counter()
        for _ in range(20):
            results += self.all_at_once(call)
            if results[wanted]:
                break
        self.assertGreater(results[wanted], 0)
        return results

    def all_at_once(self, call):
        """Counts what `call` gives to many callers that come again and again."""
        results, lock = collections.Counter(), threading.Lock()

        def run():
            with contextlib.ExitStack() as stack:
                answers = collections.Counter(call(stack) for _ in range(CALLS))
            with lock:
                results.update(answers)

        threads = [threading.Thread(target=run) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def infer_over_http(self, **fields):
        body = {"name": "image", "datatype": "INT8", "shape": [ROWS, 8, 8, 1], "data": [0] * (64 * ROWS)}
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.http.post("/v2/models/digits/infer", json={"inputs": [body]}, headers=headers)

    def test_http_field(self):
        before = self.counts()
        results = self.until_seen(504, lambda _: self.infer_over_http(x_request_timeout_ms="1").status_code)
        self.assertLessEqual(set(results), {200, 504})
        grown = self.counts() - before
        self.assertEqual((grown["ok"], grown["deadline"]), (results[200], results[504]))
        # Who waits longer is answered.
        results = self.all_at_once(lambda _: self.infer_over_http(x_request_timeout_ms="60000").status_code)
        self.assertEqual(results, {200: CALLERS * CALLS})

    def test_fields_that_say_nothing(self):
        for name, value in (("x_request_timeout_ms", "soon"), ("x_request_priority", "-1")):
            reply = self.infer_over_http(**{name: value})
            self.assertEqual(reply.status_code, 400)
            self.assertIn(name.replace("_", "-"), reply.json()["error"])

    def client(self, stack):
        client = triton.InferenceServerClient("unix:" + self.agent.grpc_socket)
        return stack.enter_context(client)

    def test_open_inference_timeout(self):
        image = triton.InferInput("image", [ROWS, 8, 8, 1], "INT8")
        image.set_data_from_numpy(numpy.zeros((ROWS, 8, 8, 1), numpy.int8))

        def call(stack):
            try:
                self.client(stack).infer("digits", [image], timeout=1000, priority=1)
                return "ok"
            except triton.InferenceServerException as error:
                return error.status()

        results = self.until_seen("StatusCode.DEADLINE_EXCEEDED", call)
        self.assertLessEqual(set(results), {"ok", "StatusCode.DEADLINE_EXCEEDED"})

    def test_calls_taken_back(self):
        image = triton.InferInput("image", [ROWS, 8, 8, 1], "INT8")
        image.set_data_from_numpy(numpy.zeros((ROWS, 8, 8, 1), numpy.int8))
        before = self.counts()
        for _ in range(20):
            self.take_back(image)
            if (self.counts() - before)["cancelled"]:
                break
        self.assertGreater((self.counts() - before)["cancelled"], 0)
        # The version goes on as before.
        self.assertEqual(self.infer_over_http().status_code, 200)

    def take_back(self, image):
        """Begins many calls and cancels all of them at once."""
        with contextlib.ExitStack() as stack:
            client = self.client(stack)
            done = threading.Semaphore(0)
            calls = [
                client.async_infer("digits", [image], lambda result, error: done.release()) for _ in range(80)
            ]
            for call in calls:
                call.cancel()
            for _ in calls:
                self.assertTrue(done.acquire(timeout=20))
        # What was noticed late is counted late.
        time.sleep(0.1)


if __name__ == "__main__":
    unittest.main()
