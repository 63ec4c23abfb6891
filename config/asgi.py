"""The one process: two live endpoints in pure ASGI, everything else Django through a few threads."""

import asyncio
import os
import re

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application

_django = get_wsgi_application()

from a2wsgi import WSGIMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.template.loader import render_to_string  # noqa: E402

from cordee.engine import hint  # noqa: E402
from cordee.live import connections  # noqa: E402
from cordee.live.asgi import Live  # noqa: E402
from cordee.live.bus import bus  # noqa: E402
from cordee.live.headers import guarded, strict_transport  # noqa: E402
from cordee.mail.postman import Postman  # noqa: E402
from cordee.ops.probes import Probes  # noqa: E402
from cordee.room import access, actions, stream, sweep  # noqa: E402

connections.serving()
SETTLED = 5.0  # seconds after which a server that has just started does what can wait


async def _background() -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(SETTLED, loop.run_in_executor, None, hint.is_advice, "")  # no question waits for the first of all
    the_bus = bus(settings.BUS, settings.DATABASE_URL)
    actions.hub.start(the_bus.publish)
    recurring = [asyncio.ensure_future(work()) for work in (sweep.sweeping, stream.watching)]
    postman = Postman()
    postman.start()
    try:
        await the_bus.run(actions.hub)
        await asyncio.Event().wait()
    finally:
        postman.stop()
        for work in recurring:
            work.cancel()
        actions.hub.stop()


everything = Probes(
    Live(
        # No bound to what waits to be sent: a thread hands over its page and goes on, however slow the reader.
        django=WSGIMiddleware(_django, workers=8, send_queue_size=0),  # type: ignore[arg-type]
        stream=(re.compile(r"/(salle|ecran)/([\w-]+)/stream"), stream.open_stream),
        act=(re.compile(r"/salle/([\w-]+)/(contributions|brouillon)"), actions.receive),
        background=_background,
        same_origin=access.same_origin,
        too_large=render_to_string("413.html").encode(),
        files=re.compile(r"/espaces/\d+/personnes/liste/"),
        said=actions.refused,
    )
)
application = guarded(
    everything,
    strict_transport(
        settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS, settings.SECURE_HSTS_PRELOAD
    ),
)
