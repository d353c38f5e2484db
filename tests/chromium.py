"""A headless Chromium for tests: pages opened, hovered over, clicked, typed into, and asked what they show.

Speaks the WebDriver protocol with chromedriver (Debian: apt-get install chromium chromium-driver), over HTTP, with the
standard library alone.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
# Where a key that is no character lies in WebDriver's alphabet.
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014",
        "Down": "\ue015", "Home": "\ue011", "End": "\ue010", "Shift": "\ue008", "Space": " ", "Control": "\ue009",
        "Delete": "\ue017"}  # fmt: skip
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing() -> str:
    """What a test lacks to run a browser; "" when all is there."""
    if not any(map(shutil.which, BINARIES)):
        return "needs Chromium (apt-get install chromium chromium-driver)"
    return "" if shutil.which("chromedriver") else "needs chromedriver (apt-get install chromium-driver)"


# For each text that can be seen: itself, its colour, and the first colour behind it that is not transparent.
_CONTRASTS = """
    const clear = (colour) => !colour || colour === "none" || /, 0\\)$/.test(colour);
    const behind = (e) => {
        const rect = e.closest(".box")?.querySelector("rect");
        if (rect) return getComputedStyle(rect).fill;
        while (e && clear(getComputedStyle(e).backgroundColor)) e = e.parentElement;
        return getComputedStyle(e ?? document.body).backgroundColor;
    };
    const kinds = "p, td, th, h1, h2, h3, button, dt, dd, caption, " +
        " code, label, legend, small, summary, .box text, span";
    const colour = (e) => getComputedStyle(e)[e.tagName === "text" ? "fill" : "color"];
    return [...document.querySelectorAll(kinds)].filter((e) => e.textContent.trim() && e.checkVisibility())
        .map((e) => [e.textContent.slice(0, 30), colour(e), behind(e)]);
"""


def _contrast(ink: str, paper: str) -> float:
    """The ratio of two colours' relative luminances, as WCAG 2.2 defines it."""
    low, high = sorted(_luminance(colour) for colour in (ink, paper))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [float(v) / 255 for v in re.findall(r"[\d.]+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class Chromium:
    """One browser with one window. Close it with `close`, or use it as a context manager."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-")
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self._at = f"http://127.0.0.1:{found[1]}"
                break
        else:
            raise RuntimeError("chromedriver ended before it was ready")
        binary = next(path for path in map(shutil.which, BINARIES) if path)
        options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={self._profile.name}"]}
        capabilities = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = f"/session/{made['sessionId']}"

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends browser and driver."""
        try:
            self._ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(10)
            assert self._driver.stdout is not None
            self._driver.stdout.close()
            self._profile.cleanup()

    # --- pages -----------------------------------------------------------------------------------------------------

    def open(self, page: Path, width: int = 1280, dark: bool = False) -> None:
        """Opens a file from the disk at a screen width, in the colours that the system asks for."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.cdp("Emulation.setEmulatedMedia", features=features)
        self._say("/url", url=page.resolve().as_uri())

    def cdp(self, command: str, **params: Any) -> Any:
        """A command of the DevTools protocol."""
        return self._say("/goog/cdp/execute", cmd=command, params=params)

    def js(self, script: str, *args: Any) -> Any:
        """What the script's `return` gives, run as the body of a function of `arguments`."""
        return self._say("/execute/sync", script=script, args=list(args))

    def errors(self) -> list[str]:
        """What the console complained of since it was last asked."""
        return [entry["message"] for entry in self._say("/se/log", type="browser") if entry["level"] == "SEVERE"]

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """A picture of the page, whole or as much as the window shows."""
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole, **self._whole() if whole else {})
        path.write_bytes(base64.b64decode(shot["data"]))

    def _whole(self) -> dict[str, Any]:
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    # --- hands -----------------------------------------------------------------------------------------------------

    def hover(self, selector: str) -> None:
        """Moves the mouse over the first element that the selector finds."""
        self._point(selector, [])

    def click(self, selector: str) -> None:
        self._point(selector, [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}])

    def tap(self, selector: str) -> None:
        """As a finger does."""
        down = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._point(selector, down, "touch")

    def press(self, *keys: str) -> None:
        """Presses keys, one after the other; "Shift+Tab" holds the first."""
        actions = []
        for key in keys:
            codes = [KEYS.get(part, part) for part in key.split("+")]
            actions += [{"type": "keyDown", "value": code} for code in codes]
            actions += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self._say("/actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def type(self, selector: str, text: str) -> None:
        """Replaces what stands in a field, and leaves the field."""
        element = self._find(selector)
        self.click(selector)
        self.press("Control+a")
        self._say(f"/element/{element}/value", text=text)
        self.press("Tab")

    def choose(self, selector: str, value: str) -> None:
        """Chooses an option of a select by its value."""
        self.click(f"{selector}")
        self.js(
            "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('change', {bubbles: true}))", selector, value,
        )  # fmt: skip
        self.press("Escape")

    def text(self, selector: str) -> str:
        """The text of the first element that the selector finds."""
        return self.js("return document.querySelector(arguments[0]).innerText", selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of all of them."""
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText ?? e.textContent)", selector
        )

    def faint(self, least: float = 4.5) -> list[tuple[str, float]]:
        """Texts whose contrast with what lies behind them is less than WCAG's level AA asks for, and that contrast."""
        pairs = self.js(_CONTRASTS)
        assert pairs, "there is no text on the page"
        ratios = [(text, _contrast(ink, paper)) for text, ink, paper in pairs]
        return [(text, round(ratio, 2)) for text, ratio in ratios if ratio < least]

    def unnamed(self) -> list[str]:
        """What a screen reader would meet without a name: roles of the page's controls, cells, pictures and tables."""
        spoken = {"button", "slider", "textbox", "combobox", "spinbutton", "gridcell", "img", "image", "grid", "link"}
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        met = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
        assert any(role in spoken for role, _ in met), "there is nothing to name"
        return [role for role, name in met if role in spoken and not name.strip()]

    def _point(self, selector: str, then: list[Any], kind: str = "mouse") -> None:
        origin = {ELEMENT: self._find(selector)}
        self.js("document.querySelector(arguments[0]).scrollIntoViewIfNeeded()", selector)
        move = {"type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0}
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": [move, *then]}
        self._say("/actions", actions=[pointer])

    def _find(self, selector: str) -> str:
        return self._say("/element", using="css selector", value=selector)[ELEMENT]

    # --- the protocol ----------------------------------------------------------------------------------------------

    def _say(self, path: str, **body: Any) -> Any:
        return self._ask("POST", self._session + path, body)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._at + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["value"]
            raise RuntimeError(f"{path}: {told['error']}: {told['message']}") from None
