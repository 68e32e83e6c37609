from argparse import ArgumentParser
from time import sleep

from django.core.management.base import BaseCommand

from shop.models import Mark


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--every", type=float)

    def handle(self, *, name: str, every: float | None, **_rest: object) -> None:
        Mark.objects.create(name=name)
        while every:
            sleep(every)
            Mark.objects.create(name=name)
