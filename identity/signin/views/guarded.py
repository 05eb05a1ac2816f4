"""Forms that bots like: each wants a solved sum or a captcha first, as the realm says."""

import logging
from typing import Any

from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from identity.kernel.errors import Invalid, Unavailable
from identity.kernel.outbound import OutboundFailed
from identity.realms.models import Realm
from identity.signin import captcha
from identity.signin.proof_of_work import is_solved, new_challenge
from identity.signin.requests import actor_of, realm_of

logger = logging.getLogger(__name__)


def protection_of(realm: Realm) -> str:
    """What the realm asks for; where its captcha has no secret, the sum: a gap in the setup opens no door (LG-02)."""
    wanted = str(realm.setting("bot_protection"))
    if wanted == "captcha" and not (realm.setting("captcha_site_key") and captcha.is_available(realm)):
        logger.warning("Realm %s asks for a captcha without a secret or site key; a sum is asked.", realm.slug)
        return "proof_of_work"
    return wanted


class BotGuard:
    """For a view with one form. `guards`: what the form is called; a solution for one never serves another."""

    request: HttpRequest
    guards = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lets the captcha's own script and frame onto this page, and onto no other."""
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        if protection_of(realm_of(request)) == "captcha":
            origins = captcha.captcha().widget(realm_of(request)).origins
            policy = getattr(response, "_csp_config", settings.SECURE_CSP)
            wider = {name: [*policy.get(name, []), *origins] for name in ("script-src", "connect-src")}
            wider["frame-src"] = list(origins)
            response._csp_config = {**policy, **wider}  # type: ignore[attr-defined]
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """A challenge of its own for each page that is shown."""
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        realm = realm_of(self.request)
        match protection_of(realm):
            case "proof_of_work":
                context["proof_of_work"] = new_challenge(realm, self.guards, ip=actor_of(self.request).origin.ip)
            case "captcha":
                context["captcha"] = captcha.captcha().widget(realm)
        return context

    def passes(self, form: BaseForm) -> bool:
        """Whether the form may be acted on. Before anything is looked up, hashed or sent; else it says why not."""
        try:
            self.check()
        except (Invalid, Unavailable) as error:
            form.add_error(None, str(error.message))
            return False
        return True

    def check(self) -> None:
        """Raises Invalid (bot), or Unavailable when the captcha's service is away: nobody passes then (LG-02)."""
        realm, posted = realm_of(self.request), self.request.POST
        match protection_of(realm):
            case "off":
                return
            case "captcha":
                try:
                    right = captcha.captcha().is_right(realm, posted, ip=actor_of(self.request).origin.ip)
                except OutboundFailed:
                    raise Unavailable(_("The check for bots doesn’t answer now. Try again in a moment."))
                refusal = _("The check for bots didn’t pass. Try it once more.")
            case _:
                right = is_solved(
                    realm, self.guards, challenge=posted.get("challenge", ""), solution=posted.get("solution", "")
                )
                refusal = _(
                    "Your browser has to solve a small sum first, to keep bots out. It does it by itself, with "
                    "JavaScript switched on. Send the form once more."
                )
        if not right:
            raise Invalid(refusal, code="bot")
