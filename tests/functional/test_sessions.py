# SPDX-License-Identifier: MIT
"""The six sessions that the manual shows, against servers that behave as those APIs do, with one thread and with two; and
that the command keeps to each server's limits, in whatever form the server tells of them."""
import collections
import concurrent.futures
import csv
import functools
import os
import sqlite3
import time
import unittest
import urllib.parse

import api_server
import command
import servers
import tap

FULL = "GATHER_FULL" in os.environ  # as many links as one would have
LINKS, HOSTS = (50000, 1000) if FULL else (2000, 100)
KEY = "sk-secret-0123456789"


def with_threads(*numbers):
    """The case runs with each of these numbers of threads, in a directory of its own."""
    def wrap(case):
        @functools.wraps(case)
        def each(self):
            for threads in numbers:
                with self.subTest(threads=threads):
                    self.path = self.enterContext(servers.directory())
                    case(self, str(threads))
        return each
    return wrap


class WithApi(unittest.TestCase):
    def setUp(self):
        self.path = self.enterContext(servers.directory())
        self.api = self.enterContext(servers.api())

    def gather(self, *arguments, code=0, **options):
        run = command.run(*arguments, cwd=self.path, **options)
        self.assertEqual(run.returncode, code, run.stderr)
        return run

    def assert_pace(self, times, requests, seconds, burst=1):
        """No window has more than the limit and the burst, nor has the whole."""
        most = command.most_in_window(times, seconds)
        self.assertLessEqual(most, requests + burst, f"{most} requests in {seconds} s")
        self.assertGreaterEqual(max(times) - min(times), (len(times) - burst) * seconds / requests - command.JITTER)


