# SPDX-License-Identifier: MIT
"""What people and servers get wrong, and what the command makes of it: a bad row is a record that names file and line, a
bad job is refused before anything is sent, and whatever ends a job leaves an output to go on with."""
import csv
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import command
import servers
import tap

DAY = 86400


class WithApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.api = cls.enterClassContext(servers.api())

    def setUp(self):
        self.path = self.enterContext(servers.directory())
        self.api.set()

    def write(self, name, data):
        (self.path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return name

    def gather(self, *arguments, code=0, **options):
        run = command.run(*arguments, cwd=self.path, **options)
        self.assertEqual(run.returncode, code, f"{run.stderr}\n{run.stdout[-2000:]}")
        return run

    def records(self, *arguments, code=0, **options):
        """By their numbers."""
        records = command.records(self.gather("--base-url", self.api.url, *arguments, code=code, **options).stdout)
        numbers = [each["n"] for each in records]
        self.assertEqual(len(numbers), len(set(numbers)), "two records have one number")
        return {each["n"]: each for each in records}

    def refused(self, *arguments, code=2, sent=0, says=(), **options):
        """It says why, in a sentence, and sends nothing."""
        run = self.gather(*arguments, code=code, **options)
        self.assertEqual(len(self.api.arrived()), sent)
        for each in (says,) if isinstance(says, str) else says:
            self.assertIn(each, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertGreater(len(run.stderr.strip()), 20)
        return run.stderr

    def assert_input_failure(self, record, file, line):
        self.assertFalse(record["ok"])
        error = record["error"]
        self.assertEqual((error["kind"], error["stage"], error["retryable"]), ("input", "input", False), error)
        self.assertEqual((error["file"], error["line"]), (file, line))
        self.assertGreater(len(error["message"]), 10)
        self.assertNotIn("status", record)


class JsonRows(WithApi):
    GOOD = '{"id":"good","url":"/todos/1"}\n'

    def check_bad_row(self, bad, message=None, before=GOOD):
        """The row before it and the one behind it are called."""
        self.api.set()
        name = self.write("rows.jsonl", before.encode() + bad + b'\n"/todos/2"\n')
        records = self.records(name, code=1)
        self.assertEqual(len(records), 3)
        self.assertTrue(records[1]["ok"] and records[3]["ok"])
        self.assert_input_failure(records[2], "rows.jsonl", 2)
        self.assertLess(len(json.dumps(records[2])), 2000)
        if message:
            self.assertIn(message, records[2]["error"]["message"])
        self.assertEqual(len(self.api.arrived()), 2)

    def test_bad_rows(self):
        for bad, message in [
                (b'{"id":"b","url":"/to', "JSON"),
                (b'{"url":"/todos/3"}}', "JSON"),
                (b'{"url":"/todos/3"} {"url":"/todos/4"}', "JSON"),
                (b"42", "object"), (b"[]", "object"), (b"null", "object"),
                (b'{"id":"b"}', "url"), (b'{"url":7}', "url"), (b'{"url":""}', "URL"),
                (b'{"url":"http://"}', None), (b'{"url":"ftp://127.0.0.1/x"}', None), (b'{"url":"http://127.0.0.1:99999/"}', None),
                (b'{"url":"/x y\\r\\nHost: evil"}', None),
                (b'{"url":"/todos/3","method":"GET / HTTP/1.1\\r\\nX: y\\r\\n"}', None),
                (b'{"url":"/todos/3","headers":{"X-A":"1\\r\\nX-B: 2"}}', None),
                (b'{"url":"/todos/3","headers":{"X A":"1"}}', None),
                (b'{"url":"/todos/3","headers":"X-A: 1"}', "headers"),
                (b'{"url":"/todos/3","body_base64":"*"}', None),
                (b'{"url":"/todos/3","body_file":"no/such/file"}', None),
                (b'{"url":"/todos/3","expect":["often"]}', None),
                (b'{"url":"/todos/3","cost":-1}', None),
                (b'{"url":"/todos/3","id":{"a":1}}', None),
                (b'{"url":"/todos/\xff"}', None), (bytes(range(1, 10)) + bytes(range(11, 256)), None),
                (b'{"url":"/todos/3","body":' + b"[" * 600 + b"]" * 600 + b"}", None),
                (b"[" * 1000000, None)]:
            with self.subTest(row=bad[:60]):
                self.check_bad_row(bad, message)

    def test_deep_rows_that_are_right(self):
        body = "[" * 400 + "]" * 400
        records = self.records(self.write("rows.jsonl", f'{{"url":"/rows/deep","body":{body}}}\n'))
        self.assertEqual(records[1]["body"]["sent"], 800)

    def test_a_row_of_100_mb(self):
        """It is told of, and costs no more memory than twice the longest row that is allowed, 64 MiB."""
        with (self.path / "rows.jsonl").open("wb") as file:
            file.write(b'"/todos/1"\n{"id":"huge","url":"/todos/3","body":"')
            for _ in range(100):
                file.write(b"x" * 1000000)
            file.write(b'"}\n"/todos/2"\n')
        with (self.path / "out").open("w") as out:
            child = command.start("rows.jsonl", "--base-url", self.api.url, cwd=self.path, stdout=out,
                                  env={"MALLOC_PERTURB_": "0"})  # else all memory is touched that is reserved
            child.stderr.close()
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        records = {each["n"]: each for each in command.records(self.path / "out")}
        self.assertEqual((child.returncode, len(records)), (1, 3))
        self.assert_input_failure(records[2], "rows.jsonl", 2)
        self.assertIn("MiB", records[2]["error"]["message"])
        self.assertTrue(records[3]["ok"])
        if not command.is_sanitized():
            self.assertLess(usage.ru_maxrss, 160 * 1024)

    def test_blank_lines_and_line_ends(self):
        records = self.records(self.write("rows.jsonl", '\n\r\n"/todos/1"\r\n  \n\t\n{"url":"/todos/2"}'))
        self.assertEqual({n: each["url"] for n, each in records.items()},
                         {1: f"{self.api.url}/todos/1", 2: f"{self.api.url}/todos/2"})

    def test_no_rows(self):
        for name in ("empty.jsonl", "empty.txt"):
            for data in ("", "\n\n"):
                run = self.gather(self.write(name, data), "-o", "out.jsonl", "--fresh", "--base-url", self.api.url)
                self.assertEqual((self.path / "out.jsonl").read_text(), "")

    def test_files_that_make_no_sense(self):
        for name, data in [("picture.jsonl", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("rows.jsonl.gz", b"\x1f\x8b\x08\0"),
                           ("empty.csv", b""), ("nul.jsonl", b'{"url":"/todos/1"}\n{"url":"/todos/\0"}\n')]:
            with self.subTest(name=name):
                self.refused(self.write(name, data), "--base-url", self.api.url, "--url", self.api.url + "/x", says=name)
        self.refused("missing.jsonl", says="missing.jsonl")
        self.refused(".", says="directory")

    def test_ids_that_come_twice(self):
        """Each row has its record; the same id for something else is an input failure, not a loss."""
        rows = [{"id": "a", "url": "/todos/1"}, {"id": "a", "url": "/todos/2"}, {"id": "b", "url": "/todos/3"}]
        command.write_jsonl(self.path / "rows.jsonl", rows)
        self.gather("rows.jsonl", "--base-url", self.api.url, "-o", "out.jsonl", code=1)
        records = {each["n"]: each for each in command.records(self.path / "out.jsonl")}
        self.assertEqual(sorted(records), [1, 2, 3])
        failed = [each for each in records.values() if not each["ok"]]
        self.assertEqual(len(failed), 1)
        self.assertEqual((failed[0]["id"], failed[0]["error"]["kind"]), ("a", "input"))

    def test_rows_without_ids_that_are_equal(self):
        """They are rows of their own, also for who resumes."""
        self.write("urls.txt", "/todos/1\n" * 5)
        for _ in range(2):
            self.gather("urls.txt", "--base-url", self.api.url, "-o", "out.jsonl", "--resume")
            self.assertEqual(sorted(each["n"] for each in command.records(self.path / "out.jsonl")), [1, 2, 3, 4, 5])
        self.assertEqual(len(self.api.arrived()), 5)


class Columns(WithApi):
    def test_quotes_newlines_mark_and_line_ends(self):
        rows = [("1", 'a "quoted" one'), ("2", "two\r\nlines"), ("3", "comma, and ; semicolon"), ("4", ""), ("5", " blanks ")]
        with (self.path / "rows.csv").open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows([("id", "text"), *rows])
        records = self.records("rows.csv", "--url", self.api.url + "/v1/search?q=x{text}", "--keep", "text")
        self.assertEqual([records[n]["keep"]["text"] for n in range(1, 6)], [text for _, text in rows])
        self.assertEqual([records[n]["body"]["features"][0]["name"] for n in range(1, 6)], ["x" + text for _, text in rows])

    def test_missing_and_extra_columns(self):
        self.write("rows.csv", 'id,text\n1,a\n2\n3,a,b\n4,"a\nb"\n5,\n6\n')
        records = self.records("rows.csv", "--url", self.api.url + "/todos/{id}", code=1)
        self.assertEqual({n: each["ok"] for n, each in records.items()}, {1: True, 2: False, 3: False, 4: True, 5: True, 6: False})
        for n, line in ((2, 3), (3, 4), (6, 8)):
            self.assert_input_failure(records[n], "rows.csv", line)

    def test_a_quote_that_does_not_end(self):
        self.write("rows.csv", 'id\n1\n"2\n3\n4\n')
        records = self.records("rows.csv", "--url", self.api.url + "/todos/{id}", code=1)
        self.assertTrue(records[1]["ok"])
        self.assert_input_failure(records[2], "rows.csv", 3)

    def test_a_column_that_is_missing(self):
        self.write("rows.csv", "id,text\n1,a\n")
        for arguments in (["--url", "/todos/{nr}"], ["--url", "/todos/{id}", "--id", "nr"], ["--url", "/{id}", "--keep", "id,nr"],
                          ["--url", "/{id}", "-H", "X: {nr}"], ["--url", "/{id}", "-d", "a={nr}"], ["--url", "/{id}", "-o", "out/{nr}"]):
            with self.subTest(arguments=arguments):
                self.assertIn("text", self.refused("rows.csv", "--base-url", self.api.url, *arguments, says='"nr"'))

    def test_templates_that_do_not_parse(self):
        self.write("rows.csv", "id,text\n1,a\n")
        for arguments in (["--url", "/todos/{id"], ["--url", "/todos/{}"], ["--url", "/x", "-H", "X: ${env:NOT_THERE_X}"],
                          ["--url", "/x", "-H", "no colon"], ["--url", "/x", "--extract", "a=b"], ["--url", "/x", "--extract", "a=.b["],
                          ["--url", "/x", "--expect", "often"], ["--url", "/x", "--rate", "fast"], ["--url", "/x", "--rat", "5"],
                          ["--url", "/x", "--threads", "0"], ["--url", "/x", "--shard", "3/2"]):
            with self.subTest(arguments=arguments):
                self.refused("rows.csv", "--base-url", self.api.url, *arguments)


class Reach(WithApi):
    def test_ways_to_hosts_that_do_not_parse(self):
        shape = {"--resolve": "HOST:PORT:ADDRESS", "--connect-to": "HOST1:PORT1:HOST2:PORT2"}
        for option, wrong in [("--resolve", "host"), ("--resolve", "host:80"), ("--connect-to", "host"), ("--connect-to", "a:1:b"),
                              ("--connect-to", "a:x:b:2")]:
            for more in ([], ["--dry-run"]):
                with self.subTest(option=option, wrong=wrong, more=more):
                    self.refused(self.api.url + "/todos/1", option, wrong, *more, says=[wrong, shape[option]])
        for wrong in ("host:80:", ":80:127.0.0.1", "host:80:somewhere", "host:http:127.0.0.1"):
            with self.subTest(wrong=wrong):
                self.refused(self.api.url + "/todos/1", "--resolve", wrong, says="resolve")

    def test_a_name_that_is_resolved_by_hand(self):
        port = self.api.url.rsplit(":", 1)[1]
        records = self.records(f"http://none.test:{port}/todos/1", "--resolve", f"none.test:{port}:127.0.0.1")
        self.assertTrue(records[1]["ok"])


class Injection(WithApi):
    """Columns cannot break out of where they stand."""

    EVIL = 'x\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1\r\n", "admin": true, "x": "\\'

    def setUp(self):
        super().setUp()
        with (self.path / "rows.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("id", "text"), ("1", self.EVIL), ("2", "good")])

    def test_a_header(self):
        records = self.records("rows.csv", "--url", self.api.url + "/todos/{id}", "-H", "X-Text: {text}", code=1)
        self.assert_input_failure(records[1], "rows.csv", 2)
        self.assertTrue(records[2]["ok"])
        self.assertEqual([each.target for each in self.api.arrived()], ["/todos/2"])

    def test_a_url(self):
        self.records("rows.csv", "--url", self.api.url + "/v1/search?q={text}")
        records = self.records("rows.csv", "--url", self.api.url + "/v1/search?q={text}")
        self.assertEqual(records[1]["body"]["features"][0]["name"], self.EVIL)
        for each in self.api.arrived():
            self.assertTrue(each.target.startswith("/v1/search?q="))

    def test_a_raw_url(self):
        """Even {+col} makes no second request."""
        self.records("rows.csv", "--url", self.api.url + "/todos/{id}?x={+text}", code=1)
        self.assertEqual([each.target for each in self.api.arrived()], ["/todos/2?x=good"])

    def test_json(self):
        records = self.records("rows.csv", "--url", self.api.url + "/echo", "--json", '{"text":"{text}","admin":false}')
        self.assertEqual(records[1]["body"], {"text": self.EVIL, "admin": False})

    def test_a_form(self):
        records = self.records("rows.csv", "--url", self.api.url + "/echo", "-d", "text={text}&admin=no")
        self.assertEqual(records[1]["text"].count("&"), 1)

    def test_a_files_name(self):
        for number, name in enumerate(("../../escaped", "/etc/gather-was-here", ".hidden", "a/b", "..", "x" * 1000, "nul\0byte")):
            with self.subTest(name=name):
                path = self.path / str(number) / "deep"
                path.mkdir(parents=True)
                command.write_jsonl(path / "rows.jsonl", [{"id": name, "url": "/todos/1"}])
                (path / "out").mkdir()
                run = command.run("rows.jsonl", "--base-url", self.api.url, "-o", "out/{id}.json", cwd=path)
                self.assertIn(run.returncode, (0, 1), run.stderr)
                self.assertEqual({each.name for each in path.iterdir()}, {"rows.jsonl", "out"})
                self.assertEqual({each.name for each in path.parent.iterdir()}, {"deep"})
                self.assertFalse(pathlib.Path("/etc/gather-was-here.json").exists())

    def test_files_that_would_be_the_same(self):
        """No body takes the place of another, nor of the index."""
        rows = [{"id": "a/b", "url": "/todos/1"}, {"id": "a_b", "url": "/todos/2"}, {"id": "index", "url": "/todos/3"}]
        command.write_jsonl(self.path / "rows.jsonl", rows)
        (self.path / "out").mkdir()
        run = command.run("rows.jsonl", "--base-url", self.api.url, "-o", "out/{id}.jsonl", cwd=self.path)
        self.assertIn(run.returncode, (0, 1, 2), run.stderr)
        if run.returncode == 2:
            return
        records = command.records(self.path / "out" / "index.jsonl")
        self.assertEqual(sorted(each["n"] for each in records), [1, 2, 3])
        for each in records:
            if each["ok"]:
                self.assertEqual(json.loads((self.path / each["file"]).read_text())["id"], each["n"])


class Outputs(WithApi):
    def rows(self, count=100):
        self.write("urls.txt", "".join(f"{self.api.url}/todos/{n}\n" for n in range(1, count + 1)))
        return "urls.txt"

    def test_places_that_cannot_be_written(self):
        self.write("file", "")
        (self.path / "taken").mkdir()
        for output in ("missing/out.jsonl", "file/out.jsonl", "taken", "missing/out.csv", "missing/out.db", "file/{id}.json"):
            with self.subTest(output=output):
                run = self.gather(self.rows(), "-o", output, code=4)
                self.assertIn(output.split("/")[0], run.stderr)
                self.assertEqual(self.api.arrived(), [])

    def test_an_output_that_may_only_be_read(self):
        self.write("out.jsonl", "")
        (self.path / "out.jsonl").chmod(0o444)
        self.path.chmod(0o755)
        rows = self.rows()

        def become_nobody():
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(65534)

        try:
            subprocess.run([servers.built("gather"), "--version"], preexec_fn=become_nobody, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"others may not run what is built here: {error}")
        run = self.gather(rows, "-o", "out.jsonl", code=4, preexec_fn=become_nobody, env={"HOME": str(self.path)})
        self.assertIn("out.jsonl", run.stderr)
        self.assertEqual(self.api.arrived(), [])

    def test_an_output_that_is_there_already(self):
        for name in ("out.jsonl", "out.csv"):
            data = '{"precious":true}\n'
            self.refused(self.rows(), "-o", self.write(name, data), says=(name, "--fresh"))
            self.refused(self.rows(), "-o", name, "--resume", says=(name, "--fresh"))
            self.assertEqual((self.path / name).read_text(), data)

    def test_a_database_of_others(self):
        """Its own tables stay as they are."""
        with sqlite3.connect(self.path / "shop.db") as database:
            database.execute("CREATE TABLE items(sku, price)")
            database.execute("INSERT INTO items VALUES('a', 1)")
        database.close()
        run = command.run(self.rows(3), "-o", "shop.db", "--table", "items", cwd=self.path)
        self.assertIn(run.returncode, (2, 4), run.stderr)
        self.assertEqual(self.api.arrived(), [])
        self.gather(self.rows(3), "-o", "shop.db", "--table", "prices")
        with sqlite3.connect(self.path / "shop.db") as database:
            self.assertEqual(database.execute("SELECT * FROM items").fetchall(), [("a", 1)])
            self.assertEqual(database.execute("SELECT count(*) FROM prices").fetchone(), (3,))
        database.close()

    def test_standard_output_that_is_full(self):
        with open("/dev/full", "w") as full:
            run = command.run(self.rows(), cwd=self.path, stdout=full)
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertIn("No space left", run.stderr)

    def test_a_pipe_that_closes(self):
        """`gather ... | head -1` ends soon, and quietly."""
        self.api.set(delays={"/": [0.01, 0.02]})
        child = command.start(self.rows(5000), cwd=self.path, stderr=(self.path / "err").open("w"))
        self.assertTrue(json.loads(child.stdout.readline())["ok"])
        child.stdout.close()
        code = child.wait(20)
        said = (self.path / "err").read_text()
        self.assertIn(code, (3, 4, -signal.SIGPIPE), said)
        self.assertLess(len(self.api.arrived()), 1000)
        self.assertLess(len(said.splitlines()), 15, said)

    def test_a_disk_that_is_full(self):
        """Everything that fits is there; with more room the job goes on."""
        if os.geteuid() != 0 or not shutil.which("mount"):
            self.skipTest("a small disk takes root")
        disk = self.path / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "gather", disk], capture_output=True).returncode != 0:
            self.skipTest("nothing may be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        for name in ("out.jsonl", "out.db"):
            with self.subTest(name=name):
                self.api.set()
                run = self.gather(self.rows(2000), "-o", f"disk/{name}", code=4)
                self.assertRegex(run.stderr, "(?i)no space left|disk is full|full")
                self.assertIn("--resume", run.stderr)
                subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
                self.gather(self.rows(2000), "-o", f"disk/{name}", "--resume")
                if name == "out.jsonl":
                    numbers = [each["n"] for each in command.records(disk / name)]
                else:
                    database = sqlite3.connect(disk / name)
                    numbers = [n for n, in database.execute("SELECT n FROM results")]
                    database.close()
                self.assertEqual(sorted(numbers), list(range(1, 2001)))
                for each in disk.iterdir():
                    each.unlink()
                subprocess.run(["mount", "-o", "remount,size=200k", disk], check=True)


class Journals(WithApi):
    def setUp(self):
        super().setUp()
        self.write("urls.txt", "".join(f"{self.api.url}/todos/{n}\n" for n in range(1, 201)))

    def stop_in_the_middle(self, *arguments, output="out.jsonl"):
        self.api.set(delays={"/": [0.02, 0.05]})
        child = command.start("urls.txt", "-o", output, "-c", "4", *arguments, cwd=self.path)
        while len(self.api.arrived()) < 60:
            time.sleep(0.02)
        child.kill()
        command.finish(child)
        self.api.set()

    def test_an_unfinished_job_is_not_begun_anew(self):
        self.stop_in_the_middle()
        before = (self.path / "out.jsonl").read_bytes()
        said = self.refused("urls.txt", "-o", "out.jsonl", says=("out.jsonl", "--resume", "--fresh"))
        self.assertRegex(said, r"\d+ (of 200|rows are done)")
        self.assertEqual((self.path / "out.jsonl").read_bytes(), before)

    def test_a_finished_job(self):
        self.gather("urls.txt", "-o", "out.jsonl")
        before, sent = (self.path / "out.jsonl").read_bytes(), len(self.api.arrived())
        self.refused("urls.txt", "-o", "out.jsonl", sent=sent, says=("finished", "--fresh"))
        self.gather("urls.txt", "-o", "out.jsonl", "--resume")
        self.assertEqual(((self.path / "out.jsonl").read_bytes(), len(self.api.arrived())), (before, sent))

    def test_a_journal_of_another_job(self):
        self.write("rows.csv", "id\n" + "".join(f"{n}\n" for n in range(50)))
        self.gather("rows.csv", "--url", self.api.url + "/todos/{id}", "--id", "id", "-o", "out.jsonl")
        before, sent = (self.path / "out.jsonl").read_bytes(), len(self.api.arrived())
        for arguments in (["--url", self.api.url + "/rows/{id}", "--id", "id"],
                          ["--url", self.api.url + "/todos/{id}", "--id", "id", "-X", "DELETE"],
                          ["--url", self.api.url + "/todos/{id}", "--id", "id", "--extract", "a=.id"],
                          ["--url", self.api.url + "/todos/{id}", "--id", "id", "--json", "{}"]):
            with self.subTest(arguments=arguments):
                self.refused("rows.csv", "-o", "out.jsonl", "--resume", *arguments, sent=sent, says="out.jsonl")
                self.assertEqual((self.path / "out.jsonl").read_bytes(), before)

    def test_rows_that_have_changed(self):
        rows = [{"id": n, "url": f"/todos/{n}"} for n in range(1, 21)]
        command.write_jsonl(self.path / "rows.jsonl", rows)
        self.gather("rows.jsonl", "--base-url", self.api.url, "-o", "out.jsonl")
        rows[7]["url"] = "/todos/777"
        command.write_jsonl(self.path / "rows.jsonl", rows)
        self.gather("rows.jsonl", "--base-url", self.api.url, "-o", "out.jsonl", "--resume", code=2)
        self.assertEqual(len(self.api.arrived()), 20)

    def test_rows_that_are_inserted_deleted_and_moved(self):
        """Only what is new is asked for."""
        lines = [f"{self.api.url}/todos/{n}\n" for n in range(1, 31)]
        self.write("urls.txt", "".join(lines))
        self.gather("urls.txt", "-o", "out.jsonl")
        self.write("urls.txt", "".join(["# a comment\n", lines[29], f"{self.api.url}/todos/100\n", *lines[5:29]]))
        self.gather("urls.txt", "-o", "out.jsonl", "--resume")
        self.assertEqual([each.target for each in self.api.arrived()][30:], ["/todos/100"])

    def test_a_damaged_journal(self):
        self.stop_in_the_middle()
        good = {each.name: each.read_bytes() for each in self.path.iterdir() if each.name.startswith("out.jsonl")}
        journal = good["out.jsonl.journal"] or b"\0" * 8192

        def damage(data):
            for each in self.path.glob("out.jsonl*"):
                each.unlink()
            for name, content in good.items():
                self.write(name, content)
            (self.path / "out.jsonl.journal-wal").unlink(missing_ok=True)
            (self.path / "out.jsonl.journal-shm").unlink(missing_ok=True)
            self.write("out.jsonl.journal", data)

        for name, data in [("words", b"this is no journal\n" * 100), ("empty", b""), ("zeros", bytes(len(journal))),
                           ("head only", b"SQLite format 3\0" + bytes(84)), ("cut", journal[:len(journal) // 2]),
                           ("overwritten", journal[:100] + b"\xff" * (len(journal) - 100))]:
            with self.subTest(damage=name):
                damage(data)
                run = command.run("urls.txt", "-o", "out.jsonl", "--resume", cwd=self.path)
                self.assertIn(run.returncode, (2, 4), f"{name}: {run.stderr}")
                self.assertIn("out.jsonl", run.stderr)
                self.assertEqual((self.path / "out.jsonl").read_bytes(), good["out.jsonl"])
                self.assertEqual(self.api.arrived(), [])

    def test_a_journal_with_bytes_that_have_changed(self):
        """Wherever they are, it says so or goes on right; nothing crashes, and no record is torn."""
        self.gather("urls.txt", "-o", "out.jsonl")
        data = (self.path / "out.jsonl.journal").read_bytes()
        for at in range(0, len(data), max(1, len(data) // 25)):
            changed = bytearray(data)
            changed[at:at + 8] = bytes(each ^ 0x5a for each in changed[at:at + 8])
            self.write("out.jsonl.journal", bytes(changed))
            run = command.run("urls.txt", "-o", "out.jsonl", "--resume", cwd=self.path)
            self.assertIn(run.returncode, (0, 2, 4), f"at {at}: {run.stderr}")
            command.records(self.path / "out.jsonl")
            for each in ("", "-wal", "-shm"):
                (self.path / f"out.jsonl.journal{each}").unlink(missing_ok=True)

    def test_an_output_that_was_changed(self):
        self.stop_in_the_middle()
        data = (self.path / "out.jsonl").read_bytes()
        self.write("out.jsonl", data[:len(data) // 3])
        run = command.run("urls.txt", "-o", "out.jsonl", "--resume", cwd=self.path)
        self.assertIn(run.returncode, (0, 2), run.stderr)
        if run.returncode == 0:
            self.assertEqual(sorted(each["n"] for each in command.records(self.path / "out.jsonl")), list(range(1, 201)))

    def test_two_runs_at_once(self):
        for output in ("out.jsonl", "out.csv", "out.db"):
            with self.subTest(output=output):
                self.api.set(delays={"/": [0.05, 0.1]})
                first = command.start("urls.txt", "-o", output, "-c", "4", cwd=self.path)
                while len(self.api.arrived()) < 20:
                    time.sleep(0.02)
                for arguments in ([], ["--resume"], ["--fresh"]):
                    second = command.run("urls.txt", "-o", output, *arguments, cwd=self.path)
                    self.assertEqual(second.returncode, 2, second.stderr)
                    self.assertIn(output, second.stderr)
                first = command.finish(first)
                self.assertEqual(first.returncode, 0, first.stderr)
                self.assertEqual(len(self.api.arrived()), 200)

    def test_failed_rows_are_tried_again(self):
        self.api.set(missing=3)
        self.write("urls.txt", "".join(f"{self.api.url}/rows/{n}\n" for n in range(1, 31)))
        self.gather("urls.txt", "-o", "out.jsonl", code=1)
        self.gather("urls.txt", "-o", "out.jsonl", "--resume", code=1)
        self.assertEqual(len(self.api.arrived()), 30)
        failed = self.gather("failed", "out.jsonl").stdout
        self.assertEqual(sorted(json.loads(line)["url"] for line in failed.splitlines()),
                         sorted(f"{self.api.url}/rows/{n}" for n in range(3, 31, 3)))
        self.api.set()
        self.gather("urls.txt", "-o", "out.jsonl", "--retry-failed")
        self.assertEqual(len(self.api.arrived()), 10)
        records = command.records(self.path / "out.jsonl")
        self.assertEqual(sorted(each["n"] for each in records), list(range(1, 31)))
        self.assertTrue(all(each["ok"] for each in records))


class Servers(WithApi):
    """They say no, for now or for ever."""

    def test_429_for_ever(self):
        records = self.records(self.api.url + "/always/429?[1-3]", "--retry", "1", "-c", "3", code=1)
        for each in records.values():
            self.assertEqual((each["status"], each["attempts"], each["error"]["kind"]), (429, 2, "rate_limited"))
            self.assertTrue(each["error"]["retryable"])

    def test_a_wrong_key(self):
        """It does not try all rows to find that out."""
        self.api.set(key="right")
        command.write_jsonl(self.path / "rows.jsonl", [{"id": n, "url": "/v1/embeddings", "body": {"input": "x"}} for n in range(2000)])
        run = self.gather("rows.jsonl", "--base-url", self.api.url, "-X", "POST", "-H", "Authorization: Bearer wrong", "-o", "out.jsonl",
                          code=3)
        self.assertLess(len(self.api.arrived()), 200)
        self.assertIn("401", run.stderr)
        self.assertNotIn("wrong", run.stderr)
        # With the right one it goes on, and tries those again.
        self.gather("rows.jsonl", "--base-url", self.api.url, "-X", "POST", "-H", "Authorization: Bearer right", "-o", "out.jsonl",
                    "--retry-failed")
        self.assertEqual(len(command.records(self.path / "out.jsonl")), 2000)

    def test_a_wait_of_a_day(self):
        """It ends, says when to come back, and what was not asked for is asked for then."""
        begin = time.monotonic()
        run = self.gather(self.api.url + f"/always/429?[1-200]&after={DAY}", "-o", "out.jsonl", code=3)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertLessEqual(len(self.api.arrived()), 20)
        tomorrow = time.localtime(time.time() + DAY), time.gmtime(time.time() + DAY)
        self.assertTrue(any(time.strftime(form, each) in run.stderr for each in tomorrow for form in ("%Y-%m-%d", "%d %b", "%b %e"))
                        or re.search(r"24 ?h|1 ?d", run.stderr), run.stderr)
        self.assertIn("--resume", run.stderr)

    def test_a_wait_that_is_kept(self):
        begin = time.monotonic()
        self.records(self.api.url + "/always/429?after=1", "--retry", "1", code=1)
        self.assertGreaterEqual(time.monotonic() - begin, 1)
        self.assertEqual(len(self.api.arrived()), 2)

    def test_a_body_above_the_limit(self):
        records = self.records(self.api.url + "/big?bytes={1000,2000000}", "--max-body", "1M", code=1)
        self.assertTrue(records[1]["ok"])
        self.assertEqual(records[2]["error"]["kind"], "too_large")

    def test_errors_have_their_kinds(self):
        dead = servers.free_port()
        self.write("urls.txt", f"http://127.0.0.1:{dead}/\nhttp://no-such-host.invalid/\n{self.api.url}/never\n{self.api.url}/always/503\n"
                               f"{self.api.url}/always/404\nhttps://127.0.0.1:{self.api.port}/\n")
        records = self.records("urls.txt", "--retry", "0", "-m", "1", code=1)
        self.assertEqual([records[n]["error"]["kind"] for n in range(1, 7)],
                         ["connect", "dns", "timeout", "http", "http", "tls"])

    def test_a_post_is_not_repeated(self):
        """Where it may have reached the server; with a key it is."""
        for arguments, arrivals in (([], 1), (["--idempotent"], 3), (["--idempotency-key"], 3)):
            self.api.set()
            self.records(self.api.url + "/always/500", "-X", "POST", "--retry", "2", *arguments, code=1)
            arrived = self.api.arrived()
            self.assertEqual(len(arrived), arrivals)
            self.assertEqual(len({each.key for each in arrived}), 1)
            self.assertEqual(arrived[0].key is None, "--idempotency-key" not in arguments)

    def test_a_clock_that_jumps(self):
        """The time of day goes forwards and backwards by a day; the pace does not mind."""
        if command.is_sanitized():
            self.skipTest("nothing can be preloaded")
        limits = {"/todos": {"seconds": 1, "requests": 20, "headers": ["x-delta", "retry-after"]}}
        self.api.set(limits=limits)
        begin = time.monotonic()
        run = self.gather(self.api.url + "/todos/[1-60]", "--rate", "30", "--resume", "-o", "out.jsonl",
                          env={"LD_PRELOAD": servers.built("tests/libjumping_clock.so")})
        self.assertLess(time.monotonic() - begin, 10)
        records = command.records(self.path / "out.jsonl")
        self.assertEqual(len(records), 60)
        for each in records:
            self.assertTrue(all(0 <= value < 10000 for value in each["ms"].values()), each["ms"])


class Signals(WithApi):
    def begin(self, delays, *arguments, count=500):
        self.api.set(delays={"/": delays})
        child = command.start(self.api.url + f"/todos/[1-{count}]", "-o", "out.jsonl", "-c", "4", *arguments, cwd=self.path)
        while len(self.api.arrived()) < 12:
            time.sleep(0.02)
        return child

    def check_rest(self, count=500):
        """What is there is whole, and the job goes on from there; nothing is asked for twice that was answered."""
        done = command.records(self.path / "out.jsonl")
        before = len(self.api.arrived())
        self.api.set()
        self.gather(self.api.url + f"/todos/[1-{count}]", "-o", "out.jsonl", "-c", "4", "--resume")
        self.assertEqual(sorted(each["n"] for each in command.records(self.path / "out.jsonl")), list(range(1, count + 1)))
        self.assertEqual(len(self.api.arrived()), count - len(done))
        return len(done), before

    def test_once(self):
        """What is in flight is waited for."""
        for number in (signal.SIGINT, signal.SIGTERM):
            for arguments in ([], ["--threads", "2"], ["--rate", "20"]):
                with self.subTest(number=number, arguments=arguments):
                    child = self.begin([0.1, 0.2], "--fresh", *arguments)
                    child.send_signal(number)
                    run = command.finish(child, 10)
                    self.assertEqual(run.returncode, 3, run.stderr)
                    self.assertIn("--resume", run.stderr)
                    done, arrived = self.check_rest()
                    self.assertEqual(done, arrived)

    def test_twice(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number=number):
                child = self.begin_slow()
                child.send_signal(number)
                time.sleep(0.3)
                self.assertIsNone(child.poll())
                begin = time.monotonic()
                child.send_signal(number)
                run = command.finish(child, 10)
                self.assertIn(run.returncode, (code, -number), run.stderr)
                self.assertLess(time.monotonic() - begin, 2)
                self.check_rest(20)

    def test_rows_that_wait(self):
        """Those that a server has refused for now are let go, whatever ends the job; a POST among them was not acted upon, so
        it is sent again."""
        command.write_jsonl(self.path / "rows.jsonl", [{"id": f"r-{n}", "url": f"/rows/r-{n}", "method": "POST"} for n in range(20)])
        arguments = ["rows.jsonl", "--base-url", self.api.url, "-o", "out.jsonl", "-c", "4"]
        for number, seconds, code in ((signal.SIGTERM, 20, 3), (signal.SIGKILL, 20, -signal.SIGKILL), (None, DAY, 3)):
            with self.subTest(number=number):
                self.api.set(limits={"/rows": {"seconds": seconds, "requests": 6, "headers": ["retry-after"]}})
                child = command.start(*arguments, "--fresh", cwd=self.path)
                if number:
                    while 429 not in (each.status for each in self.api.arrived()):
                        time.sleep(0.02)
                    time.sleep(0.5)
                    child.send_signal(number)
                run = command.finish(child, 5)
                self.assertEqual(run.returncode, code, run.stderr)
                self.assertEqual(len(self.api.told()["done"]), 6)
                self.api.set()
                self.gather(*arguments, "--resume")
                self.assertTrue(all(each["ok"] for each in command.records(self.path / "out.jsonl")))
                self.assertEqual(len(self.api.told()["done"]), 14)

    def begin_slow(self):
        self.api.set(delays={"/todos": [20, 20]})
        child = command.start(self.api.url + "/todos/[1-20]", "-o", "out.jsonl", "-c", "4", "--fresh", cwd=self.path)
        while len(self.api.arrived()) < 4:
            time.sleep(0.02)
        return child

    def test_a_status_line(self):
        child = self.begin([0.1, 0.2], "--progress", "none", count=100)
        child.send_signal(signal.SIGUSR1)
        run = command.finish(child)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stderr, r"\d+")

    def test_max_duration(self):
        self.api.set(delays={"/": [0.05, 0.1]})
        begin = time.monotonic()
        run = self.gather(self.api.url + "/todos/[1-1000]", "-o", "out.jsonl", "-c", "4", "--max-duration", "1", code=3)
        self.assertLess(time.monotonic() - begin, 4)
        self.assertIn("--resume", run.stderr)
        self.check_rest(1000)


LATIN = {"method": "POST", "content_type": "text/html; charset=iso-8859-1", "body_base64": "77u/Y2Fm6Q=="}
LATIN_BYTES = b"\xef\xbb\xbfcaf\xe9"


class Corners(WithApi):
    """Rows, options and runs that meet in odd ways."""

    def config(self, text):
        (self.path / "gather").mkdir(exist_ok=True)
        self.write("gather/config", text)
        return {"env": {"XDG_CONFIG_HOME": str(self.path)}}

    def test_a_form_that_breaks_off(self):
        self.write("rows.jsonl", '{"url":"/todos/1","form":[{"name":"a","bogus":1},{"name":"b","value":"c"}]}\n"/todos/2"\n')
        records = self.records("rows.jsonl", code=1)
        self.assert_input_failure(records[1], "rows.jsonl", 1)
        self.assertTrue(records[2]["ok"])

    def test_a_password_with_braces(self):
        run = self.gather(self.api.url + "/todos/1", "-u", "me:a{b}c{{d}}", "-q", "--dry-run")
        self.assertIn("GET /todos/1", run.stdout)
        self.records("/todos/1", "-u", "me:a{b}c{{d}}")

    def test_a_bad_row_of_a_table_has_all_columns(self):
        self.write("rows.csv", "a,b\n1,2\n3\n4,5\n6\n")
        arguments = ["rows.csv", "--url", self.api.url + "/todos/{a}", "--keep", "a,b", "--extract", "i=.id", "--ordered", "-c", "1"]
        self.gather(*arguments, "-o", "out.csv", code=1)
        with (self.path / "out.csv").open(newline="") as file:
            self.assertEqual({len(each) for each in csv.reader(file)}, {17})
        self.gather(*arguments, "-o", "out.db", code=1)
        with sqlite3.connect(self.path / "out.db") as db:
            rows = db.execute("SELECT n, a, b, i, body IS NULL FROM results ORDER BY n").fetchall()
        self.assertEqual(rows, [(1, "1", "2", 1, 0), (2, None, None, None, 1), (3, "4", "5", 4, 0), (4, None, None, None, 1)])

    def test_a_body_file_that_comes_or_goes_between_two_runs(self):
        """The row is the same one: it has one record."""
        for row in ({"url": "/echo", "body_file": "data"}, {"id": 7, "url": "/echo", "body_file": "data"}):
            for there in (True, False):
                with self.subTest(row=row, there=there):
                    for first in (True, False):
                        (self.path / "data").unlink(missing_ok=True)
                        if there == first:
                            self.write("data", "x")
                        command.write_jsonl(self.path / "rows.jsonl", [row])
                        self.gather("rows.jsonl", "--base-url", self.api.url, "-o", "out.jsonl",
                                    "--fresh" if first else "--resume", code=0 if there else 1)
                    self.assertEqual(len(command.records(self.path / "out.jsonl")), 1)

    def test_bodies_are_as_they_came(self):
        command.write_jsonl(self.path / "rows.jsonl", [{"id": "a", "url": self.api.url + "/echo", **LATIN}])
        run = subprocess.run([servers.built("gather"), "rows.jsonl", "--raw", "-q"], cwd=self.path, capture_output=True, check=True)
        self.assertEqual(run.stdout, LATIN_BYTES)
        self.gather("rows.jsonl", "-o", "out/{id}", "--extract", "x=.x")
        self.assertEqual((self.path / "out" / "a").read_bytes(), LATIN_BYTES)

    def test_items_are_a_line_each(self):
        command.write_jsonl(self.path / "rows.jsonl", [{"url": self.api.url + "/echo", "body": {"all": [1, {"a": 2}, "c"]}},
                                                       {"url": self.api.url + "/echo", "body": {"all": []}}])
        run = self.gather("rows.jsonl", "--raw", "--next", ".next", "--items", ".all[]")
        self.assertEqual(run.stdout, '1\n{"a":2}\n"c"\n')

    def test_a_secret_of_the_url_is_nowhere(self):
        self.write("rows.csv", "id\n1\n")
        env = {"SECRET_KEY": "hunter2/hunter3"}
        template = "/feeds/a?k=${env:SECRET_KEY}&i={id}"
        self.gather("rows.csv", "--url", self.api.url + template, "--next", ".next", "-o", "pages.jsonl", "--log-json", "log",
                    "--max-pages", "3", env=env)
        for number, (url, more) in enumerate([("http://127.0.0.1:1/x?k=${env:SECRET_KEY}&i={id}", []),
                                              ("http://127.0.0.1:99999/?k=${env:SECRET_KEY}&i={id}", []),
                                              (self.api.url + "/todos/1?k=${env:SECRET_KEY}&i={id}&id=1", ["--next", "id=.id"]),
                                              (self.api.url + "/links/3?k=${env:SECRET_KEY}&i={id}", ["-L", "--max-redirs", "1"])]):
            run = command.run("rows.csv", "--url", url, *more, "--retry", "0", "--log-json", "log", "--max-errors", "1", "-o",
                              f"{number}.jsonl", "--no-body", cwd=self.path, env=env)
            self.assertNotIn("hunter", run.stderr)
        found = [each.name for each in self.path.iterdir() if b"hunter" in each.read_bytes()]
        self.assertEqual(found, [])

    def test_paging_that_goes_on_with_a_secret(self):
        self.write("rows.csv", "id\n1\n")
        arguments = ["rows.csv", "--url", self.api.url + "/cursors/a?k=${env:SECRET_KEY}&i={id}", "--next", "cursor=.meta.cursor",
                     "-o", "out.jsonl"]
        self.api.set(delays={"/cursors": (0.3, 0.3)})
        self.gather(*arguments, "--max-duration", "0.4", code=3, env={"SECRET_KEY": "hunter2"})
        self.gather(*arguments, "--resume", env={"SECRET_KEY": "hunter2"})
        records = command.records(self.path / "out.jsonl")
        self.assertEqual([each["page"] for each in records], [1, 2, 3, 4, 5])
        self.assertEqual(len({each["at"] for each in records}), 5, "each page has its own time")
        self.assertTrue(all("k=hunter2" in each.target for each in self.api.arrived()))

    def test_no_errors_at_all_is_no_number(self):
        self.refused(self.api.url + "/todos/1", "--max-errors", "0", says="--max-errors")

    def test_two_logins(self):
        for arguments in (["--bearer", "a", "-H", "authorization: b"], ["-b", "a=1", "-H", "Cookie: b=2"]):
            self.refused(self.api.url + "/todos/1", *arguments, says="do not go together")
        for text, arguments in (("header = \"Authorization: b\"", ["--bearer", "a"]), ("bearer = b", ["-H", "Authorization: a"])):
            run = self.gather(self.api.url + "/todos/1", *arguments, "--dry-run", **self.config(text))
            self.assertEqual(run.stdout.lower().count("\nauthorization:"), 1, run.stdout)

    def test_what_is_taken_back(self):
        self.records("/todos/1", "--http2", "--no-http2")
        self.records("/todos/1", "--http2", "--no-http2", "--http1.1", "--no-http1.1")

    def test_negative_numbers_in_a_database(self):
        command.write_jsonl(self.path / "rows.jsonl", [{"url": self.api.url + "/echo", "body": {"a": -5}}])
        self.gather("rows.jsonl", "--extract", "a=.a", "-o", "out.db")
        with sqlite3.connect(self.path / "out.db") as db:
            self.assertEqual(db.execute("SELECT typeof(a), a FROM results").fetchone(), ("integer", -5))

    def test_another_table(self):
        arguments = [self.api.url + "/todos/[1-2]", "-o", "out.db"]
        self.gather(*arguments, "--table", "one", "--limit", "1")
        self.refused(*arguments, "--table", "two", "--resume", sent=1, says="--table")
        self.gather(*arguments, "--table", "one", "--resume")

    def test_a_table_in_the_configuration(self):
        self.gather(self.api.url + "/todos/1", "-o", "out.jsonl", **self.config("table = items"))
        self.refused(self.api.url + "/todos/1", "-o", "other.jsonl", "--table", "items", sent=1, says="--table")

    def test_headers_in_a_table(self):
        self.refused(self.api.url + "/todos/1", "-i", "-o", "out.csv", says="--headers")
        self.gather(self.api.url + "/todos/1", "-o", "out.csv", **self.config("headers = true"))

    def test_two_columns_of_one_name(self):
        self.refused(self.api.url + "/todos/1", "--extract", "Status=.id", "-o", "out.db", says="--extract")

    def test_a_row_of_a_table_that_is_too_long(self):
        """It is one row, and told of."""
        for quote in ("", '"'):
            with self.subTest(quote=quote), (self.path / "rows.csv").open("w") as file:
                file.write(f"id,text\n1,{quote}")
                for _ in range(140):
                    file.write("x" * 1000000)
                file.write(f"{quote}\n2,x\n")
            records = self.records("rows.csv", "--url", self.api.url + "/todos/{id}", "--keep", "id", code=1)
            self.assertEqual({n: each["ok"] for n, each in records.items()}, {1: False, 2: True})
            self.assertIn("MiB", records[1]["error"]["message"])

    def test_what_to_do_after_a_fresh_job_has_stopped(self):
        run = self.gather(self.api.url + "/always/[500-509]", "--retry", "0", "--max-errors", "1", "-o", "out.jsonl", "--fresh", code=3)
        self.assertIn("in place of --fresh", " ".join(run.stderr.split()))

    @unittest.skipUnless(shutil.which("strace"), "strace tells the order of things")
    def test_files_are_on_disk_before_their_records(self):
        self.write("rows.csv", "id\n1\n2\n3\n4\n5\n")
        subprocess.run(["strace", "-f", "-y", "-o", "trace", "-e", "trace=rename,syncfs,pwrite64", servers.built("gather"), "rows.csv",
                        "--url", self.api.url + "/todos/{id}", "-o", "out/{id}.json", "--sync", "each", "-q"], cwd=self.path,
                       env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, check=True)
        unsynced = written = 0
        for line in (self.path / "trace").read_text().splitlines():
            if "rename(" in line and ".part" in line:
                unsynced += 1
            elif "syncfs(" in line:
                unsynced = 0
            elif "pwrite64(" in line and "index.jsonl>" in line:
                self.assertEqual(unsynced, 0, line)
                written += 1
        self.assertGreater(written, 0)
        self.assertEqual(len(command.records(self.path / "out" / "index.jsonl")), 5)

    @unittest.skipUnless(shutil.which("strace"), "strace says when it is killed")
    def test_a_fresh_database_and_a_kill_at_any_write(self):
        """What the run before has left is all there, or nothing is."""
        arguments = [servers.built("gather"), self.api.url + "/todos/[1-3]", self.api.url + "/always/404", "-o", "out.db", "-q"]
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        for count in range(8, 36, 3):
            with self.subTest(count=count):
                for each in self.path.glob("out.db*"):
                    each.unlink()
                subprocess.run(arguments, cwd=self.path, env=environment, stderr=subprocess.DEVNULL, check=False)
                subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                                f"inject=pwrite64:signal=KILL:when={count}", *arguments, "--fresh"], cwd=self.path, env=environment,
                               stderr=subprocess.DEVNULL, check=False)
                run = subprocess.run([*arguments, "--resume"], cwd=self.path, env=environment, capture_output=True, check=False)
                self.assertEqual(run.returncode, 1, run.stderr)
                with sqlite3.connect(self.path / "out.db") as db:
                    self.assertEqual(db.execute("SELECT count(*) FROM results").fetchone(), (4,))


if __name__ == "__main__":
    tap.main()
