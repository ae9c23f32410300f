"""The Swift client library's example, built as an app would: against a tagged version of the package."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import agent
import fixtures

EXAMPLE = os.path.join(fixtures.PACKAGE, "Packaging", "examples", "swift")


def git(directory, *arguments):
    name = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", "-C", directory, *name, *arguments], check=True, capture_output=True, text=True).stdout


def tagged_copy(directory):
    """The package as its files are now, as a repository whose version is 0.1.0."""
    listed = git(fixtures.PACKAGE, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in listed:
        source, target = os.path.join(fixtures.PACKAGE, name), os.path.join(directory, name)
        if os.path.lexists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target, follow_symlinks=False)
    git(directory, "init", "--quiet")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "As it is")
    git(directory, "tag", "0.1.0")


class SwiftClientTest(agent.ClientTest):
    def test_example(self):
        with tempfile.TemporaryDirectory(prefix="edgeserve-swift-") as scratch:
            package, app = os.path.join(scratch, "edgeserve"), os.path.join(scratch, "classify")
            os.makedirs(package)
            tagged_copy(package)
            shutil.copytree(EXAMPLE, app)
            swift = ["swift", "package", "--package-path", app, "config", "set-mirror"]
            mirror = ["--original", "https://example.org/edgeserve", "--mirror", "file://" + package]
            subprocess.run(swift + mirror, check=True, capture_output=True)
            build = ["swift", "build", "--package-path", app, "--product", "Classify"]
            done = subprocess.run(build, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + "".join(re.findall("error.*\n", done.stderr)) + done.stderr[-2000:])
            path = subprocess.run(build + ["--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
            done = subprocess.run(
                [os.path.join(path, "Classify"), self.agent.socket, "digits"], capture_output=True, text=True
            )
            self.assertRegex(done.stdout, r"^digits version 2: class \d\n$", done.stderr)


if __name__ == "__main__":
    unittest.main()
