"""The first schema."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
import oauth2_provider.generators
import oauth2_provider.models
from django.conf import settings
from django.db import migrations, models

import identity.applications.models
import identity.audit.ddl as audit_ddl
import identity.kernel.clock
import identity.kernel.context
import identity.kernel.ids
from identity.kernel import ddl


class Migration(migrations.Migration):
    """Everything without a foreign key to another library's user-owned table, all six DOT swaps among it."""

    initial = True

    # A guard: DOT's own migrations, run alone on an empty database, need the swapped tables (DECISIONS 7).
    run_before = [("oauth2_provider", "0001_initial")]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=64)),
                ("fence", models.PositiveBigIntegerField(default=0)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                ("subject_id", models.UUIDField(primary_key=True, serialize=False)),
                ("realm_id", models.UUIDField(db_index=True)),
                ("wrapped", models.BinaryField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("status", models.CharField(default="active", max_length=12)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("status_by", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, null=True)),
                ("email_verified_at", models.DateTimeField(null=True)),
                ("phone", models.CharField(blank=True, max_length=16, null=True)),
                ("phone_verified_at", models.DateTimeField(null=True)),
                ("username", models.CharField(blank=True, max_length=150, null=True)),
                ("key", models.CharField(blank=True, max_length=100, null=True)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("given_name", models.CharField(blank=True, default="", max_length=100)),
                ("family_name", models.CharField(blank=True, default="", max_length=100)),
                ("language", models.CharField(blank=True, max_length=16, null=True)),
                ("time_zone", models.CharField(blank=True, max_length=64, null=True)),
                ("locked_until", models.DateTimeField(null=True)),
                ("password_changed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=identity.kernel.clock.now)),
                ("last_sign_in_at", models.DateTimeField(null=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("status", models.CharField(default="active", max_length=12)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("status_by", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "redirect_uris",
                    models.TextField(
                        blank=True,
                        help_text="Allowed URIs list, space separated",
                        verbose_name="redirect URIs",
                    ),
                ),
                (
                    "post_logout_redirect_uris",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed Post Logout URIs list, space separated",
                        verbose_name="post logout redirect URIs",
                    ),
                ),
                (
                    "client_type",
                    models.CharField(
                        choices=[("confidential", "Confidential"), ("public", "Public")],
                        max_length=32,
                        verbose_name="client type",
                    ),
                ),
                ("hash_client_secret", models.BooleanField(default=True, verbose_name="hash client secret")),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                ("skip_authorization", models.BooleanField(default=False, verbose_name="skip authorization")),
                (
                    "allowed_origins",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Allowed origins list to enable CORS, space separated",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "registration_source",
                    models.CharField(
                        choices=[
                            ("manual", "Manual"),
                            ("dcr", "Dynamic Client Registration"),
                            ("cimd", "Client ID Metadata Document"),
                        ],
                        default="manual",
                        help_text="How this application was registered (manual, DCR per RFC 7591, or CIMD)",
                        max_length=32,
                        verbose_name="registration source",
                    ),
                ),
                (
                    "cimd_expires_at",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="When the cached Client ID Metadata Document should be re-fetched",
                        null=True,
                        verbose_name="CIMD expires at",
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "client_id",
                    models.CharField(default=oauth2_provider.generators.generate_client_id, max_length=255),
                ),
                ("type", models.CharField(default="web", max_length=10)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("grant_types", models.JSONField(default=identity.applications.models.default_grant_types)),
                (
                    "token_endpoint_auth_method",
                    models.CharField(default="client_secret_basic", max_length=24),
                ),
                ("scopes", models.JSONField(default=list)),
                ("first_party", models.BooleanField(default=False)),
                ("skip_consent", models.BooleanField(default=False)),
                ("publisher", models.CharField(blank=True, default="", max_length=200)),
                ("homepage_uri", models.CharField(blank=True, default="", max_length=500)),
                ("privacy_uri", models.CharField(blank=True, default="", max_length=500)),
                ("terms_uri", models.CharField(blank=True, default="", max_length=500)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "authorization_grant_type",
                    models.CharField(
                        choices=[
                            ("authorization-code", "Authorization code"),
                            ("urn:ietf:params:oauth:grant-type:device_code", "Device Code"),
                            ("implicit", "Implicit"),
                            ("password", "Resource owner password-based"),
                            ("client-credentials", "Client credentials"),
                            ("openid-hybrid", "OpenID connect hybrid"),
                        ],
                        default="authorization-code",
                        editable=False,
                        max_length=44,
                    ),
                ),
                ("client_secret", models.CharField(blank=True, default="", editable=False, max_length=255)),
                ("algorithm", models.CharField(blank=True, default="", editable=False, max_length=16)),
                ("created", models.DateTimeField()),
                ("updated", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Outbox",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("event_id", models.UUIDField()),
                ("realm_id", models.UUIDField()),
                ("consumer", models.CharField(max_length=40)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                ("last_error", models.CharField(default="", max_length=200)),
            ],
            options={
                "indexes": [models.Index(fields=["not_before", "id"], name="outbox_due")],
                "constraints": [models.UniqueConstraint(fields=("event_id", "consumer"), name="outbox_once")],
            },
        ),
        migrations.CreateModel(
            name="Realm",
            fields=[
                ("status", models.CharField(default="active", max_length=12)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("status_by", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.CharField(max_length=63, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("host", models.CharField(max_length=253, null=True, unique=True)),
                ("settings", models.JSONField(default=dict)),
                ("branding", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("purge_after", models.DateTimeField(null=True)),
                ("purged_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("slug", ""), _negated=True), models.Q(("host", ""), _negated=True)
                        ),
                        name="realm_names_never_blank",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["active", "suspended", "deleting"])),
                        name="realm_status_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.CharField(max_length=63)),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OperatorVisit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("operator_id", models.UUIDField()),
                ("operator_session_id", models.UUIDField()),
                ("operator_name", models.CharField(blank=True, default="", max_length=200)),
                ("reason", models.CharField(max_length=300)),
                ("opened_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ObjectGrant",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("object_pk", models.CharField(max_length=255, verbose_name="object ID")),
                (
                    "content_type",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="contenttypes.contenttype"),
                ),
                (
                    "permission",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission"),
                ),
                (
                    "user",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MetricBucket",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("start", models.DateTimeField()),
                ("scope_id", models.UUIDField()),
                ("value", models.PositiveBigIntegerField(default=0)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(default="email", max_length=8)),
                ("template", models.CharField(max_length=60)),
                ("language", models.CharField(default="en", max_length=16)),
                ("user_id", models.UUIDField(null=True)),
                ("to_sealed", models.BinaryField()),
                ("context_sealed", models.BinaryField()),
                ("status", models.CharField(default="queued", max_length=10)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, default="", max_length=200)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="identity.organization",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                ("token_hash", models.BinaryField(max_length=33)),
                ("invited_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="IDToken",
            fields=[
                (
                    "jti",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="JWT Token ID"),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=33)),
                ("fingerprint", models.BinaryField(max_length=33)),
                ("response", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeviceGrant",
            fields=[
                ("device_code", models.CharField(max_length=100, verbose_name="device code")),
                ("user_code", models.CharField(max_length=100, verbose_name="user code")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("interval", models.IntegerField(default=5, verbose_name="interval")),
                ("expires", models.DateTimeField(verbose_name="expires")),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("authorized", "Authorized"),
                            ("authorization-pending", "Authorization pending"),
                            ("expired", "Expired"),
                            ("denied", "Denied"),
                        ],
                        default="authorization-pending",
                        max_length=64,
                        verbose_name="status",
                    ),
                ),
                ("client_id", models.CharField(db_index=True, max_length=100, verbose_name="client ID")),
                ("last_checked", models.DateTimeField(auto_now=True, verbose_name="last checked")),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scopes", models.JSONField(default=list)),
                ("offline_until", models.DateTimeField(null=True)),
                ("offline", models.BooleanField(default=False)),
                ("granted_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("withdrawn_by", models.UUIDField(null=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ClientSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.BinaryField(max_length=33)),
                ("hint", models.CharField(max_length=8)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="secrets",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="application",
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
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("detector", models.CharField(max_length=40)),
                ("severity", models.CharField(max_length=10)),
                ("status", models.CharField(default="open", max_length=10)),
                ("topic_hash", models.BinaryField(max_length=33)),
                ("address_sealed", models.BinaryField(null=True)),
                ("address_hash", models.BinaryField(max_length=33, null=True)),
                ("evidence", models.JSONField(default=dict)),
                ("raised_at", models.DateTimeField()),
                ("last_signal_at", models.DateTimeField()),
                ("taken_by", models.UUIDField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.UUIDField(null=True)),
                ("close_note", models.CharField(blank=True, default="", max_length=300)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(
                        db_index=True, max_length=64, unique=True, verbose_name="token checksum"
                    ),
                ),
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                (
                    "id_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_token",
                        to=settings.OAUTH2_PROVIDER_ID_TOKEN_MODEL,
                        verbose_name="ID token",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="user",
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
        migrations.CreateModel(
            name="RedirectUri",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(default="redirect", max_length=12)),
                ("uri", models.CharField(max_length=2000)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uris",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefreshFamily",
            fields=[
                ("status", models.CharField(default="active", max_length=12)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("status_by", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("scope", models.TextField(blank=True, default="")),
                ("resource", models.JSONField(default=list)),
                ("offline", models.BooleanField(default=False)),
                ("auth_time", models.DateTimeField(null=True)),
                ("amr", models.JSONField(default=list)),
                ("acr", models.CharField(blank=True, default="", max_length=60)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("end_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                ("token", models.TextField(verbose_name="token")),
                (
                    "token_checksum",
                    oauth2_provider.models.TokenChecksumField(max_length=64, verbose_name="token checksum"),
                ),
                (
                    "token_family",
                    models.UUIDField(blank=True, editable=False, null=True, verbose_name="token family"),
                ),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("revoked", models.DateTimeField(null=True, verbose_name="revoked")),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=33, null=True)),
                ("generation", models.PositiveIntegerField(default=0)),
                ("rotated_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "access_token",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="refresh_token",
                        to=settings.OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL,
                        verbose_name="access token",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                (
                    "family",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="identity.refreshfamily",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="source_refresh_token",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="refreshed_access_token",
                to=settings.OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL,
                verbose_name="source refresh token",
            ),
        ),
        migrations.CreateModel(
            name="ResourceServer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("identifier", models.CharField(max_length=500)),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Role",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("permissions", models.JSONField(default=list)),
                ("built_in", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="roles",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RoleAssignment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("assigned_by", models.UUIDField(null=True)),
                ("assigned_at", models.DateTimeField()),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="identity.role",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="role_assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Scope",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("sensitive", models.BooleanField(default=False)),
                ("built_in", models.BooleanField(default=False)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "resource_server",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scopes",
                        to="identity.resourceserver",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                ("status", models.CharField(default="active", max_length=12)),
                ("status_changed_at", models.DateTimeField(null=True)),
                ("status_by", models.UUIDField(null=True)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=33)),
                ("sid", models.UUIDField(null=True)),
                ("data", models.JSONField(default=dict)),
                ("ip", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                ("authenticated_at", models.DateTimeField(null=True)),
                ("amr", models.JSONField(default=list)),
                ("acr", models.CharField(blank=True, default="", max_length=60)),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("end_reason", models.CharField(blank=True, default="", max_length=40)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="refreshfamily",
            name="session",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="identity.session",
            ),
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("expires", models.DateTimeField(verbose_name="expires")),
                ("redirect_uri", models.TextField(verbose_name="redirect URI")),
                ("scope", models.TextField(blank=True, verbose_name="scope")),
                ("created", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "code_challenge",
                    models.CharField(blank=True, default="", max_length=128, verbose_name="code challenge"),
                ),
                (
                    "code_challenge_method",
                    models.CharField(
                        blank=True,
                        choices=[("plain", "plain"), ("S256", "S256")],
                        default="",
                        max_length=10,
                        verbose_name="code challenge method",
                    ),
                ),
                ("nonce", models.CharField(blank=True, default="", max_length=255, verbose_name="nonce")),
                ("claims", models.TextField(blank=True, verbose_name="claims")),
                (
                    "resource",
                    oauth2_provider.models.ResourceJSONField(blank=True, default=list, verbose_name="resource"),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=255)),
                ("code_hash", models.BinaryField(max_length=33, null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("auth_time", models.DateTimeField(null=True)),
                ("amr", models.JSONField(default=list)),
                ("acr", models.CharField(blank=True, default="", max_length=60)),
                ("offline", models.BooleanField(default=False)),
                ("offline_until", models.DateTimeField(null=True)),
                ("issued_jti", models.UUIDField(null=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                        verbose_name="application",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(app_label)s_%(class)s",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "family",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="identity.refreshfamily",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="identity.session",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SessionApplication",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("first_used_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
                    ),
                ),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="applications",
                        to="identity.session",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kid", models.CharField(max_length=64)),
                ("alg", models.CharField(max_length=16)),
                ("public_jwk", models.JSONField()),
                ("private_sealed", models.BinaryField()),
                ("status", models.CharField(default="next", max_length=10)),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("retiring_at", models.DateTimeField(null=True)),
                ("retire_after", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TokenDenial",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("jti", models.UUIDField()),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RateCounter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=identity.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key_hash", models.BinaryField(max_length=33)),
                ("window_start", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=0)),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "realm",
                    models.ForeignKey(
                        db_index=False,
                        default=identity.kernel.context.current_realm_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="identity.realm",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("realm", "key_hash", "window_start"), name="rate_counter_once")
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.UniqueConstraint(fields=("realm", "slug"), name="organization_slug_in_realm"),
        ),
        migrations.AddIndex(
            model_name="operatorvisit",
            index=models.Index(fields=["realm", "operator_id", "ends_at"], name="operator_visit_open"),
        ),
        migrations.AddConstraint(
            model_name="operatorvisit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("realm", "operator_id", "operator_session_id"),
                name="operator_visit_open_once",
            ),
        ),
        migrations.AddIndex(
            model_name="objectgrant",
            index=models.Index(
                fields=["realm", "user", "permission", "content_type", "object_pk"],
                name="objectgrant_by_user",
            ),
        ),
        migrations.AddIndex(
            model_name="objectgrant",
            index=models.Index(fields=["realm", "content_type", "object_pk"], name="objectgrant_by_object"),
        ),
        migrations.AlterUniqueTogether(
            name="objectgrant",
            unique_together={("user", "permission", "object_pk")},
        ),
        migrations.AddConstraint(
            model_name="metricbucket",
            constraint=models.UniqueConstraint(
                fields=("realm", "name", "scope_id", "start"), name="metric_bucket_once"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["realm", "status", "id"], name="message_by_status"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["queued", "sent", "failed", "expired"])),
                name="message_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["realm", "user"], name="membership_by_user"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("realm", "organization", "user"), name="membership_once"),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["realm", "user"], name="invitation_by_user"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(fields=("realm", "token_hash"), name="invitation_token_in_realm"),
        ),
        migrations.AddIndex(
            model_name="idtoken",
            index=models.Index(fields=["realm", "expires"], name="id_token_by_expiry"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(fields=("realm", "key_hash"), name="idempotency_key_once"),
        ),
        migrations.AddConstraint(
            model_name="devicegrant",
            constraint=models.UniqueConstraint(fields=("device_code",), name="identity_devicegrant_unique_device_code"),
        ),
        migrations.AddConstraint(
            model_name="devicegrant",
            constraint=models.UniqueConstraint(fields=("realm", "user_code"), name="device_grant_user_code_in_realm"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["realm", "application", "id"], name="consent_by_application"),
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["realm", "user", "id"], name="consent_by_user"),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)),
                fields=("realm", "user", "application"),
                name="consent_in_force_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="clientsecret",
            constraint=models.UniqueConstraint(fields=("realm", "application", "digest"), name="client_secret_once"),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["realm", "status", "id"], name="application_by_status"),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(fields=("realm", "client_id"), name="application_client_id_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "disabled", "deleted"])),
                name="application_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(("skip_consent", False), ("first_party", True), _connector="OR"),
                name="application_skip_needs_first_party",
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["realm", "status", "id"], name="alert_by_status"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(fields=("realm", "number"), name="alert_number_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")), fields=("realm", "topic_hash"), name="alert_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["open", "contained", "dismissed"])),
                name="alert_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(fields=["realm", "status", "id"], name="user_by_status"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                models.F("realm"), django.db.models.functions.text.Lower("email"), name="user_email_in_realm"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("realm", "phone"), name="user_phone_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                models.F("realm"),
                django.db.models.functions.text.Lower("username"),
                name="user_username_in_realm",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("realm", "key"), name="user_key_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(fields=("realm", "id"), name="user_realm_id"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("email__isnull", False),
                    ("phone__isnull", False),
                    ("username__isnull", False),
                    _connector="OR",
                ),
                name="user_has_a_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(condition=models.Q(("is_superuser", False)), name="user_never_superuser"),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("email", ""), _negated=True),
                    models.Q(("phone", ""), _negated=True),
                    models.Q(("username", ""), _negated=True),
                    models.Q(("key", ""), _negated=True),
                ),
                name="user_names_never_blank",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "locked", "disabled"])), name="user_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="redirecturi",
            constraint=models.UniqueConstraint(
                fields=("realm", "application", "kind", "uri"), name="redirect_uri_once"
            ),
        ),
        migrations.AddIndex(
            model_name="refreshtoken",
            index=models.Index(fields=["token_family"], name="identity_re_token_f_bde708_idx"),
        ),
        migrations.AddConstraint(
            model_name="refreshtoken",
            constraint=models.UniqueConstraint(fields=("realm", "token_hash"), name="refresh_token_hash_in_realm"),
        ),
        migrations.AlterUniqueTogether(
            name="refreshtoken",
            unique_together={("token_checksum", "revoked")},
        ),
        migrations.AddIndex(
            model_name="accesstoken",
            index=models.Index(fields=["realm", "expires"], name="access_token_by_expiry"),
        ),
        migrations.AddConstraint(
            model_name="resourceserver",
            constraint=models.UniqueConstraint(fields=("realm", "identifier"), name="resource_server_in_realm"),
        ),
        migrations.AddIndex(
            model_name="role",
            index=models.Index(fields=["realm", "kind", "name"], name="role_by_name"),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                models.F("realm"),
                models.F("kind"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("application", None)),
                name="role_name_in_realm",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                models.F("realm"),
                models.F("application"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("application", None), _negated=True),
                name="role_name_in_application",
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["console", "application"])), name="role_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "application"), ("application", None), _connector="OR"),
                name="console_role_has_no_application",
            ),
        ),
        migrations.AddIndex(
            model_name="roleassignment",
            index=models.Index(fields=["realm", "user"], name="role_assignment_by_user"),
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.UniqueConstraint(fields=("realm", "role", "user"), name="role_assignment_once"),
        ),
        migrations.AddConstraint(
            model_name="scope",
            constraint=models.UniqueConstraint(fields=("realm", "name"), name="scope_in_realm"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["realm", "user", "status", "id"], name="session_by_user"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["realm", "status", "id"], name="session_by_status"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["realm", "ip", "id"], name="session_by_ip"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(fields=("realm", "key_hash"), name="session_key_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(fields=("realm", "sid"), name="session_sid_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "ended"])), name="session_status_known"
            ),
        ),
        migrations.AddIndex(
            model_name="refreshfamily",
            index=models.Index(fields=["realm", "user", "status"], name="refresh_family_by_user"),
        ),
        migrations.AddIndex(
            model_name="refreshfamily",
            index=models.Index(fields=["realm", "application", "status"], name="refresh_family_by_app"),
        ),
        migrations.AddIndex(
            model_name="refreshfamily",
            index=models.Index(fields=["realm", "session", "status"], name="refresh_family_by_session"),
        ),
        migrations.AddConstraint(
            model_name="refreshfamily",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "revoked"])), name="refresh_family_status_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("realm", "code"), name="grant_code_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("realm", "code_hash"), name="grant_code_hash_in_realm"),
        ),
        migrations.AddIndex(
            model_name="sessionapplication",
            index=models.Index(fields=["realm", "application", "session"], name="session_application_by_app"),
        ),
        migrations.AddConstraint(
            model_name="sessionapplication",
            constraint=models.UniqueConstraint(
                fields=("realm", "session", "application"), name="session_application_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.UniqueConstraint(fields=("realm", "kid"), name="signing_key_kid_in_realm"),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "active")),
                fields=("realm", "alg"),
                name="signing_key_one_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["next", "active", "retiring", "retired"])),
                name="signing_key_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="tokendenial",
            constraint=models.UniqueConstraint(fields=("realm", "jti"), name="token_denial_once"),
        ),
        # Not managed by Django: its flush would run into the triggers, its SQLite table rebuild would drop them silently.
        migrations.SeparateDatabaseAndState(
            database_operations=[ddl.VendorSQL(sqlite=audit_ddl.SQLITE, postgresql=audit_ddl.postgresql)],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=identity.kernel.ids.uuid7,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("realm_id", models.UUIDField()),
                        ("type", models.CharField(max_length=80)),
                        ("schema_version", models.SmallIntegerField(default=1)),
                        ("occurred_at", models.DateTimeField()),
                        ("actor_type", models.CharField(max_length=16)),
                        ("actor_id", models.UUIDField(null=True)),
                        ("actor_realm", models.UUIDField(null=True)),
                        ("on_behalf_of", models.UUIDField(null=True)),
                        ("session_id", models.UUIDField(null=True)),
                        ("request_id", models.CharField(default="", max_length=64)),
                        ("target_type", models.CharField(default="", max_length=32)),
                        ("target_id", models.UUIDField(null=True)),
                        ("outcome", models.CharField(default="success", max_length=10)),
                        ("payload", models.JSONField(default=dict)),
                        ("pii", models.BinaryField(null=True)),
                        ("person_hash", models.BinaryField(null=True)),
                        ("address_hash", models.BinaryField(null=True)),
                    ],
                    options={
                        "db_table": "identity_auditevent",
                        "managed": False,
                    },
                ),
            ],
        ),
    ]
