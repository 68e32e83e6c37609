from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .models import Order
from .tasks import take


def facts(_request: HttpRequest) -> JsonResponse:
    cache.add("seen", 0)
    with connection.cursor() as cursor:
        cursor.execute("select @@version, @@innodb_buffer_pool_size")
        version, buffer = cursor.fetchone()
    return JsonResponse(
        {
            "version": version,
            "buffer": int(buffer),
            "seen": cache.incr("seen"),
            "orders": list(Order.objects.order_by("id").values_list("name", flat=True)),
        }
    )


@csrf_exempt
def order(request: HttpRequest) -> HttpResponse:
    take.delay(request.body.decode())
    return HttpResponse(status=202)
