"""The pages of the storefront: one layout and three screens. Everything that was sent to us is escaped."""

import json
import time
from html import escape

from browser_sessions import Session


def _layout(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)} · Acme Storefront</title>
  <link rel="stylesheet" href="/static/storefront.css">
</head>
<body>
  <header><a class="brand" href="/"><span class="mark" aria-hidden="true">A</span> Acme Storefront</a>
  <span class="tag">Sample application</span></header>
  <main>{body}</main>
  <footer>Signs people in with OpenID Connect: authorization code, PKCE, server-side session.</footer>
</body>
</html>
"""


def welcome(issuer: str, notice: str = "") -> str:
    """The page of a visitor who is not signed in."""
    return _layout(
        "Welcome",
        f"""
    {_notice(notice)}
    <section class="card hero">
      <h1>Good things, well made</h1>
      <p>Sign in to see your orders. You will be sent to <code>{escape(issuer)}</code> and back.</p>
      <p><a class="button primary" href="/signin">Sign in</a></p>
    </section>""",
    )


def signed_in(session: Session, person: dict[str, object]) -> str:
    """The page of a person who is signed in: who it is, what can be tried, and the last answer."""
    sign_in = session.sign_in
    if sign_in is None:
        raise ValueError("nobody is signed in")
    name = str(person.get("name") or person.get("email") or person["sub"])
    minutes = max(0, round((sign_in.expires_at - time.time()) / 60))
    return _layout(
        name,
        f"""
    {_notice(session.notice)}
    <section class="card person">
      <span class="avatar" aria-hidden="true">{escape(name[:1].upper())}</span>
      <div><h1>{escape(name)}</h1><p>{escape(str(person.get("email", "")))}</p></div>
      {_button(session, "/signout", "Sign out", "quiet")}
    </section>
    <section class="card">
      <h2>Try it</h2>
      <p>The access token is good for about {minutes} more minutes.
      Granted: <code>{escape(sign_in.scope)}</code></p>
      <div class="actions">
        {_button(session, "/orders", "Show my orders", "primary")}
        {_button(session, "/userinfo", "Ask userinfo")}
        {_button(session, "/refresh", "Refresh the token")}
      </div>
      {_result(session)}
    </section>
    <section class="card">
      <h2>The verified ID token</h2>
      {_table(sign_in.claims)}
    </section>""",
    )


def problem(title: str, explanation: str) -> str:
    """The page of something that went wrong."""
    return _layout(
        title,
        f"""
    <section class="card">
      <h1>{escape(title)}</h1>
      <p>{escape(explanation)}</p>
      <p><a class="button" href="/">Back to the storefront</a></p>
    </section>""",
    )


def _notice(text: str) -> str:
    return f'<p class="notice" role="status">{escape(text)}</p>' if text else ""


def _button(session: Session, action: str, label: str, look: str = "") -> str:
    # The token ties the form to this session: another site cannot post it in the person's name.
    return f"""<form method="post" action="{action}">
          <input type="hidden" name="form_token" value="{session.form_token}">
          <button class="button {look}">{escape(label)}</button>
        </form>"""


def _result(session: Session) -> str:
    if session.result is None:
        return ""
    title, answer = session.result
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    return f'<h3>{escape(title)}</h3><pre id="result" tabindex="0">{escape(text)}</pre>'


def _table(claims: dict[str, object]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(_shown(value))}</td></tr>'
        for name, value in claims.items()
    )
    return f"<table>{rows}</table>"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
