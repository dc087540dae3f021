"""The Django application: ``"liteferry.django"`` in INSTALLED_APPS gives ``manage.py liteferry``.

Layer 4. It has no models and changes nothing of the project; `liteferry migrate --django DIR` does the same without it.
"""
