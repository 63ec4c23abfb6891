from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "cordee.catalogue"

    def ready(self) -> None:
        from cordee.catalogue import checks  # noqa: F401  (registers the check)
