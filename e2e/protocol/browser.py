"""A person with a browser, played by plain HTTP: follows redirects, keeps cookies, fills forms."""

from urllib.parse import urljoin

import httpx

from e2e.forms import Form, read_forms

MOST_STEPS = 12


class Browser:
    """One person's browser. The person signs in and consents whenever a page asks for it."""

    def __init__(self, email: str, password: str) -> None:
        self.email = email
        self.password = password
        self.http = httpx.Client(follow_redirects=False, timeout=30)
        self.pages: list[str] = []

    def visit(self, url: str, *, until: str) -> str:
        """Go where the redirects and forms lead, until an address that begins with `until`; return that address."""
        response = self.http.get(url)
        for _ in range(MOST_STEPS):
            if response.is_redirect:
                url = urljoin(str(response.url), response.headers["location"])
                if url.startswith(until):
                    return url
                response = self.http.get(url)
                continue
            self.pages.append(response.text)
            response = self._fill(response)
        raise AssertionError(f"still at {response.url} after {MOST_STEPS} steps")

    def submit(self, page: httpx.Response, form: Form, **answers: str) -> httpx.Response:
        """Send a form of a page with these answers, as its buttons would."""
        return self.http.post(urljoin(str(page.url), form.action), data={**form.fields, **answers})

    def _fill(self, page: httpx.Response) -> httpx.Response:
        assert page.status_code == 200, f"{page.status_code} at {page.url}: {page.text[:2000]}"
        for form in read_forms(page.text):
            if form.names("password"):
                return self.submit(page, form, **dict.fromkeys(form.names("password"), self.password))
            if "login" in form.types:
                return self.submit(page, form, login=self.email)
            allow = [button for button in form.buttons if button[1] == "allow"]
            if allow:
                return self.submit(page, form, **dict(allow[:1]))
        raise AssertionError(f"no form to go on with at {page.url}: {page.text[:2000]}")
