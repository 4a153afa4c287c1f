"""How gunicorn runs the site here: with its tables, its static files, and a few people and openings. EXAMPLE has the people, in JSON."""

import json
import os

wsgi_app = 'jobs.wsgi'
preload_app = True
threads = 8


def on_starting(server):
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connections

    call_command('migrate', verbosity=0)
    call_command('collectstatic', verbosity=0, interactive=False, link=True)
    if not User.objects.exists():
        add_people(json.loads(os.environ['EXAMPLE']))
        add_openings()
    # The workers are forks, and forks cannot share a connection.
    connections.close_all()


def add_people(people):
    from django.contrib.auth.models import Permission, User

    for person in people:
        permissions = person.pop('permissions', [])
        user = User.objects.create_user(**person)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))


def add_openings():
    from datetime import datetime, timezone

    from openings.models import Opening

    for day, (title, place, is_draft) in enumerate([
        ('Baker, nights', 'Görlitz', False),
        ('Miller & driver', 'Halle', False),
        ('Lighthouse keeper', 'Rügen', False),
        ('Head of the bakery', 'Görlitz', True),
    ], start=5):
        posted = datetime(2026, 10, day, 9, tzinfo=timezone.utc)
        Opening.objects.create(title=title, place=place, is_draft=is_draft, posted=posted)
