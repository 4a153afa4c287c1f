"""The settings of the site, with detached_users.py switched on."""

from jobs.settings import *

MIDDLEWARE = [*MIDDLEWARE, 'detached_users.DetachedUserMiddleware']
