#!/usr/bin/env python3
"""A broker that announces a message of 200 MiB and sends without end, on the real binary.

The agent must stay within its budget, come back ever less often, and go on serving; then take a
release from the true broker. (Row 2 of the table of attacks.)
"""
import contextlib
import socket
import sys
import threading
import time

from harness import Fleet, UnixConnection, memory, wait_for

ANNOUNCED = 200 << 20
SECONDS = 6
# Anonymous bytes: the allocator's slack and a few buffers.
GROWTH_MAXIMUM = 1 << 20


class HostileBroker(threading.Thread):
    def __init__(self, port):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port), backlog=16)
        self.connections, self.bytes, self.ended = [], 0, False

    def run(self):
        while not self.ended:
            with contextlib.suppress(OSError):
                peer, _ = self.listener.accept()
                self.connections.append(time.monotonic())
                threading.Thread(target=self.attack, args=(peer,), daemon=True).start()

    def attack(self, peer):
        with contextlib.suppress(OSError), peer:
            hello = peer.recv(4096)
            is_v5 = b"MQTT\5" in hello
            peer.sendall(bytes([0x20, 3, 0, 0, 0] if is_v5 else [0x20, 2, 0, 0]))
            topic = b"es/1/test/dir/digits"
            length, left = b"", ANNOUNCED
            while left:
                left, digit = left >> 7, left & 127
                length += bytes([digit | (128 if left else 0)])
            peer.sendall(b"\x30" + length + len(topic).to_bytes(2, "big") + topic)
            chunk = bytes(65536)
            while not self.ended:
                self.bytes += peer.send(chunk)

    def stop(self):
        self.ended = True
        self.listener.close()


with Fleet() as fleet:
    fleet.publish(fleet.pack("v1"), 1, extra=("--trial-minutes", "0"))
    fleet.start_agent()
    fleet.wait_serving(1)
    time.sleep(1)
    idle = memory(fleet.agent.pid)[1]
    fleet.broker.stop()
    hostile = HostileBroker(fleet.port)
    hostile.start()
    wait_for("the agent meets the hostile broker", lambda: hostile.connections, 30)
    peak, end = idle, time.monotonic() + SECONDS
    connection = UnixConnection(fleet.socket)
    answered = 0
    while time.monotonic() < end:
        peak = max(peak, memory(fleet.agent.pid)[1])
        assert connection.ask("GET", "/v2/models/digits/ready")[0] == 200
        answered += 1
        time.sleep(0.005)
    hostile.stop()
    count = len(hostile.connections)
    print(
        f"{count} connections in {SECONDS} s, {hostile.bytes >> 10} KiB sent; anonymous {idle >> 10} KiB before, "
        f"{peak >> 10} KiB at most; {answered} questions answered meanwhile")
    assert peak - idle <= GROWTH_MAXIMUM, (idle, peak)
    assert count <= 30, count
    assert fleet.agent.poll() is None
    fleet.broker.start()
    fleet.publish(fleet.pack("v2"), 2)
    fleet.wait_serving(2, 60)
    print("the true broker's release is taken")
sys.exit(0)
