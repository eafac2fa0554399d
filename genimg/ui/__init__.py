"""The page. Gradio comes in here, before any other module of the page can import it."""

import os

from genimg.ui.proxies import without_proxies

# It only counts before Gradio is imported: no telemetry from a classroom.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

with without_proxies():  # a proxy that httpx cannot use breaks even the import
    import gradio  # noqa: F401
