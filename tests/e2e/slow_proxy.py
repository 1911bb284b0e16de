"""A TCP proxy on the loopback that holds back what passes: PORT TARGET FILE.

The file has the seconds by which each piece is late.
"""

import asyncio
import sys
from pathlib import Path


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: Path) -> None:
    """Send what comes, late: pieces wait beside each other, not for each other."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while data := await reader.read(65536):
        # In order, whatever the file says and however fast pieces come.
        due = max(due + 1e-6, loop.time() + float(late.read_text()))
        loop.call_at(due, writer.write, data)
    loop.call_at(due, writer.close)


async def serve(port: int, target: int, late: Path) -> None:
    """Pass connections on until the end of the process."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        both = (pass_on(reader, back, late), pass_on(there, writer, late))
        await asyncio.gather(*both, return_exceptions=True)

    async with await asyncio.start_server(connect, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
