"""Fields whose values are of the application's own types."""

from decimal import Decimal

from django.db import models


class Money:
    """An amount with its currency; knows no equality."""

    def __init__(self, amount, currency):
        self.amount, self.currency = Decimal(amount), currency


class MoneyField(models.CharField):
    """Stores ``12.50 EUR``."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else Money(*value.split())

    def get_prep_value(self, value):
        return f"{value.amount} {value.currency}" if isinstance(value, Money) else value


class CommaListField(models.TextField):
    """A list of texts, with commas between them."""

    def from_db_value(self, value, expression, connection):
        return None if value is None else value.split(",")

    def get_prep_value(self, value):
        return ",".join(value) if isinstance(value, list) else value


class EvenField(models.TextField):
    """Stores texts of the letters a and b alone."""

    def get_prep_value(self, value):
        if value is not None and set(value) - {"a", "b"}:
            raise ValueError(f"{value} has other letters")
        return value
