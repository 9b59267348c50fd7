# SPDX-License-Identifier: MIT
"""The command `gather`, as those who call it see it: its words, its exit statuses, what goes to which stream, and its
records as their schemas have them."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import servers
import tap

SOURCE = pathlib.Path(os.environ["GATHER_SOURCE"])
BUILD = pathlib.Path(os.environ["GATHER_BUILD"])
PATIENCE = 60


def environment(**more):
    """Without the configuration and the proxies of who runs the test."""
    kept = {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith("GATHER_")}
    return {**kept, "XDG_CONFIG_HOME": "/nonexistent", **more}


def gather(*arguments, **options):
    options.setdefault("env", environment())
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if options["stdin"] is None:
        del options["stdin"]
    return subprocess.run([servers.built("gather"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE, **options)


class Silent:
    """Counts who connects, and says nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.socket.settimeout(0.05)
        self.connections = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            try:
                self.connections.append(self.socket.accept()[0])
            except TimeoutError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for each in [self.socket, *self.connections]:
            each.close()


# --- schemas ----------------------------------------------------------------------------------------

KINDS = {"string": str, "number": (int, float), "integer": int, "boolean": bool, "object": dict, "array": list,
         "null": type(None)}


def is_of(value, kinds):
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return any(isinstance(value, KINDS[kind]) and (kind in ("boolean", "string", "object", "array", "null")
                                                   or not isinstance(value, bool)) for kind in kinds)


