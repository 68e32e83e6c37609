from importlib.metadata import distributions

from django.http import HttpRequest, JsonResponse
from django.urls import path


def facts(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"installed": {each.name: each.version for each in distributions()}})


urlpatterns = [path("", facts)]
