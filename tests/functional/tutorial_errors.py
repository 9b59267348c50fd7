# SPDX-License-Identifier: MIT
# The tutorial's third program, with its URLs from the command line.
import asyncio
import sys
import aiohttp

async def fetch_data(session, url):
    """Fetch data from the given URL."""
    try:
        async with session.get(url) as response:
            response.raise_for_status()  # Raise an exception for 4xx/5xx status codes
            return await response.text()
    except aiohttp.ClientError as e:
        return f"Error: {e}"

async def main():
    """Main coroutine."""
    async with aiohttp.ClientSession() as session:
        urls = sys.argv[1:]
        tasks = [fetch_data(session, url) for url in urls]
        results = await asyncio.gather(*tasks)
        for url, result in zip(urls, results):
            print(f"URL: {url}, Result: {result}")

# Run the main coroutine
asyncio.run(main())
