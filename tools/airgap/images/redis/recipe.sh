account redis 999 /home/redis /bin/sh
packages="redis-server redis-tools"
take /tmp/redis $packages
case $(dpkg-deb -f /tmp/debs/redis-server_*.deb Version) in
5:"$version".*) ;;
*) echo "Debian's redis is not $version" >&2 && exit 1 ;;
esac
libraries 'redis.*|adduser' $packages
mkdir -p /usr/local/lib/redis
mv /tmp/redis/usr/bin/redis-check-rdb /usr/local/lib/redis/redis-server
for program in redis-check-aof redis-check-rdb redis-sentinel; do
    ln -s ../lib/redis/redis-server /usr/local/bin/$program
done
mv /tmp/redis/usr/bin/redis-cli /tmp/redis/usr/bin/redis-benchmark /usr/local/bin/
cp -a /tmp/redis/usr/share/doc/. /usr/share/doc/
install -m 755 /mnt/redis/redis-server /mnt/redis/docker-entrypoint.sh /usr/local/bin/
install -d -o redis -g redis /data
