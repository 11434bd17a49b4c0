#!/bin/sh
# Serves a page that names this copy of the application, and ends at once and cleanly when asked to.
#
# PORT   where to listen, 8080 by default
# DATA   folder that keeps the number of starts, /data by default; without it the page says so
# FAIL   exit at once with this code
set -u

[ -z "${FAIL:-}" ] || { echo "failing with code $FAIL as asked" >&2; exit "$FAIL"; }

port=${PORT:-8080}
data=${DATA:-/data}
app=${FLUX_APP_NAME:-unknown}
instance=${FLUXPLANE_INSTANCE_ID:-unknown}
revision=${FLUXPLANE_REVISION_ID:-unknown}
node=${FLUXPLANE_NODE_ID:-unknown}
ip=${FLUX_NODE_HOST_IP:-unknown}
component=${FLUXPLANE_COMPONENT:-unknown}

starts=unknown
if [ -d "$data" ]; then
    starts=$(( $(cat "$data/starts" 2>/dev/null || echo 0) + 1 ))
    echo "$starts" > "$data/starts"
fi

www=/run/www
mkdir -p "$www"
cat > "$www/index.html" <<PAGE
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>$app</title>
<style>body{font:16px/1.6 system-ui,sans-serif;margin:4em auto;max-width:44em}dt{color:#666}dd{margin:0 0 .6em;font-family:monospace}</style>
<h1>$app runs on Fluxplane</h1>
<dl>
<dt>application</dt><dd>$app</dd>
<dt>component</dt><dd>$component</dd>
<dt>instance</dt><dd>$instance</dd>
<dt>revision</dt><dd>$revision</dd>
<dt>node</dt><dd>$node</dd>
<dt>address</dt><dd>$ip</dd>
<dt>starts with this data</dt><dd>$starts</dd>
</dl>
</html>
PAGE
cat > "$www/info.json" <<JSON
{"app":"$app","component":"$component","instance":"$instance","revision":"$revision","node":"$node","ip":"$ip","starts":"$starts"}
JSON

busybox httpd -f -v -p "$port" -h "$www" &
server=$!
# As process 1 the shell would ignore the signal without a trap.
trap 'echo "$app stops"; kill "$server" 2>/dev/null; exit 0' TERM INT
echo "$app, instance $instance, revision $revision, listens on port $port"
wait "$server"
