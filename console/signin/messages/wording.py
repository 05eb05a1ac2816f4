"""Outcomes of messages, kinds of providers and settings in words."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from identity.courier.models import MessageStatus, SmsProviderKind
from identity.courier.queries import TestResult

Words = str | Promise

KINDS: dict[str, tuple[Words, Words]] = {
    SmsProviderKind.TWILIO: (gettext_lazy("Twilio"), gettext_lazy("Its Messages API, with a number of yours.")),
    SmsProviderKind.TWILIO_VERIFY: (
        gettext_lazy("Twilio Verify"),
        gettext_lazy("Codes alone, in Twilio’s own words and from its own numbers."),
    ),
    SmsProviderKind.SNS: (gettext_lazy("AWS SNS"), gettext_lazy("Amazon’s service, with an access key.")),
    SmsProviderKind.HTTP: (
        gettext_lazy("HTTP gateway"),
        gettext_lazy("Any other: you say what the request looks like. Begins as a plain JSON gateway."),
    ),
}
STATUSES: dict[str, tuple[Words, str, str]] = {
    MessageStatus.QUEUED: (gettext_lazy("Waits"), "low", "hourglass_top"),
    MessageStatus.SENT: (gettext_lazy("Sent"), "ok", "check_circle"),
    MessageStatus.FAILED: (gettext_lazy("Failed"), "crit", "cancel"),
    MessageStatus.EXPIRED: (gettext_lazy("Too late"), "med", "timer"),
    MessageStatus.REFUSED: (gettext_lazy("Held back"), "high", "block"),
}
OUTCOMES: dict[str, Words] = {
    "sent": gettext_lazy("took it"),
    "skipped": gettext_lazy("left alone after a failure just before"),
    "unreachable": gettext_lazy("could not be reached, or not in time"),
    "throttled": gettext_lazy("asked to come back later"),
    "rule_not_met": gettext_lazy("answered, but not what the success rule asks for"),
    "codes_only": gettext_lazy("carries codes alone"),
    "invalid_number": gettext_lazy("the number can’t get messages"),
    "opted_out": gettext_lazy("the person has opted out"),
    "no_provider": gettext_lazy("there is no provider"),
    "number": gettext_lazy("the number had its messages for today"),
    "prefix": gettext_lazy("the range’s budget is used up"),
    "realm": gettext_lazy("the realm’s budget is used up"),
    "address": gettext_lazy("one address asked for too many"),
    "everywhere": gettext_lazy("the number was asked for in many realms"),
    "platform": gettext_lazy("the installation’s budget is used up"),
    "blocked": gettext_lazy("the range is blocked"),
    "http_401": gettext_lazy("refused the credentials"),
    "http_403": gettext_lazy("refused the credentials"),
    "twilio_20003": gettext_lazy("refused the credentials"),
    "twilio_21408": gettext_lazy("may not send to this country"),
    "twilio_21606": gettext_lazy("can’t send from this number"),
    "twilio_21608": gettext_lazy("a trial account sends to confirmed numbers alone"),
    "twilio_21612": gettext_lazy("has no way from this sender to this number"),
    "twilio_60200": gettext_lazy("does not take codes of ours: switch on custom codes in the Verify service"),
    "twilio_60220": gettext_lazy("does not take codes of ours: switch on custom codes in the Verify service"),
    "sns_InvalidClientTokenId": gettext_lazy("refused the credentials"),
    "sns_SignatureDoesNotMatch": gettext_lazy("refused the credentials"),
    "sns_AuthorizationError": gettext_lazy("the access key may not publish"),
}
TEMPLATES: dict[str, Words] = {
    "sign_in_code": gettext_lazy("Sign-in code"),
    "sign_up_code": gettext_lazy("Sign-up code"),
    "second_factor_code": gettext_lazy("Second factor code"),
    "reset_code": gettext_lazy("Code for a new password"),
    "account_already_exists": gettext_lazy("Sign-up with a name that is taken"),
    "account_approved": gettext_lazy("Account approved"),
    "account_refused": gettext_lazy("Account refused"),
    "confirm_email": gettext_lazy("Confirmation of an address"),
    "email_change_requested": gettext_lazy("Change of an address, asked for"),
    "email_changed": gettext_lazy("Change of an address, done"),
    "factor_added": gettext_lazy("Second factor added"),
    "factor_removed": gettext_lazy("Second factor removed"),
    "factors_reset": gettext_lazy("Second factor reset"),
    "identity_linked": gettext_lazy("Account elsewhere linked"),
    "identity_unlinked": gettext_lazy("Account elsewhere unlinked"),
    "invitation": gettext_lazy("Invitation"),
    "new_sign_in": gettext_lazy("Sign-in from a new device or place"),
    "password_changed": gettext_lazy("Password changed"),
    "phone_changed": gettext_lazy("Change of a number, done"),
    "phone_code": gettext_lazy("Code that confirms a number"),
    "recovery_codes_made": gettext_lazy("New recovery codes"),
    "reset_password": gettext_lazy("Link for a new password"),
    "sign_in_denied": gettext_lazy("Account secured"),
    "sign_in_unlock": gettext_lazy("Link that ends a pause"),
    "test": gettext_lazy("Test message"),
}
"""Each template of templates/email and templates/sms by what it is."""
METHODS: dict[str, Words] = {
    "phone_sign_in": gettext_lazy("phone number instead of an address"),
    "sms_code_sign_in": gettext_lazy("code by text message"),
    "sign_up_identifiers": gettext_lazy("sign-up with a number"),
    "second_factor_methods": gettext_lazy("second factor by text message"),
}


def kind_label(kind: str) -> Words:
    """A kind in words."""
    return KINDS[kind][0]


def outcome(word: str) -> str:
    """A word of the log in words; one that is only a number of the provider's is shown as that."""
    if word in OUTCOMES:
        return str(OUTCOMES[word])
    family, _underscore, detail = word.partition("_")
    if family == "http" and detail:
        return _("answered with status %(status)s") % {"status": detail}
    if family in ("twilio", "sns") and detail:
        return _("refused it (%(code)s)") % {"code": detail}
    return word


def steps_of(found: TestResult) -> list[dict[str, Any]]:
    """What a test went through, each step with how it ended; those behind the first that failed were not tried."""
    failed = _failed_step(found)
    labels = (
        _("There is budget for it today"),
        _("The provider could be reached"),
        _("It takes the credentials"),
        _("It took the message"),
    )
    steps = []
    for number, label in enumerate(labels):
        if failed is None or number < failed:
            steps.append({"label": label, "severity": "ok", "word": _("Right"), "note": ""})
        elif number == failed:
            note = outcome(found.result)
            steps.append({"label": label, "severity": "critical", "word": _("Not right"), "note": note})
        else:
            steps.append({"label": label, "severity": "low", "word": _("Not tried"), "note": ""})
    if failed is None and found.reference:
        steps[-1]["note"] = _("Its name there: %(reference)s") % {"reference": found.reference}
    return steps


def _failed_step(found: TestResult) -> int | None:
    if found.was_sent:
        return None
    if found.over_budget:
        return 0
    if found.result == "unreachable":
        return 1
    if OUTCOMES.get(found.result) == OUTCOMES["http_401"]:
        return 2
    return 3
