#!/usr/bin/env python3
"""What an update to each of `fine_tuned_models.py` takes on the wire, in percent of the model file.

Packs and signs each state with the base as what devices have, and prints the encoded bytes of the whole and of the
difference, with those of the digits fixtures before them. A difference that is not worth it is not published.

usage: EDGESERVE=.build/release/edgeserve delta_sizes.py DIRECTORY
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PACKAGE = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("EDGESERVE", PACKAGE / ".build/release/edgeserve")
FIXTURES = PACKAGE / "Tests/Fixtures/digits"


def run(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pack(source, target):
    run("pack", "--model", source / "model.tflite", "--name", "net", "--golden-dir", source / "golden", "--output", target)
    return target


def report(keys, work, name, base, source):
    bundle = pack(source, work / f"{name}.bundle")
    version = len(list(work.glob("*.release"))) + 1
    published = json.loads(
        run("publish", "--bundle", bundle, "--base", base, "--version", version, "--allow-down", "--keys", keys, "--to",
            work / f"{name}.release", "--json"))
    size = (source / "model.tflite").stat().st_size
    delta = published["delta_bytes"]
    print(
        f"{name:14} {size:9} bytes, whole {100 * published['encoded_bytes'] / size:5.1f} %, "
        + (f"difference {100 * delta[0] / size:6.2f} %" if delta else "no difference worth it"),
        flush=True)


def main():
    models = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        run("keygen", "--fleet", "sizes", "--output-dir", work / "keys")
        for old in range(2, 5):
            base = pack(FIXTURES / f"v{old}", work / f"digits-{old}.base")
            report(work / "keys", work, f"digits {old} to {old + 1}", base, FIXTURES / f"v{old + 1}")
        for kind in ("int8", "float"):
            base = pack(models / f"base-{kind}", work / f"base-{kind}.base")
            for state in ("head", "few", "small", "sparse", "middle"):
                if (models / f"{state}-{kind}").is_dir():
                    report(work / "keys", work, f"{state} {kind}", base, models / f"{state}-{kind}")


main()
