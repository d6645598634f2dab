#!/bin/sh
# Make what is missing in secrets/ with fresh values; what is there stays. TLS_NAME names the site (localhost).
# The folder is for its owner alone. The files are readable, since the services' user has no rights of yours.
set -eu
cd "$(dirname "$0")"
name=${TLS_NAME:-localhost}
umask 022
mkdir -p secrets
chmod 700 secrets
cd secrets

for new in secret_key admin_api_key grafana_admin_password; do
    if [ ! -e "$new" ]; then
        openssl rand -base64 48 >"$new"
        echo "created $new"
    fi
done
for yours in openrouter_api_key mail_password; do
    if [ ! -e "$yours" ]; then
        : >"$yours"
        echo "created $yours, empty: put your own value in it if you use it"
    fi
done
if [ ! -e tls_certificate ] && [ ! -e tls_key ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=$name" \
        -addext "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" -keyout tls_key -out tls_certificate 2>/dev/null
    echo "created tls_certificate and tls_key for $name, self-signed: replace both with your own"
fi
chmod 444 secret_key admin_api_key grafana_admin_password openrouter_api_key mail_password tls_certificate tls_key
