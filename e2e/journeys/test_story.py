"""The whole story, as its people live it: from an empty product to an attack that was noticed and stopped."""

import sys

import pytest
from playwright.sync_api import Page, expect

from e2e.journeys.conftest import OPERATOR, OPERATOR_PASSWORD, Product, Watched
from e2e.protocol.conftest import ROOT, free_port

pytestmark = pytest.mark.browser

SLUG = "northwind"
ADMIN, ADMIN_PASSWORD = "nora@northwind.example", "harbor maple quartz 51"
DANA, DANA_PASSWORD = "dana@northwind.example", "pebble sunrise canyon 8"
SOON = 5_000  # "at once", with room for a machine that is busy with all the other tests


def sign_in(page: Page, mount: str, email: str, password: str) -> None:
    """Fill in the sign-in page; what comes of it is the caller's to see."""
    if not page.url.startswith(f"{mount}/signin"):
        page.goto(f"{mount}/signin")
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def accept_invitation(page: Page, link: str, realm_name: str, name: str, password: str) -> None:
    """Follow the mail's link and choose a password."""
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Welcome to {realm_name}")
    named = page.get_by_label("Your name")
    if named.count():
        named.fill(name)
    page.get_by_label("Choose a password").fill(password)
    page.get_by_role("button", name="Accept and sign in").click()
    expect(page).not_to_have_url(link)


def found_realm(otto: Page, product: Product) -> None:
    """The operator makes northwind and names who will own it."""
    platform = product.mount("platform")
    otto.goto(f"{platform}/console/")
    sign_in(otto, platform, OPERATOR, OPERATOR_PASSWORD)
    expect(otto.get_by_role("heading", level=1)).to_have_text("Overview")
    otto.get_by_role("link", name="Realms", exact=True).click()
    otto.get_by_role("link", name="Create realm").click()
    otto.get_by_label("Name", exact=True).fill("Northwind")
    otto.get_by_label("Slug").fill(SLUG)
    otto.get_by_label("Email of the first owner").fill(ADMIN)
    otto.get_by_label("Name of the first owner").fill("Nora Winter")
    otto.get_by_role("button", name="Create realm").click()
    expect(otto.get_by_role("heading", level=1)).to_have_text("Northwind")


def register_application(desk: Page, console: str, callback: str) -> tuple[str, str]:
    """The admin adds the storefront by the guided form: its client id, and the secret that is shown once."""
    desk.goto(f"{console}/applications")
    desk.get_by_role("link", name="Add application").first.click()
    desk.get_by_role("radio", name="Web application").check()
    desk.get_by_label("Name", exact=True).fill("Storefront")
    desk.get_by_label("Redirect URIs").fill(callback)
    desk.get_by_role("button", name="Add application").click()
    expect(desk.get_by_text("Storefront is added.")).to_be_visible()
    client_id = desk.get_by_role("definition").inner_text().strip()
    secret = desk.locator("[data-secret]").inner_text()
    desk.get_by_role("link", name="I have copied it").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Storefront")
    expect(desk.get_by_role("main")).to_contain_text(client_id)
    assert secret not in desk.content()
    return client_id, secret


def invite(desk: Page, console: str) -> None:
    """The admin invites Dana."""
    desk.goto(f"{console}/users")
    desk.get_by_role("link", name="Invite person").first.click()
    desk.get_by_label("Email").fill(DANA)
    desk.get_by_role("textbox", name="Name").fill("Dana Okafor")
    desk.get_by_role("button", name="Send invitation").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Dana Okafor")
    expect(desk.get_by_role("main")).to_contain_text("Invited")


def sign_in_to_storefront(laptop: Page, storefront: str, northwind: str) -> None:
    """Dana comes from the storefront, signs in, lets it in, and is greeted by her name."""
    laptop.goto(storefront)
    laptop.get_by_role("link", name="Sign in").click()
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in")
    sign_in(laptop, northwind, DANA, DANA_PASSWORD)
    expect(laptop.get_by_role("heading", level=1)).to_contain_text("Let Storefront use some of your Northwind data?")
    expect(laptop.get_by_role("main")).to_contain_text(DANA)
    laptop.get_by_role("button", name="Allow", exact=True).click()
    expect(laptop).to_have_url(f"{storefront}/")
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Dana Okafor")


def end_session(desk: Page, console: str) -> None:
    """The admin ends the session in which the storefront was used."""
    desk.goto(f"{console}/sessions")
    row = desk.get_by_role("row").filter(has_text="Storefront")
    expect(row).to_contain_text("Dana Okafor")
    row.get_by_role("button", name="More actions for Dana Okafor").click()
    desk.get_by_role("link", name="End session…").locator("visible=true").click()
    dialog = desk.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("End this session of Dana Okafor?")
    dialog.get_by_role("button", name="End session").click()
    expect(desk.get_by_role("row").filter(has_text="Storefront")).to_have_count(0)


