import hashlib

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def facts(request: HttpRequest) -> JsonResponse:
    request.session["seen"] = True
    with connection.cursor() as cursor:
        cursor.execute("select current_user, count(*) from django_content_type group by 1")
        user, _ = cursor.fetchone() or ("", 0)
    return JsonResponse(
        {
            "site": settings.SITE,
            "hosts": settings.ALLOWED_HOSTS,
            "user": user,
            "key": digest(settings.SECRET_KEY),
            "token": digest(settings.TOKEN),
            "token file": digest(settings.TOKEN_FILE.read_text()),
            "mail": digest(settings.MAIL_PASSWORD),
            "ini": digest(settings.SHOP["payment"]["key"]),
        }
    )


urlpatterns = [path("", facts)]
