"""A small Django site. SITE_SETTINGS, an object in JSON, has the last word on each of its settings."""

import json
import os
from pathlib import Path

from django.conf import global_settings

DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1', 'localhost']
USE_TZ = True
TIME_ZONE = 'UTC'
ROOT_URLCONF = 'urls'
STATIC_URL = '/static/'
LOGIN_URL = '/accounts/login/'
LOGIN_REDIRECT_URL = '/whoami'
LOGOUT_REDIRECT_URL = '/whoami'
AUTH_USER_MODEL = 'auth.User'
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
INSTALLED_APPS = [
    'django.contrib.admin',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.messages',
    'openings',
]
MIDDLEWARE = [
    'django.middleware.security.SecurityMiddleware',
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
]
TEMPLATES = [
    {
        'BACKEND': 'django.template.backends.django.DjangoTemplates',
        'DIRS': [Path(__file__).parent / 'templates'],
        'APP_DIRS': True,
        'OPTIONS': {
            'context_processors': [
                'django.template.context_processors.request',
                'django.contrib.auth.context_processors.auth',
                'django.contrib.messages.context_processors.messages',
            ],
        },
    },
]
LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'handlers': {'log': {'class': 'logging.StreamHandler'}},
    'loggers': {'django': {'handlers': ['log'], 'level': 'ERROR', 'propagate': False}},
}

# Hashes passwords with few rounds, for tests that are not about them.
QUICK_PASSWORDS = False

globals().update(json.loads(os.environ['SITE_SETTINGS']))

if QUICK_PASSWORDS:
    PASSWORD_HASHERS = ['hashers.Quick', *global_settings.PASSWORD_HASHERS]
# It would claim the groups and permissions of auth.User.
if AUTH_USER_MODEL == 'members.Member':
    INSTALLED_APPS.append('members')