def problems(schema, value, at="$"):
    """What the schema has against the value: the part of JSON Schema that ours use."""
    known = {"$schema", "$id", "title", "description", "type", "required", "additionalProperties", "properties", "enum",
             "items", "minItems", "maxItems", "minimum", "maximum", "minLength", "pattern", "oneOf"}
    assert not set(schema) - known, f"the validator does not know {set(schema) - known}"
    if "oneOf" in schema:
        found = [list(problems(each, value, at)) for each in schema["oneOf"]]
        if sum(not each for each in found) != 1:
            yield f"{at}: {found}"
        return
    if "type" in schema and not is_of(value, schema["type"]):
        yield f"{at}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{at}: {value} is out of range"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0) or not re.search(schema.get("pattern", ""), value):
            yield f"{at}: {value!r}"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at}: {len(value)} elements"
        for i, each in enumerate(value):
            yield from problems(schema.get("items", {}), each, f"{at}[{i}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{at}: no {name}"
        for name, each in value.items():
            if name in schema.get("properties", {}):
                yield from problems(schema["properties"][name], each, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{at}: {name} is not known"
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from problems(schema["additionalProperties"], each, f"{at}.{name}")


def schema(name):
    return json.loads((SOURCE / "docs" / f"{name}.schema.json").read_text())


# Lists what zsh completes of $LINE with the function in the directory $FUNCTIONS: at a prompt, since it does so nowhere else.
ZSH_COMPLETES = r"""
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell 'fpath=($FUNCTIONS $fpath); autoload -U compinit; compinit -u -D'
    zpty -w shell 'compadd() { [[ $* == *-[OAD]\ * ]] || { builtin compadd -A found "$@"; print -rl -- FOUND:$^found; }; builtin compadd "$@" }'
    zpty -w shell 'zle-line-init() { BUFFER=$LINE CURSOR=$#LINE; zle list-choices; print E""ND; }; zle -N zle-line-init'
    while zpty -r shell line && [[ $line != *END* ]]; do print -r -- $line; done
"""


class Words(unittest.TestCase):
    """What it says without a job."""

    def test_help_goes_to_stdout_and_fits_a_screen(self):
        for arguments in (["--help"], ["-h"], ["--help", "all"], ["--help", "rate"], ["--help", "--max-time"]):
            run = gather(*arguments)
            self.assertEqual((run.returncode, run.stderr), (0, ""), arguments)
            self.assertLessEqual(max(map(len, run.stdout.splitlines())), 80)
        self.assertLessEqual(len(gather("--help").stdout.splitlines()), 62)
        self.assertIn("--cacert", gather("--help", "all").stdout)
        self.assertIn("gather --max-time 2m", gather("--help", "-m").stdout)

    def test_version_names_the_libraries_that_run(self):
        run = gather("--version")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertRegex(run.stdout, r"^gather \d+\.\d+\.\d+\n")
        for library in ("OpenSSL", "nghttp2", "c-ares", "zlib", "brotli", "zstd", "SQLite", "jansson"):
            self.assertRegex(run.stdout, rf"\b{library} \d+\.\d+")
        import sqlite3
        self.assertIn(f"SQLite {sqlite3.sqlite_version}", run.stdout)

    def test_without_arguments_the_usage_is_on_stderr(self):
        run = gather()
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("usage: gather", run.stderr)
        self.assertLessEqual(len(run.stderr.splitlines()), 6)

    def test_what_cannot_be_written_is_said(self):
        with open("/dev/full", "w") as full:
            run = subprocess.run([servers.built("gather"), "--help"], stdout=full, stderr=subprocess.PIPE, text=True,
                                 timeout=PATIENCE)
        self.assertEqual(run.returncode, 4)
        self.assertIn("No space left", run.stderr)

    def test_shells_can_read_the_completions(self):
        for shell in ("bash", "zsh", "fish"):
            with self.subTest(shell):
                run = gather("--completion", shell)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertIn("retry-failed", run.stdout)
                if not shutil.which(shell):
                    continue
                check = subprocess.run([shell, "-n"], input=run.stdout, capture_output=True, text=True, timeout=PATIENCE)
                self.assertEqual((check.returncode, check.stderr), (0, ""))

    def test_bash_completes_options_their_values_and_commands(self):
        def completed(*words):
            script = gather("--completion", "bash").stdout + f"""
                compopt() {{ :; }}
                COMP_WORDS=(gather {' '.join(words)} '') COMP_CWORD={len(words)}
                COMP_WORDS[COMP_CWORD]={words[-1]}
                _gather; printf '%s\\n' "${{COMPREPLY[@]}}"
            """
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True,
                                  timeout=PATIENCE).stdout.split()

        self.assertEqual(completed("--retry-f"), ["--retry-failed"])
        self.assertEqual(completed("--sync", "e"), ["each"])
        self.assertEqual(completed("rep"), ["report"])

    COMPLETED = {"--retry-f": {"--retry-failed"}, "--ra": {"--rate", "--rate-per-host", "--raw"}, "--sync e": {"each"},
                 "--output ro": {"rows.jsonl"}, "rep": {"report"}}

    @unittest.skipIf(not shutil.which("fish"), "there is no fish")
    def test_fish_completes_options_their_values_and_commands(self):
        work = self.enterContext(servers.directory())
        (work / "rows.jsonl").touch()
        (work / "gather.fish").write_text(gather("--completion", "fish").stdout)
        for words, expected in self.COMPLETED.items():
            run = subprocess.run(["fish", "-N", "-c", f"source gather.fish; complete -C 'gather {words}'"], capture_output=True,
                                 text=True, timeout=PATIENCE, cwd=work)
            self.assertEqual({line.split("\t")[0] for line in run.stdout.splitlines()}, expected, words)

    @unittest.skipIf(not shutil.which("zsh"), "there is no zsh")
    def test_zsh_completes_options_their_values_and_commands(self):
        work = self.enterContext(servers.directory())
        (work / "rows.jsonl").touch()
        (work / "functions").mkdir()
        (work / "functions" / "_gather").write_text(gather("--completion", "zsh").stdout)
        for words, expected in self.COMPLETED.items():
            run = subprocess.run(["zsh", "-f", "-c", ZSH_COMPLETES], capture_output=True, text=True, timeout=PATIENCE, cwd=work,
                                 env=environment(LINE="gather " + words, FUNCTIONS=str(work / "functions"), TERM="vt100"))
            found = set(re.findall(r"FOUND:([\w.-]+)", run.stdout))
            self.assertEqual({each for each in found if each.startswith(words.split()[-1])}, expected, words)

    @unittest.skipIf(not (BUILD / "man" / "gather.1").exists(), "a sanitized build makes no manual page")
    def test_the_manual_has_every_option_and_nothing_to_complain_about(self):
        page = (BUILD / "man" / "gather.1").read_text()
        for name in re.findall(r"--([a-z][a-z0-9.-]*)", gather("--completion", "bash").stdout):
            self.assertIn("\\-\\-" + name.replace("-", "\\-"), page)
        for word in ("SIGUSR1", "unknown_outcome", "GATHER_", "EXIT STATUS", ".journal"):
            self.assertIn(word, page)
        if shutil.which("groff"):
            run = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True,
                                 timeout=PATIENCE)
            self.assertEqual((run.returncode, run.stderr), (0, ""))


