# SPDX-License-Identifier: MIT
"""Ten thousand calls that wait at once: all are answered, and each costs little memory while it waits."""
import json
import mmap
import resource
import subprocess
import time
import unittest

import servers
import tap

FETCH = servers.built("bench/fetch")
MOST_BYTES_EACH = 8192
DELAY = 3  # seconds until the server answers


def is_sanitized():
    """Whether memory is not what it would be otherwise."""
    with open(FETCH, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program:
        return program.find(b"__asan_") >= 0


class Crowd(unittest.TestCase):
    def fetch(self, url, count, at_once):
        run = subprocess.run([FETCH, "--url", url, "-n", str(count), "-c", str(at_once)], capture_output=True, text=True,
                             timeout=100)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_ten_thousand_calls_wait_at_once(self):
        count = 1000 if is_sanitized() else 10000
        if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2 * count:
            self.skipTest("no descriptors for so many connections (ulimit -Hn)")
        with servers.todo_api() as api:
            few = self.fetch(f"{api.url}/todos/1", 100, 10)
            start = time.monotonic()
            many = self.fetch(f"{api.url}/slow?delay={DELAY}", count, count)
            took = time.monotonic() - start
        self.assertEqual((many["ok"], many["failed"]), (count, 0))
        self.assertGreaterEqual(took, DELAY)
        self.assertLess(took, 30)
        if not is_sanitized():
            each = (many["max_rss_kb"] - few["max_rss_kb"]) * 1024 / count
            print(f"# {each:.0f} bytes a call")
            self.assertLess(each, MOST_BYTES_EACH)


if __name__ == "__main__":
    tap.main()
