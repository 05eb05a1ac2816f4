"""Acts on one person: a dialog that counts what it hits, then one command."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from console.sessions.effects import effects_of, token_note
from console.shell.forms import ConsoleForm, TypedConfirmForm
from console.shell.fragments import redirect_after, render_dialog
from console.shell.http import ConsoleRequest
from console.shell.ids import id_from
from console.shell.trail import with_trail
from console.shell.views import ConsoleView
from console.users.factors import factor_words
from console.users.forms import GiveRoleForm, LockForm, ReasonForm
from console.users.people import user_url
from identity.access.commands import assign_role
from identity.access.queries import assignable_roles, get_role, organization_scopes, roles_of_user
from identity.accounts.commands import (
    delete_user,
    disable_user,
    enable_user,
    lock_user,
    resend_invitation,
    revoke_invitation,
    send_password_reset_link,
    unlock_user,
)
from identity.accounts.models import User
from identity.accounts.queries import get_user
from identity.consent.queries import consents_of
from identity.kernel.errors import Conflict, Invalid, RealmkeepError
from identity.kernel.permissions import Permission
from identity.mfa.commands import reset_factors
from identity.mfa.queries import factors_seen_by
from identity.oauth.queries.issued import issued_to_people
from identity.sessions.commands import end_sessions_of_user
from identity.signin.commands import unlock_sign_in

Context = dict[str, Any]


class PersonDialog(ConsoleView):
    """GET asks; POST acts and leaves, or asks again with what was refused."""

    name: ClassVar[str]
    template: ClassVar[str]
    danger: ClassVar[bool] = True

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm | None:
        """The dialog's form, if it has one."""
        return None

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """What the template needs besides the person; counted when it opens."""
        return {}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Calls the command. Returns the result in words."""
        raise NotImplementedError

    def leave_to(self, user: User) -> str:
        """Where it goes afterwards."""
        return user_url(user.pk)

    def _dialog(
        self, request: ConsoleRequest, user: User, form: ConsoleForm | None, error: RealmkeepError | None = None
    ) -> HttpResponse:
        refused = error is not None or (form is not None and form.is_bound)
        return render_dialog(
            request,
            self.template,
            {
                "title": user.display_name,
                "crumb": user.display_name,
                "person": user,
                "form": form,
                "error": error.message if error else "",
                "action": user_url(user.pk, self.name),
                "cancel_url": user_url(user.pk),
                "danger": self.danger,
                "token_note": token_note(request.realm),
                **self.context(request, user),
            },
            status=(409 if isinstance(error, Conflict) else 422) if refused else 200,
        )

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        request.actor.require(self.permission, *organization_scopes(user.pk))
        return self._dialog(request, user, self.form(request, user))

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Acts."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        form = self.form(request, user, request.POST)
        if form is not None and not form.is_valid():
            return self._dialog(request, user, form)
        try:
            text = self.act(request, user, form.cleaned_data if form is not None else {})
        except Invalid as error:
            if form is None:
                return self._dialog(request, user, form, error)
            form.add_refusal(error)
            return self._dialog(request, user, form)
        except Conflict as error:
            return self._dialog(request, user, self.form(request, user, None), error)
        return redirect_after(request, self.leave_to(user), with_trail(request, text, user.pk, name=user.display_name))


class EndSessions(PersonDialog):
    """Sign a person out everywhere."""

    permission = Permission.SESSIONS_END
    name = "user_end_sessions"
    template = "console/users/end_sessions.html"

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Sessions and refresh tokens."""
        issued = issued_to_people(request.realm, [user.pk])
        return {"issued": issued, "effects": effects_of(issued), "is_self": user.pk == request.actor.id}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Ends all, but the one that the admin himself works in."""
        own = request.actor.session_id if user.pk == request.actor.id else None
        ended = end_sessions_of_user(request.actor, user_id=user.pk, except_session_id=own)
        return ngettext(
            "%(n)s session of %(person)s ended.", "%(n)s sessions of %(person)s ended.", ended
        ) % {"n": ended, "person": user.display_name}  # fmt: skip


class SendResetLink(PersonDialog):
    """Mail a link to choose a new password."""

    permission = Permission.USERS_WRITE
    name = "user_reset_link"
    template = "console/users/reset_link.html"
    danger = False

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Sends."""
        send_password_reset_link(request.actor, user_id=user.pk)
        return _("A link to choose a new password is on its way to %(email)s.") % {"email": user.email}


