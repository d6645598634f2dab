#!/bin/sh
# Take a node out of nginx's upstream before it is stopped, and put it back when it is ready: requests that were sent
# to it are answered, and new ones go to the others.
set -eu

FILE=${NODES_FILE:-/etc/nginx/conf.d/skeleton_nodes.conf}
COMMAND=${NGINX_COMMAND:-nginx} # NGINX is one of its own variables

case "${2:-}" in
    down) change="s/^\( *server [^ ]*:$1\) \(down \)*/\1 down /" ;;
    up) change="s/^\( *server [^ ]*:$1\) \(down \)*/\1 /" ;;
    *) echo "usage: node.sh PORT down|up" >&2 && exit 2 ;;
esac
grep -q "^ *server [^ ]*:$1 " "$FILE" || { echo "node.sh: $FILE has no node $1" >&2; exit 1; }
sed "$change" "$FILE" >"$FILE.new"
mv "$FILE.new" "$FILE"
$COMMAND -t -q
$COMMAND -s reload
