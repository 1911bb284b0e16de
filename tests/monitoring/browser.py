"""A headless Chromium, spoken to by its DevTools protocol."""

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.monitoring.serving import wait_for

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
WHY_NOT = "no chromium here: apt-get install chromium"


@contextmanager
def browser(folder: Path) -> Iterator[int]:
    """Start it; yields the port of its protocol."""
    command = [
        str(PROGRAM), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            port = folder / "DevToolsActivePort"
            text = wait_for(lambda: port.exists() and port.read_text().strip(), "Chromium answers")
            yield int(str(text).splitlines()[0])
        finally:
            running.terminate()
            running.wait(20)


class Page:
    """One page: sends commands and returns their results."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._ids = socket, itertools.count(1)

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = json.loads(await self._socket.receive_str())
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    async def value(self, script: str) -> Any:
        """Return what a script gives."""
        done = await self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return done["result"].get("value")

    async def open(self, url: str, width: int) -> None:
        """Open an address in a window of a width, and wait until it is there."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        await self.send("Page.navigate", url=url)
        async with asyncio.timeout(30):
            while await self.value("document.readyState + location.protocol") != "completefile:":
                await asyncio.sleep(0.05)

    async def press_tab(self) -> str:
        """Press Tab; returns the name of what has the focus then."""
        for kind in ("keyDown", "keyUp"):
            await self.send(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )
        return str(
            await self.value(
                "document.activeElement.getAttribute('aria-label')"
                " || document.activeElement.textContent.trim()"
            )
        )


@asynccontextmanager
async def page(port: int) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            first = next(each for each in await answer.json() if each["type"] == "page")
        async with session.ws_connect(first["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Page(socket)
