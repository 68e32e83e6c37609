import hashlib

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.http import JsonResponse
from django.urls import path


def facts(_request):
    return JsonResponse(
        {
            "vendor": connection.vendor,
            "users": User.objects.count(),
            "debug": settings.DEBUG,
            "hosts": settings.ALLOWED_HOSTS,
            "key": hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest(),
        }
    )


urlpatterns = [path("", facts), path("admin/", admin.site.urls)]
