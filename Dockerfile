# Production by default: docker run -p 5000:5000 -v data:/data -e SECRET_KEY=... IMAGE; more in docs/deploy.md.
ARG PYTHON_VERSION=3.12

FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /app
RUN python -m venv --without-pip /venv
# requirements-scaled.txt has the drivers of PostgreSQL, Redis and S3 too.
ARG REQUIREMENTS=requirements.txt
COPY requirements*.txt .
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r ${REQUIREMENTS}
# Further packages that a setting needs, such as sentry-sdk, in the versions of the lock file and with its hashes.
ARG PACKAGES=
RUN [ -z "${PACKAGES}" ] || pip --python /venv/bin/python install --no-cache-dir --no-compile --only-binary :all: \
    -c requirements-dev.txt ${PACKAGES}
COPY . .
# Readable whatever the umask of the clone, and compiled so that neither clocks nor a first start write bytecode. With
# PostgreSQL the service keeps its files in the project's folder `data`: a link leads to the volume.
RUN chmod -R u=rwX,go=rX /app && install -d -o 10001 -g 10001 /data && ln -s /data /app/data && \
    find /venv -type d -name tests -prune -exec rm -r {} + && \
    python -m compileall -q --invalidation-mode unchecked-hash /venv/lib /app

FROM python:${PYTHON_VERSION}-slim
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /data /data
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    APP_ENV=production HOST=0.0.0.0 PORT=5000 DATABASE_URL=sqlite:////data/app.db
USER 10001:10001
VOLUME /data
EXPOSE 5000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
# The process is gunicorn itself (exec), so that signals reach it and it reaps its workers: no init is needed.
CMD ["python", "run_web.py"]
ARG VERSION=dev
# A command that runs, since podman 4 would take the labels of another version from its cache.
RUN true "${VERSION}"
LABEL org.opencontainers.image.title="skeleton" \
      org.opencontainers.image.description="A real-time web service: live jobs, health, metrics, safe deploys" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}"
