from django.db import models


class Note(models.Model):
    """Its table is called otherwise than its model."""

    text = models.TextField()
    booking = models.ForeignKey("common.Booking", null=True, on_delete=models.CASCADE)

    class Meta:
        db_table = "office_notes"


class Archive(models.Model):
    """Made by somebody else; some databases have it."""

    year = models.IntegerField(primary_key=True)
    pages = models.TextField()

    class Meta:
        managed = False
        db_table = "old_archive"
