import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("shop", broker=os.environ["BROKER_URL"], set_as_current=True)
app.conf.broker_connection_retry_on_startup = True
app.conf.beat_schedule_filename = "/tmp/beat"  # noqa: S108 - the clock keeps nothing that has to last
app.conf.beat_schedule = {"tick": {"task": "shop.tasks.leave", "schedule": 2.0, "args": ["beat"]}}
app.autodiscover_tasks(["shop"])