class Sessions(WithApi):
    @with_threads(1, 2)
    def test_todos(self, threads):
        with servers.todo_api() as todo:
            run = self.gather(f"{todo.url}/todos/[1-200]", "-o", "todos.jsonl", "--threads", threads)
            self.assertEqual(run.stdout, "")
            records = command.records(self.path / "todos.jsonl")
            self.assertEqual(sorted(each["n"] for each in records), list(range(1, 201)))
            for each in records:
                self.assertEqual((each["ok"], each["status"], each["attempts"], each["error"]), (True, 200, 1, None))
                self.assertEqual(each["body"]["id"], each["n"])
                self.assertEqual(each["url"], f"{todo.url}/todos/{each['n']}")

    @with_threads(1, 2)
    def test_prompts(self, threads):
        """An OpenAI batch file, at the limits that the server enforces."""
        rows = [{"custom_id": f"p-{n}", "method": "POST", "url": "/v1/chat/completions",
                 "body": {"model": "m", "messages": [{"role": "user", "content": f"question {n} \"\u00fc\" " * n}],
                          "max_tokens": 100}} for n in range(1, 41)]
        self.api.set(key=KEY, delays={"/": [0.05, 0.3]},
                     limits={"/v1": {"seconds": 60, "requests": 500, "tokens": 200000, "sliding": True}})
        command.write_jsonl(self.path / "prompts.jsonl", rows)
        run = self.gather(
            "prompts.jsonl", "--base-url", self.api.url, "-H", "Authorization: Bearer ${env:OPENAI_API_KEY}",
            "--rate", "500/m", "--tokens", "200000/m", "-c", "40", "--idempotent",
            "--extract", "answer=.choices[0].message.content", "-o", "out.jsonl", "--resume", "--threads", threads,
            env={"OPENAI_API_KEY": KEY})
        records = {each["id"]: each for each in command.records(self.path / "out.jsonl")}
        self.assertEqual(len(records), len(rows))
        for row in rows:
            record = records[row["custom_id"]]
            self.assertTrue(record["ok"])
            self.assertEqual(record["extract"]["answer"], "You said: " + row["body"]["messages"][0]["content"])
        self.assertEqual(self.api.told()["refused"], {"/v1": 0})
        self.assert_pace([each.time for each in self.api.arrived()], 500 / 12, 5)
        for each in [run.stderr, *(file.read_text(errors="replace") for file in self.path.iterdir())]:
            self.assertNotIn(KEY, each)

    @with_threads(1, 2)
    def test_addresses(self, threads):
        """A slow geocoder, and addresses as people write them."""
        streets = ['Stra\u00dfe des 17. Juni 135', '"Haus" am See, Hinterhof', "a&b=c#d?e/f%20g+h", "two\nlines", "\u6771\u4eac 1-2"]
        rows = [{"addr_id": f"{n:03}", "street": streets[n % len(streets)], "city": f"City {n}"} for n in range(30)]
        self.api.set(delays={"/v1/search": [0.02, 0.4]})
        with (self.path / "addr.csv").open("w", newline="", encoding="utf-8-sig") as file:
            table = csv.DictWriter(file, ["addr_id", "street", "city"])
            table.writeheader()
            table.writerows(rows)
        self.gather("addr.csv", "--url", self.api.url + "/v1/search?q={street},{city}", "--rate", "10", "--id", "addr_id",
                    "--keep", "addr_id,street", "--extract", "lat=.features[0].lat", "--no-body", "-o", "geo.csv",
                    "--resume", "--threads", threads)
        with (self.path / "geo.csv").open(newline="") as file:
            records = {each["addr_id"]: each for each in csv.DictReader(file, strict=True)}
        self.assertEqual(len(records), len(rows))
        self.assertNotIn("body", records["000"])
        for row in rows:
            record, asked = records[row["addr_id"]], f"{row['street']},{row['city']}"
            self.assertEqual((record["id"], record["street"]), (row["addr_id"], row["street"]))
            self.assertEqual(float(record["lat"]), len(asked) + 0.5)
        arrived = self.api.arrived()
        self.assertEqual({urllib.parse.parse_qs(each.target.partition("?")[2])["q"][0] for each in arrived},
                         {f"{row['street']},{row['city']}" for row in rows})
        self.assert_pace([each.time for each in arrived], 10, 1)

    @with_threads(1)
    def test_repositories(self, threads):
        """Pages of two organisations, one request a second."""
        self.api.set()
        self.gather(self.api.url + "/orgs/{debian,curl}/repos?per_page=100", "--next", "link", "--items", ".[]", "-c", "1",
                    "--rate", "1", "-o", "repos.jsonl", "--threads", threads)
        names = [item["name"] for each in command.records(self.path / "repos.jsonl") for item in items_of(each)]
        self.assertEqual(sorted(names), sorted(f"{organisation}-{n}" for organisation in ("debian", "curl")
                                               for n in range(100 * api_server.PAGES)))
        arrived = self.api.arrived()
        self.assertEqual(len(arrived), 2 * api_server.PAGES)
        self.assert_pace([each.time for each in arrived], 5, 5)
        self.assertEqual(max(self.api.told()["most_inside"].values()), 1)

    @with_threads(1, 2)
    def test_cursors(self, threads):
        """Pages by a cursor that becomes a parameter, of a server that limits; the job is killed twice on the way."""
        feeds, at_once = 12, 4
        self.api.set(delays={"/": [0.01, 0.05]}, limits={"/cursors": {"seconds": 0.5, "requests": 8, "headers": ["retry-after-ms"]}})
        arguments = [f"{self.api.url}/cursors/f[1-{feeds}]?a=b", "--next", "cursor=.meta.cursor", "--items", ".data[]",
                     "-o", "feeds.jsonl", "-c", at_once, "--resume", "--threads", threads]
        for arrivals in (20, 45):
            child = command.start(*arguments, cwd=self.path)
            while len(self.api.arrived()) < arrivals:
                time.sleep(0.01)
            child.kill()
            command.finish(child)
        before = len(self.api.arrived())
        self.gather(*arguments)
        items = [each["body"] for each in command.records(self.path / "feeds.jsonl")]
        self.assertEqual(sorted(items), sorted(f"f{n}-{page}" for n in range(1, feeds + 1)
                                               for page in range(1, api_server.PAGES + 1)))
        arrived = self.api.arrived()
        self.assertTrue(all("?a=b" in each.target for each in arrived))
        calls = collections.Counter(each.target for each in arrived if each.status == 200)
        self.assertEqual(len(calls), len(items))
        self.assertLessEqual(sum(calls.values()) - len(calls), 2 * at_once)  # what was in flight at a kill
        self.assertLess(len(arrived) - before, len(items))  # it went on from the middle
        self.assertGreater(self.api.told()["refused"]["/cursors"], 0)

    @with_threads(1, 2)
    def test_links(self, threads):
        """Links of many hosts, some of which are dead, moved or silent."""
        urls = [f"http://h{(n + n // 50) % HOSTS}.test:{self.api.port}/links/{n}" for n in range(LINKS)]
        self.api.set()
        (self.path / "links.txt").write_text("# seen in the docs\n\n" + "\n".join(urls) + "\n")
        # Beside the session's own options: where the hosts are, and less patience with those that are silent.
        self.gather("links.txt", "-X", "HEAD", "-L", "--per-host", "4", "--rate-per-host", "5", "--retry", "2",
                    "--expect", "200-399,405", "--no-body", "--failed-out", "bad.jsonl", "-o", "seen.jsonl",
                    "--threads", threads, "--connect-to", f"::127.0.0.1:{self.api.port}", "-m", "1", code=1)
        self.check_links(urls)
        failed = self.gather("failed", "seen.jsonl")
        self.assertEqual(sorted(each["url"] for each in command.records(failed.stdout)),
                         sorted(each["url"] for each in command.records(self.path / "bad.jsonl")))

    def check_links(self, urls):
        records = command.records(self.path / "seen.jsonl")
        self.assertEqual(collections.Counter(each["n"] for each in records),
                         collections.Counter(range(1, LINKS + 1)))
        bad = set()
        for each in records:
            number = each["n"] - 1
            status = api_server.link_status(number)
            self.assertNotIn("body", each)
            self.assertEqual(each["ok"], status in (200, 301, 405), each)
            if status == api_server.NEVER:
                self.assertEqual(each["error"]["kind"], "timeout")
            else:
                self.assertEqual(each["status"], 200 if status == 301 else status)
            if not each["ok"]:
                bad.add(urls[number])
        self.assertEqual(sorted(each["url"] for each in command.records(self.path / "bad.jsonl")), sorted(bad))
        times, told = collections.defaultdict(list), self.api.told()
        self.assertLessEqual(max(told["most_inside"].values()), 4)
        for each in self.api.arrived():
            times[each.host].append(each.time)
        self.assertEqual(len(times), HOSTS)
        for each in times.values():
            self.assert_pace(each, 5, 1)

    @with_threads(1, 2)
    def test_items(self, threads):
        """A table, quietly."""
        skus = [f"SKU {n}/\u00e4" if n % 10 == 0 else f"S{n:05}" for n in range(1, 31)]
        self.api.set()
        (self.path / "ids.csv").write_text("name,sku\r\n" + "".join(f"n,{sku}\r\n" for sku in skus))
        command_line = ["ids.csv", "--url", self.api.url + "/api/items/{sku}", "--rate", "600/m", "--id", "sku",
                        "--extract", "price=.price", "-o", "items.db", "--table", "items", "--max-duration", "2h",
                        "--resume", "-q", "--threads", threads]
        run = self.gather(*command_line)
        self.assertEqual((run.stdout, run.stderr), ("", ""))
        with sqlite3.connect(self.path / "items.db") as database:
            rows = database.execute("SELECT id, ok, status, price FROM items").fetchall()
        database.close()
        self.assertEqual(sorted(rows), sorted((sku, 1, 200, len(sku) + 0.99) for sku in skus))
        arrived = self.api.arrived()
        self.assertEqual(len(arrived), len(skus))
        self.assert_pace([each.time for each in arrived], 10, 1)
        # The next night: nothing is new, so nothing is asked for.
        self.gather(*command_line)
        self.assertEqual(len(self.api.arrived()), len(skus))


