from importlib.metadata import distributions

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from pricing import gross


def facts(_request: HttpRequest) -> JsonResponse:
    with connection.cursor() as cursor:
        cursor.execute("select 6 * 7")
        (answer,) = cursor.fetchone() or (None,)
    return JsonResponse(
        {
            "gross": gross(100),
            "database": answer,
            "installed": {each.name: each.version for each in distributions()},
        }
    )


urlpatterns = [path("", facts)]
