"""A server for each file of browser tests: limits on how often one may join count by address, and all come from one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Template
    from tests.services import Server


@pytest.fixture(scope="module")
def own_server(template: "Template") -> Iterator["Server"]:
    with template.server() as running:
        yield running