def items_of(record):
    """What --items made of a page."""
    return record["body"] if isinstance(record["body"], list) else [record["body"]]


class Pace(WithApi):
    TOLD_BEFORE = ("ratelimit", "ratelimit-old", "ratelimit-fields", "x-delta", "x-epoch", "x-epoch-ms", "x-date", "x-rfc3339",
                   "x-duration")
    TOLD_AFTER = ("retry-after", "retry-after-date", "retry-after-ms")
    LIMIT, ROWS, AT_ONCE = 12, 40, 6

    @with_threads(1, 2)
    def test_every_form_of_limits(self, threads):
        """Where a server says what is left no request is refused; where it says so afterwards only those under way
        are, and none comes before its time."""
        self.api.set(limits={f"/limited/{form}/": {"seconds": 1, "requests": self.LIMIT, "headers": [form]}
                             for form in self.TOLD_BEFORE + self.TOLD_AFTER})
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            runs = pool.map(lambda form: command.run(f"{self.api.url}/limited/{form}/[1-{self.ROWS}]", "-c", self.AT_ONCE,
                                                     "--threads", threads), self.TOLD_BEFORE + self.TOLD_AFTER)
            runs = dict(zip(self.TOLD_BEFORE + self.TOLD_AFTER, runs))
        refused = self.api.told()["refused"]
        for form, run in runs.items():
            with self.subTest(form=form, threads=threads):
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertEqual(sorted(each["n"] for each in command.records(run.stdout)), list(range(1, self.ROWS + 1)))
                pushed_back = refused[f"/limited/{form}/"]
                self.assertLessEqual(pushed_back, 0 if form in self.TOLD_BEFORE else
                                     self.AT_ONCE * (self.ROWS // self.LIMIT + 1))
                self.check_holds(form)

    def check_holds(self, form):
        """Between a refusal and the time that it named nothing arrives but what was under way."""
        arrived = [each for each in self.api.arrived() if each.target.startswith(f"/limited/{form}/")]
        refusals = [each.time for each in arrived if each.status == 429]
        for refusal in refusals[:1]:
            early = [each.time - refusal for each in arrived if refusal + 4 * command.JITTER < each.time < refusal + 0.5]
            self.assertEqual(early, [])

    @with_threads(1, 2)
    def test_a_rate_is_never_exceeded(self, threads):
        for burst in (1, 5):
            self.api.set(delays={"/": [0, 0.2]})
            begin = time.monotonic()
            self.gather(f"{self.api.url}/todos/[1-60]", "--rate", "20", "--burst", burst, "--threads", threads)
            took = time.monotonic() - begin
            times = [each.time for each in self.api.arrived()]
            self.assertEqual(len(times), 60)
            self.assert_pace(times, 20, 1, burst)
            self.assertLess(took, 60 / 20 + 2)

    @with_threads(1, 2)
    def test_retries_count(self, threads):
        """A server that refuses every second request, without saying until when, sees no more than the rate."""
        self.api.set(limits={"/todos": {"seconds": 0.3, "requests": 2, "headers": []}})
        self.gather(f"{self.api.url}/todos/[1-20]", "--rate", "20", "--retry", "50", "--threads", threads)
        arrived = self.api.arrived()
        self.assertGreater(len(arrived), 20)
        self.assert_pace([each.time for each in arrived], 20, 1)

    @with_threads(1, 2)
    def test_tokens(self, threads):
        """The server refuses what is above 3,000 tokens in a second, and one row; a row above that is not sent at all."""
        rows = [{"id": n, "url": "/v1/embeddings", "body": {"input": "x" * 800}} for n in range(40)]
        rows.insert(3, {"id": "too big", "url": "/v1/embeddings", "body": {"input": "x" * 20000}})
        self.api.set(limits={"/v1": {"seconds": 1, "tokens": 3000 + 250, "sliding": True}}, delays={"/": [0, 0.1]})
        command.write_jsonl(self.path / "rows.jsonl", rows)
        begin = time.monotonic()
        run = self.gather("rows.jsonl", "--base-url", self.api.url, "-X", "POST", "--tokens", "3000/s", "--threads", threads,
                          code=1)
        records = {each["id"]: each for each in command.records(run.stdout)}
        self.assertEqual(len(records), len(rows))
        self.assertEqual(records.pop("too big")["error"]["kind"], "too_big")
        self.assertTrue(all(each["ok"] for each in records.values()))
        self.assertEqual(self.api.told()["refused"], {"/v1": 0})
        self.assertEqual(len(self.api.arrived()), 40)
        self.assertLess(time.monotonic() - begin, 40 * 208 / 3000 + 3)


if __name__ == "__main__":
    tap.main()
