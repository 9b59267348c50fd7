# SPDX-License-Identifier: MIT
"""The promise of the command, put to the test: jobs are killed at random times, or their disk fails, and they are gone on
with until they end. Then the records must be the rows, each once; and the server, which has logged each request,
must have seen again only what was in flight at a kill.

A case is an output, what is called, and how many threads; a round is one job of a case with its kills. What it
finds wrong is a sentence each.

usage: crash.py [ROUNDS] [SEED]      prints a table; exit status 1 where anything was wrong; where KEEP_CRASHES names a
                                     directory, what is wrong is kept there
"""
import collections
import concurrent.futures
import contextlib
import csv
import functools
import io
import itertools
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import zlib

import api_server
import command
import servers

ROWS, AT_ONCE = 240, 8
DELAY = [0.002, 0.012]  # seconds, of an answer
MISSING = 37  # every so manieth row answers 404
PAGED_ROWS, ITEMS = 24, 3  # items of a page
PATIENCE = 60  # seconds until a job must have ended

OUTPUTS = {"jsonl": "out.jsonl", "csv": "out.csv", "db": "out.db", "dir": "out/{id}.json"}
CALLS = ("get", "post", "keyed", "paged")

Case = collections.namedtuple("Case", "output calls threads")
# What a round saw: numbers to be added up, and what was wrong.
COUNTS = ("rounds", "kills", "failed_writes", "rows", "repeats", "unknown", "torn")


class Tally(collections.Counter):
    pass


def cases():
    """All of them; those that are paged have no bodies in files."""
    return [Case(output, calls, threads) for output, calls, threads in itertools.product(OUTPUTS, CALLS, (1, 2))
            if not (output == "dir" and calls == "paged")]


# --- what a job has written ---------------------------------------------------------------------------------

Record = collections.namedtuple("Record", "id page item ok kind")


def item_of(page, body):
    """Of a paged row each item of a page has a record."""
    return str(body).strip('"') if page else None


class Torn(Exception):
    pass


def of_jsonl(data):
    for line in data.splitlines():
        try:
            value = json.loads(line)
        except ValueError as error:
            raise Torn(f"the line {line[:80]!r} is none of JSON") from error
        page = value.get("page", 0)
        yield Record(value["id"], page, item_of(page, value.get("body")), value["ok"], (value["error"] or {}).get("kind"))


def of_csv(data):
    table = csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True)
    for row in table:
        if None in row or None in row.values():
            raise Torn(f"the record {str(row)[:80]} has not as many fields as the head")
        page = int(row["page"] or 0)
        yield Record(row["id"], page, item_of(page, row["body"]), row["ok"] == "true", row["error"] or None)


@contextlib.contextmanager
def database(path):
    """A copy of it, so that it stays as it was found."""
    with servers.directory() as where:
        for each in path.parent.glob(path.name + "*"):
            if not each.name.endswith("-shm"):
                shutil.copy(each, where / each.name)
        with contextlib.closing(sqlite3.connect(where / path.name)) as copy:
            yield copy


def of_db(path):
    with database(path) as copy:
        if not copy.execute("SELECT 1 FROM sqlite_master WHERE name='results'").fetchone():
            return
        for name, page, ok, kind, body in copy.execute("SELECT id, page, ok, error, body FROM results"):
            yield Record(name, page or 0, item_of(page, body), bool(ok), kind)


