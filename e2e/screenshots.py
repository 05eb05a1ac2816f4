"""Pictures of every page of a demo server: light and dark, 1440 and 390 px wide. `bin/screenshots` runs it.

Pages are found by following links from where people begin, so a new page is in the pictures without being told; pages
that only acts lead to are in e2e.gallery. Of pages that differ only by an id (one per person, one per application)
the first is taken.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from e2e import gallery, gallery_rare

ROOT = Path(__file__).parents[1]
WIDTHS = {"1440": (1440, 900), "390": (390, 844)}
THEMES = ("light", "dark")
MOST_PAGES = 150
# Public ids have a prefix (usr_…), library tables a number or a uuid; slugs and client ids differ by row too.
ROW = re.compile(r"^([a-z]{2,4}_[0-9a-z]{10,}|[0-9]+|[0-9a-f-]{32,36})$")
NOT_PAGES = re.compile(
    r"signout|/signin/provider/|/linked/[^/]+/link$|/trip$"  # out of the house
    r"|/export|\.(css|js|json|csv|svg|png|ico)$|/\.well-known/|/oauth/"
)
SIGN_IN_LINE = re.compile(r"^\s+(\S+)\s+(\S+@\S+)\s+\S", re.MULTILINE)
DATA_LINE = re.compile(r"The data stays in (.+)\.$", re.MULTILINE)
PASSWORD_LINE = re.compile(r"password of all: (.+)\)")


@dataclass(frozen=True)
class Start:
    """Where somebody begins, and as whom; nobody has no e-mail."""

    folder: str
    realm: str
    paths: tuple[str, ...]
    email: str = ""


def starts(demo: str) -> list[Start]:
    """Nobody, an owner, an operator and a customer, of the people whom the demo describes."""
    people = SIGN_IN_LINE.findall(demo)
    first = dict(reversed(people))
    customer = [email for realm, email in people if realm == "acme"][-1]
    return [
        Start("entrance", "acme", ("/signin", "/signup", "/password/reset")),
        Start("console", "acme", ("/console/",), first["acme"]),
        Start("platform", "platform", ("/console/",), first["platform"]),
        Start("account", "acme", ("/account/",), customer),
    ]


@contextmanager
def demo_server(prepare: Callable[[Path], object] | None = None) -> Iterator[tuple[str, str]]:
    """`make run` on a free port with data of its own: its address, and what it says about the demo.

    prepare: is called with the place of the database, before there is one.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    data = tempfile.mkdtemp(prefix="realmkeep-screenshots-")
    if prepare:
        prepare(Path(data) / "realmkeep.sqlite3")
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "REALMKEEP_ORIGIN"}}
    server = subprocess.Popen(
        [sys.executable, "bin/serve.py"],
        cwd=ROOT,
        env={**kept, **gallery.ENVIRONMENT, "PORT": str(port), "REALMKEEP_DATA": data},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = []
        for line in server.stdout or ():
            said.append(line)
            if line.startswith("Ctrl-C stops it"):
                break
        else:
            sys.exit("".join(said) + "The demo server did not start.")
        yield f"http://localhost:{port}", "".join(said)
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)  # also closes the pipe
        shutil.rmtree(data, ignore_errors=True)


def sign_in(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/signin")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=login]").press("Enter")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/signin" not in url)


def shape(path: str) -> str:
    """A page's address with its ids taken out: pages of one shape are one page to the eye."""
    return "/".join("ID" if ROW.match(part) else part for part in path.split("/"))


def name_of(path: str, mount: str) -> str:
    return shape(path.removeprefix(mount)).strip("/").replace("/", "-") or "index"


def find_pages(page: Page, start: Start, address: str) -> list[str]:
    """Addresses of one page of each shape that links lead to, within the part of the house where `start` is."""
    mount = urlsplit(address).path
    inside = tuple(mount + path for path in start.paths) if start.email else (mount + "/",)
    waiting = deque(address + path for path in start.paths)
    seen: set[str] = set()
    found: list[str] = []
    while waiting and len(found) < MOST_PAGES:
        url = waiting.popleft()
        key = shape(urlsplit(url).path)
        if key in seen:
            continue
        seen.add(key)
        response = page.goto(url, wait_until="domcontentloaded")
        if response is None or "text/html" not in response.headers.get("content-type", ""):
            continue
        found.append(url)
        for href in page.locator("a[href]").evaluate_all("links => links.map(a => a.getAttribute('href'))"):
            target = urldefrag(urljoin(page.url, href)).url.partition("?")[0]
            parts = urlsplit(target)
            is_ours = parts.netloc == urlsplit(address).netloc and parts.path.startswith(inside)
            if is_ours and not NOT_PAGES.search(parts.path):
                waiting.append(target)
    return found


def take(context: BrowserContext, url: str, file: Path) -> None:
    page = context.new_page()
    page.goto(url)
    time.sleep(0.3)  # charts and fonts
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=True)
    page.close()


def take_all(browser: Browser, start: Start, address: str, password: str, folder: Path, language: str) -> int:
    context = browser.new_context(locale=language)
    page = context.new_page()
    if start.email:
        sign_in(page, address, start.email, password)
    urls = find_pages(page, start, address)
    cookies = context.cookies()
    context.close()
    for theme in THEMES:
        for width, (across, down) in WIDTHS.items():
            pictures = browser.new_context(
                viewport={"width": across, "height": down},
                color_scheme=theme,
                reduced_motion="reduce",
                locale=language,
            )
            pictures.add_cookies(cookies)
            for url in urls:
                name = name_of(urlsplit(url).path, urlsplit(address).path)
                take(pictures, url, folder / start.folder / f"{name}.{theme}.{width}.png")
            pictures.close()
    return len(urls)


def take_gallery(browser: Browser, origin: str, data: Path, folder: Path, language: str) -> int:
    """Pages that only acts lead to, each from one load in every look."""
    gallery.apply(data)
    names: set[str] = set()

    def shoot(page: Page, name: str) -> None:
        if page.locator("h1").count() != 1:
            sys.exit(f"{name} is no page of ours: {page.url}")
        names.add(name)
        for theme in THEMES:
            for width, (across, down) in WIDTHS.items():
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                page.set_viewport_size({"width": across, "height": down})
                page.screenshot(path=folder / "gallery" / f"{name}.{theme}.{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})

    walk = gallery.Gallery(f"{origin}/realms/gallery", data, partial(browser.new_context, locale=language), shoot)
    walk.every()
    gallery_rare.every(walk)
    return len(names)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "screenshots", help="folder for the pictures")
    parser.add_argument("--only", help="entrance, console, platform, account or gallery")
    parser.add_argument("--language", default="en", help="of the browser: en or de")
    options = parser.parse_args()
    with demo_server() as (origin, demo), sync_playwright() as playwright:
        password, data = PASSWORD_LINE.search(demo), DATA_LINE.search(demo)
        if password is None or data is None:
            sys.exit("The demo does not say its password or its folder any more.")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("REALMKEEP_CHROMIUM"), args=["--no-sandbox"]
        )
        for start in starts(demo):
            if options.only in {None, start.folder}:
                address = f"{origin}/realms/{start.realm}"
                count = take_all(browser, start, address, password[1], options.to, options.language)
                print(f"{start.folder}: {count} pages", flush=True)
        if options.only in {None, "gallery"}:
            count = take_gallery(browser, origin, Path(data[1]), options.to, options.language)
            print(f"gallery: {count} pages", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
