#!/usr/bin/env python3
"""Checks edgeserve's signed documents against independent COSE and CBOR libraries, both ways.

Documents that edgeserve signs are verified here with pycose and read with cbor2; documents that are
written and signed here are shown by edgeserve. Needs the PyPI packages `pycose`, `cbor2<6` and
`cryptography`.

Example: check_cose.py .build/debug/edgeserve
"""

import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm, ContentType
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, SignMessage
from pycose.messages.signer import CoseSignature

NOW = 1_800_000_000
checks = 0


def expect(claim, what):
    global checks
    checks += 1
    if not claim:
        sys.exit(f"check_cose: FAILED: {what}")


def run(edgeserve, *arguments, status=0):
    done = subprocess.run([edgeserve, *arguments], capture_output=True, text=True)
    expect(
        done.returncode == status,
        f"{' '.join(arguments)} left with {done.returncode}, not {status}: {done.stderr}",
    )
    return done.stdout


def read_key(path):
    """The 32 bytes in an edgeserve key file."""
    text = path.read_text().split()[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify(message, role, public_keys):
    """Verifies every signature of an edgeserve message, and returns its payload."""
    decoded = CoseMessage.decode(message)
    expect(isinstance(decoded, SignMessage), "the message is COSE_Sign")
    expect(
        decoded.phdr == {ContentType: f"application/vnd.edgeserve.{role}+cbor"},
        "the body's header is the content type",
    )
    expect(decoded.uhdr == {}, "the unprotected header is empty")
    for signer in decoded.signers:
        identifier = signer.phdr[KID]
        key = next(k for k in public_keys if hashlib.sha256(k).digest()[:8] == identifier)
        signer.key = OKPKey(crv=Ed25519, x=key)
        signer.external_aad = f"edgeserve-1/{role}".encode()
        expect(signer.phdr[Algorithm] is EdDSA, "the algorithm is EdDSA")
        expect(signer.verify_signature(), f"the {role} signature holds")
        signer.external_aad = b"edgeserve-1/other"
        expect(not signer.verify_signature(), "the signature holds for its role alone")
    payload = decoded.payload
    expect(cbor2.dumps(cbor2.loads(payload), canonical=True) == payload, "the payload is canonical")
    return cbor2.loads(payload)


def raw_public(key):
    return key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )


def raw_private(key):
    return key.private_bytes(
        serialization.Encoding.Raw,
        serialization.PrivateFormat.Raw,
        serialization.NoEncryption(),
    )


def sign(payload, role, keys):
    """A message of `payload`, signed by each of `keys`."""
    message = SignMessage(
        phdr={ContentType: f"application/vnd.edgeserve.{role}+cbor"},
        payload=cbor2.dumps(payload),
    )
    message.signers = [
        CoseSignature(
            phdr={Algorithm: EdDSA, KID: identifier(key)},
            external_aad=f"edgeserve-1/{role}".encode(),
            key=OKPKey(crv=Ed25519, x=raw_public(key), d=raw_private(key)),
        )
        for key in keys
    ]
    return message.encode(tag=True)


def identifier(key):
    return hashlib.sha256(raw_public(key)).digest()[:8]


def ours_read_there(edgeserve, directory):
    run(edgeserve, "keygen", "--fleet", "interop", "--output-dir", str(directory / "keys"))
    keys = {
        role: read_key(directory / "keys" / f"{role}.pub")
        for role in ["root", "release", "director"]
    }
    root = verify((directory / "keys" / "root.cose").read_bytes(), "root", keys.values())
    expect(root[1] == "interop" and root[2] == 1, "the root document names its fleet and version")
    expect({entry[2] for entry in root[4]} == set(keys.values()), "the root document lists the keys")
    for role, code in [("root", 1), ("release", 2), ("director", 3)]:
        wanted = [hashlib.sha256(keys[role]).digest()[:8]]
        expect(root[5][code] == {1: wanted, 2: 1}, f"the {role} role has its key")
        seed = read_key(directory / "keys" / f"{role}.key")
        derived = raw_public(Ed25519PrivateKey.from_private_bytes(seed))
        expect(derived == keys[role], f"the {role} key's halves belong together")


def theirs_read_here(edgeserve, directory):
    keys = [Ed25519PrivateKey.generate() for _ in range(4)]
    root_keys, release_key, director_key = keys[:2], keys[2], keys[3]
    root = {
        1: "interop", 2: 1, 3: NOW,
        4: [{1: identifier(key), 2: raw_public(key)} for key in keys],
        5: {
            1: {1: [identifier(key) for key in root_keys], 2: 2},
            2: {1: [identifier(release_key)], 2: 1},
            3: {1: [identifier(director_key)], 2: 1},
        },
        200: "ignored",
    }  # fmt: skip
    release = {
        1: "interop", 2: "digits", 3: 5, 4: "five", 5: NOW - 9, 6: 70000, 7: 16,
        8: [{1: "model.tflite", 2: 4096, 3: 65904, 4: bytes(32)}],
        9: bytes(32), 10: bytes(range(32)), 11: {1: "A" * 22, 2: 60000},
        13: {5: 1234}, 14: {2: 1, 3: 100000}, 15: 0, 16: NOW + 9,
    }  # fmt: skip
    director = {
        1: "interop", 2: "digits", 3: 1, 4: 77, 5: NOW - 9, 6: NOW + 9,
        7: {1: 5, 2: bytes(32)}, 10: 10000, 15: 0,
    }  # fmt: skip
    path = {name: directory / f"{name}.cose" for name in ["root", "release", "director"]}
    path["root"].write_bytes(sign(root, "root", root_keys))
    path["release"].write_bytes(sign(release, "release", [release_key]))
    path["director"].write_bytes(sign(director, "director", [director_key]))

    trusted = ["--root", str(path["root"])]
    shown = json.loads(run(edgeserve, "show", str(path["root"])))["root"]
    expect(shown["fleet"] == "interop" and shown["roles"]["root"]["threshold"] == 2, "root is read")
    shown = json.loads(run(edgeserve, "show", str(path["release"]), *trusted))["release"]
    expect(shown["version"] == 5 and shown["peak_bytes"] == 1234, "the release is read")
    shown = json.loads(run(edgeserve, "show", str(path["director"]), *trusted))["director"]
    expect(shown["sequence"] == 77 and shown["basis_points"] == 10000, "the director is read")

    path["root"].write_bytes(sign(root, "root", root_keys[:1]))
    run(edgeserve, "show", str(path["root"]), status=1)
    path["root"].write_bytes(sign(root, "root", root_keys))
    path["release"].write_bytes(sign(release, "release", [director_key]))
    run(edgeserve, "show", str(path["release"]), *trusted, status=1)
    path["director"].write_bytes(sign(director, "release", [director_key]))
    run(edgeserve, "show", str(path["director"]), *trusted, status=2)
    changed = bytearray(sign(director, "director", [director_key]))
    changed[-1] ^= 1
    path["director"].write_bytes(changed)
    run(edgeserve, "show", str(path["director"]), *trusted, status=1)
    path["director"].write_bytes(sign({**director, 127: 0}, "director", [director_key]))
    run(edgeserve, "show", str(path["director"]), *trusted, status=2)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_cose.py EDGESERVE")
    edgeserve = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        ours_read_there(edgeserve, pathlib.Path(name))
        theirs_read_here(edgeserve, pathlib.Path(name))
    print(f"check_cose: {checks} checks passed")


main()
