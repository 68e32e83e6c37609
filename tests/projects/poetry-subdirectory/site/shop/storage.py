from django.contrib.staticfiles.storage import StaticFilesStorage


class Elsewhere(StaticFilesStorage):
    def post_process(self, _paths: dict[str, object], **_options: object) -> None:
        msg = "static files are kept elsewhere"
        raise RuntimeError(msg)
