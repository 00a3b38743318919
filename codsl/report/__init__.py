"""How a report looks: in a terminal, as a picture for a document, as a page."""

from codsl.graph.report import LOOKS
from codsl.report.drawing import svg
from codsl.report.page import fragment, html
from codsl.report.save import save

LOOKS.update({"text/html": fragment, "image/svg+xml": svg})

__all__ = ["html", "save", "svg"]
