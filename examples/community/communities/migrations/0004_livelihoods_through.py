"""Turn the plain many-to-many table of livelihoods into a model. The table stays as it is; only Django learns of it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("communities", "0003_history_and_facilities")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[],
            state_operations=[
                migrations.CreateModel(
                    name="CommunityLivelihood",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "community",
                            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="communities.community"),
                        ),
                        (
                            "livelihood",
                            models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="communities.livelihood"),
                        ),
                    ],
                    options={
                        "db_table": "communities_community_livelihoods",
                        "unique_together": {("community", "livelihood")},
                    },
                ),
                migrations.AlterField(
                    model_name="community",
                    name="livelihoods",
                    field=models.ManyToManyField(
                        related_name="communities",
                        through="communities.CommunityLivelihood",
                        to="communities.livelihood",
                    ),
                ),
            ],
        ),
    ]
