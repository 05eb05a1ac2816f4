# One image for web, live feed, worker and migrations; docker-compose.yml says which command each container runs.
# The target `quickstart` is the sample client and API of docs/quickstart.

FROM python:3.13-slim-bookworm AS build
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# The lock alone first: this layer is built again only when a dependency changes.
COPY requirements/base.txt requirements/base.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/base.txt
COPY . .
# Production settings refuse to load without keys. These are for this step alone and reach no running server.
RUN nothing=1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    && SECRET_KEY=none REALMKEEP_MASTER_KEYS="$nothing" REALMKEEP_PEPPERS="$nothing" \
    DATABASE_URL=postgresql://none@localhost/none REALMKEEP_ORIGIN=https://localhost \
    DJANGO_SETTINGS_MODULE=config.settings.prod \
    /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0

FROM python:3.13-slim-bookworm AS quickstart
WORKDIR /quickstart
COPY requirements/quickstart.txt requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY docs/quickstart .
USER 10001:10001

FROM python:3.13-slim-bookworm AS server
RUN groupadd --system --gid 10001 realmkeep \
    && useradd --system --uid 10001 --gid realmkeep --home-dir /app --no-create-home --shell /usr/sbin/nologin realmkeep
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.prod
# Owned by root: a process that is taken over cannot change the code it runs.
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "bin/check_health.py", "8000"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "config.wsgi:application"]
