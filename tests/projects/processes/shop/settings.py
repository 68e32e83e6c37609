import json
import os

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")
DATABASES = {"default": json.loads(os.environ["DATABASE"])}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "channels", "shop"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "shop.urls"
ASGI_APPLICATION = "shop.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [os.environ["CHANNELS_URL"]]},
    }
}
BROKER_URL = os.environ["BROKER_URL"]
RQ_URL = os.environ["RQ_REDIS_URL"]
