"""People as pages show them: status in words, addresses of their pages, menus by what the actor may do."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from console.roles.rows import role_title
from console.shell import dates
from identity.access.models import Role
from identity.access.queries import organization_scopes
from identity.accounts.models import User, UserStatus
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.context import current_realm
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission


@dataclass(frozen=True, slots=True)
class State:
    """A status: key for templates, words, level of the severity ladder, icon."""

    key: str
    text: str
    level: str
    icon: str


def state_of(user: User, *, invited: bool = False) -> State:
    """What a page says about an account. A lock that is over is none (DECISIONS 4: each check reads the time)."""
    if user.status == UserStatus.DISABLED:
        return State("disabled", _("Disabled"), "crit", "person_off")
    if user.status == UserStatus.LOCKED and not user.is_active:
        if user.locked_until is None:
            return State("locked", _("Locked"), "high", "lock")
        return State("locked", _("Locked until %(when)s") % {"when": short(user.locked_until)}, "high", "lock")
    if user.status == UserStatus.PENDING:
        return State("pending", _("Waits for approval"), "medium", "hourglass_top")
    if invited:
        return State("invited", _("Invited"), "low", "mail")
    return State("active", _("Active"), "ok", "check_circle")


def short(moment: datetime) -> str:
    """A moment of today by its clock, any other with its date, in the realm's zone."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localtime(clock.now()).date():
        return dates.clock_time(local)
    return dates.day_and_time(local)


def user_url(user_id: UUID, name: str = "user") -> str:
    """The address of a page about a person."""
    return reverse(f"console:{name}", args=[public_id("user", user_id)])


@dataclass(frozen=True)
class Rights:
    """What the actor may do with one person: the questions that the commands will ask."""

    write: bool
    disable: bool
    invite: bool
    end_sessions: bool
    is_self: bool
    outranked: bool = False
    actor_id: UUID | None = None

    def may_unlock(self, user: User) -> bool:
        """Of a person of higher rank one ends one's own lock alone (AC-02)."""
        return self.disable and (not self.outranked or user.status_by == self.actor_id is not None)


def rights_on(actor: Actor, user_id: UUID, *, outranked: bool) -> Rights:
    """On the realm or on an organization that the person belongs to. outranked: whether the person holds more."""
    scopes = organization_scopes(user_id) if actor.object_permissions else ()
    is_self = actor.is_person and actor.id == user_id
    return Rights(
        write=actor.can(Permission.USERS_WRITE, *scopes) and not outranked,
        disable=actor.can(Permission.USERS_DISABLE, *scopes),
        invite=actor.can(Permission.USERS_INVITE, *scopes),
        end_sessions=actor.can(Permission.SESSIONS_END, *scopes) and not outranked,
        is_self=is_self,
        outranked=outranked,
        actor_id=actor.id,
    )


def _has_passwords() -> bool:
    realm = current_realm()
    return realm is not None and bool(realm.setting("password_sign_in"))


def menu_of(user: User, rights: Rights, state: State) -> list[dict[str, Any]]:
    """The overflow of a person's row and page: mildest first, deletion last."""
    items: list[dict[str, Any]] = []

    def add(needed: bool, label: str, name: str, icon: str, **extra: Any) -> None:
        if needed:
            items.append({"label": label, "url": user_url(user.pk, name), "icon": icon, **extra})

    others = not rights.is_self
    waits = state.key == "pending"
    add(rights.invite and waits, _("Approve"), "user_approve", "how_to_reg", post=True)
    add(rights.invite and waits, _("Refuse…"), "user_refuse", "person_cancel", dialog=True)
    add(rights.write, _("Edit…"), "user_edit", "edit")
    add(
        rights.invite and state.key == "invited", _("Send the invitation again"), "user_invite_again", "mail", post=True
    )
    add(
        rights.write and state.key == "active" and user.email_verified and _has_passwords(),
        _("Send a password reset link…"),
        "user_reset_link",
        "lock_reset",
        dialog=True,
    )
    add(
        rights.write and others and user.has_usable_password() and not user.password_change_required,
        _("Require a new password…"),
        "user_new_password",
        "password",
        dialog=True,
    )
    add(rights.end_sessions, _("End all sessions…"), "user_end_sessions", "logout", dialog=True)
    add(
        rights.write and not rights.is_self and user.second_factor_since is not None,
        _("Reset the second factor…"),
        "user_reset_factors",
        "key_off",
        dialog=True,
    )
    if others and (rights.disable or rights.write):
        items.append({"divider": True})
        locked, disabled = state.key == "locked", state.key == "disabled"
        add(rights.may_unlock(user) and locked, _("Unlock"), "user_unlock", "lock_open", post=True)
        add(rights.disable and not locked and not disabled and not waits, _("Lock…"), "user_lock", "lock", dialog=True)
        may_disable = rights.disable and not rights.outranked
        add(may_disable and disabled, _("Enable"), "user_enable", "person_check", post=True)
        add(may_disable and not disabled and not waits, _("Disable…"), "user_disable", "person_off", dialog=True)
        add(rights.disable and rights.write, _("Delete…"), "user_delete", "person_remove", dialog=True, danger=True)
    return items


@dataclass(frozen=True)
class UserRow:
    """A row of the list."""

    user: User
    public_id: str
    url: str
    meta: str
    state: State
    roles: list[str] = field(default_factory=list)
    menu: list[dict[str, Any]] = field(default_factory=list)


def row_of(
    user: User, actor: Actor, roles: list[Role], *, invited: Collection[UUID], above: Collection[UUID]
) -> UserRow:
    """What the list shows of a person."""
    state = state_of(user, invited=user.pk in invited)
    rights = rights_on(actor, user.pk, outranked=user.pk in above)
    return UserRow(
        user=user,
        public_id=public_id("user", user.pk),
        url=user_url(user.pk),
        meta=user.email or user.username or user.phone or "",
        state=state,
        roles=[role_title(role) for role in roles],
        menu=menu_of(user, rights, state),
    )
