#!/bin/sh
# Makes one image's layer; runs inside. usage: recipe.sh NAME VERSION (python 3.13, postgres 17, ...)
#
# Programs are taken out of their Debian packages, as official images take them out of other sources: their libraries
# are installed with apt, the service packages around them (init scripts, wrappers, other users) are not.
set -eu

name=$1 version=$2
lines=/etc/slipway-build-env # KEY=VALUE, for the image's environment; not exported

# take DIRECTORY PACKAGE...: unpack packages there
take() {
    to=$1
    shift
    mkdir -p "$to" /tmp/debs
    (cd /tmp/debs && apt-get download -q "$@")
    for package; do
        dpkg-deb -x /tmp/debs/"$package"_*.deb "$to"
    done
    sh /mnt/slim.sh "$to"
}

# libraries NOT PACKAGE...: install what the packages taken depend on, but for what matches NOT
libraries() {
    not=$1
    shift
    for package; do
        dpkg-deb -f /tmp/debs/"$package"_*.deb Pre-Depends Depends
    done | sed 's/^[A-Za-z-]*: *//' | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/:any//; s/ //g' |
        grep -vxE "$not" | sort -u | xargs apt-get install -qy --no-install-recommends
}

# account NAME ID HOME SHELL: the user that the official image has
account() {
    groupadd --system --gid "$2" "$1"
    useradd --system --gid "$1" --uid "$2" --no-create-home --home-dir "$3" --shell "$4" "$1"
}

. "/mnt/$name/recipe.sh"
rm -f /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow- /var/lib/dpkg/*-old /var/cache/debconf/*-old
