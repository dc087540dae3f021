"""Two models and the table between them."""

from django.db import models


class Label(models.Model):
    name = models.CharField(max_length=50)


class Note(models.Model):
    text = models.TextField()
    labels = models.ManyToManyField(Label)
