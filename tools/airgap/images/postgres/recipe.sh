# Without LLVM, which is two thirds of the official image: queries are never compiled just in time.
account postgres 999 /var/lib/postgresql /bin/bash
packages="postgresql-$version postgresql-client-$version"
take /tmp/postgres $packages
libraries "postgresql.*|locales|ssl-cert|debconf|sensible-utils|libllvm.*" $packages
apt-get install -qy --no-install-recommends gosu less libnss-wrapper xz-utils zstd
cp -a /tmp/postgres/usr/lib/postgresql /usr/lib/
cp -a /tmp/postgres/usr/share/postgresql /usr/share/
cp -a /tmp/postgres/usr/share/doc/. /usr/share/doc/
rm -rf /usr/lib/postgresql/"$version"/lib/bitcode /usr/lib/postgresql/"$version"/lib/llvmjit*

take /tmp/locales locales
I18NPATH=/tmp/locales/usr/share/i18n localedef -i en_US -f UTF-8 en_US.UTF-8

sed -ri "s!^#?(listen_addresses)\s*=\s*\S+.*!\1 = '*'!" "/usr/share/postgresql/$version/postgresql.conf.sample"
grep -qF "listen_addresses = '*'" "/usr/share/postgresql/$version/postgresql.conf.sample"

install -d -o postgres -g postgres -m 1777 /var/lib/postgresql /var/lib/postgresql/data
install -d -o postgres -g postgres -m 3777 /var/run/postgresql
mkdir /docker-entrypoint-initdb.d
install -m 755 /mnt/postgres/docker-entrypoint.sh /usr/local/bin/
echo "PG_VERSION=$(dpkg-deb -f /tmp/debs/postgresql-"$version"_*.deb Version)" >"$lines"
