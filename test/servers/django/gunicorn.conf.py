"""Two workers, forks of one process that has loaded the whole site, beside a third fork that runs the tests' code."""

import os

import shell

wsgi_app = 'wsgi'
preload_app = True
workers = 2
# A browser opens connections that it leaves idle for a while, and each of them takes a thread.
threads = 8
# Longer than clients keep a connection for the next request: one that is closed meanwhile would fail theirs.
keepalive = 60


def on_starting(server):
    from django.core.management import call_command
    from django.db import connections

    if os.environ['SITE_MIGRATES']:
        call_command('migrate', verbosity=0)
    # Forks can't share a connection.
    connections.close_all()
    shell.fork(os.environ['SITE_SHELL'])
