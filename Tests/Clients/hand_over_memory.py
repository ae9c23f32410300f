"""Asks the digits classifier about an image that stays in memory of this process.

usage: hand_over_memory.py MEMORY_SOCKET SOCKET
"""

import fcntl
import http.client
import json
import os
import socket
import sys

F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2


def main(memory_socket, data_socket):
    # A file in memory that cannot shrink; the camera writes here.
    image = os.memfd_create("image", os.MFD_ALLOW_SEALING)
    os.write(image, bytes(64))
    fcntl.fcntl(image, F_ADD_SEALS, F_SEAL_SHRINK)

    # Its descriptor is handed over once; the region lives as long as this connection.
    memory = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory.connect(memory_socket)
    socket.send_fds(memory, [json.dumps({"register": {"byte_size": 64}}).encode()], [image])
    region = json.loads(memory.recv(4096))["regions"][0]["region"]

    # Requests name it in place of sending bytes.
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(data_socket)
    parameters = {"shared_memory_region": region, "shared_memory_byte_size": 64}
    tensor = {"name": "image", "datatype": "INT8", "shape": [1, 8, 8, 1], "parameters": parameters}
    connection.request("POST", "/v2/models/digits/infer", json.dumps({"inputs": [tensor]}))
    print(json.load(connection.getresponse())["outputs"][0]["data"])


if __name__ == "__main__":
    main(*sys.argv[1:])
