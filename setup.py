"""What pyproject.toml cannot say: the package's description, and where building leaves its files.

README.md begins with a header for Hugging Face Spaces, which is no part of a description. What
setuptools would leave in the source folder, `build/` and `genimg.egg-info/`, goes to a temporary
folder.
"""

import tempfile
from pathlib import Path

from setuptools import setup

readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
description = readme.removeprefix("---\n").split("\n---\n", maxsplit=1)[1]

with tempfile.TemporaryDirectory(prefix="genimg-build-") as folder:
    setup(
        long_description=description.lstrip(),
        long_description_content_type="text/markdown",
        options={"build": {"build_base": folder}, "egg_info": {"egg_base": folder}},
    )
