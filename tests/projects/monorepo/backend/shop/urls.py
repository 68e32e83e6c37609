import shutil
from pathlib import Path

import psycopg2
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.translation import gettext
from pricing import gross


def facts(_request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("select 6 * 7")
        (answer,) = cursor.fetchone() or (None,)
    return JsonResponse(
        {
            "folder": str(Path.cwd()),
            "gross": gross(100),
            "hello": gettext("Hello"),
            "driver": psycopg2.__version__.partition(" ")[0],
            "database": answer,
            "compiler": shutil.which("gcc"),
            "tree": bool(shutil.which("tree")),
        }
    )


urlpatterns = [path("", facts)]
