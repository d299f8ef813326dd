"""The lab: a local server, and the page that shows a model learn."""

__all__: list[str] = []
