from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission


def make(people):
    """Makes users and the groups that they are in, and returns the ids of the users by name."""
    return {person['name']: make_one(**person).pk for person in people}


def make_one(name, password=None, permissions=(), groups=None, **columns):
    user = get_user_model().objects.create_user(name, password=password, **columns)
    user.user_permissions.add(*map(permission, permissions))
    for group_name, granted in (groups or {}).items():
        group, _ = Group.objects.get_or_create(name=group_name)
        group.permissions.add(*map(permission, granted))
        user.groups.add(group)
    return user


def permission(name):
    app, codename = name.split('.')
    return Permission.objects.get(content_type__app_label=app, codename=codename)
