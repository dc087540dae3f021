"""Views, with a model that nobody else needs."""

from django.db import models

from signs.models import Sign


class Visit(models.Model):
    sign = models.ForeignKey(Sign, models.CASCADE)

    class Meta:
        app_label = "signs"
