# SPDX-License-Identifier: MIT
"""The command `gather` as the functional tests run it, and its records as they read them."""
import collections
import json
import os
import pathlib
import subprocess

import servers

PATIENCE = 100  # seconds until it must have ended
JITTER = 0.1  # seconds that a request may be under way longer than another


def is_sanitized():
    """Whether neither memory nor speed is what it would be otherwise, and nothing can be preloaded."""
    return b"__asan_" in pathlib.Path(servers.built("gather")).read_bytes()


def start(*arguments, **options):
    """It runs in the directory `cwd`; options are Popen's."""
    environment = {**os.environ, **options.pop("env", {})}
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([servers.built("gather"), *map(str, arguments)], env=environment, text=True, **options)


def finish(child, patience=PATIENCE):
    """@return what subprocess.run does"""
    try:
        out, err = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def run(*arguments, input=None, **options):
    if input is None:
        return finish(start(*arguments, **options))
    child = start(*arguments, stdin=subprocess.PIPE, **options)
    out, err = child.communicate(input, timeout=PATIENCE)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def records(text):
    """Of JSON Lines: a path, or what was on standard output."""
    if isinstance(text, pathlib.Path):
        text = text.read_text()
    if text and not text.endswith("\n"):
        raise AssertionError(f"the last line is torn: {text[-80:]!r}")
    return [json.loads(line) for line in text.splitlines()]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def most_in_window(times, seconds):
    """How many of these times lie in one stretch of that length, at most; a server sees requests later than they were
    sent, each by another while, so what lies apart by less than that is not in it."""
    window, most = collections.deque(), 0
    for time in sorted(times):
        window.append(time)
        while window[0] <= time - seconds + JITTER:
            window.popleft()
        most = max(most, len(window))
    return most
