from celery import shared_task


@shared_task
def leave(name: str) -> None:
    from shop.models import Mark  # noqa: PLC0415 - RQ imports this before Django is set up

    Mark.objects.create(name=name)


def leave_by_rq(name: str) -> None:
    import django  # noqa: PLC0415 - the worker of RQ knows no Django

    django.setup()
    leave(name)
