#!/bin/sh
# Install this checkout as a systemd service, or upgrade the one that is there; run it as often as you like.
set -eu

NAME=skeleton
ROOT=/opt/$NAME
ENV_FILE=/etc/$NAME/env
EXTRA=/etc/$NAME/requirements.txt
UNITS=/etc/systemd/system
SHIPPED="app chassis gunicorn_config.py requirements.txt requirements-dev.txt run_web.py wsgi.py deploy/systemd/*.service deploy/systemd/*.timer"
# What new workers take over at a reload. All else is held by the process that starts them, or is work of a start.
RELOADED='app/|chassis/(__init__|workers|extensions|features|service)[.]py|chassis/(cli|jobs|mail|parts|realtime|security|settings|upstream|web)/'
KEEP=3
PYTHON=${PYTHON:-python3}
READY_SECONDS=${READY_SECONDS:-60}

usage() {
    cat <<END
usage: sudo deploy/systemd/install.sh [--dry-run] [--with-backups | --build-only]

Copies this checkout to $ROOT/releases/VERSION-HASH with its own virtual environment, creates the
user $NAME, $ENV_FILE with new keys and the units if they are missing,
points $ROOT/current to the new release, reloads or restarts the service, and waits for /readyz. If the new
release does not become ready, it returns to the previous one and exits with 1. The last $KEEP releases are kept.

  --dry-run   show what would be done, and change nothing
  --build-only   only build the release, for instances.sh
  --with-backups   enable the timers for a nightly backup and a weekly test restore
  PYTHON=     the Python to use, 3.11 or newer (python3)
  READY_SECONDS=   how long to wait for /readyz (60)

Packages in $EXTRA are installed too (redis, psycopg, boto3, sentry-sdk and so on).
END
}

say() { echo "install.sh: $*"; }
die() { say "$*" >&2; exit 1; }

# step SENTENCE COMMAND...: say what is done and do it; with --dry-run only say it.
step() {
    say "${dry_run:+would }$1"
    shift
    if [ -z "$dry_run" ]; then "$@"; fi
}

main() {
    dry_run='' with_backups='' build_only=''
    for option; do
        case "$option" in
            --dry-run) dry_run=yes ;;
            --with-backups) with_backups=yes ;;
            --build-only) build_only=yes ;;
            --help | -h) usage; exit 0 ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    umask 022
    cd "$(dirname "$0")/../.."
    check_machine
    [ -n "$dry_run" ] || only_one
    new=$ROOT/releases/$(release_name)
    old=$(readlink -e "$ROOT/current" || true)
    id -u "$NAME" >/dev/null 2>&1 || step "create the user $NAME" make_user
    [ -e "$ENV_FILE" ] || step "write $ENV_FILE with new keys" make_settings
    [ -e "$new/.complete" ] || step "build the release $new" build
    if [ -n "$build_only" ]; then
        say "${dry_run:+would have }built $new"
        exit
    fi
    if units_are_of . && [ "$old" = "$new" ] && systemctl is-active --quiet "$NAME"; then
        say "$new is already running"
    else
        step "switch from ${old:-nothing} to $new and wait for /readyz" upgrade
        step "remove all but the last $KEEP releases" prune
    fi
    [ -z "$with_backups" ] || step "enable the timers of backups" \
        systemctl enable --quiet --now "$NAME-backup.timer" "$NAME-drill.timer"
}

