"""A signal that would show if anybody saved a row."""

from django.db.models.signals import post_save
from django.dispatch import receiver
from notes.models import Note, Trace


@receiver(post_save, sender=Note)
def trace(sender: object, instance: Note, using: str, **_: object) -> None:
    """Leave a trace of every save."""
    Trace.objects.using(using).create(what=f"{sender} {instance.pk}")
