#!/bin/sh
# Those of ../make_secrets.sh, and the passwords of PostgreSQL and Redis with the URLs that contain them; what is there stays.
set -eu
cd "$(dirname "$0")"
../make_secrets.sh
mkdir -p backups
chmod 1777 backups # written by the user of PostgreSQL's image; the files are for that user alone
cd ../secrets
for name in postgres_password database_password redis_password; do
    if [ ! -e "$name" ]; then
        openssl rand -hex 32 >"$name"
        echo "created $name"
    fi
done
echo "postgresql://app:$(cat database_password)@postgres/app" >database_url.new
echo "redis://:$(cat redis_password)@redis:6379/0" >redis_url.new
for name in database_url redis_url; do
    if [ -e "$name" ]; then rm "$name.new"; else mv "$name.new" "$name" && echo "created $name"; fi
done
chmod 444 postgres_password database_password redis_password database_url redis_url
