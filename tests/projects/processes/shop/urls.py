import sys
from collections import Counter

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from redis import Redis
from rq import Queue

from shop.models import Mark
from shop.tasks import leave, leave_by_rq


def facts(request: HttpRequest) -> JsonResponse:
    servers = [name for name in ("daphne", "uvicorn", "gunicorn") if name in sys.modules]
    return JsonResponse(
        {
            "asgi": isinstance(request, ASGIRequest),
            "servers": servers,
            "scheme": request.META.get("HTTP_X_FORWARDED_PROTO"),
            "users": [user.get_username() for user in get_user_model().objects.all()],
            "marks": Counter(Mark.objects.values_list("name", flat=True)),
        }
    )


def order(_request: HttpRequest) -> HttpResponse:
    leave.delay("celery")
    Queue(connection=Redis.from_url(settings.RQ_URL)).enqueue(leave_by_rq, "rq")
    async_to_sync(get_channel_layer().send)("marks", {"type": "leave", "name": "channels"})
    return HttpResponse("ordered")


def health(_request: HttpRequest) -> HttpResponse:
    done = Mark.objects.filter(name="clock").exists()
    return HttpResponse("imported" if done else "never imported", status=200 if done else 503)


urlpatterns = [path("", facts), path("order", order), path("health", health)]
