"""What a PDF says, read back by another program than the one that made it."""

import shutil
import subprocess

import pytest


def words(data: bytes) -> str:
    """Its text, page after page."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not installed: bin/test installs poppler-utils")
    return subprocess.run([tool, "-", "-"], input=data, capture_output=True, check=True).stdout.decode()
