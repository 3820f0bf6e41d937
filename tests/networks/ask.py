"""What ask.c does, by the blocking client and by asyncio: `ask.py blocking|asyncio`."""

import asyncio
import os
import sys

import pychatnio


def config() -> pychatnio.Config:
    files = {"root_files": [os.environ["ROOT"]]} if "ROOT" in os.environ else {}
    pings = {"ping_after": float(os.environ["PING_AFTER"])} if "PING_AFTER" in os.environ else {}
    retries = {"connect_retries": int(os.environ["RETRIES"])} if "RETRIES" in os.environ else {}
    return pychatnio.Config(
        proxy=os.environ.get("PROXY"), client_certificate=os.environ.get("CERTIFICATE"), **files, **pings, **retries
    )


QUESTION = {"model": "anon", "web": "WEB" in os.environ}


async def ask() -> str:
    async with pychatnio.AsyncClient(os.environ["URL"], config=config()) as client:
        return await client.ask("hi", **QUESTION).text()


def main() -> int:
    try:
        if sys.argv[1] == "asyncio":
            print("answer:", asyncio.run(ask()))
        else:
            with pychatnio.Client(os.environ["URL"], config=config()) as client:
                print("answer:", client.ask("hi", **QUESTION).text())
    except pychatnio.ChatNioError as error:
        print(f"connect: {error.status}: {error}")
        return 1
    return 0


sys.exit(main())
