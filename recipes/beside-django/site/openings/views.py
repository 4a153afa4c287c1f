from django.shortcuts import render
from django.views.decorators.http import require_safe

from .models import Opening


@require_safe
def home(request):
    openings = Opening.objects.all()
    if not request.user.has_perm('openings.view_draft'):
        openings = openings.filter(is_draft=False)
    return render(request, 'home.html', {'openings': openings if request.user.is_authenticated else []})
