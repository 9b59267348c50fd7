# SPDX-License-Identifier: MIT
"""An HTTP Archive is what version 1.2 says: JSON with all mandatory members, each of its type.

usage: har.py FILE ENTRIES. Exits with 1, and says what is wrong.
"""
import datetime
import json
import sys

NUMBER, TEXT, LIST, OBJECT = (int, float), str, list, dict
PAIR = {"name": TEXT, "value": TEXT}
ENTRY = {
    "startedDateTime": TEXT, "time": NUMBER, "cache": OBJECT,
    "request": {"method": TEXT, "url": TEXT, "httpVersion": TEXT, "cookies": LIST, "headers": [PAIR],
                "queryString": [PAIR], "headersSize": int, "bodySize": int},
    "response": {"status": int, "statusText": TEXT, "httpVersion": TEXT, "cookies": LIST, "headers": [PAIR],
                 "content": {"size": int, "mimeType": TEXT}, "redirectURL": TEXT, "headersSize": int, "bodySize": int},
    "timings": {"blocked": NUMBER, "dns": NUMBER, "connect": NUMBER, "ssl": NUMBER, "send": NUMBER, "wait": NUMBER,
                "receive": NUMBER},
}
LOG = {"version": TEXT, "creator": {"name": TEXT, "version": TEXT}, "entries": [ENTRY]}


def check(value, wanted, where):
    """The value has the members and types that are wanted."""
    if isinstance(wanted, dict):
        assert isinstance(value, dict), f"{where} is no object"
        for name, member in wanted.items():
            assert name in value, f"{where}.{name} is missing"
            check(value[name], member, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(value, list), f"{where} is no array"
        for at, element in enumerate(value):
            check(element, wanted[0], f"{where}[{at}]")
    else:
        assert isinstance(value, wanted) and not isinstance(value, bool), f"{where} is {value!r}"


def main(path, count):
    with open(path, encoding="utf-8") as file:
        archive = json.load(file)
    check(archive, {"log": LOG}, "archive")
    assert archive["log"]["version"] == "1.2"
    entries = archive["log"]["entries"]
    assert len(entries) == int(count), f"{len(entries)} entries"
    for entry in entries:
        started = datetime.datetime.fromisoformat(entry["startedDateTime"].replace("Z", "+00:00"))
        assert abs((datetime.datetime.now(datetime.timezone.utc) - started).total_seconds()) < 300, started
        assert "#" not in entry["request"]["url"]
        times = entry["timings"]
        total = sum(value for name, value in times.items() if name != "ssl" and value > 0)
        assert abs(total - entry["time"]) < 0.01, (total, entry["time"])
        assert times["ssl"] <= max(times["connect"], -1)
        assert all(value >= 0 or (value == -1 and name in ("dns", "connect", "ssl")) for name, value in times.items())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (AssertionError, ValueError) as problem:
        sys.exit(f"{sys.argv[1]}: {problem}")
