# SPDX-License-Identifier: MIT
"""A short round of crash.py; script/crash runs the long one."""
import itertools
import unittest

import command
import crash
import servers
import tap

ROUNDS = 12


class Crash(unittest.TestCase):
    def test_jobs_that_are_killed(self):
        """The promise, with kills and failing disks."""
        total = crash.Tally()
        wrong = crash.rounds(ROUNDS, 1, lambda case, tally, found: total.update(tally))
        self.assertEqual(wrong, [])
        print(f"# {dict(total)}")
        # The kills are to hit, else nothing was proven.
        self.assertGreaterEqual(total["kills"] + total["failed_writes"], ROUNDS // 2)

    @unittest.skipIf(command.is_sanitized(), "nothing can be preloaded")
    def test_writes_that_are_short(self):
        """They are no failure: what is left is written then."""
        with servers.api() as api:
            for number, (output, threads) in enumerate(itertools.product(crash.OUTPUTS, (1, 2))):
                with self.subTest(output=output, threads=threads), servers.directory() as path:
                    job = crash.Job(crash.Case(output, "get", threads), api, path, number)
                    code, said = job.finish(job.start(crash.broken_disk("short", 30, number)))
                    wrong = []
                    self.assertEqual(code, 1, said)  # 404s
                    crash.check_records(job, wrong)
                    crash.check_journal(job, wrong)
                    self.assertEqual(wrong, [])

    @unittest.skipIf(command.is_sanitized(), "nothing can be preloaded")
    def test_a_disk_that_is_full_is_told_of(self):
        with servers.api() as api, servers.directory() as path:
            job = crash.Job(crash.Case("jsonl", "get", 1), api, path, 1)
            code, said = job.finish(job.start(crash.broken_disk("full", 1000, 1)))
            self.assertEqual(code, 4, said)
            self.assertIn("out.jsonl", said)
            self.assertEqual(list(job.arrived()), [])


if __name__ == "__main__":
    tap.main()
