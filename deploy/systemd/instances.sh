#!/bin/sh
# Bring several instances of this checkout, one a port, to its release one after the other; run it as often as you like.
set -eu

NAME=skeleton
ROOT=/opt/$NAME
UNITS=/etc/systemd/system
KEEP=3
READY_SECONDS=${READY_SECONDS:-60}
here=$(dirname "$0")

usage() {
    cat <<END
usage: sudo deploy/systemd/instances.sh [--dry-run] PORT PORT...

Builds the release of this checkout (install.sh --build-only), migrates the database once, and then, one port after the
other, restarts $NAME@PORT with it and waits for its /readyz; meanwhile nginx sends requests to the others. If an
instance does not become ready, it gets its previous release back, the others stay as they are, and the script exits
with 1. To go back, run it in a checkout of the earlier version.

  --dry-run   show what would be done, and change nothing
  READY_SECONDS=   how long to wait for each /readyz (60)
END
}

say() { echo "instances.sh: $*"; }
die() { say "$*" >&2; exit 1; }

main() {
    dry_run=''
    if [ "${1:-}" = --dry-run ]; then dry_run=yes && shift; fi
    case "${1:-}" in --help | -h) usage; exit 0 ;; esac
    [ $# -ge 2 ] || { usage >&2; exit 2; }
    for port; do
        case "$port" in *[!0-9]* | '') usage >&2; exit 2 ;; esac
    done
    told=$("$here/install.sh" --build-only ${dry_run:+--dry-run}) || { echo "$told"; exit 1; }
    echo "$told"
    new=$(echo "$told" | sed -n 's/.*built //p')
    if [ -n "$dry_run" ]; then
        say "would migrate the database and switch the instances $* to $new, one after the other"
        exit 0
    fi
    prepare
    for port; do switch "$port"; done
    systemctl try-restart "$NAME-worker@*" # those of jobs, if there are any: they follow the link `current`
    prune
    say "$new is running on $*"
}

prepare() {
    exec 9>"/run/$NAME-install.lock"
    flock --nonblock 9 || die "another install.sh is running"
    install -d "$ROOT/instances"
    cp "$new"/deploy/systemd/*.service "$new"/deploy/systemd/*.timer "$UNITS"
    systemctl daemon-reload
    touch "$new"
    ln -sfn "$new" "$ROOT/current.new"
    mv -T "$ROOT/current.new" "$ROOT/current"
    say "migrate the database; the instances go on with the old code, which must be able to (docs/deploy.md, Migrations)"
    systemctl start "$NAME-db@upgrade" || die "the migration failed, and no instance was changed: journalctl -u $NAME-db@upgrade"
}

# switch PORT: nothing, when the instance runs this release already.
switch() {
    link=$ROOT/instances/$1
    old=$(readlink -e "$link" || true)
    if [ "$old" = "$new" ] && systemctl is-active --quiet "$NAME@$1" && ready "$1"; then
        say "$1 already runs $new"
        return
    fi
    say "switch $1 from ${old:-nothing} to $new"
    if restart "$1" "$new"; then return; fi
    journalctl --unit "$NAME@$1" --lines 20 --no-pager --output cat >&2 || true
    case "$old" in "" | "$new") die "$1 is not ready: journalctl -u $NAME@$1" ;; esac
    restart "$1" "$old" || die "$1 is ready neither with $new nor with $old: journalctl -u $NAME@$1"
    die "$1 is not ready with $new; it returned to $old, and the ports after it were not changed"
}

# restart PORT RELEASE: out of nginx's upstream, if it is there, and back when it is ready.
restart() {
    node "$1" down
    ln -sfn "$2" "$link.new"
    mv -T "$link.new" "$link"
    systemctl enable --quiet "$NAME@$1"
    systemctl restart "$NAME@$1" && wait_ready "$1" || return 1
    node "$1" up
}

node() {
    if [ -e /etc/nginx/conf.d/skeleton_nodes.conf ]; then "$here/../nginx/nodes/node.sh" "$1" "$2"; fi
}

wait_ready() {
    until=$(($(date +%s) + READY_SECONDS))
    while [ "$(date +%s)" -lt "$until" ]; do
        if ready "$1"; then return 0; fi
        sleep 0.5
    done
    return 1
}

ready() {
    no_proxy='*' "$link/.venv/bin/python" -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)' \
        "http://127.0.0.1:$1/readyz" 2>/dev/null
}

# All but the last releases, as install.sh does.
prune() {
    find "$ROOT/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | tail -n +$((KEEP + 1)) |
        while read -r _ release; do rm -rf "$release"; done
}

main "$@"
