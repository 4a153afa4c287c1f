import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
application = get_wsgi_application()
# Here, once, instead of at the first request of each worker.
import_module('urls')


def hurry(connection, **_):
    """Nothing in the tests outlives a power cut, and waiting for the disk at every statement makes them slow."""
    if connection.vendor == 'sqlite':
        with connection.cursor() as cursor:
            cursor.execute('pragma synchronous = off')


connection_created.connect(hurry)
