#!/usr/bin/env python3
"""A web server as a mirror, on the real binary: files that `seed --to-directory` wrote, over TLS.

Blocks come from the server and none from the broker; a server whose certificate is not trusted is left alone; a file that
was changed, one that is gone and a redirect to plain http end at the broker. Each version serves in the end.
"""
import glob
import http.server
import os
import ssl
import subprocess
import sys
import threading

from harness import Fleet


class Server(http.server.ThreadingHTTPServer):
    """Gives the files of a directory, and keeps the paths that it was asked for."""

    daemon_threads = True

    def __init__(self, directory, certificate, key):
        self.asked, self.redirected = [], {}
        server = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=directory)

            def do_GET(self):
                server.asked.append(self.path)
                if self.path in server.redirected:
                    self.send_response(302)
                    self.send_header("Location", server.redirected[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    super().do_GET()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        pass  # A client that does not trust the certificate.


def certificate(directory):
    paths = [os.path.join(directory, name) for name in ("mirror.pem", "mirror.key")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mirror", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1]],
        check=True, capture_output=True)
    return paths


def write(fleet, tree, version):
    """Writes a version to the server's directory, and the file to tell the broker of; returns the blocks' paths."""
    bundle = fleet.pack(f"v{version}")
    release = os.path.join(fleet.directory, f"{version}.release")
    fleet.run(
        "publish", "--bundle", bundle, "--model", "digits", "--version", str(version), "--keys", fleet.keys,
        "--trial-minutes", "0", "--to", release)
    before = set(glob.glob(f"{tree}/es/1/test/o/*/[0-9]*"))
    fleet.run("seed", release, "--to-directory", tree)
    return ["/" + os.path.relpath(path, tree) for path in sorted(set(glob.glob(f"{tree}/es/1/test/o/*/[0-9]*")) - before)]


def want(fleet, version):
    """Brings the version, and the director's word for it, to the broker."""
    fleet.run("seed", os.path.join(fleet.directory, f"{version}.release"), "--broker", f"127.0.0.1:{fleet.port}")
    fleet.wait_serving(version, 60)


with Fleet() as fleet:
    tree = os.path.join(fleet.directory, "tree")
    os.mkdir(tree)
    files = certificate(fleet.directory)
    server = Server(tree, *files)
    fleet.delivery = {"mirror": f"https://127.0.0.1:{server.server_port}", "mirror_ca_file": files[0]}
    blocks = write(fleet, tree, 1)
    assert blocks, "no blocks were written"
    fleet.start_agent()
    want(fleet, 1)
    assert set(blocks) <= set(server.asked), server.asked
    print(f"version 1 came over TLS: the server was asked for {len(server.asked)} files")

    blocks = write(fleet, tree, 2)
    with open(tree + blocks[0], "r+b") as file:
        file.seek(100)
        file.write(b"changed")
    want(fleet, 2)
    assert blocks[0] in server.asked
    print("version 2 serves although the server gave a changed block")

    blocks = write(fleet, tree, 3)
    server.redirected[blocks[0]] = f"http://127.0.0.1:{server.server_port}/"
    for path in blocks[1:2]:
        os.remove(tree + path)
    want(fleet, 3)
    print("version 3 serves although the server sent one block to plain http")

    fleet.kill_agent()
    fleet.delivery.pop("mirror_ca_file")
    fleet.start_agent()
    asked = len(server.asked)
    write(fleet, tree, 4)
    want(fleet, 4)
    assert len(server.asked) == asked, server.asked[asked:]
    print("version 4 came from the broker: the server's certificate was not trusted")
sys.exit(0)
