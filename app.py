"""The web page, here or on a Hugging Face Space: `python app.py --help`.

The same as `python -m genimg app`, options and all.
"""

# isort: skip_file
import contextlib
import os
import sys

import genimg  # noqa: F401  sets how OpenMP waits, which must be done before torch is imported

# Hugging Face's ZeroGPU wants its package imported before anything that may touch a GPU; it brings
# torch and Gradio along, whose telemetry is off only if it was turned off before.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
with contextlib.suppress(ImportError):
    import spaces  # noqa: F401

from genimg.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
