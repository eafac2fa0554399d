"""The web page, here or on a Hugging Face Space: `python app.py --help`.

The same as `python -m genimg app`, options and all.
"""

import sys

from genimg.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
