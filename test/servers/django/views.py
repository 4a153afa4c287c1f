import json

from django import forms
from django.contrib import messages as site_messages
from django.contrib.auth import BACKEND_SESSION_KEY
from django.http import JsonResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST


@require_GET
def home(request):
    return render(request, 'home.html')


@require_GET
def whoami(request):
    user = request.user
    return JsonResponse({
        'id': user.pk,
        'username': user.get_username(),
        'authenticated': user.is_authenticated,
        'staff': user.is_staff,
        'superuser': user.is_superuser,
        'permissions': sorted(user.get_all_permissions()),
        'backend': request.session.get(BACKEND_SESSION_KEY),
        'session_key': request.session.session_key,
    })


@require_GET
def perms(request):
    return JsonResponse({'has': request.user.has_perm(request.GET['name'])})


@csrf_exempt
@require_http_methods(['GET', 'POST'])
def session(request):
    if request.method == 'POST':
        change(request.session, **json.loads(request.body))
    return JsonResponse({
        'data': dict(request.session.items()),
        'key': request.session.session_key,
        'expiry': {
            'age': request.session.get_expiry_age(),
            'date': request.session.get_expiry_date(),
            'at_browser_close': request.session.get_expire_at_browser_close(),
        },
    })


def change(session, flush=False, cycle=False, set=None, delete=(), **more):
    """Changes a session in this order. `expiry` is a number of seconds, a date in ISO 8601, or null for the default."""
    if flush:
        session.flush()
    if cycle:
        session.cycle_key()
    for name, value in (set or {}).items():
        session[name] = value
    for name in delete:
        del session[name]
    if 'expiry' in more:
        expiry = more['expiry']
        session.set_expiry(parse_datetime(expiry) if isinstance(expiry, str) else expiry)


@csrf_exempt
@require_POST
def count(request):
    request.session['django'] = request.session.get('django', 0) + 1
    return JsonResponse({'django': request.session['django']})


@csrf_exempt
@require_http_methods(['GET', 'POST'])
def messages(request):
    if request.method == 'POST':
        site_messages.info(request, json.loads(request.body)['text'])
        return JsonResponse({}, status=201)
    read = [{'text': message.message, 'level': message.level_tag} for message in site_messages.get_messages(request)]
    return JsonResponse({'messages': read})


class TextForm(forms.Form):
    text = forms.CharField()


@require_http_methods(['GET', 'POST'])
def form(request):
    text_form = TextForm(request.POST or None)
    if text_form.is_valid():
        return JsonResponse(text_form.cleaned_data)
    return render(request, 'form.html', {'form': text_form})
