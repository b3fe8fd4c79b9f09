"""The configurations of the proxies that are tried."""

from pathlib import Path
from string import Template

CADDYFILE = Path(__file__).parents[2] / "docs/serving/Caddyfile"

NGINX = Template("""
daemon off;
pid $folder/nginx.pid;
error_log $folder/nginx.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
    server { listen 127.0.0.1:$bare; location / { proxy_pass http://127.0.0.1:$server; } }
    server {
        listen 127.0.0.1:$right;
        location / {
            proxy_pass http://127.0.0.1:$trusting;
            proxy_http_version 1.1;
            proxy_set_header Host $$host;
            proxy_set_header X-Forwarded-For $$proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $$scheme;
        }
    }
}
""")
"""One line of configuration, and the one that README tells."""

HAPROXY = Template("""
global
    maxconn 64
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend outside
    bind 127.0.0.1:$haproxy
    http-request del-header X-Forwarded-For
    http-request del-header X-Forwarded-Proto
    option forwardfor
    default_backend registry
backend registry
    server one 127.0.0.1:$trusting
""")
"""Headers of clients are deleted, and the proxy's own one is added."""

_CADDY_OPTIONS = """{
	admin off
	auto_https off
	default_bind 127.0.0.1
}
"""
"""Without these, Caddy would ask for a certificate and listen on every address."""

_CADDY_PLACES = ("registry.example.org {", "reverse_proxy 127.0.0.1:5000 {")


def caddy(upstreams: dict[int, str]) -> str:
    """Return the documented site of Caddy once for each port, with the upstream of this port in place of its own."""
    documented = CADDYFILE.read_text()
    if any(documented.count(place) != 1 for place in _CADDY_PLACES):
        raise SystemExit(f"proxies: {CADDYFILE} has not the lines {_CADDY_PLACES}")
    sites = [
        documented.replace(_CADDY_PLACES[0], f"http://:{port} {{").replace(
            _CADDY_PLACES[1], f"reverse_proxy {upstream} {{"
        )
        for port, upstream in upstreams.items()
    ]
    return "\n".join([_CADDY_OPTIONS, *sites])
