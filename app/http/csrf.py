"""Detection of requests from pages of other sites, against cross-site request forgery (CSRF)."""

from urllib.parse import urlsplit

from starlette.requests import Request

PORTS = {"http": ":80", "https": ":443"}


def same_origin(request: Request) -> bool:
    """Return whether Sec-Fetch-Site or Origin prove a page of this site. Without both, the result is False."""
    origins, hosts = request.headers.getlist("origin"), request.headers.getlist("host")
    sites = request.headers.getlist("sec-fetch-site")
    if len(origins) > 1 or len(hosts) != 1 or len(sites) > 1:
        return False
    if sites:
        # "none" is a user at the address bar; a page that sends a change always sends an origin too.
        return sites[0] == "same-origin" or (sites[0] == "none" and not origins)
    return bool(origins) and _is_host(origins[0], hosts[0])


def from_foreign_page(request: Request) -> bool:
    """Return whether a page of another site may have sent the request.

    False without `Origin` and `Sec-Fetch-Site`, which only browsers send.
    """
    from_page = "origin" in request.headers or "sec-fetch-site" in request.headers
    return from_page and not same_origin(request)


def _is_host(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a proxy that terminates TLS, the server does not know its own.
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return False
    standard = PORTS.get(parts.scheme)
    return standard is not None and parts.netloc.removesuffix(standard) == host.lower().removesuffix(standard)
