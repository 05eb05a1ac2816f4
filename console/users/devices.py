"""A person's devices as admins see them, and what the person was asked about."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console.devices import device_of
from console.users.people import Rights, short
from identity.accounts.models import User
from identity.kernel import clock
from identity.kernel.actor import Actor
from identity.kernel.ids import public_id
from identity.kernel.permissions import Permission
from identity.kernel.places import country_name
from identity.security.events import REASONS
from identity.security.models import SignInReview
from identity.security.queries import reviews_seen_by
from identity.sessions.models import Device, DeviceStatus
from identity.sessions.queries import devices_seen_by

SHOWN = 5
STATES: dict[str, tuple[str | Promise, str]] = {
    DeviceStatus.NEW: (gettext_lazy("New"), "medium"),
    DeviceStatus.KNOWN: ("", ""),
    DeviceStatus.DENIED: (gettext_lazy("Denied"), "high"),
}
ANSWERS: dict[str, tuple[str | Promise, str]] = {
    "open": (gettext_lazy("no answer yet"), "medium"),
    "confirmed": (gettext_lazy("it was the person"), "ok"),
    "denied": (gettext_lazy("denied"), "high"),
}


def device_panel(actor: Actor, user: User, rights: Rights) -> dict[str, Any]:
    """The cards of the person's page, for who sees his sessions; nothing for others."""
    if not actor.can_somewhere(Permission.SESSIONS_READ):
        return {}
    devices = list(devices_seen_by(actor, user_id=user.pk)[: SHOWN + 1])
    may_forget = rights.end_sessions and not rights.is_self
    return {
        "devices": [_device_row(device, user.pk if may_forget else None) for device in devices[:SHOWN]],
        "more_devices": len(devices) > SHOWN,
        "reviews": [_review_row(review) for review in reviews_seen_by(actor, user_id=user.pk)[:SHOWN]],
    }


def device_title(device: Device) -> str:
    """What it calls itself."""
    return str(device_of(device.label))


def _device_row(device: Device, user_id: UUID | None) -> dict[str, Any]:
    word, level = STATES[device.status]
    parts = [country_name(device.country), _("seen %(when)s") % {"when": short(device.last_seen_at)}]
    if device.trusted_until is not None and device.trusted_until > clock.now():
        parts.append(_("trusted until %(when)s") % {"when": short(device.trusted_until)})
    url = ""
    if user_id is not None and device.status != DeviceStatus.DENIED:
        url = reverse("console:user_forget_device", args=[public_id("user", user_id), device.pk])
    return {
        "icon": device_of(device.label).icon,
        "title": device_title(device),
        "meta": " · ".join(part for part in parts if part),
        "word": word,
        "level": level,
        "url": url,
    }


def _review_row(review: SignInReview) -> dict[str, Any]:
    word, level = ANSWERS[review.status]
    if review.status == "open" and review.is_over:
        word = _("never answered")
    return {
        "title": ", ".join(str(REASONS.get(reason, reason)) for reason in review.reasons),
        "meta": " · ".join(
            part
            for part in (
                device_title(review.device) if review.device is not None else "",
                country_name(review.country),
                short(review.signed_in_at),
            )
            if part
        ),
        "word": word,
        "level": level,
    }
