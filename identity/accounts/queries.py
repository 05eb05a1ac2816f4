"""Reads of people and invitations. Pages give the actor; sign-in and protocol ask in the realm of the moment."""

from collections.abc import Iterable
from functools import cache
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet

from identity.access.models import Role
from identity.access.queries import ORGANIZATION, holders_among, holders_of, manages_roles_of, members_of
from identity.accounts.addresses import pending_of
from identity.accounts.links import About, AboutAddress, issued_at
from identity.accounts.models import Attribute, CodePurpose, Invitation, OneTimeCode, SavedView, User, UserStatus
from identity.accounts.password_rules import PasswordPolicy, policy_of
from identity.accounts.rules import Identifier, invitation_is_open, normalized_identifier
from identity.kernel import clock, sql
from identity.kernel.actor import Actor
from identity.kernel.context import NoRealm, current_realm, current_realm_id
from identity.kernel.crypto import keyed_hashes
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.ids import parse_public_id
from identity.kernel.permissions import Permission

INVITATION_LABEL = "invitation"

_USER = sql.Columns(User, "u", [each.attname for each in User._meta.concrete_fields])


def visible_users(actor: Actor, permission: Permission = Permission.USERS_READ) -> QuerySet[User]:
    """The people of the realm on whom the actor holds `permission`: all, or the members of some organizations.

    Raises PermissionDenied when he holds it nowhere.
    """
    organizations = actor.scopes_of(permission, ORGANIZATION)
    if organizations is None:
        return User.objects.all()
    if not organizations:
        actor.require(permission)
    return User.objects.filter(pk__in=members_of(organizations))


def get_user(actor: Actor, *, user_id: UUID) -> User:
    """A person, for himself or for one who may see him. Raises NotFound, PermissionDenied."""
    rows = User.objects.all() if actor.is_person and actor.id == user_id else visible_users(actor)
    user = rows.filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def find_users(actor: Actor, *, search: str = "", status: str = "", role_id: UUID | None = None) -> QuerySet[User]:
    """People that the actor may see, newest first. Raises PermissionDenied.

    status: active, locked, disabled, pending (approval), or invited (no password yet, an open invitation). A lock that
    is over counts as active. search: a public id, the beginning of an identifier, or a part of the name.
    """
    rows = visible_users(actor).order_by("-id")
    now = clock.now()
    lock_over = Q(status=UserStatus.LOCKED, locked_until__lte=now)
    if status == "invited":
        rows = rows.filter(Exists(_open_invitations()))
    elif status == UserStatus.ACTIVE:
        rows = rows.filter(Q(status=UserStatus.ACTIVE) | lock_over).exclude(Exists(_open_invitations()))
    elif status == UserStatus.LOCKED:
        rows = rows.filter(status=UserStatus.LOCKED).exclude(lock_over)
    elif status:
        rows = rows.filter(status=status)
    if role_id is not None:
        rows = rows.filter(pk__in=holders_of(role_id))
    text = search.strip()
    if text:
        by_id = parse_public_id("user", text.lower())
        rows = (
            rows.filter(pk=by_id)
            if by_id
            else rows.filter(
                Q(email__istartswith=text)
                | Q(username__istartswith=text)
                | Q(phone__startswith=text)
                | Q(name__icontains=text)
            )
        )
    return rows


def people_for_role(actor: Actor, *, role: Role, search: str, limit: int) -> list[User]:
    """To whom the actor may give a role: people whom he sees, found as in `find_users`. Raises PermissionDenied.

    The manager of one application browses nobody: he names a person by the exact email, phone number, username or ID.
    """
    found = list(find_users(actor, search=search)[:limit]) if actor.can_somewhere(Permission.USERS_READ) else []
    if not actor.can(Permission.USERS_READ) and manages_roles_of(actor, role):
        by_id = parse_public_id("user", search.strip().lower())
        named = user_by_id(by_id) if by_id else find_user_by_identifier(search)
        if named is not None and named not in found:
            found.insert(0, named)
    elif not actor.can_somewhere(Permission.USERS_READ):
        actor.require(Permission.USERS_READ)
    return found[:limit]


