#!/bin/sh
# Update to this checkout: build, migrate once, and replace one instance after the other. VERSION names the image.
# The old code serves on the migrated database meanwhile: docs/deploy.md, "Migrations".
set -eu
cd "$(dirname "$0")"

COMPOSE=${COMPOSE:-docker compose}
READY_SECONDS=${READY_SECONDS:-90}
ASK='import urllib.request as r; r.urlopen("http://127.0.0.1:5000/readyz", timeout=4)'

compose() { $COMPOSE -f compose.yaml "$@"; }

replace() {
    compose up -d --no-deps --force-recreate "$1"
    until=$(($(date +%s) + READY_SECONDS))
    until compose exec -T "$1" python -c "$ASK" 2>/dev/null; do
        if [ "$(date +%s)" -ge "$until" ]; then
            echo "update.sh: $1 is not ready after $READY_SECONDS s; the other instance still runs as before" >&2
            exit 1
        fi
        sleep 1
    done
    sleep "${SEEN_SECONDS:-3}" # in which the proxy asks /readyz and sends it requests again
    echo "update.sh: $1 is replaced"
}

compose build app-a
compose run --rm -T migrate
for instance in app-a app-b; do replace "$instance"; done
case ",${COMPOSE_PROFILES:-}," in
    *,worker,*) compose up -d --no-deps worker ;;
esac
