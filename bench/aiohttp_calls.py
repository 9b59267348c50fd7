#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""aiohttp_calls.py FILE CONCURRENCY OUTPUT

The job as tutorials write it: a URL a line, so many at once, and the answers as JSON Lines. A peer to be measured beside.
"""
import asyncio
import json
import sys

import aiohttp


async def caller(session, lines, output):
    # All callers take from one file, and each writes whole lines.
    for line in lines:
        url = line.strip()
        async with session.get(url) as response:
            response.raise_for_status()
            output.write(json.dumps({"url": url, "status": response.status, "body": await response.json()}) + "\n")


async def main(path, concurrency, output_path):
    connector = aiohttp.TCPConnector(limit=concurrency)
    with open(path) as lines, open(output_path, "w") as output:
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(caller(session, lines, output) for _ in range(concurrency)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