class Job:
    """One command, its directory, and what became of it."""

    def __init__(self, case, api, path, seed):
        self.case, self.api, self.path = case, api, path
        self.random = random.Random(seed)
        self.output = path / OUTPUTS[case.output]
        self.index = path / "out" / "index.jsonl" if case.output == "dir" else self.output
        self.journal = self.output if case.output == "db" else self.index.with_name(self.index.name + ".journal")
        self.ids = [f"row {n}/\u00e9" if n % 50 == 0 else f"r-{n}"
                    for n in range(1, 1 + (PAGED_ROWS if case.calls == "paged" else ROWS))]
        self.random.shuffle(self.ids)
        (path / "out").mkdir()
        self.write_rows()
        api.set(delays={"/": DELAY}, missing=0 if case.calls == "paged" else MISSING, seed=seed)

    def write_rows(self):
        place = "feeds" if self.case.calls == "paged" else "rows"
        with (self.path / "rows.jsonl").open("w") as file:
            for name in self.ids:
                row = {"id": name, "url": f"/{place}/{urllib.parse.quote(name, safe='')}"}
                if self.case.calls in ("post", "keyed"):
                    row |= {"method": "POST", "body": {"name": name}}
                print(json.dumps(row), file=file)

    def argv(self):
        argv = [servers.built("gather"), "rows.jsonl", "--base-url", self.api.url, "-o", OUTPUTS[self.case.output],
                "-c", str(AT_ONCE), "--threads", str(self.case.threads), "--resume", "-q", "--max-errors", "none"]
        if self.case.calls == "keyed":
            argv.append("--idempotency-key")
        if self.case.calls == "paged":
            argv += ["--next", ".next", "--items", ".items[]"]
        return argv

    def start(self, environment=None, **options):
        return subprocess.Popen(self.argv(), cwd=self.path, env={**os.environ, **(environment or {})},
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)

    def finish(self, child):
        try:
            _, said = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return None, f"it did not end in {PATIENCE} s"
        return child.returncode, said.strip()

    def records(self, whole=True):
        """Of the output as it stands; where it is not whole, without the line that its end is torn in."""
        if self.case.output == "db":
            return list(of_db(self.output)) if self.output.exists() else []
        data = self.index.read_bytes() if self.index.exists() else b""
        end = data.rfind(b"\n") + 1
        if whole and end < len(data):
            raise Torn(f"the last line is torn: {data[end:][:80]!r}")
        return list((of_csv if self.case.output == "csv" else of_jsonl)(data[:end]))

    def is_torn(self):
        data = self.index.read_bytes() if self.case.output != "db" and self.index.exists() else b""
        return not data.endswith(b"\n") and data != b""

    def arrived(self):
        """The requests, each as its row's id, page and key."""
        for each in self.api.arrived():
            parts = urllib.parse.urlsplit(each.target)
            page = int(urllib.parse.parse_qs(parts.query).get("page", [1])[0]) if self.case.calls == "paged" else 0
            yield urllib.parse.unquote(parts.path.split("/", 2)[2]), page, each.key


# --- ends ---------------------------------------------------------------------------------------------------

@functools.cache
def measured(case):
    """How long an undisturbed job of the case takes, and how often it writes to a file."""
    with servers.directory() as path, servers.api() as api:
        job = Job(case, api, path, 0)
        begin = time.monotonic()
        told = path / "count"
        child = job.start(broken_disk("count", 0, 0) | {"BROKEN_DISK_COUNT": str(told)})
        code, said = job.finish(child)
        if code != expected_code(job, 0):
            raise RuntimeError(f"{case}: an undisturbed job ended with {code}: {said}")
        return time.monotonic() - begin, int(told.read_text()) if told.exists() else 0


def broken_disk(kind, number, seed):
    library = servers.built("tests/libbroken_disk.so")
    return {"LD_PRELOAD": library, "BROKEN_DISK": f"{kind}:{number}:{seed}"}


def expected_code(job, unknown):
    return 1 if unknown or job.case.calls != "paged" else 0  # 404s


class Ends:
    """The ways in which a job ends before its time. Each starts the job; @return its exit status and what it said."""

    def __init__(self, job):
        self.job, self.random = job, job.random

    def left(self):
        """The share of the job that is still to be done."""
        done = len(self.job.records(whole=False))
        return max(0.02, 1 - done / len(self.job.ids) / (ITEMS * api_server.PAGES if self.job.case.calls == "paged" else 1))

    def time(self):
        """kill -9 while it runs."""
        duration, _ = measured(self.job.case)
        pause = 0.01 + self.random.random() * duration * self.left()
        child = self.job.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(pause)
        child.kill()
        return self.job.finish(child)

    def write(self):
        """Gone in the middle of a write."""
        _, writes = measured(self.job.case)
        number = 1 + self.random.randrange(max(1, int(writes * self.left())))
        return self.job.finish(self.job.start(broken_disk("kill", number, self.random.randrange(1 << 30))))

    def full(self, kind="full"):
        """The disk is full at some write, and stays so."""
        _, writes = measured(self.job.case)
        mille = max(1, 3000 // max(1, int(writes * self.left())))
        return self.job.finish(self.job.start(broken_disk(kind, mille, self.random.randrange(1 << 30))))

    def flaky(self):
        """Some write fails, and later ones do not."""
        return self.full("flaky")

    def sync(self):
        """The disk loses what was to be on it."""
        return self.job.finish(self.job.start(broken_disk("sync", 50, self.random.randrange(1 << 30))))

    def size(self):
        """No file may grow beyond a size."""
        most = self.random.randrange(1000, 120000)
        return self.job.finish(self.job.start(
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))))


