"""A consent knows which custom attributes its scopes released when the person was asked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column. Consents of before are empty: where attributes are released by now, their people are asked again."""

    dependencies = [("identity", "0009_attribute_claims")]

    operations = [
        migrations.AddField(model_name="consent", name="attributes", field=models.JSONField(null=True)),
    ]
