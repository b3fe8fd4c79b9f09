"""The configurations of the proxies that are tried."""

from string import Template

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