def guess_passwords(stranger: Page, northwind: str) -> None:
    """Somebody who knows Dana's address tries one password after the other."""
    for guess in range(5):
        sign_in(stranger, northwind, DANA, f"dana loves summer {guess}")
        expect(stranger.get_by_role("alert")).to_be_visible()
        stranger.goto("about:blank")


def test_from_an_empty_product_to_a_stopped_attack(product: Product, watched: Watched) -> None:
    northwind = product.mount(SLUG)
    console, account = f"{northwind}/console", f"{northwind}/account/"
    port = free_port()
    storefront = f"http://127.0.0.1:{port}"

    found_realm(watched.context().new_page(), product)

    admin = watched.context()
    watch, desk = admin.new_page(), admin.new_page()
    accept_invitation(desk, product.link_in_mail(ADMIN), "Northwind", "Nora Winter", ADMIN_PASSWORD)
    # From here on the overview stays open, and is never loaded again.
    watch.goto(f"{console}/")
    expect(watch.get_by_role("heading", level=1)).to_have_text("Overview")
    watch.evaluate("window.openSinceTheBeginning = true")
    feed = watch.get_by_role("log", name="Live events")

    client_id, secret = register_application(desk, console, f"{storefront}/callback")
    expect(feed).to_contain_text("Storefront")
    product.start(
        [sys.executable, str(ROOT / "docs/quickstart/client/app.py")],
        {
            "REALMKEEP_ISSUER": northwind,
            "CLIENT_ID": client_id,
            "CLIENT_SECRET": secret,
            "PORT": str(port),
            "SCOPE": "openid profile email",
        },
        storefront,
    )

    invite(desk, console)
    phone = watched.context().new_page()
    accept_invitation(phone, product.link_in_mail(DANA), "Northwind", "Dana Okafor", DANA_PASSWORD)
    phone.goto(account)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Hello, Dana")

    laptop = watched.context().new_page()
    signed_in = feed.get_by_role("listitem").filter(has_text="Dana Okafor signed in")
    before = signed_in.count()
    sign_in_to_storefront(laptop, storefront, northwind)
    expect(signed_in).to_have_count(before + 1, timeout=SOON)

    shop = laptop.context.new_page()
    shop.goto(storefront)
    laptop.goto(account)
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Hello, Dana")
    end_session(desk, console)
    laptop.reload()
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in", timeout=SOON)
    shop.get_by_role("button", name="Refresh the token").click()
    expect(shop.get_by_text("Your session has ended. Please sign in again.")).to_be_visible(timeout=SOON)
    expect(feed.get_by_role("listitem").filter(has_text="session").first).to_be_visible()
    # Ending a session shuts nobody out: she comes in again.
    sign_in(laptop, northwind, DANA, DANA_PASSWORD)
    laptop.goto(account)
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Hello, Dana")

    guess_passwords(watched.context().new_page(), northwind)
    alert = feed.get_by_role("listitem").filter(has=watch.get_by_role("link", name="Lock", exact=True))
    expect(alert).to_contain_text("Dana Okafor", timeout=15_000)
    alert.hover()
    alert.get_by_role("link", name="Lock", exact=True).click()
    dialog = watch.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Contain Dana Okafor?")
    assert watch.evaluate("window.openSinceTheBeginning") is True
    dialog.get_by_role("button", name="Contain Dana Okafor").click()
    # He stays on the overview: the row tells what became of it, the decisions follow.
    expect(feed.get_by_text("Dana Okafor is locked.").first).to_be_visible()
    expect(watch.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(watch.locator("#lead")).to_have_text("Nothing needs a decision.")
    feed.get_by_role("link", name="See alert").first.click()
    expect(watch.get_by_role("main")).to_contain_text("What was done")

    # Her laptop is a known device, which no stranger's guesses can pause: only the lock keeps her out now.
    laptop.reload()
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in", timeout=SOON)
    sign_in(laptop, northwind, DANA, DANA_PASSWORD)
    expect(laptop.get_by_role("alert")).to_be_visible()
    expect(laptop.get_by_role("alert")).not_to_contain_text("paused")
    laptop.goto(account)
    expect(laptop.get_by_role("heading", level=1)).to_have_text("Sign in")
    desk.goto(f"{console}/users")
    expect(desk.get_by_role("row").filter(has_text="Dana Okafor")).to_contain_text("Locked")
