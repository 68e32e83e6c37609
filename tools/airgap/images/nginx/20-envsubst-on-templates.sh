#!/bin/sh
# Fills environment variables into /etc/nginx/templates/*.template, as the official image does.
set -e

templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}

[ -d "$templates" ] || exit 0
if [ ! -w "$output" ]; then
    echo "$0: ERROR: $templates exists, but $output is not writable"
    exit 0
fi
# Only variables that are set are replaced: nginx has variables of its own.
names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' | { grep -E "${NGINX_ENVSUBST_FILTER:-}" || :; } | sed 's/.*/${&}/')
find "$templates" -follow -type f -name "*$suffix" -print | while read -r template; do
    file=$output/${template#"$templates/"}
    file=${file%"$suffix"}
    mkdir -p "${file%/*}"
    envsubst "$names" <"$template" >"$file"
done
