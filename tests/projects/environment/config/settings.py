import configparser
import os
from pathlib import Path

import dj_database_url

from .local import MAIL  # what differs between machines; it is in no version control

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ["HOSTS"].split()
SITE = os.environ["SITE"]
TOKEN = os.environ["TOKEN"]
TOKEN_FILE = Path(os.environ["TOKEN_FILE"])
MAIL_PASSWORD = MAIL["password"]

SHOP = configparser.ConfigParser(interpolation=None)
SHOP.read("/etc/shop/shop.ini")

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.staticfiles"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "config.urls"
DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    name: {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ[variable]}
    for name, variable in (("default", "CACHE_URL"), ("sessions", "SESSION_URL"))
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_CACHE_ALIAS = "sessions"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
