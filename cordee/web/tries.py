"""How often one may try: what the limits of several parts of the site share. Each counts in a table of its own."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

# One more try under this name, in a window of time (seconds since the epoch). A window that ends later than one that
# begins now was opened by a clock that has been put back since: it is over.
COUNT = """
    INSERT INTO {table} (name, count, until) VALUES (%(name)s, 1, %(end)s)
    ON CONFLICT (name) DO UPDATE SET
        count = CASE WHEN {table}.until > %(now)s AND {table}.until <= %(end)s THEN {table}.count + 1 ELSE 1 END,
        until = CASE WHEN {table}.until > %(now)s AND {table}.until <= %(end)s THEN {table}.until
                     ELSE excluded.until END
"""


def caller(request: HttpRequest) -> str:
    """Whose tries count together: an IPv4 address, or the 64 bits of IPv6 that one line has all to itself."""
    return network(request, 32, 64)


def neighbourhood(request: HttpRequest) -> str:
    """What one tenant may well hold whole: 256 addresses of IPv4, 65,536 lines of IPv6."""
    return network(request, 24, 48)


def network(request: HttpRequest, bits: int, bits_of_6: int) -> str:
    """The network of these many bits that asks; whatever the proxy says instead of an address, as it says it."""
    said = request.META.get("REMOTE_ADDR", "")
    try:
        address: IPv4Address | IPv6Address = ip_address(said.partition("%")[0])
    except ValueError:
        return said or "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped  # a server that listens on both sees IPv4 so
    return str(ip_network((int(address), bits if address.version == 4 else bits_of_6), strict=False))
