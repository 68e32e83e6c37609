import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django = get_asgi_application()

from channels.routing import ChannelNameRouter, ProtocolTypeRouter  # noqa: E402 - Django is set up first

from shop.consumers import Leave  # noqa: E402 - Django is set up first

application = ProtocolTypeRouter({"http": django, "channel": ChannelNameRouter({"marks": Leave.as_asgi()})})