# --- what must hold -----------------------------------------------------------------------------------------

def check_records(job, wrong):
    """@return how many outcomes are unknown"""
    pages = range(1, api_server.PAGES + 1) if job.case.calls == "paged" else [0]
    items = range(ITEMS) if job.case.calls == "paged" else [None]
    wanted = {(name, page, f"{name}-{page}-{item}" if page else None) for name in job.ids for page in pages for item in items}
    records = job.records()
    seen = collections.Counter((each.id, each.page, each.item) for each in records)
    unknown = sum(each.kind == "unknown_outcome" for each in records)
    twice = [key for key, count in seen.items() if count > 1]
    if twice:
        wrong.append(f"{len(twice)} records are there twice, as {twice[0]}")
    if wanted - set(seen):
        wrong.append(f"{len(wanted - set(seen))} records are missing, as {min(wanted - set(seen))}")
    if set(seen) - wanted:
        wrong.append(f"{len(set(seen) - wanted)} records are of no row, as {min(set(seen) - wanted)}")
    if unknown and job.case.calls != "post":
        wrong.append(f"{unknown} outcomes are unknown, though rows may be repeated")
    return unknown


def check_server(job, ends, wrong):
    """@return how many requests came again"""
    arrived = collections.Counter((name, page) for name, page, _ in job.arrived())
    repeats = sum(count - 1 for count in arrived.values())
    most = 0 if job.case.calls == "post" else AT_ONCE * ends
    if repeats > most:
        wrong.append(f"{repeats} requests came again after {ends} ends, more than {most}")
    if job.case.calls == "keyed":
        keys = collections.defaultdict(set)
        for name, _, key in job.arrived():
            keys[name].add(key)
        if any(len(of_row) > 1 or None in of_row for of_row in keys.values()):
            wrong.append("a row was sent with several keys, or none")
        if len(set().union(*keys.values())) != len(keys):
            wrong.append("two rows were sent with the same key")
    return repeats


def check_files(job, wrong):
    if job.case.output != "dir":
        return
    for line in job.index.read_text().splitlines():
        record = json.loads(line)
        if not record["ok"]:
            continue
        try:
            body = json.loads((job.path / record["file"]).read_bytes())
        except (OSError, ValueError, KeyError) as error:
            wrong.append(f"the body of {record['id']} is not in its file: {error!r}")
            return
        if body["row"] != record["id"]:
            wrong.append(f"{record['file']} is the body of {body['row']}, not of {record['id']}")
    left = [each.name for each in (job.path / "out").iterdir() if each.suffix not in (".json", ".jsonl", ".journal")]
    if left:
        wrong.append(f"there are files left over: {left[:3]}")


def check_journal(job, wrong):
    """Whether the journal has the records, and each where the output has it."""
    with database(job.journal) as journal:
        rows, = journal.execute("SELECT count(*) FROM gather_done WHERE last=1").fetchone()
        entries = journal.execute("SELECT end, size, crc FROM gather_done ORDER BY end").fetchall()
    if rows != len(job.ids):
        wrong.append(f"the journal has {rows} rows as done, not {len(job.ids)}")
    if job.case.output == "db":
        return
    data = job.index.read_bytes()
    at = data.index(b"\n") + 1 if job.case.output == "csv" else 0
    for end, size, checksum in entries:
        if end - size != at or zlib.crc32(data[at:end]) != checksum:
            wrong.append(f"the output has no record from {at} to {end}, as the journal says")
            return
        at = end
    if at != len(data):
        wrong.append(f"the output has {len(data) - at} bytes of which the journal knows nothing")


def pages_of(records):
    """Those that are there with all their items."""
    items = collections.Counter((each.id, each.page) for each in records)
    return {(name, page) for (name, page), count in items.items() if count == (ITEMS if page else 1)}


def check_untouched(job, done, before, wrong):
    """Rows that were done before this end are not requested after it."""
    again = [(name, page) for name, page, _ in list(job.arrived())[before:] if (name, page) in done]
    if again:
        wrong.append(f"{len(again)} rows were requested again though their records were there, as {again[0]}")


