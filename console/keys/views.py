"""The realm's signing keys: which one signs, which is next, which still verify, and their rotation."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.shell.fragments import redirect_after, render_dialog, render_page
from console.shell.http import ConsoleRequest
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from identity.kernel.errors import Conflict, Invalid
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.oauth.commands import choose_signing_algorithm, rotate_signing_key
from identity.oauth.models import KeyStatus, SigningKey
from identity.oauth.queries import signing_keys
from identity.realms.mount import realm_url
from identity.realms.rules import SIGNING_ALGORITHMS

SHOWN = 50
PURPOSE = {
    KeyStatus.ACTIVE: (gettext_lazy("Signs"), "ok"),
    KeyStatus.NEXT: (gettext_lazy("Next"), "low"),
    KeyStatus.RETIRING: (gettext_lazy("Verifies only"), "med"),
    KeyStatus.RETIRED: (gettext_lazy("Retired"), ""),
}


def _row(key: SigningKey, alg: str) -> dict[str, Any]:
    label, tone = PURPOSE[KeyStatus(key.status)]
    return {
        "key": key,
        "id": public_id("key", key.pk),
        "label": label,
        "tone": tone,
        "signs_now": key.status == KeyStatus.ACTIVE and key.alg == alg,
    }


class Keys(ConsoleView):
    """The list, the key that signs first."""

    permission = Permission.KEYS_READ

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """The page."""
        alg = str(request.realm.setting("signing_algorithm"))
        order = [KeyStatus.ACTIVE, KeyStatus.NEXT, KeyStatus.RETIRING, KeyStatus.RETIRED]
        keys = sorted(
            signing_keys(request.actor)[:SHOWN], key=lambda k: (k.alg != alg, order.index(KeyStatus(k.status)))
        )
        active = next((k for k in keys if k.alg == alg and k.status == KeyStatus.ACTIVE), None)
        return render_page(
            request,
            "console/keys/list.html",
            {
                "title": _("Keys"),
                "rows": [_row(key, alg) for key in keys if key.status != KeyStatus.RETIRED],
                "retired": [_row(key, alg) for key in keys if key.status == KeyStatus.RETIRED],
                "active": active,
                "alg": alg,
                "other_alg": next(a for a in SIGNING_ALGORITHMS if a != alg),
                "jwks_uri": realm_url(request.realm, "jwks"),
                "may_rotate": request.actor.can(Permission.KEYS_ROTATE),
                "may_choose": request.actor.can(Permission.KEYS_ROTATE)
                and request.actor.can(Permission.SETTINGS_WRITE),
            },
        )


class _KeyDialog(ConsoleView):
    """A dialog about the key that signs now."""

    permission = Permission.KEYS_ROTATE
    fresh = True
    template = ""

    def dialog(self, request: ConsoleRequest, *, error: str = "", status: int = 200) -> HttpResponse:
        """The dialog with what it will hit."""
        alg = str(request.realm.setting("signing_algorithm"))
        rows = signing_keys(request.actor).filter(alg=alg)
        active = rows.filter(status=KeyStatus.ACTIVE).first()
        following = rows.filter(status=KeyStatus.NEXT).first()
        return render_dialog(
            request,
            self.template,
            {
                "title": _("Signing key"),
                "crumb": _("Signing key"),
                "active": active,
                "next": following,
                "alg": alg,
                "other_alg": next(a for a in SIGNING_ALGORITHMS if a != alg),
                "minutes": int(request.realm.setting("access_token_lifetime")) // 60,
                "error": error,
                "action": request.path,
                "cancel_url": reverse("console:keys"),
                "danger": self.template.endswith("withdraw.html"),
            },
            status=status,
        )

    def get(self, request: ConsoleRequest) -> HttpResponse:
        """Asks."""
        return self.dialog(request)


class Rotate(_KeyDialog):
    """Let the next key sign; the former one goes on verifying."""

    template = "console/keys/rotate.html"

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Rotates."""
        try:
            key = rotate_signing_key(request.actor)
        except Conflict as error:
            return self.dialog(request, error=str(error.message), status=409)
        text = _("The key %(kid)s signs from now on. The former one still verifies.") % {"kid": key.kid[:8]}
        return redirect_after(request, reverse("console:keys"), with_trail(request, text, key.pk))


class Withdraw(_KeyDialog):
    """Take a compromised key back at once: everything that it signed is refused."""

    template = "console/keys/withdraw.html"

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Withdraws, once the key's first characters were typed."""
        alg = str(request.realm.setting("signing_algorithm"))
        active = signing_keys(request.actor).filter(alg=alg, status=KeyStatus.ACTIVE).first()
        if active is None or request.POST.get("confirm", "").strip() != active.kid[:8]:
            return self.dialog(
                request, error=_("Type the first eight characters of the key that signs now."), status=422
            )
        key = rotate_signing_key(request.actor, withdraw_former=True)
        text = _("The key %(former)s is withdrawn. %(kid)s signs from now on.") % {
            "former": active.kid[:8],
            "kid": key.kid[:8],
        }
        return redirect_after(request, reverse("console:keys"), with_trail(request, text, key.pk))


class Algorithm(_KeyDialog):
    """Sign with the other algorithm."""

    template = "console/keys/algorithm.html"

    def post(self, request: ConsoleRequest) -> HttpResponse:
        """Changes it."""
        try:
            key = choose_signing_algorithm(request.actor, alg=request.POST.get("alg", ""))
        except Invalid as error:
            return self.dialog(request, error=str(error.message), status=422)
        text = _("New tokens are signed with %(alg)s.") % {"alg": key.alg}
        return redirect_after(request, reverse("console:keys"), with_trail(request, text, request.realm.pk))
