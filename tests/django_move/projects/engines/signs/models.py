"""Models that are others on each engine, as those of a full text search are."""

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models.expressions import RawSQL

ON_POSTGRESQL = connection.vendor == "postgresql"

if ON_POSTGRESQL:
    from django.contrib.postgres.search import SearchVectorField


def make_words():
    """The words of a text: computed on PostgreSQL, and of no use elsewhere."""
    if not ON_POSTGRESQL:
        return models.TextField(null=True)
    words = RawSQL("to_tsvector('simple', text)", [], output_field=SearchVectorField())
    return models.GeneratedField(expression=words, output_field=SearchVectorField(), db_persist=True)


class Remark(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=40)
    about = GenericForeignKey()


class Sign(models.Model):
    text = models.CharField(max_length=40)
    words = make_words()
    remarks = GenericRelation(Remark, related_query_name="sign")


if not ON_POSTGRESQL:

    class Found(models.Model):
        sign = models.OneToOneField(Sign, models.CASCADE, primary_key=True, db_column="rowid")
        text = models.TextField()

        class Meta:
            db_table = "signs_found"
