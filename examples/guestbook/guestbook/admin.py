"""Entries in Django's admin."""

from django.contrib import admin

from .forms import EntryForm
from .models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """Find and remove entries."""

    form = EntryForm
    list_display = ["name", "message", "created"]
    search_fields = ["name", "message"]
    date_hierarchy = "created"
