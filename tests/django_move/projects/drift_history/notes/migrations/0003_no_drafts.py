from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0002_note")]
    operations = [migrations.DeleteModel("Draft")]
