# SPDX-License-Identifier: MIT
"""The examples print what the tutorial's Python programs print on the same server, byte for byte."""
import os
import pathlib
import re
import subprocess
import unittest

import servers
import tap

PYTHON = "/usr/bin/python3"  # the one that has Debian's aiohttp


class Tutorial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plain = cls.enterClassContext(servers.todo_api())
        cls.tls = cls.enterClassContext(servers.todo_api("--tls"))

    def run_program(self, *argv):
        """What a program prints. It must succeed, and have nothing to complain about."""
        run = subprocess.run(argv, capture_output=True, timeout=60, env={**os.environ, "SSL_CERT_FILE": self.tls.ca})
        self.assertEqual((run.returncode, run.stderr), (0, b""), argv)
        return run.stdout

    def ours(self, name, *urls):
        return self.run_program(servers.built(f"examples/{name}"), *urls)

    def theirs(self, name, *urls):
        return self.run_program(PYTHON, str(pathlib.Path(__file__).with_name(f"tutorial_{name}.py")), *urls)

    def compare(self, name, *paths):
        for api in (self.plain, self.tls):
            urls = [api.url + path for path in paths]
            theirs = self.theirs(name, *urls)
            self.assertIn(b"delectus" if "/todos/1" in paths else b"{", theirs)
            self.assertEqual(self.ours(name, *urls), theirs)

    def test_basic(self):
        self.compare("basic", "/todos/1")

    def test_basic_with_a_status_that_is_no_success(self):
        self.compare("basic", "/non-existent-url")

    def test_concurrent(self):
        self.compare("concurrent", "/todos/1", "/todos/2", "/todos/3")

    def test_concurrent_with_many(self):
        self.compare("concurrent", *(f"/todos/{number}" for number in range(1, 51)))

    def test_errors(self):
        self.compare("errors", "/todos/1", "/todos/2", "/non-existent-url")

    def test_errors_of_each_kind(self):
        self.compare("errors", *(f"/status/{status}" for status in (400, 401, 403, 404, 418, 429, 500, 502, 503)), "/todos/1")

    def test_errors_goes_on_where_nobody_listens(self):
        dead = f"http://127.0.0.1:{servers.free_port()}/"
        output = self.ours("errors", f"{self.plain.url}/todos/1", dead).decode()
        self.assertIn("delectus", output)
        self.assertRegex(output, re.escape(f"URL: {dead}, Result: Error: ") + r".*refused")

    def test_practices(self):
        output = self.ours("practices", self.plain.url).decode().splitlines()
        self.assertEqual(len(output), 3, output)
        self.assertRegex(output[0], r"^timed out: .*0\.2 s")
        self.assertEqual(output[1:], ["checksum: 42", "created: 201 application/json; charset=utf-8"])

    def test_many(self):
        for api in (self.plain, self.tls):
            self.assertRegex(self.ours("many", api.url).decode(),
                             r"^200 of 200 calls answered in [0-9.]+ s; their times add up to [0-9.]+ s\n$")


if __name__ == "__main__":
    tap.main()
