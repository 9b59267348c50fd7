# SPDX-License-Identifier: MIT
# The tutorial's first program, with its URL from the command line.
import asyncio
import sys
import aiohttp

async def fetch_data(session, url):
    """Fetch data from the given URL."""
    async with session.get(url) as response:
        return await response.text()

async def main():
    """Main coroutine."""
    async with aiohttp.ClientSession() as session:
        url = sys.argv[1]
        data = await fetch_data(session, url)
        print(data)

# Run the main coroutine
asyncio.run(main())
