# ruff: noqa: E501 - a statement reads better on one line
"""The audit table's definition for both databases, append-only by trigger and, on PostgreSQL, by privilege.

Migrations import this module: what stands here is history. A later change is a new list of statements.
"""

from typing import Any

from django.conf import settings

_COLUMNS = (
    "id {uuid} NOT NULL, realm_id {uuid} NOT NULL, type varchar(80) NOT NULL, schema_version smallint NOT NULL,"
    " occurred_at {time} NOT NULL, actor_type varchar(16) NOT NULL, actor_id {uuid}, actor_realm {uuid},"
    " on_behalf_of {uuid}, session_id {uuid}, request_id varchar(64) NOT NULL, target_type varchar(32) NOT NULL,"
    " target_id {uuid}, outcome varchar(10) NOT NULL, payload {json}, pii {bytes}, person_hash {bytes},"
    " address_hash {bytes}"
)

INDEXES = [
    "CREATE INDEX audit_realm ON identity_auditevent (realm_id, id)",
    "CREATE INDEX audit_type ON identity_auditevent (realm_id, type, id)",
    "CREATE INDEX audit_actor ON identity_auditevent (realm_id, actor_id, id) WHERE actor_id IS NOT NULL",
    "CREATE INDEX audit_target ON identity_auditevent (realm_id, target_id, id) WHERE target_id IS NOT NULL",
    "CREATE INDEX audit_person ON identity_auditevent (realm_id, person_hash, id) WHERE person_hash IS NOT NULL",
    "CREATE INDEX audit_address ON identity_auditevent (realm_id, address_hash, id) WHERE address_hash IS NOT NULL",
]

SQLITE = [
    # WITHOUT ROWID: else `INSERT OR REPLACE INTO … (rowid, …)` walks around the guard below.
    "CREATE TABLE identity_auditevent ("
    + _COLUMNS.format(uuid="char(32)", time="datetime", json="text NOT NULL CHECK (JSON_VALID(payload))", bytes="BLOB")
    + ", PRIMARY KEY (id), CHECK (length(id) = 32)) WITHOUT ROWID",
    *INDEXES,
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON identity_auditevent"
    " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON identity_auditevent"
    " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    # REPLACE deletes without firing the delete trigger unless recursive_triggers is on: refuse the id before that.
    "CREATE TRIGGER audit_no_replace BEFORE INSERT ON identity_auditevent"
    " WHEN EXISTS (SELECT 1 FROM identity_auditevent WHERE id = NEW.id)"
    " BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
]

_ID_IS_TIME = (
    "CONSTRAINT audit_id_is_time CHECK (('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint"
    " = floor(extract(epoch from occurred_at) * 1000)::bigint)"
)

# Bounds are ids: the month's first millisecond in the leading 48 bits of a version 7 UUID. LIKE and ATTACH instead of
# CREATE … PARTITION OF, since the latter waits for every open reader while it blocks all inserts.
_PARTITION_FUNCTION = """
CREATE FUNCTION identity_audit_partition(wanted date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  m timestamp := date_trunc('month', wanted::timestamp);
  name text := 'identity_auditevent_' || to_char(m, 'YYYYMM');
  lo text;
  hi text;
BEGIN
  IF m < date_trunc('month', now() at time zone 'UTC') - interval '2 months'
     OR m > now() at time zone 'UTC' + interval '25 months' THEN
    RAISE EXCEPTION 'month %% is out of range', wanted;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('identity_audit_partition'));
  IF to_regclass('public.' || name) IS NOT NULL THEN RETURN name || ' exists'; END IF;
  lo := quote_literal(rpad(lpad(to_hex((extract(epoch from m at time zone 'UTC') * 1000)::bigint), 12, '0'), 32, '0')::uuid);
  hi := quote_literal(rpad(lpad(to_hex((extract(epoch from (m + interval '1 month') at time zone 'UTC') * 1000)::bigint), 12, '0'), 32, '0')::uuid);
  EXECUTE format('CREATE TABLE public.%%I (LIKE public.identity_auditevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
  EXECUTE format('REVOKE ALL ON public.%%I FROM PUBLIC, {role}', name);
  EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON public.%%I FOR EACH STATEMENT EXECUTE FUNCTION public.identity_audit_refuse()', name);
  EXECUTE format('ALTER TABLE public.%%I ENABLE ALWAYS TRIGGER audit_no_truncate', name);
  EXECUTE format('ALTER TABLE public.identity_auditevent ATTACH PARTITION public.%%I FOR VALUES FROM (%%s) TO (%%s)', name, lo, hi);
  EXECUTE format('ALTER TABLE public.%%I ENABLE ALWAYS TRIGGER audit_no_change', name);
  RETURN name;
END $$"""


def app_role(connection: Any) -> str:
    """The quoted role that the server runs as: it gets INSERT and SELECT on audit and nothing more (DECISIONS 10)."""
    return str(connection.ops.quote_name(settings.DATABASES["default"].get("USER") or connection.settings_dict["USER"]))


def postgresql(connection: Any) -> list[str]:
    """The statements for PostgreSQL 15+: partitioned by month over the id, append-only, 14 months of partitions."""
    role = app_role(connection)
    return [
        "CREATE TABLE identity_auditevent ("
        + _COLUMNS.format(uuid="uuid", time="timestamptz", json="jsonb NOT NULL", bytes="bytea")
        + f", PRIMARY KEY (id), {_ID_IS_TIME}) PARTITION BY RANGE (id)",
        *INDEXES,
        "CREATE FUNCTION identity_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'audit is append-only (%)', TG_OP USING ERRCODE = 'insufficient_privilege'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON identity_auditevent"
        " FOR EACH ROW EXECUTE FUNCTION identity_audit_refuse()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON identity_auditevent"
        " FOR EACH STATEMENT EXECUTE FUNCTION identity_audit_refuse()",
        "ALTER TABLE identity_auditevent ENABLE ALWAYS TRIGGER audit_no_change, ENABLE ALWAYS TRIGGER audit_no_truncate",
        f"REVOKE ALL ON identity_auditevent FROM PUBLIC, {role}",
        f"GRANT SELECT, INSERT ON identity_auditevent TO {role}",
        _PARTITION_FUNCTION.format(role=role).replace("%%", "%"),
        "REVOKE ALL ON FUNCTION identity_audit_partition(date) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION identity_audit_partition(date) TO {role}",
        "SELECT identity_audit_partition((now() at time zone 'UTC' + make_interval(months => n))::date)"
        " FROM generate_series(-1, 12) n",
    ]
