"""Addresses of the circles, of their meetings and of the situations that are prepared for them."""

from django.urls import URLPattern, URLResolver

from cordee.circles.urls import circles, meetings, situations

app_name = "circles"
urlpatterns: list[URLPattern | URLResolver] = [*circles.addresses, *meetings.addresses, *situations.addresses]
