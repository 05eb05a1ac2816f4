from django.db import migrations, models


class Migration(migrations.Migration):
    """The worker's question gets an index as small as the queue; a column that nothing reads or writes goes."""

    dependencies = [("identity", "0004_message_words")]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("status", "queued")), fields=["id"], name="message_queued"),
        ),
        migrations.RemoveField(model_name="grant", name="family"),
    ]
