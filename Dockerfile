# Ostiary in a container, on SQLite in the volume or on PostgreSQL:
#
#   docker build --tag ostiary .
#   docker run --publish 5000:5000 --volume ostiary:/srv/ostiary/data ostiary
#   docker run --publish 5000:5000 --env OSTIARY_DATABASE_URL=postgresql://... --env OSTIARY_DEFAULT_ADMIN__PASSWORD=... ostiary
#
# Without a password of your own for the first administrator the first start makes one up and prints it once.

# The web console, with the locked Node.js from PyPI. Nothing of Node.js is in the image.
FROM python:3.13-slim AS console

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY scripts scripts
COPY schema.graphql ./
COPY app/console app/console
# Without a network for npm the first command only warns.
RUN python -m scripts.console build && test -f app/console/dist/index.html


FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/ostiary

# The dependencies first: they change less often than the code, so that this layer is kept.
COPY requirements.lock ./
RUN /opt/ostiary/bin/pip install --no-deps --require-hashes --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY --from=console /build/app/console/dist app/console/dist
RUN /opt/ostiary/bin/pip install --no-deps --no-build-isolation . \
    && /opt/ostiary/bin/pip uninstall --yes hatchling pip


FROM python:3.13-slim

RUN groupadd --system --gid 10001 ostiary \
    && useradd --system --uid 10001 --gid ostiary --home-dir /srv/ostiary --shell /usr/sbin/nologin ostiary \
    && install --directory --owner ostiary --group ostiary --mode 700 /srv/ostiary /srv/ostiary/data
COPY --from=build /opt/ostiary /opt/ostiary

ENV PATH=/opt/ostiary/bin:$PATH PYTHONUNBUFFERED=1
# The server looks for appsettings.json and makes data/ostiary.db where it is started.
WORKDIR /srv/ostiary
VOLUME /srv/ostiary/data
USER 10001:10001
EXPOSE 5000

# Past any proxy: the question never leaves the container.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:5000/health/live', timeout=4)"]

ENTRYPOINT ["ostiary"]
CMD ["serve", "--host", "0.0.0.0"]
