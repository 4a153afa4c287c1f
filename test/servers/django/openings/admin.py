from django.contrib import admin

from .models import Opening

admin.site.register(Opening)
