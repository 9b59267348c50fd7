# SPDX-License-Identifier: MIT
"""Counts the cases of several runs of `meson test` and ends with "N passed, N failed".

usage: tally.py RESULTS, a file with a line TITLE:LOG for each run, where LOG is Meson's log in JSON, or
TITLE:ok or TITLE:not ok for what Meson did not run. A case is a line of TAP, or a program that prints none.
"""
import json
import re
import sys

SKIPPED = re.compile(r"^# skipped$", re.MULTILINE)
CASE = re.compile(r"^(not )?ok\b(.*)$", re.MULTILINE)


def cases_of(test):
    """The passed, failed and skipped cases of one program."""
    output = test.get("stdout", "")
    skipped = len(SKIPPED.findall(output))
    passed = -skipped  # check.h has them return, so each is an "ok" too
    failed = 0
    for not_ok, rest in CASE.findall(output):
        if re.search(r"# *skip", rest, re.IGNORECASE):
            skipped += 1
        elif not_ok:
            failed += 1
        else:
            passed += 1
    result = test["result"]
    if result == "SKIP" and not passed + failed + skipped:
        skipped = 1
    elif result == "OK" and not passed + skipped:
        passed = 1
    elif result not in ("OK", "SKIP") and not failed:
        failed = 1  # it crashed, ran out of time, or leaked after its last case
    return passed, failed, skipped


def main(results):
    passed = failed = skipped = 0
    failures = []
    for line in open(results):
        title, log = line.rstrip("\n").split(":", 1)
        if log in ("ok", "not ok"):
            passed += log == "ok"
            failed += log != "ok"
            failures += [title] if log != "ok" else []
            continue
        tests = [json.loads(test) for test in open(log)]
        if not tests:
            failed += 1
            failures.append(f"{title}: nothing ran")
        for test in tests:
            counts = cases_of(test)
            passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
            if counts[1]:
                failures.append(f"{title}: {test['name']} ({test['result'].lower()})")
    for failure in failures:
        print(f"failed: {failure}")
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
