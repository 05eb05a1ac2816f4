"""A realm's own key becomes a row. Realms that exist keep the key that their trail was sealed under until now."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import migrations

from identity.kernel.crypto import master_keys, seal


def store_keys(apps, schema_editor):  # noqa: ARG001 - the names are Django's
    SubjectKey = apps.get_model("identity", "SubjectKey")
    Realm = apps.get_model("identity", "Realm")
    for realm_id in Realm.objects.filter(purged_at=None).values_list("pk", flat=True):
        info = b"rk/nobody/" + realm_id.bytes
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master_keys()[0].secret)
        wrapped = seal(key, realm_id=realm_id, table="identity_subjectkey", pk=realm_id, field="wrapped")
        SubjectKey.objects.get_or_create(subject_id=realm_id, defaults={"realm_id": realm_id, "wrapped": wrapped})


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_background_exports")]

    operations = [migrations.RunPython(store_keys, migrations.RunPython.noop)]
