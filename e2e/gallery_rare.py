"""Pages that need a realm set up in a way of their own, or another house: what is seen rarely is looked at, too."""

from playwright.sync_api import Page

from e2e.gallery import ANOTHER_DEVICE, PASSWORD, Gallery, apply, fill, submit
from identity.signin.tests.fake_provider import FakeProvider


def previews(walk: Gallery) -> None:
    """What tokens would say: nobody chosen, roles that yield, roles that don't, somebody who can't sign in."""
    with walk.browser() as page:
        walk.sign_in(page, "olga")
        page.goto(f"{walk.mount}/console/applications")
        page.locator("main").get_by_role("link", name="Reading room").first.click()
        page.wait_for_url("**/applications/*")
        place = f"{page.url}/preview"
        page.goto(place)
        walk.shoot(page, "console-preview")
        page.goto(f"{place}?q=nobody-of-that-name")
        walk.shoot(page, "console-preview-none")
        for person in ("dana", "rita", "gone"):
            page.goto(f"{place}?q={person}")
            who = page.locator("main input[type=radio][name=user]").first.get_attribute("value")
            if person == "gone":
                page.goto(f"{walk.mount}/console/users/{who}/disable")
                with page.expect_navigation():
                    page.locator("main form[method=post] button.btn").last.click()
            page.goto(f"{place}?user={who}")
            walk.shoot(page, f"console-preview-{person}")


def policies(walk: Gallery) -> None:
    """Cards of the console that change what is asked of people, and the order of attributes."""
    with walk.browser() as page:
        walk.sign_in(page, "olga")
        for place in ("passwords", "risk", "attributes", "attributes/member_number"):
            page.goto(f"{walk.mount}/console/sign-in/{place}")
            walk.shoot(page, f"console-{place.replace('/', '-')}")


def limited(walk: Gallery) -> None:
    """Somebody is signed in in too many places."""
    apply(walk.data, session_limit=1, session_limit_action="refuse")
    with walk.browser() as first, walk.browser() as page:
        walk.sign_in(first, "rita")
        walk.sign_in(page, "rita")
        walk.shoot(page, "too-many-sessions")


def owing(walk: Gallery) -> None:
    """A number that has to be confirmed before somebody comes in."""
    apply(walk.data, phone_verification_required=True)
    with walk.browser() as page:
        walk.sign_in(page, "owes")
        walk.shoot(page, "number")
        page.locator("input[name=code]").fill("000000")
        submit(page)
        walk.shoot(page, "number-wrong")


def held(walk: Gallery) -> None:
    """A device that its person said is not his: a sign-in from it waits for a code."""
    apply(walk.data, suspicious_sign_in="hold")
    with walk.browser() as known, walk.browser(user_agent=ANOTHER_DEVICE) as page:
        walk.sign_in(known, "hedy")
        walk.sign_in(page, "hedy")
        known.goto(walk.link_to("hedy@gallery.example", "review/"))
        with known.expect_navigation():
            known.locator("button[value=no]").click()
        known.goto(f"{walk.mount}/password/reset")
        known.locator("input[name=email]").fill("hedy@gallery.example")
        submit(known)
        known.goto(walk.link_to("hedy@gallery.example", "password/reset/"))
        fill(known, password1=f"{PASSWORD} again")
        submit(known)
        walk.name(page, "hedy@gallery.example")
        walk.password(page, f"{PASSWORD} again")
        walk.shoot(page, "held")
        submit(page)
        walk.shoot(page, "held-code")
        page.locator("input[name=code]").fill("000000")
        submit(page)
        walk.shoot(page, "held-code-wrong")


def elsewhere(walk: Gallery) -> None:
    """Another house says who somebody is: what is asked of him as well, or what he already has here."""
    with FakeProvider() as partner:
        partner.client_secret = ""
        provider = {
            "alias": "partner",
            "name": "Partner house",
            "kind": "oidc",
            "client_id": partner.client_id,
            "secret": {"env": "GALLERY_SECRET"},
            "settings": {"issuer": partner.issuer},
        }
        for person, name, sign_up in (("new", "finish", "create"), ("kim", "link", "link")):
            apply(walk.data, providers=[{**provider, "sign_up": sign_up}])
            partner.person |= {"sub": f"u-{person}", "email": f"{person}@gallery.example"}
            with walk.browser() as page:
                come_through(walk, page)
                walk.shoot(page, f"provider-{name}")
                if name == "finish":
                    submit(page, novalidate=True)
                    walk.shoot(page, "provider-finish-wrong")
                    fill(page, phone="0151 12345696", username="newt", terms=True)
                    submit(page)
                    walk.shoot(page, "provider-finish-code")
                else:
                    walk.sign_in(page, "kim")
                    page.goto(f"{walk.mount}/signin/provider/link")
                    walk.shoot(page, "provider-link-asked")
        with walk.browser() as page:
            come_through(walk, page, "no")
            walk.shoot(page, "provider-cancelled")
            page.goto(f"{walk.mount}/signin/provider/callback?state=none&code=none")
            walk.shoot(page, "provider-lost")


def come_through(walk: Gallery, page: Page, answer: str = "yes") -> None:
    """To the other house, and what is said there."""
    page.goto(f"{walk.mount}/signin/provider/partner")
    page.locator(f"#{answer}").click()
    page.wait_for_url(f"{walk.mount}/**")


def guarded(walk: Gallery) -> None:
    """A captcha of others at sign-up: what stands around it, and the form without an answer."""
    apply(walk.data, bot_protection="captcha", captcha_site_key="1x00000000000000000000AA")
    with walk.browser() as page:
        page.route("https://challenges.cloudflare.com/**", lambda route: route.fulfill(body="", status=200))
        page.goto(f"{walk.mount}/signup")
        walk.shoot(page, "signup-captcha")
        fill(page, name="Nils Neu", email="nils@gallery.example", username="nils", phone="0151 12345697", terms=True)
        submit(page, novalidate=True)
        walk.shoot(page, "signup-captcha-wrong")


def invited(walk: Gallery) -> None:
    """An invitation to a house where nobody has a password."""
    apply(walk.data)
    with walk.browser() as page:
        walk.sign_in(page, "olga")
        page.goto(f"{walk.mount}/console/users/invite")
        page.locator("main input[name=email]").fill("ivy@gallery.example")
        with page.expect_navigation():
            page.locator("main form[method=post] button.pri").first.click()
    link = walk.link_to("ivy@gallery.example", "invitation/")
    apply(walk.data, password_sign_in=False)
    with walk.browser() as page:
        page.goto(link)
        walk.shoot(page, "invitation")


def every(walk: Gallery) -> None:
    """All of them; the realm is left as it was."""
    for way in (previews, policies, limited, owing, held, elsewhere, guarded, invited):
        way(walk)
    apply(walk.data)