class ResetFactors(PersonDialog):
    """Remove every factor of a person who lost them."""

    permission = Permission.USERS_WRITE
    fresh = True
    name = "user_reset_factors"
    template = "console/users/reset_factors.html"

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """Why."""
        return ReasonForm(data)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """What goes with it."""
        factors = factors_seen_by(request.actor, user_id=user.pk)
        effects = [
            {
                "icon": "key_off",
                "label": _("Remove factors"),
                "count": len(factors),
                "note": ", ".join(dict.fromkeys(factor_words(factor.kind) for factor in factors)),
            },
            *effects_of(issued_to_people(request.realm, [user.pk])),
        ]
        return {"effects": effects, "required": request.realm.setting("second_factor") == "required"}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Resets."""
        reset_factors(request.actor, user_id=user.pk, reason=data.get("reason", ""))
        return _("The second factor of %(person)s is reset. A mail says so.") % {"person": user.display_name}


class Lock(PersonDialog):
    """Keep a person out for a while."""

    permission = Permission.USERS_DISABLE
    name = "user_lock"
    template = "console/users/lock.html"

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """How long, and why."""
        return LockForm(data)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Sessions and refresh tokens."""
        return {"effects": effects_of(issued_to_people(request.realm, [user.pk]))}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Locks."""
        minutes = int(data["minutes"]) or None
        lock_user(request.actor, user_id=user.pk, minutes=minutes, reason=data["reason"])
        return _("%(person)s is locked out.") % {"person": user.display_name}


class Disable(PersonDialog):
    """Keep a person out until enabled again."""

    permission = Permission.USERS_DISABLE
    name = "user_disable"
    template = "console/users/disable.html"

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """Why."""
        return ReasonForm(data)

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Sessions and refresh tokens."""
        return {"effects": effects_of(issued_to_people(request.realm, [user.pk]))}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Disables."""
        disable_user(request.actor, user_id=user.pk, reason=data.get("reason", ""))
        return _("The account of %(person)s is disabled.") % {"person": user.display_name}


class Delete(PersonDialog):
    """Delete an account, after typing its name."""

    permission = Permission.USERS_WRITE
    fresh = True
    name = "user_delete"
    template = "console/users/delete.html"

    @staticmethod
    def expected(user: User) -> str:
        """What has to be typed."""
        return user.email or user.username or user.phone or user.display_name

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """The typed name."""
        return TypedConfirmForm(data, expected=self.expected(user))

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Everything that goes with the account, and what stays."""
        issued = issued_to_people(request.realm, [user.pk])
        effects = [
            *effects_of(issued),
            {"icon": "handshake", "label": _("Erase consents"), "count": consents_of(user.pk), "note": ""},
            {"icon": "badge", "label": _("Take roles"), "count": len(roles_of_user(user.pk)), "note": ""},
            {
                "icon": "receipt_long",
                "label": _("Keep audit records"),
                "count": _("all"),
                "note": _("with the name as it was"),
            },
        ]
        return {
            "effects": effects,
            "expected": self.expected(user),
            "disable_url": user_url(user.pk, "user_disable") if user.status != "disabled" else "",
        }

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Deletes."""
        delete_user(request.actor, user_id=user.pk)
        return _("The account of %(person)s is deleted.") % {"person": user.display_name}

    def leave_to(self, user: User) -> str:
        """The person's page is gone."""
        return reverse("console:users")


class GiveRole(PersonDialog):
    """Give a person one of the roles that the actor may give."""

    permission = Permission.ROLES_ASSIGN
    fresh = True
    name = "user_give_role"
    template = "console/users/give_role.html"
    danger = False

    def form(self, request: ConsoleRequest, user: User, data: Any = None) -> ConsoleForm:
        """Which."""
        return GiveRoleForm(data, roles=assignable_roles(request.actor, user_id=user.pk))

    def get(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Asks. Whoever manages one application gives its roles alone, so the command decides about the permission."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        return self._dialog(request, user, self.form(request, user))

    def context(self, request: ConsoleRequest, user: User) -> Context:
        """Whether there is anything to give."""
        return {"nothing": not assignable_roles(request.actor, user_id=user.pk)}

    def act(self, request: ConsoleRequest, user: User, data: dict[str, Any]) -> str:
        """Gives."""
        role = get_role(request.actor, role_id=id_from("role", data["role"]))
        assign_role(request.actor, user_id=user.pk, role_id=role.pk)
        return _("%(person)s holds the role %(role)s now.") % {"person": user.display_name, "role": role.name}

    def leave_to(self, user: User) -> str:
        """Back to the person's roles."""
        return user_url(user.pk, "user_access")


class PersonAct(ConsoleView):
    """An act that needs no question: POST only."""

    http_method_names = ["post"]

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Calls the command. Returns the result in words."""
        raise NotImplementedError

    def post(self, request: ConsoleRequest, public_id: str) -> HttpResponse:
        """Acts; a refusal is said on the person's page."""
        user = get_user(request.actor, user_id=id_from("user", public_id))
        try:
            text = self.act(request, user)
        except Conflict as error:
            return redirect_after(request, user_url(user.pk), str(error.message), level="error")
        return redirect_after(request, user_url(user.pk), with_trail(request, text, user.pk, name=user.display_name))


class Unlock(PersonAct):
    """End a lock before its time."""

    permission = Permission.USERS_DISABLE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Unlocks."""
        unlock_user(request.actor, user_id=user.pk)
        return _("%(person)s can sign in again.") % {"person": user.display_name}


class UnlockSignIn(PersonAct):
    """End the pause after wrong tries."""

    permission = Permission.USERS_DISABLE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Ends it."""
        unlock_sign_in(request.actor, user_id=user.pk)
        return _("%(person)s can sign in again.") % {"person": user.display_name}


class Enable(PersonAct):
    """Let a disabled person in again."""

    permission = Permission.USERS_DISABLE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Enables."""
        enable_user(request.actor, user_id=user.pk)
        return _("%(person)s can sign in again.") % {"person": user.display_name}


class InviteAgain(PersonAct):
    """Mail a new link."""

    permission = Permission.USERS_INVITE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Sends."""
        invitation = resend_invitation(request.actor, user_id=user.pk)
        return _("A new invitation is on its way to %(email)s. The earlier link no longer works.") % {
            "email": invitation.email
        }


class WithdrawInvitation(PersonAct):
    """Make the link worthless."""

    permission = Permission.USERS_INVITE

    def act(self, request: ConsoleRequest, user: User) -> str:
        """Withdraws."""
        revoke_invitation(request.actor, user_id=user.pk)
        return _("The invitation of %(person)s is withdrawn.") % {"person": user.display_name}
