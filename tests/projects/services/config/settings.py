import os
from pathlib import Path

import dj_database_url

SECRET_KEY = Path(os.environ["SECRET_KEY_FILE"]).read_text() if "SECRET_KEY_FILE" in os.environ else "while-building"
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "orders"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "config.urls"
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
        "LOCATION": os.environ["MEMCACHED"],
        # One that was away is asked again at once.
        "OPTIONS": {"retry_timeout": 0, "dead_timeout": 0},
    }
}
CELERY_BROKER_URL = os.environ["BROKER_URL"]
CELERY_TASK_IGNORE_RESULT = True
STATIC_URL = "/static/"
