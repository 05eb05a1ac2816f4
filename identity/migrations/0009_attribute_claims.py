"""A custom attribute may become a claim that a scope releases."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Two columns, which code of an older version leaves empty, and constraints on what only newer code writes."""

    dependencies = [("identity", "0008_factors_and_policies")]

    operations = [
        migrations.AddField(
            model_name="attribute",
            name="claim",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="attribute",
            name="scope",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddConstraint(
            model_name="attribute",
            constraint=models.UniqueConstraint(
                condition=~Q(claim=""), fields=("realm", "claim"), name="attribute_claim_in_realm"
            ),
        ),
        migrations.AddConstraint(
            model_name="attribute",
            constraint=models.CheckConstraint(
                condition=Q(claim="", scope="") | (~Q(claim="") & ~Q(scope="")), name="attribute_claim_has_scope"
            ),
        ),
    ]
