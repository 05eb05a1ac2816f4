"""Ways in, factors, policies, devices and reviews."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import identity.kernel.clock
import identity.kernel.context
import identity.kernel.ids


class Migration(migrations.Migration):
    """Tables and columns alone; devices that point at allauth's authenticators follow theirs (DECISIONS 7)."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("identity", "0007_saved_views"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attribute",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("label", models.CharField(max_length=100)),
                ("type", models.CharField(default="text", max_length=10)),
                ("choices", models.JSONField(default=list)),
                ("pattern", models.CharField(blank=True, default="", max_length=200)),
                ("most", models.PositiveIntegerField(null=True)),
                ("required", models.BooleanField(default=False)),
                ("at_sign_up", models.BooleanField(default=False)),
                ("person_may_see", models.BooleanField(default=True)),
                ("person_may_change", models.BooleanField(default=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AuthenticatorDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                ("kind", models.CharField(max_length=16)),
                ("created_at", models.DateTimeField(default=identity.kernel.clock.now)),
                ("last_counter", models.BigIntegerField(null=True)),
            ],
            options={
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=33)),
                ("label", models.CharField(blank=True, default="", max_length=100)),
                ("status", models.CharField(default="known", max_length=10)),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("trusted_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("alias", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=12)),
                ("client_id", models.CharField(max_length=255)),
                ("secrets_sealed", models.BinaryField(null=True)),
                ("settings", models.JSONField(default=dict)),
                ("scopes", models.JSONField(default=list)),
                ("attribute_mapping", models.JSONField(default=dict)),
                ("amr_mapping", models.JSONField(default=dict)),
                ("domains", models.JSONField(default=list)),
                ("sign_up", models.CharField(default="link", max_length=10)),
                ("enabled", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="MessageDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                ("token", models.CharField(blank=True, max_length=16, null=True)),
                (
                    "last_generated_timestamp",
                    models.DateTimeField(
                        blank=True, help_text="The last time a token was generated for this device.", null=True
                    ),
                ),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                ("uid", models.UUIDField(default=identity.kernel.ids.uuid7, editable=False)),
                ("kind", models.CharField(max_length=16)),
                ("to_sealed", models.BinaryField()),
                ("to_hash", models.BinaryField(max_length=33)),
                ("hint", models.CharField(max_length=40)),
                ("valid_until", models.DateTimeField(default=identity.kernel.clock.now)),
                ("token_hash", models.BinaryField(max_length=33, null=True)),
                ("created_at", models.DateTimeField(default=identity.kernel.clock.now)),
                ("last_used_at", models.DateTimeField(null=True)),
            ],
            options={
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="OneTimeCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("purpose", models.CharField(max_length=10)),
                ("address_hash", models.BinaryField(max_length=33)),
                ("address_sealed", models.BinaryField()),
                ("code_hash", models.BinaryField(max_length=33)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PasswordRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("encoded", models.CharField(max_length=512)),
                ("replaced_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SignInReview",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reasons", models.JSONField(default=list)),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                ("token_hash", models.BinaryField(max_length=33)),
                ("status", models.CharField(default="open", max_length=10)),
                ("signed_in_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("outcome", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="SmsProvider",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=16)),
                ("settings", models.JSONField(default=dict)),
                ("secrets_sealed", models.BinaryField(null=True)),
                ("enabled", models.BooleanField(default=True)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="user",
            name="user_status_known",
        ),
        migrations.AddField(
            model_name="message",
            name="to_hash",
            field=models.BinaryField(max_length=33, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="hint",
            field=models.CharField(blank=True, default="", max_length=24),
        ),
        migrations.AddField(
            model_name="message",
            name="prefix",
            field=models.CharField(blank=True, default="", max_length=8),
        ),
        migrations.AddField(
            model_name="message",
            name="tries",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="message",
            name="reference",
            field=models.CharField(blank=True, default="", max_length=80),
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_status_known",
        ),
        migrations.AddField(
            model_name="application",
            name="required_acr",
            field=models.CharField(blank=True, default="", max_length=60),
        ),
        migrations.AddField(
            model_name="role",
            name="requirements",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="session",
            name="country",
            field=models.CharField(blank=True, default="", max_length=2),
        ),
        migrations.AddField(
            model_name="user",
            name="attributes",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="user",
            name="factor_grace_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="password_change_required",
            field=models.CharField(blank=True, default="", max_length=16),
        ),
        migrations.AddField(
            model_name="user",
            name="second_factor_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="terms_accepted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="terms_version",
            field=models.CharField(blank=True, default="", max_length=40),
        ),
        migrations.AlterField(
            model_name="user",
            name="password",
            field=models.CharField(max_length=512),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "locked", "disabled", "pending"])),
                name="user_status_known",
            ),
        ),
        migrations.AddField(
            model_name="attribute",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="authenticatordevice",
            name="authenticator",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="device", to="mfa.authenticator"
            ),
        ),
        migrations.AddField(
            model_name="authenticatordevice",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="authenticatordevice",
            name="user",
            field=models.ForeignKey(
                help_text="The user that this device belongs to.",
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="devices", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="device",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="sessions", to="identity.device"
            ),
        ),
        migrations.AddField(
            model_name="identityprovider",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="messagedevice",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="messagedevice",
            name="user",
            field=models.ForeignKey(
                help_text="The user that this device belongs to.",
                on_delete=django.db.models.deletion.CASCADE,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="onetimecode",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="onetimecode",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="one_time_codes",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="passwordrecord",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="passwordrecord",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="password_records",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="signinreview",
            name="device",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="identity.device"
            ),
        ),
        migrations.AddField(
            model_name="signinreview",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddField(
            model_name="signinreview",
            name="session",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="identity.session"
            ),
        ),
        migrations.AddField(
            model_name="signinreview",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="sign_in_reviews", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="smsprovider",
            name="realm",
            field=models.ForeignKey(
                db_index=False,
                default=identity.kernel.context.current_realm_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="identity.realm",
            ),
        ),
        migrations.AddConstraint(
            model_name="attribute",
            constraint=models.UniqueConstraint(fields=("realm", "name"), name="attribute_name_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="attribute",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["text", "number", "boolean", "date", "choice"])),
                name="attribute_type_known",
            ),
        ),
        migrations.AddIndex(
            model_name="authenticatordevice",
            index=models.Index(fields=["realm", "user"], name="authenticator_device_by_user"),
        ),
        migrations.AddConstraint(
            model_name="authenticatordevice",
            constraint=models.UniqueConstraint(fields=("realm", "authenticator"), name="authenticator_device_once"),
        ),
        migrations.AddConstraint(
            model_name="authenticatordevice",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["totp", "passkey", "recovery_codes"])),
                name="authenticator_device_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(fields=("realm", "user", "key_hash"), name="device_key_of_user"),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["new", "known", "denied"])), name="device_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="identityprovider",
            constraint=models.UniqueConstraint(fields=("realm", "alias"), name="provider_alias_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="identityprovider",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["google", "github", "microsoft", "apple", "oidc", "oauth2"])),
                name="provider_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="identityprovider",
            constraint=models.CheckConstraint(
                condition=models.Q(("sign_up__in", ["link", "create", "approve"])), name="provider_sign_up_known"
            ),
        ),
        migrations.AddIndex(
            model_name="messagedevice",
            index=models.Index(fields=["realm", "user"], name="message_device_by_user"),
        ),
        migrations.AddConstraint(
            model_name="messagedevice",
            constraint=models.UniqueConstraint(fields=("realm", "user", "kind", "to_hash"), name="message_device_once"),
        ),
        migrations.AddConstraint(
            model_name="messagedevice",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["sms", "email"])), name="message_device_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="messagedevice",
            constraint=models.CheckConstraint(
                condition=models.Q(("token", None)), name="message_device_token_never_clear"
            ),
        ),
        migrations.AddIndex(
            model_name="onetimecode",
            index=models.Index(fields=["realm", "address_hash", "id"], name="one_time_code_by_address"),
        ),
        migrations.AddIndex(
            model_name="onetimecode",
            index=models.Index(fields=["realm", "expires_at"], name="one_time_code_by_expiry"),
        ),
        migrations.AddConstraint(
            model_name="onetimecode",
            constraint=models.CheckConstraint(
                condition=models.Q(("purpose__in", ["sign_in", "sign_up", "verify", "reset", "confirm"])),
                name="one_time_code_purpose_known",
            ),
        ),
        migrations.AddIndex(
            model_name="passwordrecord",
            index=models.Index(fields=["realm", "user", "id"], name="password_record_by_user"),
        ),
        migrations.AddIndex(
            model_name="signinreview",
            index=models.Index(fields=["realm", "user", "id"], name="sign_in_review_by_user"),
        ),
        migrations.AddConstraint(
            model_name="signinreview",
            constraint=models.UniqueConstraint(fields=("realm", "token_hash"), name="sign_in_review_token_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="signinreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "confirmed", "denied"])), name="sign_in_review_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="smsprovider",
            constraint=models.UniqueConstraint(
                models.F("realm"), django.db.models.functions.text.Lower("name"), name="sms_provider_name_in_realm"
            ),
        ),
        migrations.AddConstraint(
            model_name="smsprovider",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["twilio", "twilio_verify", "http", "sns"])),
                name="sms_provider_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "sent", "failed", "expired", "refused"])),
                name="message_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["realm", "channel", "id"], name="message_by_channel"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("to_hash__isnull", False)), fields=["realm", "to_hash"], name="message_by_number"
            ),
        ),
    ]
