#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures gather beside wrk, libcurl, h2load, curl and aiohttp, and prints ratios.

run.py BUILD [--repetitions N] [--only WORKLOAD] [--long]

The server is nginx on one core, the client runs on the other; the clients take turns, so that a spell in which the machine
is slow hits all of them. What counts is the client's CPU time (user and system) per request, as a ratio to that of wrk,
h2load or libcurl in the same run: an absolute time says nothing about another machine. The medians go to BUILD/bench.json,
too.

The command is measured as it is used: a list of URLs in a file, JSON Lines and a journal out. Of its peers only aiohttp
writes anything. --long has it fetch a million URLs, and come back to a job of a million rows that are done.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SERVER_CPU, CLIENT_CPU = 0, 1

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    keepalive_timeout 60s;
    default_type application/json;
    server {{
        listen 127.0.0.1:{plain} backlog=16384;
        listen 127.0.0.1:{tls} ssl backlog=16384;
        listen 127.0.0.1:{http2} ssl http2 backlog=16384;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        location / {{ return 200 '{{"userId": 1, "id": 1, "title": "delectus aut autem", "completed": false}}'; }}
        location /close {{ keepalive_timeout 0; return 200 'closed'; }}
    }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu % os.cpu_count()})


class Server:
    """An nginx of our own on free ports, in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gather-bench-")
        self.plain, self.tls, self.http2 = free_port(), free_port(), free_port()
        self.ca = f"{self.folder}/cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-keyout", f"{self.folder}/key.pem", "-out", self.ca, "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        with open(f"{self.folder}/nginx.conf", "w") as conf:
            conf.write(NGINX.format(folder=self.folder, plain=self.plain, tls=self.tls, http2=self.http2))
        path = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([path, "-p", self.folder, "-c", f"{self.folder}/nginx.conf"],
                                        preexec_fn=pin(SERVER_CPU), stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.plain)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("nginx did not start")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder)


def run(argv):
    """Runs a client on its core. Returns what it printed, and its CPU seconds, wall seconds and peak memory."""
    start = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=pin(CLIENT_CPU), text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: exit status {child.returncode}")
    return output, usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss


def measure_wrk(url, requests, concurrency, seconds):
    output, cpu, wall, rss = run(["wrk", "-t1", f"-c{concurrency}", f"-d{seconds}s", url])
    done = int(re.search(r"(\d+) requests in", output).group(1))
    return {"us": cpu / done * 1e6, "per_second": done / wall, "rss_kb": rss}


def measure_h2load(url, requests, connections, streams):
    output, cpu, wall, rss = run(["h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams), url])
    done = int(re.search(r"(\d+) succeeded", output).group(1))
    if done != requests:
        raise SystemExit(f"h2load: {done} of {requests} requests succeeded")
    return {"us": cpu / requests * 1e6, "per_second": requests / wall, "rss_kb": rss}


def line_count(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def measure_list(argv, requests, output=None):
    """A client that is given a list of URLs, and writes a line for each where it has an output."""
    _, cpu, wall, rss = run(argv)
    if output and (lines := line_count(output)) != requests:
        raise SystemExit(f"{argv[0]}: {lines} lines for {requests} requests")
    return {"us": cpu / requests * 1e6, "per_second": requests / wall, "rss_kb": rss, "wall_s": wall}


def measure_command(build, server, urls, requests, concurrency, *options):
    output = f"{server.folder}/calls.jsonl"
    return measure_list([f"{build}/gather", urls, "-c", str(concurrency), "-o", output, "-q", *options], requests, output)


def measure_json(program, url, requests, concurrency, ca, *options):
    output, cpu, wall, rss = run([program, "--url", url, "-n", str(requests), "-c", str(concurrency), "--cacert", ca,
                                  *options])
    line = json.loads(output)
    if line["ok"] != requests:
        raise SystemExit(f"{program}: {line}")
    return {"us": cpu / requests * 1e6, "per_second": requests / line["wall_s"], "rss_kb": rss}


def workloads(server):
    """Each workload's clients, the one first that the others are measured by, and how many requests they make at once and
    in all."""
    plain, tls, http2 = (f"{scheme}://127.0.0.1:{port}/" for scheme, port in
                         (("http", server.plain), ("https", server.tls), ("https", server.http2)))
    return {
        "keep-alive, 100 at once": (http1_clients, plain, 100, 100000),
        "keep-alive, 1000 at once": (http1_clients, plain, 1000, 100000),
        "HTTPS keep-alive, 100 at once": (http1_clients, tls, 100, 100000),
        "HTTP/2 over TLS, 1 connection x 100 streams": (http2_clients, http2, 100, 100000),
        "HTTP/2 over TLS, 10 connections x 100 streams": (http2_clients, http2, 1000, 100000),
        "a new connection per request, 100 at once": (http1_clients, f"{plain}close", 100, 20000),
        "the command, a list of 100,000 URLs, 100 at once": (list_clients, plain, 100, 100000),
    }


def http1_clients(build, server):
    found = {"wrk": lambda url, n, c: measure_wrk(url, n, c, 2),
             "gather": lambda url, n, c: measure_json(f"{build}/bench/fetch", url, n, c, server.ca)}
    if os.path.exists(f"{build}/bench/libcurl_multi"):
        found["libcurl multi"] = lambda url, n, c: measure_json(f"{build}/bench/libcurl_multi", url, n // 2, c, server.ca)
    return found


def http2_clients(build, server):
    return {"h2load": lambda url, n, c: measure_h2load(url, n, c // 100, 100),
            "gather": lambda url, n, c: measure_json(f"{build}/bench/fetch", url, n, c, server.ca, "--http2",
                                                     "--connections", str(c // 100))}


def write_list(server, url, requests):
    """A file of URLs, and the same for curl."""
    path = f"{server.folder}/urls-{requests}.txt"
    if not os.path.exists(path):
        with open(path, "w") as urls, open(f"{path}.curl", "w") as config:
            for number in range(1, requests + 1):
                urls.write(f"{url}items/{number}\n")
                config.write(f'url = "{url}items/{number}"\noutput = "/dev/null"\n')
    return path


def list_clients(build, server):
    def aiohttp(url, n, c):
        # A fifth of it: it takes its time.
        n //= 5
        output = f"{server.folder}/aiohttp.jsonl"
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "aiohttp_calls.py")
        return measure_list(["/usr/bin/python3", script, write_list(server, url, n), str(c), output], n, output)

    others = http1_clients(build, server)
    return {**{name: others[name] for name in ("libcurl multi", "wrk") if name in others},
            "gather": lambda url, n, c: measure_command(build, server, write_list(server, url, n), n, c, "--fresh"),
            "curl --parallel": lambda url, n, c: measure_list(
                ["curl", "-sS", "--no-progress-meter", "-Z", "--parallel-max", str(c), "-K", write_list(server, url, n) + ".curl"], n),
            "aiohttp": aiohttp}


def measure_long(build, server):
    """A million URLs, and the same job once more, all of whose rows are done."""
    requests = 1000000
    urls = write_list(server, f"http://127.0.0.1:{server.plain}/", requests)
    figures = {}
    print("\nthe command, a list of 1,000,000 URLs, 100 at once")
    for name, option in (("all of them", "--fresh"), ("resumed when all are done", "--resume")):
        one = measure_command(build, server, urls, requests, 100, option)
        print(f"  {name:<28}{one['wall_s']:>8.2f} s, {one['us'] * requests / 1e6:.2f} s of CPU, peak {one['rss_kb'] / 1024:.1f} MB")
        figures[name] = {"wall_s": round(one["wall_s"], 3), "cpu_us_per_request": round(one["us"], 3),
                         "max_rss_kb": one["rss_kb"]}
    return figures


def median(runs, key):
    return statistics.median(one[key] for one in runs)


def ratio_to_first(results, client):
    first = next(iter(results.values()))
    return statistics.median(one["us"] / peer["us"] for one, peer in zip(results[client], first))


def print_workload(name, results):
    print(f"\n{name}")
    first = next(iter(results))
    print(f"  {'client':<16}{'CPU us per request':>20}{'x ' + first:>17}{'requests/s':>12}{'peak MB':>9}")
    for client, runs in results.items():
        ratio = ratio_to_first(results, client)
        print(f"  {client:<16}{median(runs, 'us'):>20.2f}{ratio:>17.2f}{median(runs, 'per_second'):>12.0f}"
              f"{median(runs, 'rss_kb') / 1024:>9.1f}")


def measure_http(build, repetitions, only, long):
    server = Server()
    summary = {}
    try:
        if long:
            summary["the command, a list of 1,000,000 URLs"] = measure_long(build, server)
        for name, (clients, url, concurrency, requests) in workloads(server).items():
            if only and only not in name:
                continue
            peers = clients(build, server)
            results = {client: [] for client in peers}
            for _ in range(repetitions):
                for client, measure in peers.items():
                    results[client].append(measure(url, requests, concurrency))
            print_workload(name, results)
            summary[name] = {
                client: {"cpu_us_per_request": round(median(runs, "us"), 3),
                         f"x_{next(iter(results))}": round(ratio_to_first(results, client), 3),
                         "requests_per_s": round(median(runs, "per_second")),
                         "max_rss_kb": median(runs, "rss_kb")}
                for client, runs in results.items()}
    finally:
        server.close()
    return summary


def measure_tasks(build):
    costs = json.loads(run([f"{build}/bench/tasks"])[0])
    million = json.loads(run([f"{build}/bench/tasks", "--million"])[0])
    print("\ntasks")
    for name, text in (("switch_ns", "one switch"), ("start_join_ns", "start and join, warm"),
                       ("channel_ns", "a message through an unbuffered channel"), ("timer_ns", "a timer armed and disarmed")):
        print(f"  {text:<42}{costs[name]:>8.1f} ns")
    print(f"  {'a million asleep: start, wake and join':<42}{million['us_each']:>8.2f} us each,"
          f" {million['max_rss_kb'] * 1024 / 1e9:.2f} GB in all")
    return {**costs, "million": million}


def main():
    parser = argparse.ArgumentParser(description="Measures gather beside its peers, and prints ratios.")
    parser.add_argument("build", help="the build folder")
    parser.add_argument("--repetitions", type=int, default=5, help="of each client and workload; 5")
    parser.add_argument("--only", help="only the workloads whose name has this in it; 'tasks' for the tasks alone")
    parser.add_argument("--long", action="store_true", help="the command with a million URLs, too")
    options = parser.parse_args()
    summary = {}
    if not options.only or options.only == "tasks":
        summary["tasks"] = measure_tasks(options.build)
    if options.only != "tasks":
        summary.update(measure_http(options.build, options.repetitions, options.only, options.long))
    path = os.path.join(options.build, "bench.json")
    with open(path, "w") as file:
        json.dump(summary, file, indent=2)
        file.write("\n")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    sys.exit(main())
