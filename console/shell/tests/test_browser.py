"""The shell in a browser: every page accessible, nothing that the policy blocks, keys, dialogs, drawer, feed."""

import json
import re
from urllib.parse import urldefrag, urlsplit

import pytest
from playwright.sync_api import expect

from conftest import make_application, make_user
from console.testing import DARK_PHONE, DESK, problems
from identity.access.commands import create_organization
from identity.kernel.context import realm_scope
from identity.kernel.ids import public_id

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOOKS = {
    "a desk, light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "a phone, dark": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}
LISTEN = (
    "document.addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.sample))"
)


@pytest.fixture
def visit(browser, sign_in, mount, realm_a, owner_a):
    """Opens a console page as the realm's owner. What the browser complains about is collected in `said`."""
    make_user(realm_a, "mia@example.com", name="Mia Torres")
    make_application(realm_a, name="Storefront")
    contexts = []

    def _visit(path="", **look):
        context = browser.new_context(**{**LOOKS["a desk, light"], "reduced_motion": "reduce", **look})
        contexts.append(context)
        sockets, heard = [], []

        def answer(socket):
            socket.on_message(lambda message: heard.append(json.loads(message)))
            sockets.append(socket)

        context.route_web_socket("**/console/live", answer)  # the live server of tests has none
        sign_in(context, realm_a, owner_a)
        page = context.new_page()
        page.add_init_script(LISTEN)
        page.said, page.sockets, page.heard = [], sockets, heard
        page.on("console", lambda m: page.said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(f"{mount(realm_a)}/console/{path}")
        return page

    yield _visit
    for context in contexts:
        context.close()


def faults(page):
    """What is wrong with a page in either look, and what the browser says about it."""
    out = [*problems(page, (DESK, DARK_PHONE)), *page.said]
    if page.evaluate("document.querySelectorAll('h1').length") != 1:
        out.append("not one h1")
    page.said.clear()
    return out


def holds(page, words):
    """Waits until the browser finds this true: what follows an act arrives a moment after it."""
    page.wait_for_function(words)


def shape(url):
    """Pages that differ by an id or by a filter are one."""
    steps = ["ID" if len(step) > 24 else step for step in urlsplit(url).path.split("/")]
    return "/".join(steps)


def test_every_page_is_accessible_fits_and_breaks_no_policy(visit):
    page = visit()
    start = page.url
    todo, seen, found = [start], set(), {}
    while todo:
        url = todo.pop(0)
        if shape(url) in seen:
            continue
        seen.add(shape(url))
        page.goto(url)
        found[shape(url)] = faults(page)
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        todo += [
            urldefrag(link)[0]
            for link in links
            if link.startswith(start) and not any(word in link for word in ("/export", "theme.css"))
        ]
    assert len(seen) > 20
    assert {name: what for name, what in found.items() if what} == {}


def test_what_an_act_hits_can_be_read_on_a_phone_in_the_longest_language(visit, realm_a, as_owner_a):
    with realm_scope(realm_a):
        retail = create_organization(as_owner_a, slug="retail", name="Acme Retail")
    look = {**LOOKS["a phone, dark"], "locale": "de-DE"}
    page = visit(f"organizations/{public_id('organization', retail.pk)}/delete", **look)
    holds(page, "document.documentElement.scrollWidth <= innerWidth")
    rows = page.locator("table.dense tr")
    heights = rows.evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert heights
    assert max(heights) < 100, "a column is so narrow that its words stand letter by letter"


def test_the_palette_finds_a_person_by_keyboard_alone(visit):
    page = visit("keys")
    page.keyboard.press("Control+k")
    holds(page, "document.activeElement.getAttribute('role') === 'combobox'")
    page.keyboard.type("mia")
    option = page.get_by_role("option", name="Mia Torres mia@example.com")
    option.wait_for()
    expect(page.locator("#palette input")).to_have_attribute("aria-activedescendant", option.get_attribute("id"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/users/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mia Torres")


def test_the_palette_opens_what_was_typed_last_however_fast(visit):
    page = visit("keys")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette [role=option][aria-selected=true]")).to_be_visible()
    # Faster than any answer: what stands there still answers the empty field.
    page.keyboard.type("mia")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/users/**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mia Torres")


def test_the_palette_gives_the_focus_back(visit):
    page = visit("keys")
    page.get_by_role("link", name="Search or jump to").click()
    page.keyboard.press("Escape")
    holds(page, "document.activeElement.hasAttribute('data-palette')")


def test_a_theme_is_kept_and_there_before_the_first_paint(visit):
    page = visit("keys")
    page.get_by_role("button", name="Switch between light and dark theme").click()
    expect(page.locator("html")).to_contain_class("dark")
    assert 'class="dark"' in page.request.get(page.url).text(), "the server writes it: nothing flashes"
    page.reload()
    expect(page.locator("html")).to_contain_class("dark")


def test_a_dialog_traps_the_focus_and_gives_it_back(visit):
    page = visit("users")
    row = page.locator("tr", has_text="Mia Torres")
    row.get_by_role("button").click()
    page.get_by_role("link", name="Lock…").locator("visible=true").click()
    dialog = page.locator("#dialog:modal")
    dialog.wait_for()
    holds(page, "document.querySelector('#dialog').contains(document.activeElement)")
    holds(page, "document.elementFromPoint(5, 300).closest('.rk-side') === null")  # the rest is inert
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    expect(page.locator("#dialog")).to_be_empty()


def test_a_refused_dialog_shows_its_errors_in_place(visit):
    page = visit("roles")
    page.goto(page.url + "/new?kind=console")
    page.get_by_role("main").get_by_role("button", name="Create role").click()
    page.locator("[aria-invalid=true]").first.wait_for()
    holds(page, "document.activeElement.getAttribute('aria-invalid') === 'true'")


def test_the_drawer_keeps_the_list_and_its_place(visit):
    page = visit("audit")
    page.locator("[data-row]").nth(2).click()
    page.locator("#drawer:modal").wait_for()
    expect(page).to_have_url(re.compile("event="))
    holds(page, "document.activeElement.getAttribute('aria-label') === 'Close'")
    page.keyboard.press("j")
    page.wait_for_timeout(400)
    page.keyboard.press("Escape")
    page.locator("#drawer:modal").wait_for(state="detached")
    expect(page).not_to_have_url(re.compile("event="))
    holds(page, "document.activeElement.hasAttribute('data-row')")


def test_a_drawers_address_opens_it_again_also_without_scripts(visit):
    page = visit("audit")
    url = page.locator("[data-row]").first.evaluate("link => link.href")
    page.goto(url)
    page.locator("#drawer:modal").wait_for()
    plain = visit("audit", java_script_enabled=False)
    plain.goto(url)
    expect(plain.locator("#drawer[open] h2")).to_be_visible()


def test_a_search_keeps_the_focus_and_the_address(visit):
    page = visit("users")
    page.keyboard.press("/")
    page.keyboard.type("mia")
    page.locator("tr", has_text="Olivia").wait_for(state="detached")
    expect(page).to_have_url(re.compile(r"users\?q=mia$"))
    holds(page, "document.activeElement.name === 'q'")
    expect(page.locator("#announce")).not_to_be_empty()  # said when the new rows have settled, a moment after


def test_selected_rows_are_counted_and_let_go(visit):
    page = visit("users")
    boxes = page.locator("input[name=ids]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Selection")).not_to_be_visible()


def test_letters_are_shortcuts_only_while_nobody_types_and_can_be_turned_off(visit):
    page = visit("keys")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts:modal")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/console/users")
    page.locator("[data-search]").focus()
    page.keyboard.type("?g")
    expect(page.locator("#shortcuts:modal")).to_have_count(0)
    page.locator("[data-search]").blur()
    page.get_by_role("button", name="Your menu").click()
    page.get_by_role("button", name="Single-letter shortcuts").click()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts:modal")).to_have_count(0)


def test_on_a_phone_the_sidebar_is_a_sheet(visit):
    page = visit("keys", **LOOKS["a phone, dark"])
    expect(page.get_by_role("navigation", name="Main")).not_to_be_visible()
    page.get_by_role("link", name="Open navigation").click()
    holds(page, "document.activeElement.getAttribute('aria-current') === 'page'")
    expect(page.locator(".rk-main")).to_have_attribute("inert", "")
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Main")).not_to_be_visible()


def feed(page, *ids, severity="low"):
    """What the server sends: rows for the top of the feed."""
    rows = "".join(f'<li data-event-id="{id_}" data-severity="{severity}">{id_}</li>' for id_ in ids)
    page.sockets[-1].send(f'<div hx-swap-oob="afterbegin:#feed">{rows}</div>')
    # The socket's order is kept: once this mark is there, so is all that came before it.
    page.evaluate("document.querySelector('#mark')?.remove()")
    page.sockets[-1].send('<div hx-swap-oob="beforeend:body"><i id="mark" hidden></i></div>')
    page.locator("#mark").wait_for(state="attached")


def shown(page):
    return page.eval_on_selector_all("#feed [data-event-id]", "rows => rows.map(row => row.dataset.eventId)")


def test_a_page_resumes_from_its_newest_row(visit):
    page = visit()
    page.get_by_role("status").filter(has_text="Live").wait_for()
    assert page.heard[0] == {"resume": max(shown(page))}


def test_a_lost_line_is_said(visit):
    page = visit()
    page.get_by_role("status").filter(has_text="Live").wait_for()
    page.sockets[-1].close(code=1006)
    page.get_by_text("Not live since").first.wait_for()
    expect(page.get_by_role("button", name="Connect now")).to_be_visible()


def test_feed_rows_come_once_in_the_order_of_their_ids(visit):
    page = visit()
    feed(page, "zz-3", "zz-1")
    feed(page, "zz-2", "zz-3")
    assert shown(page)[:3] == ["zz-3", "zz-2", "zz-1"]
    assert len(shown(page)) == len(set(shown(page)))


def test_the_feed_holds_still_while_pointed_at(visit):
    page = visit()
    feed(page, "zz-1")
    page.locator("#feed li").first.hover()
    feed(page, "zz-2", "zz-3")
    assert shown(page)[0] == "zz-1"
    expect(page.get_by_text("Held while you point, 2 new")).to_be_visible()
    page.mouse.move(700, 20)
    expect(page.locator("#feed [data-event-id]").first).to_have_attribute("data-event-id", "zz-3")


def test_the_feed_can_be_paused_and_keeps_fifty_rows(visit):
    page = visit()
    page.get_by_role("button", name="Pause").click()
    feed(page, *(f"zz-{number:03}" for number in range(60)))
    expect(page.get_by_text("Paused, 60 waiting")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#feed [data-event-id]")).to_have_count(50)
    assert shown(page)[0] == "zz-059"


def test_a_critical_event_speaks_by_itself(visit):
    page = visit()
    feed(page, "zz-1", severity="critical")
    expect(page.locator("#announce")).to_have_text("zz-1")


def test_the_chart_is_a_table_on_demand_and_without_scripts(visit):
    page = visit()
    page.locator("[data-chart-plot] svg").first.wait_for()
    expect(page.get_by_role("region", name="Sign-ins").locator("table").first).not_to_be_visible()
    page.get_by_role("button", name="Show the chart as a table").click()
    expect(page.locator("[data-chart-rows]").first).to_be_visible()
    plain = visit(java_script_enabled=False)
    expect(plain.locator("[data-chart-rows]").first).to_be_visible()
    expect(plain.get_by_role("button", name="Pause"), "no button that does nothing").not_to_be_visible()


def test_a_person_is_locked_by_keyboard_alone(visit):
    page = visit("users")
    page.keyboard.press("Control+k")
    page.keyboard.type("lock mia")
    expect(page.locator("#palette [role=option][aria-selected=true]")).to_be_visible()
    expect(page.get_by_role("option", name="Lock Mia Torres…")).to_be_visible()
    while "Lock" not in page.locator("#palette [aria-selected=true]").inner_text():
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog[open]")
    expect(dialog).to_contain_text("Lock Mia Torres out?")
    expect(dialog).to_contain_text("What locking does")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
