"""Every type of field, one model a family."""

import uuid

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Concat, Now

from .fields import TitleField, TurnedField


class Price(models.Model):
    total = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    rate = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    whole = models.DecimalField(max_digits=5, decimal_places=0, null=True)
    wide = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    size = models.FloatField(null=True)
    pieces = models.PositiveIntegerField(default=0)
    few = models.PositiveSmallIntegerField(default=0)
    many = models.PositiveBigIntegerField(default=0)
    small = models.SmallIntegerField(default=0)
    large = models.BigIntegerField(default=0)
    number = models.IntegerField(null=True)


class Moment(models.Model):
    id = models.AutoField(primary_key=True)
    at = models.DateTimeField(null=True)
    again = models.DateTimeField(auto_now=True)
    day = models.DateField(null=True)
    clock = models.TimeField(null=True)
    lasts = models.DurationField(null=True)
    made = models.DateTimeField(db_default=Now())


class Thing(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    parent = models.ForeignKey("self", models.CASCADE, null=True)
    other = models.UUIDField(null=True)
    data = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)
    either = models.GenericIPAddressField(null=True, unpack_ipv4=True)
    raw = models.BinaryField(null=True)
    yes = models.BooleanField(default=False)
    perhaps = models.BooleanField(null=True)
    prices = models.ManyToManyField(Price)


class Letter(models.Model):
    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(max_length=20)
    slug = models.SlugField(unique=True)
    body = models.TextField(blank=True)
    file = models.FileField(upload_to="letters/%Y", null=True)
    mail = models.EmailField(null=True)
    link = models.URLField(null=True)
    title = TitleField(max_length=30, null=True)
    secret = TurnedField(null=True)
    size = models.IntegerField(default=3)
    doubled = models.GeneratedField(expression=F("size") * 2, output_field=models.IntegerField(), db_persist=True)
    greeting = models.GeneratedField(
        expression=Concat(Value("Dear "), F("name")), output_field=models.CharField(max_length=40), db_persist=True
    )
    kind = models.CharField(max_length=5, db_default="plain")


class Rate(models.Model):
    key = models.DecimalField(primary_key=True, max_digits=6, decimal_places=3)


class Use(models.Model):
    rate = models.ForeignKey(Rate, models.CASCADE)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    taxed = models.GeneratedField(
        expression=F("price") * 2, output_field=models.DecimalField(max_digits=9, decimal_places=2), db_persist=True
    )
