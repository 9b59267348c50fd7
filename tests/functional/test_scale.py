# SPDX-License-Identifier: MIT
"""What the command costs: memory does not grow with the list, a long journal is gone on with at once, and a slow job takes
next to no CPU. With GATHER_FULL in the environment the list has a million rows."""
import json
import os
import pathlib
import subprocess
import time
import unittest

import command
import servers
import tap

ROWS = 1000000 if "GATHER_FULL" in os.environ else 40000
MOST_MEMORY = 48 * 1024  # KB
MOST_RESUME = 1.0  # seconds
SLOW_RATE, SLOW_START, SLOW_SECONDS = 50, 1.5, 20 if "GATHER_FULL" in os.environ else 8


def cpu_time(pid):
    """Seconds that all threads of a process have run."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) * 1e-9


class Scale(unittest.TestCase):
    def setUp(self):
        self.path = self.enterContext(servers.directory())
        self.todo = self.enterContext(servers.todo_api())

    def measure(self, *arguments, code=0):
        """@return seconds, and what it used"""
        begin = time.monotonic()
        with (self.path / "err").open("w") as err:
            child = command.start(*arguments, cwd=self.path, stderr=err, stdout=err, env={"MALLOC_PERTURB_": "0"})
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, code, (self.path / "err").read_text()[-2000:])
        return time.monotonic() - begin, usage

    def check_numbers(self, count):
        seen = bytearray(count + 1)
        with (self.path / "out.jsonl").open() as file:
            for line in file:
                seen[json.loads(line)["n"]] += 1
        self.assertEqual(seen.count(1), count)

    @unittest.skipIf(command.is_sanitized(), "neither memory nor time is what it would be otherwise")
    def test_memory_and_resuming(self):
        with (self.path / "urls.txt").open("w") as file:
            for n in range(ROWS):
                print(f"{self.todo.url}/todos/{n % 200 + 1}?row={n}", file=file)
        seconds, usage = self.measure("urls.txt", "-o", "out.jsonl", "-c", "50", "-q")
        print(f"# {ROWS} rows: {usage.ru_maxrss / 1024:.1f} MB, {seconds:.1f} s, {ROWS / seconds:.0f} a second, "
              f"{usage.ru_utime + usage.ru_stime:.1f} s of CPU")
        self.assertLess(usage.ru_maxrss, MOST_MEMORY)
        self.check_numbers(ROWS)

        with (self.path / "urls.txt").open("a") as file:
            print(f"{self.todo.url}/todos/1?row=last", file=file)
        seconds, usage = self.measure("urls.txt", "-o", "out.jsonl", "-c", "50", "-q", "--resume")
        print(f"# resumed, with a row more: {seconds:.2f} s, {usage.ru_maxrss / 1024:.1f} MB")
        self.assertLess(usage.ru_maxrss, MOST_MEMORY)
        self.assertLess(seconds, MOST_RESUME)
        self.check_numbers(ROWS + 1)

    @unittest.skipIf(command.is_sanitized(), "neither memory nor time is what it would be otherwise")
    def test_two_threads_take_no_more_memory(self):
        seconds, usage = self.measure(f"{self.todo.url}/todos/1?row=[1-{ROWS // 10}]", "-o", "out.jsonl", "-c", "100", "--threads", "2",
                                      "-q")
        print(f"# two threads: {usage.ru_maxrss / 1024:.1f} MB")
        self.assertLess(usage.ru_maxrss, MOST_MEMORY)
        self.check_numbers(ROWS // 10)

    def share_of_a_core(self, start):
        """What a program takes that `start` starts, from when it is well under way on."""
        child = start()
        try:
            time.sleep(SLOW_START)
            before, begin = cpu_time(child.pid), time.monotonic()
            time.sleep(SLOW_SECONDS)
            return (cpu_time(child.pid) - before) / (time.monotonic() - begin)
        finally:
            self.assertIsNone(child.poll(), "it has ended already")
            child.terminate()
            child.wait()

    @unittest.skipIf(command.is_sanitized(), "neither memory nor time is what it would be otherwise")
    def test_a_slow_job_takes_no_cpu(self):
        """Less than 1 % of a core; where waking up alone costs more than that, less than curl, which keeps no journal."""
        urls = f"{self.todo.url}/todos/1?row=[1-{SLOW_RATE * 10 * SLOW_SECONDS}]"
        share = self.share_of_a_core(lambda: command.start(urls, "-o", "out.jsonl", "--rate", SLOW_RATE, "-q", cwd=self.path,
                                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        done = (self.path / "out.jsonl").read_text().count("\n")
        print(f"# {SLOW_RATE} calls a second: {100 * share:.2f} % of a core")
        self.assertAlmostEqual(done / SLOW_RATE, SLOW_START + SLOW_SECONDS, delta=2)
        if share < 0.01:
            return
        curl = self.share_of_a_core(lambda: subprocess.Popen(["curl", "-s", "--rate", f"{SLOW_RATE}/s", "-o", os.devnull, urls]))
        print(f"# curl: {100 * curl:.2f} %")
        self.assertLess(share, curl)


if __name__ == "__main__":
    tap.main()