def get_holder(actor: Actor, *, role: Role, user_id: UUID) -> User:
    """A person of whom the actor may know the holding of a role. Raises NotFound, PermissionDenied."""
    if manages_roles_of(actor, role) and holders_among(role.pk, [user_id]):
        holder = user_by_id(user_id)
        if holder is not None:
            return holder
    return get_user(actor, user_id=user_id)


def seen_among(actor: Actor, user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of some people the actor may see, so that their names can be links; one query."""
    if not actor.can_somewhere(Permission.USERS_READ):
        return set()
    return set(visible_users(actor).filter(pk__in=list(user_ids)).values_list("pk", flat=True))


def _open_invitations() -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        user_id=OuterRef("pk"), accepted_at=None, revoked_at=None, expires_at__gt=clock.now()
    )


def country_of_realm() -> str:
    """Where a number without country code is dialed in the realm of the moment; empty when it has no such country."""
    realm = current_realm()
    return "" if realm is None else str(realm.setting("default_country"))


def policy_in_force() -> PasswordPolicy:
    """What the realm of the moment asks of passwords. Raises NoRealm."""
    realm = current_realm()
    if realm is None:
        raise NoRealm("A password was chosen without a realm.")
    return policy_of(realm.setting)


def find_user_by_identifier(identifier: str) -> User | None:
    """The person with this e-mail, phone number or username in the realm of the moment. For sign-in and the system.

    Equality on the canonical spelling alone: no collation and no look-alike finds somebody else (LG-25).
    """
    try:
        kind, value = normalized_identifier(identifier, country_of_realm())
    except Invalid:
        return None
    found = sql.fetch_one(_by_identifier(kind), {"realm": current_realm_id(), "value": value})
    return _USER.load(found) if found is not None else None


@cache
def _by_identifier(kind: Identifier) -> str:
    """Raw: every sign-in asks, and building it costs more than running it. Spelled like the unique indexes."""
    spelled = "u.phone" if kind is Identifier.PHONE else f"LOWER(u.{kind})"
    return f"SELECT {_USER.sql} FROM identity_user u WHERE u.realm_id = %(realm)s AND {spelled} = %(value)s"  # noqa: S608 - texts of ours


def find_user_by_key(key: str) -> User | None:
    """The person that a realm file calls `key`."""
    return User.objects.filter(key=key).first()


def user_by_id(user_id: UUID | str) -> User | None:
    """A person of the realm of the moment. For protocol and links, which have proven whom they mean."""
    return User.objects.filter(pk=user_id).first()


def users_by_id(user_ids: Iterable[UUID]) -> dict[UUID, User]:
    """Some people by id, for a page that shows their names; one query. The caller decided that they may be shown."""
    return User.objects.in_bulk(list(user_ids))


def count_users(actor: Actor, *, status: str = "") -> int:
    """How many people the actor may see, exactly. Raises PermissionDenied."""
    return find_users(actor, status=status).count()


def find_invitations(actor: Actor, *, user_id: UUID | None = None) -> QuerySet[Invitation]:
    """Invitations of people that the actor may see, newest first. Raises PermissionDenied."""
    rows = Invitation.objects.filter(user__in=visible_users(actor)).select_related("user").order_by("-id")
    return rows if user_id is None else rows.filter(user_id=user_id)


def open_invitation_of(actor: Actor, *, user_id: UUID) -> Invitation | None:
    """The invitation that a person can still accept. Raises NotFound, PermissionDenied."""
    user = get_user(actor, user_id=user_id)
    return Invitation.objects.filter(
        user=user, accepted_at=None, revoked_at=None, expires_at__gt=clock.now()
    ).order_by("-id").first()  # fmt: skip


def pending_address(user: User) -> EmailAddress | None:
    """The address that the person asked to change to and has not confirmed yet."""
    return pending_of(user)


def may_confirm(about: AboutAddress) -> bool:
    """Whether a confirmation link still does something: its address is the account's, unconfirmed, or waits to be."""
    user = user_by_id(about.user_id)
    if user is None:
        return False
    if user.email == about.email:
        return not user.email_verified
    pending = pending_of(user)
    return pending is not None and pending.email == about.email


def invited_among(user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of some people have an invitation that they can still accept; one query, for a page of a list."""
    open_ones = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=clock.now())
    return set(open_ones.filter(user_id__in=list(user_ids)).values_list("user_id", flat=True))


def find_invitation_by_token(token: str) -> Invitation | None:
    """The invitation of a link, in whatever state. Only keyed hashes are stored: the table opens no account (DP-08)."""
    hashes = keyed_hashes(INVITATION_LABEL, _realm_id(), token)
    return Invitation.objects.filter(token_hash__in=hashes).select_related("user").first()


def is_open_invitation(invitation: Invitation) -> bool:
    """Whether it can be accepted now: not answered or withdrawn, in time, and for the address that the account has."""
    return (
        invitation_is_open(
            accepted_at=invitation.accepted_at,
            revoked_at=invitation.revoked_at,
            expires_at=invitation.expires_at,
            now=clock.now(),
        )
        and invitation.email == invitation.user.email
        and invitation.user.is_active
    )


def _realm_id() -> UUID:
    from_context = current_realm_id()
    if from_context is None:
        raise NoRealm("An invitation was looked up without a realm.")
    return from_context


def realm_attributes() -> list[tuple[str, str]]:
    """The custom attributes of the realm of the moment, in their order: name and label."""
    return list(_attributes().values_list("name", "label"))


def _attributes() -> QuerySet[Attribute]:
    return Attribute.objects.order_by("position", "name")


def find_attributes(actor: Actor) -> list[Attribute]:
    """The realm's custom attributes, in their order. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    return list(_attributes())


def get_attribute(actor: Actor, *, name: str) -> Attribute:
    """One of them. Raises PermissionDenied, NotFound."""
    actor.require(Permission.SETTINGS_READ)
    found = Attribute.objects.filter(name=name).first()
    if found is None:
        raise NotFound
    return found


def holders_of_attribute(actor: Actor, *, name: str) -> int:
    """How many people have a value of it. Raises PermissionDenied."""
    actor.require(Permission.SETTINGS_READ)
    return User.objects.filter(attributes__has_key=name).count()


def mapped_attributes() -> list[Attribute]:
    """Those that become claims, for the protocol and for pages that say what an application gets."""
    return list(_attributes().exclude(claim=""))


def attributes_at_sign_up() -> list[Attribute]:
    """What sign-up asks for besides names, in its order."""
    return list(_attributes().filter(at_sign_up=True))


def attributes_of_people() -> list[Attribute]:
    """Every attribute, for a page about a person whom its reader may see."""
    return list(_attributes())


def own_attributes() -> list[Attribute]:
    """What people see of themselves."""
    return list(_attributes().filter(person_may_see=True))


def saved_views(actor: Actor, *, area: str = "") -> QuerySet[SavedView]:
    """The views that the actor saved, and those that others share with all admins, by name; of one list or of all.

    An operator on a visit has none of his own here.
    """
    mine = Q(owner_id=actor.id) if actor.is_person and actor.home_realm_id == actor.realm_id else Q(pk=None)
    rows = SavedView.objects.filter(mine | Q(shared=True)).select_related("owner").order_by("area", "shared", "name")
    return rows.filter(area=area) if area else rows


def get_saved_view(actor: Actor, *, view_id: UUID) -> SavedView:
    """One's own view or a shared one. Raises NotFound."""
    view = saved_views(actor).filter(pk=view_id).first()
    if view is None:
        raise NotFound
    return view


ADDRESS_LABEL = "one-time-code-address"


def taken_back_name(about: About) -> str:
    """What is kept as the "address" of a way back that was used; no address and no number looks like it."""
    kind = "email" if isinstance(about, AboutAddress) else "phone"
    return f"taken back:{kind}:{about.user_id.hex}"


def is_taken_back(about: About, *, realm_id: UUID) -> bool:
    """Whether a link of before works no more, since it or an older one was used after it was made.

    Never what is no link and says no time.
    """
    issued = issued_at(about)
    return (
        about.issued > 0
        and OneTimeCode.objects.filter(
            address_hash__in=keyed_hashes(ADDRESS_LABEL, realm_id, taken_back_name(about)),
            purpose=CodePurpose.VERIFY,
            created_at__lte=issued,
            used_at__gte=issued,
        ).exists()
    )
