"""Fields of the project's own."""

import codecs

from django.db import models


class TitleField(models.CharField):
    """Adds a word when a value is read: what is stored is Django's own."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else f"title {value}"

    def get_prep_value(self, value):
        return None if value is None else str(value).removeprefix("title ")


class TurnedField(models.TextField):
    """Stores its text with the letters turned by thirteen."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else codecs.decode(value, "rot13")

    def get_prep_value(self, value):
        return None if value is None else codecs.encode(value, "rot13")


class TagsField(models.Field):
    """A list of words: text[] in PostgreSQL, words with commas between them elsewhere."""

    def db_type(self, connection):
        return "text[]" if connection.vendor == "postgresql" else "text"

    def from_db_value(self, value, expression, connection):
        return value.split(",") if isinstance(value, str) else value

    def get_db_prep_value(self, value, connection, prepared=False):
        return value if value is None or connection.vendor == "postgresql" else ",".join(value)


class SpanField(models.Field):
    """Whole minutes: an interval in PostgreSQL, their number elsewhere."""

    def db_type(self, connection):
        return "interval" if connection.vendor == "postgresql" else "bigint"

    def from_db_value(self, value, expression, connection):
        return value * 60 if isinstance(value, int) else value and int(value.total_seconds())


class MaskField(models.BinaryField):
    """Bytes, each with its bits turned: in every database the same."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else bytes(255 - byte for byte in bytes(value))

    def get_db_prep_value(self, value, connection, prepared=False):
        turned = None if value is None else bytes(255 - byte for byte in bytes(value))
        return super().get_db_prep_value(turned, connection, prepared)
