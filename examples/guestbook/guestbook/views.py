"""The pages."""

import os
import time

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from config.version import VERSION

from .counter import count_visit
from .forms import EntryForm
from .health import failed_parts
from .models import Entry

PAGE_SIZE = 20
MAX_SLOW_SECONDS = 5.0


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show the entries and take a new one."""
    if request.method == "POST":
        form = EntryForm(request.POST, request.FILES)
        if form.is_valid():
            entry = form.save()
            messages.success(request, f"Thank you, {entry.name}. Your entry is in the book.")
            return redirect("home")
    else:
        form = EntryForm()
    page = Paginator(Entry.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "visits": count_visit(),
        "version": VERSION,
        "release": os.environ.get("SLIPWAY_RELEASE", ""),
    }
    return render(request, "guestbook/home.html", context, status=422 if form.errors else 200)


@never_cache
@require_GET
def healthz(_request: HttpRequest) -> JsonResponse:
    """Say whether the database and the cache answer: 200, or 503 and the names of what does not."""
    failed = failed_parts()
    return JsonResponse(
        {"status": "failed" if failed else "ok", "failed": failed},
        status=503 if failed else 200,
    )


@never_cache
@require_GET
def version(_request: HttpRequest) -> JsonResponse:
    """Say which code this is, and which release of it is deployed."""
    return JsonResponse({"version": VERSION, "release": os.environ.get("SLIPWAY_RELEASE", "")})


@never_cache
@require_GET
def slow(request: HttpRequest) -> HttpResponse:
    """Answer after some seconds, five at most. For load tests: a deployment must not cut a request off."""
    try:
        seconds = float(request.GET.get("seconds", "1"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SLOW_SECONDS:
        return HttpResponse(f"seconds must be a number from 0 to {MAX_SLOW_SECONDS:g}\n", status=400)
    time.sleep(seconds)
    return HttpResponse(f"waited {seconds:g} s\n", content_type="text/plain")
