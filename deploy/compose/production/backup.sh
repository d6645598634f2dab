#!/bin/sh
# A dump each night at two (UTC), restored as a test into a scratch database and removed after BACKUP_KEEP_DAYS; the
# newest three stay. `backup.sh now` makes one and exits. `flask db restore FILE` and pg_restore read them.
set -eu

FOLDER=${BACKUPS:-/backups}
KEEP_DAYS=${BACKUP_KEEP_DAYS:-7}
KEEP_COUNT=3
DRILL=app_drill
export PGHOST="${PGHOST:-postgres}" PGUSER="${PGUSER:-postgres}"

backup() {
    name=app-$(date -u +%Y%m%dT%H%M%SZ).dump
    rm -f "$FOLDER"/.app-*.dump
    pg_dump --format=custom --file "$FOLDER/.$name" app
    prove "$FOLDER/.$name"
    (cd "$FOLDER" && mv ".$name" "$name" && sha256sum "$name" >"$name.sha256")
    echo "backup.sh: $FOLDER/$name is made and restores"
    find "$FOLDER" -name 'app-*.dump' | sort -r | tail -n +$((KEEP_COUNT + 1)) | while read -r old; do
        find "$old" -mtime "+$KEEP_DAYS" -exec rm -f {} "$old.sha256" \;
    done
}

# prove FILE: whether all of it can be read back.
prove() {
    dropdb --if-exists "$DRILL"
    createdb "$DRILL"
    pg_restore --exit-on-error --no-owner --dbname "$DRILL" "$1"
    dropdb "$DRILL"
}

umask 077
if [ -r /run/secrets/postgres_password ]; then
    PGPASSWORD=$(cat /run/secrets/postgres_password)
    export PGPASSWORD
fi
if [ "${1:-}" = now ]; then
    backup
    exit
fi
every=86400
while sleep $((every - ($(date +%s) - 7200) % every)); do
    # Apart, so that one that fails ends there and the next night has its turn.
    sh "$0" now || echo "backup.sh: the backup failed, and the earlier ones are kept" >&2
done
