"""An application may act for an API: it introspects the tokens that are for it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a nullable column: no row is rewritten."""

    dependencies = [("identity", "0005_queue_index")]

    operations = [
        migrations.AddField(
            model_name="application",
            name="acts_for",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="applications",
                to="identity.resourceserver",
            ),
        ),
    ]
