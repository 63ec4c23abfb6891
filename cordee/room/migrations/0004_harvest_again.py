from django.db import migrations


def forget(apps, schema_editor):
    """What each spoke and wrote is counted since: tick harvests again the rooms that were before."""
    apps.get_model("room", "Session").objects.filter(meeting__isnull=False).update(harvested=0)


class Migration(migrations.Migration):

    dependencies = [("circles", "0004_voices"), ("room", "0003_persons_and_meetings")]

    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