check_machine() {
    [ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || die "this needs root: sudo $0"
    [ -n "$dry_run" ] || [ -d /run/systemd/system ] || die "systemd is not running here; see docs/deploy.md#supervisor"
    "$PYTHON" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        die "Python 3.11 or newer with venv is needed: apt install python3-venv, or PYTHON=/path/to/python3"
}

only_one() {
    exec 9>"/run/$NAME-install.lock"
    flock --nonblock 9 || die "another install.sh is running"
}

# A name that follows from the content, so that the same checkout is the same release, with git or without.
release_name() {
    version=$(sed -n 's/.*version="\([^"]*\)".*/\1/p' app/__init__.py)
    echo "$version-$({ code --mtime=@0; extras; } | sha256sum | cut -c 1-10)"
}

code() {
    # shellcheck disable=SC2086  # a list of names
    tar -c --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        --exclude=__pycache__ --exclude=tests "$@" $SHIPPED
}

extras() {
    "$PYTHON" --version
    if [ -f "$EXTRA" ]; then cat "$EXTRA"; fi
}

make_user() {
    useradd --system --user-group --home-dir "/var/lib/$NAME" --no-create-home --shell /usr/sbin/nologin "$NAME"
}

make_settings() {
    mkdir -p "/etc/$NAME"
    key='import secrets; print(secrets.token_urlsafe(48))'
    (umask 077 && printf '# NAME=value, see docs/configuration.md\nSECRET_KEY=%s\nADMIN_API_KEY=%s\n' \
        "$("$PYTHON" -c "$key")" "$("$PYTHON" -c "$key")" >"$ENV_FILE")
}

build() {
    rm -rf "$new"
    mkdir -p "$new"
    code | tar -x -C "$new"
    extras >"$new/.extras"
    "$PYTHON" -m venv "$new/.venv"
    pip="$new/.venv/bin/python -m pip install --quiet --disable-pip-version-check"
    $pip --require-hashes -r "$new/requirements.txt"
    if [ -f "$EXTRA" ]; then $pip -r "$EXTRA"; fi
    "$new/.venv/bin/python" -m compileall -q "$new/app"
    # With nothing set: what is wrong with the settings is found by the unit's own check, this finds a broken release.
    (cd "$new" && setpriv --reuid="$NAME" --regid="$NAME" --clear-groups --reset-env \
        env APP_ENV=test .venv/bin/python run_web.py --check) || {
        rm -rf "$new"
        die "$new does not start; nothing was changed"
    }
    touch "$new/.complete"
}

upgrade() {
    before=$(workers)
    how=restart refused=
    if reload_is_enough; then how=reload; fi
    trap roll_back INT TERM HUP
    point_to "$new"
    systemctl enable --quiet "$NAME"
    systemctl "$how" "$NAME" || refused=$how
    if [ -z "$refused" ] && wait_ready "$before"; then
        trap - INT TERM HUP
        systemctl try-restart "$NAME-worker@*" || say "a worker did not restart: journalctl -u '$NAME-worker@*'"
        say "$new is running (by $how)"
        return
    fi
    journalctl --unit "$NAME" --lines 20 --no-pager --output cat >&2 || true
    roll_back
}

units() { find "$1/deploy/systemd" -name '*.service' -o -name '*.timer'; }

# Whether the installed units are those of a release.
units_are_of() {
    for unit in $(units "$1"); do cmp -s "$unit" "$UNITS/${unit##*/}" || return 1; done
}

# Whether the service runs and all that differs is taken over by new workers; migrations are applied by a start.
reload_is_enough() {
    [ -n "$old" ] && systemctl is-active --quiet "$NAME" && units_are_of "$new" || return 1
    ! diff -rqN -x .venv -x __pycache__ -x .complete "$old" "$new" |
        awk -v reloaded="^Files $old/($RELOADED)" '$0 !~ reloaded || /\/migrations\// { found = 1 } END { exit !found }'
}

point_to() {
    touch "$1"
    ln -sfn "$1" "$ROOT/current.new"
    mv -T "$ROOT/current.new" "$ROOT/current"
    units_are_of "$1" || {
        units "$1" | xargs cp -t "$UNITS"
        systemctl daemon-reload
    }
}

# A refused reload has not touched the running workers, so the link is all that has to go back.
roll_back() {
    trap - INT TERM HUP
    case "$old" in "" | "$new") die "$new is not ready, and there is no previous release to return to: journalctl -u $NAME" ;; esac
    before=$(workers)
    point_to "$old"
    if [ "$refused" = reload ]; then wait_ready ""; else systemctl restart "$NAME" && wait_ready "$before"; fi ||
        die "$new is not ready, and $old is no longer ready either: journalctl -u $NAME"
    rm -rf "$new"
    die "$new is not ready; returned to $old, which is ready"
}

main_pid() { systemctl show --property MainPID --value "$NAME"; }
workers() { cat "/proc/$(main_pid)/task/"*/children 2>/dev/null || true; }
setting() { tr '\0' '\n' <"/proc/$(main_pid)/environ" | sed -n "s/^$1=//p"; }

# wait_ready PIDS: until these workers are gone and /readyz answers 200.
wait_ready() {
    until=$(($(date +%s) + READY_SECONDS))
    while [ "$(date +%s)" -lt "$until" ]; do
        if gone "$1" && ready; then return 0; fi
        sleep 0.5
    done
    return 1
}

gone() {
    for pid in $1; do [ ! -d "/proc/$pid" ] || return 1; done
}

# Only children are silenced: a signal that comes meanwhile is handled right here, and has something to say.
ready() {
    host=$(setting HOST 2>/dev/null) port=$(setting PORT 2>/dev/null)
    case "$host" in
        "" | 0.0.0.0 | ::) host=127.0.0.1 ;;
        *:*) host="[$host]" ;;
    esac
    no_proxy='*' "$ROOT/current/.venv/bin/python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)' \
        "http://$host:${port:-5000}/readyz" 2>/dev/null
}

prune() {
    kept=0
    find "$ROOT/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | while read -r _ release; do
        if [ -e "$release/.complete" ] && [ "$kept" -lt "$KEEP" ]; then kept=$((kept + 1)); else rm -rf "$release"; fi
    done
}

main "$@"
