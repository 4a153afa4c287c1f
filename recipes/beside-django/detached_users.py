"""Shows Django whom the Koa application has logged in, and Django has no record of. Off, unless settings.py says:

    MIDDLEWARE = [..., 'django.contrib.auth.middleware.AuthenticationMiddleware', 'detached_users.DetachedUserMiddleware', ...]
"""

from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

# Where koa-strata has such a login in the session: {backend, id, stamp, snapshot}.
LOGIN = '_strata_login'


class DetachedUser(AnonymousUser):
    """Somebody without a record: logged in, never stored, neither staff nor superuser, and allowed what the session says."""

    is_active = True
    is_anonymous = False
    is_authenticated = True

    def __init__(self, backend, snapshot):
        self.key = f'{backend}:{snapshot["id"]}'
        self.username = snapshot.get('username', snapshot['id'])
        self.email = snapshot.get('email', '')
        self.attributes = snapshot.get('attributes', {})
        self.permissions = frozenset(snapshot.get('permissions', ()))

    def __str__(self):
        return self.username

    def __eq__(self, other):
        return isinstance(other, DetachedUser) and self.key == other.key

    def __hash__(self):
        return hash(self.key)

    def get_full_name(self):
        return self.username

    def get_short_name(self):
        return self.username

    def check_password(self, raw_password):
        return False

    def get_user_permissions(self, obj=None):
        return set(self.permissions) if obj is None else set()

    def get_all_permissions(self, obj=None):
        return self.get_user_permissions(obj)

    def has_perm(self, perm, obj=None):
        return perm in self.get_user_permissions(obj)

    def has_module_perms(self, module):
        return any(perm.startswith(f'{module}.') for perm in self.permissions)


class DetachedUserMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        user = request.user
        request.user = SimpleLazyObject(lambda: user if user.is_authenticated else detached_user(request) or user)
        return self.get_response(request)


def detached_user(request):
    login = request.session.get(LOGIN, {})
    # Without a snapshot, or with `via`, somebody else has to say at each request whether the login still holds, and Django does not ask them.
    if 'snapshot' not in login or 'via' in login:
        return None
    return DetachedUser(login['backend'], login['snapshot'])
