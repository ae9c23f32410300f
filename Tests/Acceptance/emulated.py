"""The main job with an agent of another processor, under qemu: versions are published from this machine; the agent pulls,
proves, swaps and answers, every golden vector bit by bit, while requests go on.

usage: emulated.py --kernels TABLE AGENT-COMMAND...
  such as: emulated.py --kernels neon qemu-aarch64-static -cpu cortex-a53 -L TARGET build/edgeserve
"""
import argparse
import threading
import time

from harness import Fleet, UnixConnection, answers_of, golden, kind_of

VERSIONS = 3
# An emulator is some ten times as slow as a processor, and the machine may be busy.
SECONDS = 120


def vectors_of(version):
    """Requests of a version's golden vectors, and the output of each."""
    return [
        ({"inputs": [{"name": "image", "datatype": "INT8", "shape": shape, "data": values}]}, output)
        for shape, values, output in golden(kind_of(version))
    ]


class Client(threading.Thread):
    """Asks the latest version all the time, and keeps what was not as it should be."""

    def __init__(self, fleet):
        super().__init__()
        self.path, self.wrong, self.answered, self.seen = fleet.socket, [], 0, set()
        self.ends = threading.Event()
        self.inputs = [(shape, values) for shape, values, _ in golden("v1")]
        # Of this machine's kernels.
        self.expected = {str(v): answers_of(fleet, kind_of(v), self.inputs) for v in range(1, VERSIONS + 1)}

    def run(self):
        try:
            self.ask()
        except (OSError, ValueError, LookupError) as error:
            self.wrong.append(repr(error))

    def ask(self):
        connection = UnixConnection(self.path, SECONDS)
        while not self.ends.is_set():
            index = self.answered % len(self.inputs)
            shape, values = self.inputs[index]
            request = {"inputs": [{"name": "image", "datatype": "INT8", "shape": shape, "data": values}]}
            status, reply = connection.ask("POST", "/v2/models/digits/infer", request)
            self.answered += 1
            if status != 200:
                self.wrong.append((status, reply))
                continue
            version = reply["model_version"]
            self.seen.add(version)
            if reply["outputs"][0]["data"] != self.expected[version][index]:
                self.wrong.append((version, index, reply["outputs"][0]["data"]))


def check_golden(fleet, version):
    """Every golden vector of the version that serves; integers are the same on every processor."""
    connection = UnixConnection(fleet.socket, SECONDS)
    vectors = vectors_of(version)
    for index, (request, output) in enumerate(vectors):
        status, reply = connection.ask("POST", f"/v2/models/digits/versions/{version}/infer", request)
        assert status == 200, (status, reply)
        assert reply["outputs"][0]["data"] == output, f"version {version}, vector {index}"
    return len(vectors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kernels", required=True)
    parser.add_argument("agent", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    begun = time.monotonic()
    with Fleet(budget="32MiB", agent=arguments.agent) as fleet:
        fleet.publish(fleet.pack("v1"), 1)
        fleet.start_agent()
        fleet.wait_serving(1, SECONDS)
        kernels = fleet.status()["agent"]["kernels"]
        assert kernels == arguments.kernels, f"the agent chose {kernels}"
        checked = check_golden(fleet, 1)
        client = Client(fleet)
        client.start()
        for version in range(2, VERSIONS + 1):
            fleet.publish(fleet.pack(kind_of(version)), version)
            fleet.wait_serving(version, SECONDS)
            checked += check_golden(fleet, version)
        client.ends.set()
        client.join()
        assert not client.wrong, client.wrong[:3]
        assert client.seen == {str(v) for v in range(1, VERSIONS + 1)}, client.seen
        print(
            f"{kernels}: {VERSIONS} versions pulled, proved and swapped in; {checked} golden vectors bit by bit, "
            f"{client.answered} requests meanwhile, 0 failed; {time.monotonic() - begun:.1f} s"
        )


if __name__ == "__main__":
    main()
