"""The manual's table of answers that differ on purpose, asked row by row."""

import contextlib
import json
import os
import re
import unittest

import agent
import fixtures

PAGE = os.path.join(fixtures.PACKAGE, "Packaging", "manual", "differences.md")
# Fewer rows than this, and the table was not read.
ROWS_MINIMUM = 20


def rows():
    """Request line and body, status and fragment of the answer, of each row of the first table."""
    with open(PAGE) as page:
        table = page.read().split("## Requests")[1].split("\n## ")[0]
    for line in table.splitlines():
        if not line.startswith("| `"):
            continue
        request, _, here, _ = [cell.strip() for cell in line.strip("|").split(" | ")]
        parts = re.findall(r"`([^`]*)`", request)
        status, fragment = re.fullmatch(r"(\d+)(?: `(.*)`)?", here).groups()
        yield parts[0], parts[1] if len(parts) > 1 else "", int(status), fragment


class DifferencesTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        return ["--model", "half=" + os.path.join(fixtures.FIXTURES, "half_plus_two", "model.tflite")]

    def ask(self, request, body):
        words = request.split()
        place = self.agent.admin_socket if words[0] == "admin" else self.agent.socket
        with contextlib.closing(agent.UnixConnection(place)) as connection:
            connection.request(*words[-2:], body.encode() or None)
            reply = connection.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read().decode()

    def test_each_row_is_as_it_says(self):
        table = list(rows())
        self.assertGreaterEqual(len(table), ROWS_MINIMUM)
        for request, body, status, fragment in table:
            with self.subTest(request=request, body=body):
                answer = self.ask(request, body)
                self.assertEqual(answer[0], status, answer[2])
                self.assertIn(fragment or "", answer[2])
                if status >= 400 and answer[2]:
                    self.assertIn("error", json.loads(answer[2]))

    def test_no_page_of_another_origin_is_answered(self):
        with contextlib.closing(agent.UnixConnection(self.agent.socket)) as connection:
            asked = [("OPTIONS", "/v1/models/half:predict"), ("OPTIONS", "/v2/models/half/infer"), ("GET", "/v2")]
            for method, path in asked:
                connection.request(method, path, headers={"Origin": "https://example.org"})
                reply = connection.getresponse()
                reply.read()
                self.assertFalse([name for name in reply.headers if name.lower().startswith("access-control")])

    def test_settings_are_shown_to_all_and_changed_by_administrators(self):
        def settings(request, body=""):
            status, _, text = self.ask(request, body)
            return status, json.loads(text)

        self.assertEqual(settings("GET /v2/logging")[1]["log_info"], True)
        for body, wanted in [
            ('{"log_verbose_level": 1}', (True, True, True, 1)),
            ('{"log_verbose_level": 0, "log_info": false}', (False, True, True, 0)),
            ('{"log_warning": false}', (False, False, True, 0)),
            ('{"log_info": true}', (True, True, True, 0)),
        ]:
            status, reply = settings("admin POST /v2/logging", body)
            self.assertEqual(status, 200)
            names = ("log_info", "log_warning", "log_error", "log_verbose_level")
            self.assertEqual(tuple(reply[name] for name in names), wanted)
            self.assertEqual(settings("GET /v2/logging")[1], reply)
        for body in ['{"log_file": "/tmp/a"}', '{"unknown": 1}', "[]", '{"log_info": 3}']:
            self.assertEqual(settings("admin POST /v2/logging", body)[0], 400)
        for path in ["/v2/trace/setting", "/v2/models/half/trace/setting"]:
            self.assertEqual(settings("GET " + path)[1]["trace_level"], ["OFF"])
        self.assertIn("no request_log", settings("admin POST /v2/trace/setting", '{"trace_rate": 5}')[1]["error"])


class TraceTest(agent.ClientTest):
    @staticmethod
    def models(directory):
        TraceTest.log = os.path.join(directory, "requests")
        config = os.path.join(directory, "edgeserve.json")
        with open(config, "w") as file:
            json.dump({"request_log": {"directory": TraceTest.log, "percent": 100}}, file)
        return DifferencesTest.models(directory) + ["--config", config]

    ask = DifferencesTest.ask

    def lines(self):
        with open(os.path.join(self.log, "requests.jsonl")) as file:
            return len(file.readlines())

    def predict(self, count):
        for _ in range(count):
            self.assertEqual(self.ask("POST /v1/models/half:predict", '{"instances": [1.0]}')[0], 200)

    def written(self, count):
        for _ in range(500):
            if self.lines() >= count:
                break
        return self.lines()

    def test_the_rate_of_traces_is_changed_while_it_runs(self):
        self.predict(5)
        self.assertEqual(self.written(5), 5)
        reply = json.loads(self.ask("admin POST /v2/trace/setting", '{"trace_rate": "10"}')[2])
        self.assertEqual((reply["trace_level"], reply["trace_rate"]), (["TIMESTAMPS"], "10"))
        self.predict(50)
        self.assertEqual(self.written(10), 10)
        self.ask("admin POST /v2/trace/setting", '{"trace_level": ["OFF"]}')
        self.assertEqual(json.loads(self.ask("GET /v2/trace/setting", "")[2])["trace_level"], ["OFF"])
        self.predict(20)
        self.assertEqual(self.written(10), 10)
        for body in ['{"trace_rate": "0"}', '{"trace_rate": "many"}', '{"trace_count": "1"}', "{}}"]:
            self.assertEqual(self.ask("admin POST /v2/trace/setting", body)[0], 400)


if __name__ == "__main__":
    unittest.main()
