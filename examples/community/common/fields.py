"""Model fields of our own: money, tags, and text that sorts alike on every engine."""

from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

CENTS = 2


class MoneyField(models.Field):
    """An amount of money: a Decimal in Python, whole cents in the database."""

    description = "Money in whole cents"

    def db_type(self, connection):
        """Eight bytes on either engine."""
        return {"postgresql": "bigint", "sqlite": "integer"}[connection.vendor]

    def from_db_value(self, value, expression, connection):  # noqa: ARG002 - the signature is Django's
        """Cents to a Decimal."""
        return None if value is None else Decimal(value).scaleb(-CENTS)

    def to_python(self, value):
        """Any spelling of a number to a Decimal."""
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except ArithmeticError as error:
            raise ValidationError("%(value)s is not an amount.", params={"value": value}) from error

    def get_prep_value(self, value):
        """A Decimal to cents."""
        value = self.to_python(super().get_prep_value(value))
        return None if value is None else int(value.scaleb(CENTS).to_integral_value())

    def value_to_string(self, obj):
        """As fixtures have it."""
        value = self.value_from_object(obj)
        return None if value is None else str(value)

    def formfield(self, **kwargs):
        """A form field with two decimals."""
        return super().formfield(**({"form_class": forms.DecimalField, "decimal_places": CENTS} | kwargs))


class TagsField(models.Field):
    """A list of short words: a list of str in Python, separated by commas in the database."""

    description = "Tags separated by commas"

    def db_type(self, connection):  # noqa: ARG002 - the signature is Django's
        """Text on either engine."""
        return "text"

    def from_db_value(self, value, expression, connection):  # noqa: ARG002 - the signature is Django's
        """Text to a list."""
        return self.to_python(value)

    def to_python(self, value):
        """Text or a list to a list."""
        if value is None or isinstance(value, list):
            return value
        return value.split(",") if value else []

    def get_prep_value(self, value):
        """A list to text."""
        value = super().get_prep_value(value)
        return ",".join(value) if isinstance(value, list) else value

    def value_to_string(self, obj):
        """As fixtures have it."""
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, **kwargs):
        """A line of text."""
        return super().formfield(**({"form_class": forms.CharField} | kwargs))


class BytewiseCharField(models.CharField):
    """Text that sorts by its bytes, whatever the server's language, by a collation that each engine names differently.

    ``db_collation`` names one collation for every engine, and hardly a name exists on all. Django asks the field for
    its column's collation through ``db_parameters``, with the connection at hand.
    """

    collations = {"postgresql": "bytewise", "sqlite": "BINARY"}

    def db_parameters(self, connection):
        """Type, check and collation of the column."""
        return super().db_parameters(connection) | {"collation": self.collations[connection.vendor]}
