#!/bin/sh
# Removes below a root what Debian's slim images leave out: documentation but the licences, and translations.
set -eu

root=$1
[ ! -d "$root/usr/share/doc" ] || {
    find "$root/usr/share/doc" -mindepth 1 \( -type f -o -type l \) ! -name copyright -delete
    find "$root/usr/share/doc" -mindepth 1 -depth -type d -empty -delete
}
[ ! -d "$root/usr/share/locale" ] || find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
rm -rf "$root"/usr/share/man/?? "$root"/usr/share/man/??_* "$root"/usr/share/man/man? "$root"/usr/share/info/* \
    "$root/usr/share/groff" "$root/usr/share/linda" "$root/usr/share/lintian"
