"""Whether a request comes from our own pages: a cookie alone does not prove who wanted a change."""

from urllib.parse import urlsplit

from starlette.requests import Request

PORTS = {"http": ":80", "https": ":443"}


def same_origin(request: Request) -> bool:
    """True if the browser says so, or if the origin it names is the host it talks to; silence proves nothing."""
    origins, hosts = request.headers.getlist("origin"), request.headers.getlist("host")
    sites = request.headers.getlist("sec-fetch-site")
    if len(origins) > 1 or len(hosts) != 1 or len(sites) > 1:
        return False
    if sites:
        # "none" is a person at the address bar; a page always comes with an origin when it changes something.
        return sites[0] == "same-origin" or (sites[0] == "none" and not origins)
    return bool(origins) and _is_host(origins[0], hosts[0])


def from_foreign_page(request: Request) -> bool:
    """Whether another site's page may be behind this; a client that is no browser names no page at all."""
    from_page = "origin" in request.headers or "sec-fetch-site" in request.headers
    return from_page and not same_origin(request)


def _is_host(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a proxy that ends TLS we do not know ours.
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    standard = PORTS.get(parts.scheme)
    return standard is not None and parts.netloc.removesuffix(standard) == host.lower().removesuffix(standard)
