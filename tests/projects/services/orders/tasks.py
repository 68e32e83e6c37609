from celery import shared_task

from .models import Order


@shared_task
def take(name: str) -> None:
    Order.objects.create(name=name)
