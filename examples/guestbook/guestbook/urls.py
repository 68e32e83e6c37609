"""The addresses of the guestbook."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("version", views.version, name="version"),
    path("slow", views.slow, name="slow"),
]