class Refused(unittest.TestCase):
    """What makes no sense ends with 2, before anything is sent."""

    def setUp(self):
        self.server = self.enterContext(Silent())
        self.work = self.enterContext(servers.directory())

    def refused(self, said, *arguments, code=2, **options):
        run = gather(*arguments, cwd=self.work, **options)
        self.assertEqual((run.returncode, run.stdout), (code, ""), run.stderr)
        self.assertIn(said, run.stderr)
        self.assertTrue(run.stderr.startswith("gather: "))
        self.assertEqual(self.server.connections, [])

    def test_options(self):
        url = self.server.url
        self.refused("is --rate meant?", url, "--rat", "5")
        self.refused("such as 500/m", url, "--rate", "fast")
        self.refused("there is no option -Z", url, "-Z")
        self.refused("do not go together", url, "--resume", "--fresh", "-o", "x")
        self.refused("--resume needs --output", url, "--resume")
        self.refused("there is no input", "-c", "5")
        self.refused("is --retry meant?", "--help", "retyr")
        self.refused("GATHER_RATE: ", url, env=environment(GATHER_RATE="fast"))
        (self.work / "config").write_text("rate = 5\nnonsense\n")
        self.refused("config:2: there is no option", url, "--config", "config")
        self.assertEqual(sorted(os.listdir(self.work)), ["config"])

    def test_inputs(self):
        url = self.server.url
        (self.work / "in.csv").write_text("a,b\n1,2\n")
        self.refused("nothere.txt: No such file", url, "nothere.txt")
        self.refused("c", "in.csv", "--url", url + "/{c}")
        self.refused("--extract", url, "--extract", "x=nothing")
        self.refused("{", "in.csv", "--url", url + "/{a")
        self.refused("there is no job with the output nothere.jsonl", "report", "--html", "x.html", "nothere.jsonl")
        self.refused("in.csv has no journal", "failed", "in.csv")
        self.assertEqual(sorted(os.listdir(self.work)), ["in.csv"])

    def test_outputs(self):
        self.refused("No such file or directory", self.server.url, "-o", "nowhere/x.jsonl", code=4)
        (self.work / "in.txt").write_text(self.server.url + "\n")
        self.refused("is to be read and written", "in.txt", "-o", "./in.txt", "--fresh")
        self.assertEqual((self.work / "in.txt").read_text(), self.server.url + "\n")

    def test_a_user_without_a_password_and_without_a_terminal(self):
        self.refused("no terminal", self.server.url, "-u", "me", start_new_session=True)


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.api = cls.enterClassContext(servers.todo_api())

    def setUp(self):
        self.work = self.enterContext(servers.directory())

    def gather(self, *arguments, **options):
        return gather(*arguments, cwd=self.work, **options)

    def records(self, run, code=0):
        self.assertEqual(run.returncode, code, run.stderr)
        found = [json.loads(line) for line in run.stdout.splitlines()]
        for record in found:
            self.assertEqual(list(problems(schema("record"), record)), [], record)
        return {record["n"]: record for record in found}

    def test_a_url_with_a_range_is_a_record_each(self):
        run = self.gather(self.api.url + "/todos/[1-200]", "--no-body", "-q")
        records = self.records(run)
        self.assertEqual(sorted(records), list(range(1, 201)))
        self.assertEqual(run.stderr, "")
        self.assertTrue(all(record["ok"] and record["status"] == 200 for record in records.values()))

    def test_stdout_is_data_and_stderr_the_summary(self):
        run = self.gather(self.api.url + "/todos/1")
        self.assertEqual(self.records(run)[1]["body"]["id"], 1)
        self.assertIn("1 ok", run.stderr)

    def test_failed_rows_are_exit_1_and_an_input(self):
        run = self.gather(self.api.url + "/todos/[199-202]", "-o", "out.jsonl", "--failed-out", "bad.jsonl")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        failed = self.gather("failed", "out.jsonl")
        self.assertEqual((failed.returncode, failed.stderr), (0, ""))
        self.assertEqual((self.work / "bad.jsonl").read_text(), failed.stdout)
        rows = [json.loads(line) for line in failed.stdout.splitlines()]
        self.assertEqual(sorted(row["url"] for row in rows), [f"{self.api.url}/todos/{n}" for n in (201, 202)])
        for row in rows:
            self.assertEqual(list(problems(schema("request"), row)), [])
        again = self.records(self.gather("-", "--expect", "404", input=failed.stdout))
        self.assertEqual([again[n]["ok"] for n in (1, 2)], [True, True])
        report = self.gather("report", "out.jsonl")
        self.assertEqual((report.returncode, report.stderr), (0, ""))
        self.assertIn("404", report.stdout)

    def test_records_of_every_kind_are_as_their_schema_has_them(self):
        rows = [{"url": "/todos/1", "id": "a", "meta": {"x": [1]}, "expect": [200]},
                {"url": "/todos/9999", "custom_id": 7},
                {"url": "/status/204"},
                {"url": "/stream?lines=2"},
                {"url": "/todos", "body": {"title": "new"}, "expect": "201"},
                {"url": "/todos/1", "expect": 418},
                {"url": "http://127.0.0.1:1/"},
                {"url": "/todos/1", "nonsense": 1},
                "/todos/2"]
        (self.work / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n")
        records = self.records(self.gather("in.jsonl", "--base-url", self.api.url, "--headers", "--keep", ".meta.x",
                                           "--extract", "title=.title", "--retry", "0", "-q"), 1)
        self.assertEqual(len(records), 10)
        self.assertEqual([records[n]["ok"] for n in range(1, 11)],
                         [True, False, True, True, True, False, False, False, True, False])
        self.assertEqual([records[n]["error"]["kind"] for n in (2, 6, 7, 8, 10)],
                         ["http", "expect", "connect", "input", "input"])
        self.assertEqual((records[10]["error"]["file"], records[10]["error"]["line"]), ("in.jsonl", 10))
        self.assertEqual((records[1]["id"], records[2]["id"]), ("a", 7))

    def test_rows_are_taken_just_where_their_schema_does(self):
        good = ["/todos/1", {"url": "/todos/1"}, {"url": "/todos/1", "id": 5}, {"url": "/x", "id": None},
                {"url": "/x", "method": "PUT", "headers": {"A": "b", "C": None}, "body": "text"},
                {"url": "/x", "body": [1]}, {"url": "/x", "body": None}, {"url": "/x", "body_base64": "AAE="},
                {"url": "/x", "body_file": "in.jsonl", "content_type": "a/b"}, {"url": "/x", "expect": [200, 404]},
                {"url": "/x", "expect": 204}, {"url": "/x", "expect": "2xx"}, {"url": "/x", "cost": 1.5},
                {"url": "/x", "meta": [None]},
                {"url": "/x", "form": [{"name": "a", "value": ""}, {"name": "b", "file": "in.jsonl"}]}]
        bad = [5, [], None, {}, {"id": 1}, {"url": 5}, {"url": "/x", "id": {}}, {"url": "/x", "headers": []},
               {"url": "/x", "headers": {"A": 1}}, {"url": "/x", "cost": "1"}, {"url": "/x", "cost": -1},
               {"url": "/x", "expect": [99]}, {"url": "/x", "expect": {}}, {"url": "/x", "body_base64": 1},
               {"url": "/x", "form": []}, {"url": "/x", "form": {"a": "b"}}, {"url": "/x", "form": ["a=b"]},
               {"url": "/x", "form": [{"name": "a"}]}, {"url": "/x", "form": [{"name": "a", "value": "b", "file": "c"}]},
               {"url": "/x", "method": 1}, {"url": "/x", "else": 1}]
        for rows, told in ((good, False), (bad, True)):
            for row in rows:
                (self.work / "in.jsonl").write_text(json.dumps(row) + "\n")
                run = self.gather("in.jsonl", "--base-url", self.api.url, "--dry-run")
                self.assertEqual(run.returncode == 2 or "cannot be called" in run.stdout, told, f"{row}: {run.stdout}{run.stderr}")
                self.assertEqual(bool(list(problems(schema("request"), row))), told, row)

    def test_a_configuration_and_the_environment_have_a_say(self):
        (self.work / "gather").mkdir()
        (self.work / "gather" / "config").write_text('header = "X-From: config"\nno-body\nextract = f=."X-From"\n'
                                                     'extract = g=."X-Also"\n')
        run = self.gather(self.api.url + "/headers", "-q", "--extract", 'all=.',
                          env=environment(XDG_CONFIG_HOME=str(self.work), GATHER_USER_AGENT="from-the-environment"))
        seen = json.dumps(self.records(run)[1])
        self.assertIn("config", seen)
        self.assertIn("from-the-environment", seen)

    def test_a_trace_tells_each_step_without_secrets(self):
        run = self.gather(self.api.url + "/todos/1", "-q", "--trace", "--bearer", "hunter2")
        self.records(run)
        self.assertIn("connect", run.stderr)
        self.assertNotIn("hunter2", run.stderr)
        self.assertEqual(self.gather(self.api.url + "/todos/1", "-q", "--no-trace",
                                     env=environment(GATHER_TRACE="1")).stderr, "")

    def test_raw_is_the_bodies_in_order(self):
        run = self.gather("--raw", "-q", self.api.url + "/todos/[1-20]", "-c", "8")
        self.assertEqual(run.returncode, 0)
        self.assertEqual(re.findall(r'"id": (\d+)', run.stdout), [str(n) for n in range(1, 21)])

    def test_a_dry_run_sends_nothing_and_keeps_secrets(self):
        with Silent() as server:
            run = self.gather(server.url + "/[1-100]", "--dry-run", "--rate", "5", "--bearer", "${env:SECRET_KEY}",
                              "-b", "session=${env:SECRET_KEY}", "-H", "X-Key: ${env:SECRET_KEY}", "-d", "key=${env:SECRET_KEY}",
                              env=environment(SECRET_KEY="hunter2"))
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("POST /1 HTTP/1.1", run.stdout)
            self.assertIn("100 rows", run.stdout)
            self.assertIn("X-Key: ${env:SECRET_KEY}", run.stdout)
            self.assertIn("Authorization: ", run.stdout)
            self.assertNotIn("hunter2", run.stdout + run.stderr)
            self.assertEqual(server.connections, [])

    def test_headers_are_replaced_emptied_and_taken_away_as_curl_does(self):
        defaults = {"User-Agent", "Accept", "Accept-Encoding"}
        json_row = self.work / "row.jsonl"
        json_row.write_text('{"url":"http://h/","body":{"a":1},"headers":{"X-A":"row"}}\n')
        typed_row = self.work / "typed.jsonl"
        typed_row.write_text('{"url":"http://h/","body":{"a":1},"headers":{"Content-Type":"application/x"}}\n')
        for arguments, lacking, having in (
                (["-H", "User-Agent:", "-H", "Accept:", "-H", "Accept-Encoding:"], defaults, {}),
                (["-H", "user-agent;", "-H", "X-Empty;"], (), {"user-agent": "", "X-Empty": ""}),
                (["-H", "X-A: 1", "-H", "X-A:"], (), {"X-A": "1"}),
                (["-H", "Host: other"], (), {"Host": "other"}),
                (["-d", "a"], (), {"Content-Type": "application/x-www-form-urlencoded"}),
                (["-d", "a", "-H", "Content-Type:"], {"Content-Type"}, {}),
                (["-d", "a", "-H", "content-type;"], (), {"content-type": ""}),
                (["--json", "{}", "-H", "Content-Type: application/vnd.api+json"], (),
                 {"Content-Type": "application/vnd.api+json"}),
                ([json_row], (), {"Content-Type": "application/json"}),
                ([json_row, "-H", "Content-Type: a/{+url}"], (), {"Content-Type": "a/http://h/"}),
                ([json_row, "-H", "Content-Type:"], {"Content-Type"}, {}),
                ([json_row, "-H", "X-A: {url}"], (), {"X-A": "row"}),
                ([typed_row, "-H", "Content-Type: a/b"], (), {"Content-Type": "application/x"})):
            with self.subTest(arguments=arguments):
                urls = [] if arguments[0] in (json_row, typed_row) else ["http://h/"]
                run = self.gather(*urls, *arguments, "--dry-run")
                self.assertEqual(run.returncode, 0, run.stderr)
                head = run.stdout.partition("\n\n")[0].splitlines()[2:]
                fields = dict(line.split(": ", 1) for line in head)
                names = [line.split(": ")[0].lower() for line in head]
                self.assertEqual(len(names), len(set(names)), head)
                self.assertEqual({name: fields.get(name) for name in having}, having)
                self.assertFalse({name.lower() for name in lacking} & set(names), head)

    def test_secrets_are_sent(self):
        run = self.gather(self.api.url + "/headers", "-q", "--bearer", "${env:SECRET_KEY}", "-b",
                          "session=${env:SECRET_KEY}", env=environment(SECRET_KEY="hunter2"))
        seen = json.dumps(self.records(run)[1])
        self.assertIn("Bearer hunter2", seen)
        self.assertIn("session=hunter2", seen)

    def read_until(self, terminal, wanted=None):
        """What comes up to these bytes, or to the end."""
        shown = b""
        while wanted is None or wanted not in shown:
            if not select.select([terminal], [], [], PATIENCE)[0]:
                self.fail(f"nothing comes behind {shown}")
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # a terminal that nobody has open any more
                break
        return shown

    def test_a_password_is_asked_for_and_not_shown(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execve(servers.built("gather"), ["gather", self.api.url + "/headers", "-q", "-u", "me"], environment())
        self.addCleanup(os.close, terminal)
        shown = self.read_until(terminal, b"password of me: ")
        os.write(terminal, b"hunter2\n")
        shown += self.read_until(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        self.assertNotIn(b"hunter2", shown)
        self.assertIn(b"Basic bWU6aHVudGVyMg==", shown)

    def test_a_reader_that_goes_ends_it_quietly(self):
        child = subprocess.Popen([servers.built("gather"), self.api.url + "/todos/[1-100000]"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=environment(), cwd=self.work)
        self.assertTrue(child.stdout.readline())
        child.stdout.close()
        said = child.stderr.read().decode()
        child.stderr.close()
        self.assertEqual(child.wait(PATIENCE), 4)
        self.assertNotIn("Broken pipe", said)

    def test_an_output_that_is_full_is_exit_4(self):
        with open("/dev/full", "w") as full:
            run = subprocess.run([servers.built("gather"), self.api.url + "/todos/[1-50]"], stdout=full, env=environment(),
                                 stderr=subprocess.PIPE, text=True, timeout=PATIENCE, cwd=self.work)
        self.assertEqual(run.returncode, 4)
        self.assertIn("No space left", run.stderr)

    def test_a_job_that_is_done_sends_nothing_again(self):
        arguments = [self.api.url + "/todos/[1-50]", "-o", "out.jsonl"]
        self.assertEqual(self.gather(*arguments).returncode, 0)
        before = (self.work / "out.jsonl").read_bytes()
        self.assertEqual(self.gather(*arguments).returncode, 2)
        self.assertEqual(self.gather(*arguments, "--resume").returncode, 0)
        self.assertEqual((self.work / "out.jsonl").read_bytes(), before)

    def test_a_file_that_is_called_as_a_command_is_reached(self):
        (self.work / "report").write_text(self.api.url + "/todos/1\n")
        self.assertEqual(len(self.records(self.gather("./report", "-q"))), 1)
        self.assertEqual(len(self.records(self.gather("-q", "--", "report"))), 1)


class Signals(unittest.TestCase):
    def setUp(self):
        self.api = self.enterContext(servers.todo_api())
        self.work = self.enterContext(servers.directory())

    def start(self, *arguments):
        child = subprocess.Popen([servers.built("gather"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=environment(), cwd=self.work, text=True)
        self.addCleanup(child.kill)
        return child

    def wait_for(self, path, lines):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if path.exists() and path.read_bytes().count(b"\n") >= lines:
                return
            time.sleep(0.02)
        self.fail(f"{path} has not {lines} lines")

    def test_the_first_stops_it_in_order_to_be_resumed(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.work / f"{number}.jsonl"
            arguments = [self.api.url + "/todos/[1-200]", "--rate", "50", "-o", str(out)]
            child = self.start(*arguments)
            self.wait_for(out, 3)
            child.send_signal(number)
            said = child.communicate(timeout=PATIENCE)[1]
            self.assertEqual(child.returncode, 3, said)
            self.assertLess(out.read_bytes().count(b"\n"), 200)
            self.assertIn("--resume", said)
        run = gather(arguments[0], "-o", out, "--resume", cwd=self.work)
        self.assertEqual(run.returncode, 0, run.stderr)
        numbers = sorted(json.loads(line)["n"] for line in out.read_text().splitlines())
        self.assertEqual(numbers, list(range(1, 201)))

    def test_the_second_ends_it_at_once(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with Silent() as server:
                child = self.start(server.url + "/[1-3]")
                deadline = time.monotonic() + PATIENCE
                while not server.connections and time.monotonic() < deadline:
                    time.sleep(0.02)
                child.send_signal(number)
                time.sleep(0.3)
                self.assertIsNone(child.poll())
                before = time.monotonic()
                child.send_signal(number)
                child.communicate(timeout=PATIENCE)
                self.assertEqual(child.returncode, code)
                self.assertLess(time.monotonic() - before, 5)

    def test_usr1_tells_how_it_stands(self):
        child = self.start(self.api.url + "/todos/[1-200]", "--rate", "20", "-o", "out.jsonl", "-q")
        self.wait_for(self.work / "out.jsonl", 3)
        child.send_signal(signal.SIGUSR1)
        self.assertTrue(select.select([child.stderr], [], [], PATIENCE)[0])
        self.assertIn("of 200", child.stderr.readline())
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, 3)


if __name__ == "__main__":
    tap.main()
