"""Custom attributes: defined, changed and deleted by admins; their values set by admins and by people themselves."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Func, JSONField, Max, Value
from django.utils.translation import gettext_lazy as _

from identity.accounts import attribute_rules, events
from identity.accounts.commands.fetching import user_for_or_self
from identity.accounts.models import Attribute, User
from identity.audit.record import record
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.errors import Invalid, NotFound
from identity.kernel.permissions import Permission
from identity.kernel.transactions import for_write

DEFINED = (
    "label",
    "choices",
    "pattern",
    "most",
    "required",
    "at_sign_up",
    "person_may_see",
    "person_may_change",
    "claim",
    "scope",
)


@transaction.atomic
def define_attribute(actor: Actor, *, name: str, label: str, type: str = "text", **fields: Any) -> Attribute:
    """A new attribute, behind those that there are. Name and type never change.

    Raises PermissionDenied, Invalid (malformed, taken, too many). Says attribute.defined.
    """
    actor.require(Permission.SETTINGS_WRITE)
    name = attribute_rules.checked_name(name.strip())
    _refuse_unknown(fields)
    values = attribute_rules.checked_definition({"person_may_see": True, **fields, "label": label, "type": type})
    _require_free_claim(values["claim"], values["scope"])
    placed = Attribute.objects.aggregate(n=Count("pk"), last=Max("position"))
    counted = placed["n"]
    if counted >= attribute_rules.MOST_ATTRIBUTES:
        raise Invalid(
            _("A realm has up to %(most)s attributes.") % {"most": attribute_rules.MOST_ATTRIBUTES}, field="name"
        )
    attribute = Attribute(
        realm_id=actor.realm_id, name=name, position=(placed["last"] or 0) + 1, created_at=clock.now(), **values
    )
    try:
        with transaction.atomic():
            attribute.save(force_insert=True)
    except IntegrityError:
        raise Invalid(_("There is an attribute of this name."), field="name", code="name_taken")
    record(actor, events.AttributeDefined(target_id=attribute.pk, target_name=name, attribute=name))
    return attribute


@transaction.atomic
def change_attribute(actor: Actor, *, attribute_id: UUID, **fields: Any) -> Attribute:
    """Another label, other rules, another place at sign-up. Values that people have stay; the next change is checked.

    Raises PermissionDenied, NotFound, Invalid. Says attribute.changed; nothing for no change.
    """
    actor.require(Permission.SETTINGS_WRITE)
    attribute = _locked(attribute_id)
    _refuse_unknown(fields)
    now = {name: getattr(attribute, name) for name in DEFINED}
    wanted = attribute_rules.checked_definition({**now, **fields, "type": attribute.type})
    if (wanted["claim"], wanted["scope"]) != (now["claim"], now["scope"]):
        _require_free_claim(wanted["claim"], wanted["scope"], but=attribute)
    changes = {name: (now[name], wanted[name]) for name in DEFINED if now[name] != wanted[name]}
    if not changes:
        return attribute
    for name in changes:
        setattr(attribute, name, wanted[name])
    attribute.save(update_fields=list(changes))
    record(
        actor,
        events.AttributeChanged(
            target_id=attribute.pk, target_name=attribute.name, attribute=attribute.name, changes=changes
        ),
    )
    return attribute


@transaction.atomic
def delete_attribute(actor: Actor, *, attribute_id: UUID) -> int:
    """The attribute and every value of it, in one statement. Returns how many people had one.

    Raises PermissionDenied, NotFound. Says attribute.deleted.
    """
    actor.require(Permission.SETTINGS_WRITE)
    attribute = _locked(attribute_id)
    holders = User.objects.filter(attributes__has_key=attribute.name)
    people = holders.update(attributes=_Without(F("attributes"), Value(attribute.name)))
    record(
        actor,
        events.AttributeDeleted(
            target_id=attribute.pk, target_name=attribute.name, attribute=attribute.name, people=people
        ),
    )
    attribute.delete()
    return people


@transaction.atomic
def move_attribute(actor: Actor, *, attribute_id: UUID, up: bool) -> Attribute:
    """One place up or down among its like; at either end it stays. Raises PermissionDenied, NotFound.

    Says attribute.moved.
    """
    actor.require(Permission.SETTINGS_WRITE)
    rows = _in_order()
    at = next((index for index, each in enumerate(rows) if each.pk == attribute_id), None)
    if at is None:
        raise NotFound
    to = min(max(at + (-1 if up else 1), 0), len(rows) - 1)
    moved = rows.pop(at)
    rows.insert(to, moved)
    _put(rows)
    if to != at:
        _say_moved(actor, moved, at, to)
    return moved


@transaction.atomic
def order_attributes(actor: Actor, *, names: Sequence[str]) -> None:
    """The named ones first, in this order; the others behind them, in theirs. Raises PermissionDenied.

    Says attribute.moved for each that stands at another place.
    """
    actor.require(Permission.SETTINGS_WRITE)
    before = _in_order()
    wish = {name: at for at, name in enumerate(names)}
    after = sorted(before, key=lambda each: wish.get(each.name, len(wish)))
    if after == before:
        return
    _put(after)
    for to, each in enumerate(after):
        if before[to] != each:
            _say_moved(actor, each, before.index(each), to)


@transaction.atomic
def set_attributes(actor: Actor, *, user_id: UUID, values: Mapping[str, Any]) -> User:
    """Set some values of a person: any by an admin; by himself those that he may change. None or "" takes one away.

    What else is named is refused, not ignored: a form never sends it (LG-10). Raises NotFound, PermissionDenied,
    Invalid (field attributes.<name>). Says user.attributes_changed; nothing for no change.
    """
    user = user_for_or_self(actor, user_id=user_id, permission=Permission.USERS_WRITE)
    definitions = {each.name: each for each in Attribute.objects.filter(name__in=list(values))}
    himself = actor.is_person and actor.id == user_id and not actor.can(Permission.USERS_WRITE)
    after = dict(user.attributes)
    for name, value in values.items():
        definition = definitions.get(name)
        if definition is None or (himself and not definition.person_may_change):
            raise Invalid(_("There is no such field."), field=attribute_rules.field_of(name), code="no_such_field")
        checked = attribute_rules.checked_value(definition, value)
        if checked is None:
            after.pop(name, None)
        else:
            after[name] = checked
    changed = tuple(name for name in values if user.attributes.get(name) != after.get(name))
    if not changed:
        return user
    user.attributes = after
    user.save(update_fields=["attributes"])
    record(
        actor,
        events.UserAttributesChanged(
            target_id=user.pk, subject_id=user.pk, target_name=user.display_name, fields=changed
        ),
    )
    return user


class _Without(Func):
    """A JSON object without one of its keys, made by the database."""

    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The operator `-`."""
        return super().as_sql(compiler, connection, template="(%(expressions)s::text)", arg_joiner=" - ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """json_remove with a path; names are plain letters (attribute_rules.checked_name)."""
        return super().as_sql(
            compiler, connection, function="JSON_REMOVE", template="%(function)s(%(expressions)s)",
            arg_joiner=", '$.' || ", **context,
        )  # fmt: skip


def _locked(attribute_id: UUID) -> Attribute:
    attribute = for_write(Attribute.objects.filter(pk=attribute_id)).first()
    if attribute is None:
        raise NotFound
    return attribute


def _in_order() -> list[Attribute]:
    """All of the realm, locked: of two people who move at once one comes after the other."""
    return list(for_write(Attribute.objects.order_by("position", "name")))


def _put(rows: Sequence[Attribute]) -> None:
    for at, each in enumerate(rows, start=1):
        if each.position != at:
            each.position = at
            each.save(update_fields=["position"])


def _say_moved(actor: Actor, attribute: Attribute, at: int, to: int) -> None:
    record(
        actor,
        events.AttributeMoved(
            target_id=attribute.pk,
            target_name=attribute.name,
            attribute=attribute.name,
            changes={"position": (at + 1, to + 1)},
        ),
    )


def _require_free_claim(claim: str, scope: str, *, but: Attribute | None = None) -> None:
    """Raises Invalid for a claim that another attribute has, or a scope that isn't there."""
    if not claim:
        return
    # Scopes are of a room above: by the table's name.
    if not apps.get_model("identity", "Scope").objects.filter(name=scope).exists():
        raise Invalid(_("There is no such scope."), field="scope", code="no_such_scope")
    others = Attribute.objects.filter(claim=claim)
    if (others.exclude(pk=but.pk) if but is not None else others).exists():
        raise Invalid(_("Another attribute has this claim."), field="claim", code="claim_taken")


def _refuse_unknown(fields: Mapping[str, Any]) -> None:
    for name in fields:
        if name not in DEFINED:
            raise Invalid(field=name, code="no_such_field")
