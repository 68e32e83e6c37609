account nginx 101 /nonexistent /bin/false
packages="nginx nginx-common"
take /tmp/nginx $packages
case $(dpkg-deb -f /tmp/debs/nginx_*.deb Version) in
"$version".*) ;;
*) echo "Debian's nginx is not $version" >&2 && exit 1 ;;
esac
libraries 'nginx.*|iproute2|debconf' $packages
apt-get install -qy --no-install-recommends ca-certificates curl gettext-base
mv /tmp/nginx/usr/sbin/nginx /usr/sbin/
mkdir -p /etc/nginx/conf.d /usr/lib/nginx/modules /usr/share/nginx/html /docker-entrypoint.d
cd /tmp/nginx/etc/nginx
cp mime.types fastcgi.conf fastcgi_params scgi_params uwsgi_params /etc/nginx/
cp -a /tmp/nginx/usr/share/doc/. /usr/share/doc/
cp /mnt/nginx/nginx.conf /etc/nginx/
cp /mnt/nginx/default.conf /etc/nginx/conf.d/
cp /mnt/nginx/index.html /mnt/nginx/50x.html /usr/share/nginx/html/
ln -s /usr/lib/nginx/modules /etc/nginx/modules
install -m 755 /mnt/nginx/docker-entrypoint.sh /
install -m 755 /mnt/nginx/20-envsubst-on-templates.sh /docker-entrypoint.d/

# Debian's build has its temporary files below /var/lib/nginx; the official one below /var/cache/nginx.
install -d -o nginx -g root /var/cache/nginx
ln -s ../cache/nginx /var/lib/nginx
mkdir -p /var/log/nginx
ln -s /dev/stdout /var/log/nginx/access.log
ln -s /dev/stderr /var/log/nginx/error.log
echo "NGINX_VERSION=$(nginx -v 2>&1 | sed 's,.*/,,')" >"$lines"