# --- a round ------------------------------------------------------------------------------------------------

def end_it(job, ways, tally, wrong):
    """Runs the job to an end before its time, or to its own. @return whether it was before its time"""
    way = job.random.choice(ways)
    code, said = getattr(Ends(job), way)()
    if code == -signal.SIGKILL and way in ("time", "write"):
        tally["kills"] += 1
    elif code == 4 and way in ("full", "flaky", "sync", "size"):
        tally["failed_writes"] += 1
        if not said:
            wrong.append(f"after the end by {way} it did not say why")
    elif code in (0, 1):
        return False
    else:
        wrong.append(f"after the end by {way} the exit status is {code}: {said[-300:]}")
        return False
    tally["torn ends"] += job.is_torn()
    return True


def run(case, api, seed, ways):
    """@return a tally, and what was wrong"""
    tally, wrong = Tally(rounds=1), []
    with servers.directory() as path:
        job = Job(case, api, path, seed)
        done, before, ends = [], [], 0
        for _ in range(job.random.randint(1, 4)):
            if not end_it(job, ways, tally, wrong):
                break
            ends += 1
            time.sleep(0.02)  # what was sent arrives
            done.append(pages_of(job.records(whole=False)))
            before.append(sum(1 for _ in job.arrived()))
        code, said = job.finish(job.start())
        try:
            unknown = check_records(job, wrong)
            check_journal(job, wrong)
            check_files(job, wrong)
        except Torn as error:
            tally["torn"] += 1
            wrong.append(str(error))
            unknown = 0
        if code != expected_code(job, unknown):
            wrong.append(f"the exit status is {code}, not {expected_code(job, unknown)}: {said[-300:]}")
        if unknown > AT_ONCE * ends:
            wrong.append(f"{unknown} outcomes are unknown after {ends} ends")
        tally["repeats"] += check_server(job, ends, wrong)
        for there, count in zip(done, before):
            check_untouched(job, there, count, wrong)
        tally["unknown"] += unknown
        tally["rows"] += len(job.ids)
        if wrong and "KEEP_CRASHES" in os.environ:
            shutil.copytree(path, pathlib.Path(os.environ["KEEP_CRASHES"]) / f"{'-'.join(map(str, case))}-{seed}")
    return tally, [f"{case.output} {case.calls} {case.threads} seed {seed}: {each}" for each in wrong]


def ways():
    """Under sanitizers nothing can be preloaded."""
    if command.is_sanitized():
        return ["time", "size"]
    return 3 * ["time"] + 3 * ["write"] + ["full", "flaky", "sync", "size"]


def rounds(count, seed, each=lambda case, tally, wrong: None):
    """Runs so many rounds, two at a time, the cases in turn. @return what was wrong"""
    work = [(case, seed * 100000 + number)
            for number, case in zip(range(count), itertools.cycle(random.Random(seed).sample(cases(), len(cases()))))]
    wrong = []
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(servers.api()) for _ in range(2)]

        def one(case, number):
            api = free.pop()
            try:
                return (case, *run(case, api, number, ways()))
            finally:
                free.append(api)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for case, tally, found in pool.map(lambda item: one(*item), work):
                wrong += found
                each(case, tally, found)
    return wrong


def main(count=300, seed=None):
    seed = int(time.time()) % 10000 if seed is None else seed
    table = collections.defaultdict(Tally)
    begin = time.monotonic()

    def note(case, tally, found):
        table[case[:2]].update(tally)
        table["all"].update(tally)
        for sentence in found:
            print(f"WRONG: {sentence}", flush=True)

    wrong = rounds(count, seed, note)
    columns = {"rounds": 6, "kills": 6, "failed writes": 13, "torn ends": 9, "rows": 7, "repeats at the server": 21,
               "unknown outcomes": 16, "torn lines": 10}
    print(f"{'output, calls':16}" + "".join(f"  {name:>{width}}" for name, width in columns.items()))
    for case in sorted(key for key in table if key != "all") + ["all"]:
        tally = table[case]
        values = [tally[key] for key in ("rounds", "kills", "failed_writes", "torn ends", "rows", "repeats", "unknown", "torn")]
        print(f"{case if case == 'all' else ', '.join(case):16}" +
              "".join(f"  {value:>{width}}" for value, width in zip(values, columns.values())))
    print(f"{len(wrong)} wrong, {time.monotonic() - begin:.0f} s, seed {seed}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
