from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    """PBKDF2 with few rounds. What it makes is a hash like any other of Django's."""

    iterations = 1000
