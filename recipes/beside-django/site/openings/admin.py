from django.contrib import admin

from .models import Opening


@admin.register(Opening)
class OpeningAdmin(admin.ModelAdmin):
    list_display = ['title', 'place', 'is_draft', 'posted']
