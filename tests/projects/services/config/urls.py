from django.urls import path
from orders import views

urlpatterns = [path("", views.facts), path("order", views.order)]
