"""Fill the database as people would have: through the ORM."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from signs.models import Found, Remark, Sign
from signs.views import Visit

for number in range(5):
    sign = Sign.objects.create(text=f"sign {number} größer")
    Found.objects.create(sign=sign, text=sign.text)
    Remark.objects.create(about=sign)
    Visit.objects.create(sign=sign)
