#!/bin/sh
# Builds the file systems of one Debian suite: a minimal system, and one overlay layer on it for each recipe.
# It runs as root in a mount and pid namespace of its own (see __init__.py), so that nothing stays mounted or running
# when it is stopped at any moment.
#
# usage: build.sh SUITE WORK CACHE RECIPES NAME...
#   WORK     gets base/ and NAME/ (the layers); apt.conf, sources, mirror and (when there is one) ca.crt lie there
#   CACHE    keeps downloaded packages
#   RECIPES  the directory of this file, seen as /mnt by the recipes
# Lines for people go to stdout, everything else to stderr.
set -eu
exec 3>&1 >&2

suite=$1 work=$2 cache=$3 recipes=$4
shift 4
base=$work/base
export LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
mkdir -p "$cache/debootstrap/$suite" "$cache/apt/$suite/partial"

say() { echo "$*" >&3; }

say "debian $suite: debootstrap"
debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --cache-dir="$cache/debootstrap/$suite" "$suite" "$base" "$(cat "$work/mirror")"

# As in Debian's own slim images: no documentation but the licences, no translations.
cat >"$base/etc/dpkg/dpkg.cfg.d/docker" <<'EOF'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/groff/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/man/*
EOF
echo force-unsafe-io >"$base/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
sh "$recipes/slim.sh" "$base"
printf '#!/bin/sh\n# Services are not started in containers.\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
chmod 755 "$base/usr/sbin/policy-rc.d"

# What apt needs on this machine (proxy, CA): for the build only, never exported.
cp "$work/apt.conf" "$base/etc/apt/apt.conf.d/99slipway-build"
[ ! -e "$work/ca.crt" ] || cp "$work/ca.crt" "$base/etc/apt/slipway-build-ca.crt"
cp -R /etc/apt/auth.conf.d/. "$base/etc/apt/auth.conf.d/" 2>/dev/null || true
[ ! -e /etc/apt/auth.conf ] || cp /etc/apt/auth.conf "$base/etc/apt/auth.conf"
rm -f "$base/etc/apt/sources.list"
cp "$work/sources" "$base/etc/apt/sources.list.d/debian.sources"
cat /etc/resolv.conf >"$base/etc/resolv.conf"

# enter ROOT COMMAND...: run something inside, as if booted
enter() {
    root=$1
    shift
    mount --bind "$recipes" "$root/mnt"
    mount --bind "$cache/apt/$suite" "$root/var/cache/apt/archives"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LC_ALL=C DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1 SOURCE_DATE_EPOCH="$epoch" "$@"
    umount -l "$root/dev" "$root/proc" "$root/tmp" "$root/var/cache/apt/archives" "$root/mnt"
}

# The moment that everything is dated with: that of the archive, so that the same packages give the same images.
epoch=0
say "debian $suite: newest versions"
enter "$base" sh -euc 'apt-get update -q; apt-get upgrade -qy --no-install-recommends'
epoch=$(date -d "$(sed -n 's/^Date: //p' "$base"/var/lib/apt/lists/*_dists_"$suite"_InRelease | head -n1)" +%s)
echo "$epoch" >"$work/epoch"

for name; do
    say "debian $suite: $name"
    mkdir -p "$work/$name" "$work/.overlay/$name" "$work/.merged"
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/$name,workdir=$work/.overlay/$name" "$work/.merged"
    enter "$work/.merged" sh -eu /mnt/recipe.sh "${name%%-*}" "${name#*-}"
    umount "$work/.merged"
done
