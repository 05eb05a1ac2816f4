"""The four variables of the environment that stand behind every realm's own settings."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import setting_defaults
from identity.realms.models import Realm

NAMES = ("ALLOW_AUTO_REGISTRATION", "REQUIRE_EMAIL_VERIFICATION", "FORCE_PASSWORD_ROTATION", "ENABLE_MFA")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ALLOW_AUTO_REGISTRATION", "yes", {"sign_up_open": True}),
        ("ALLOW_AUTO_REGISTRATION", "no", {"sign_up_open": False}),
        ("REQUIRE_EMAIL_VERIFICATION", "no", {"email_verification_required": False}),
        ("FORCE_PASSWORD_ROTATION", "30", {"password_max_age": 30 * 86400}),
        ("FORCE_PASSWORD_ROTATION", "yes", {"password_max_age": 90 * 86400}),
        ("FORCE_PASSWORD_ROTATION", "no", {"password_max_age": 0}),
        ("ENABLE_MFA", "required", {"second_factor": "required"}),
        ("ENABLE_MFA", "yes", {"second_factor": "optional"}),
        ("ENABLE_MFA", "no", {"second_factor": "off"}),
        ("ENABLE_MFA", " ", {}),
    ],
)
def test_a_variable_that_is_set_is_the_default_of_its_setting(monkeypatch, name, value, expected):
    monkeypatch.setenv(name, value)
    assert setting_defaults() == expected


@pytest.mark.parametrize(("name", "value"), [("FORCE_PASSWORD_ROTATION", "9999"), ("ENABLE_MFA", "perhaps")])
def test_what_means_nothing_stops_the_start(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured):
        setting_defaults()


def test_a_realms_own_word_stands_over_the_default(settings):
    settings.REALMKEEP_SETTING_DEFAULTS = {"second_factor": "required", "sign_up_open": True}
    realm = Realm(settings={"second_factor": "off"})
    assert realm.setting("second_factor") == "off"
    assert realm.setting("sign_up_open") is True
