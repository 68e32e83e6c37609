import secrets
from urllib.parse import quote

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


def facts(request: HttpRequest) -> JsonResponse:
    return JsonResponse(
        {
            "host": request.get_host(),
            "path": request.get_full_path(),
            "upgrade": request.headers.get("Upgrade"),
            "kept": sorted(file.name for file in settings.KEPT.iterdir()),
        }
    )


@csrf_exempt
def upload(request: HttpRequest) -> JsonResponse:
    name = default_storage.save("invoice 1.html", ContentFile(request.body))
    (settings.KEPT / name).write_bytes(request.body)
    made = f"made.{secrets.token_hex(6)}.css"
    written = settings.STATIC_ROOT / "CACHE"
    try:
        written.mkdir(exist_ok=True)
        (written / made).write_text("made while it runs")
    except OSError as error:
        made = error.__class__.__name__
    return JsonResponse({"name": name, "made": made})


def invoice(request: HttpRequest, name: str) -> HttpResponse:
    if request.headers.get("Authorization") != "Basic Ada":
        return HttpResponse("not yours", status=403)
    said = {"Content-Disposition": 'inline; filename="yours.html"'} if "inline" in request.GET else {}
    return HttpResponse(headers={"X-Accel-Redirect": f"/files/{quote(name)}", **said})


urlpatterns = [
    path("", facts),
    path("moved/<path:name>", facts),
    path("upload", upload),
    path("invoice/<str:name>", invoice),
]
