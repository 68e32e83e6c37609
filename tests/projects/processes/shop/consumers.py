from channels.consumer import SyncConsumer

from shop.models import Mark


class Leave(SyncConsumer):
    def leave(self, message: dict[str, str]) -> None:
        Mark.objects.create(name=message["name"])
