"""Writes the document and its page into a folder: `python -m edge.openapi FOLDER`."""

import pathlib
import sys

from edge.openapi import reference

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    made = reference.read()
    (folder / "openapi.json").write_bytes(made.document)
    (folder / "docs.html").write_bytes(made.page)
