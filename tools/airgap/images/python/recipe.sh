# The interpreter lives below /usr/local as in the official image: the packages are unpacked and moved there, and
# what Debian changes about where modules are installed is taken back (undebian.py).
packages="python$version-minimal libpython$version-minimal libpython$version-stdlib libpython$version-dev
    python$version-venv python3-pip-whl"
case $version in
3.11) packages="$packages python3-setuptools-whl python3-distutils python3-lib2to3" ;;
esac
take /tmp/python $packages
libraries 'python.*|libpython.*|libexpat1-dev|zlib1g-dev|netbase|tzdata|media-types' $packages
apt-get install -qy --no-install-recommends ca-certificates netbase tzdata

lib=/usr/local/lib/python$version
mv /tmp/python/usr/bin/* /usr/local/bin/
mv /tmp/python/usr/lib/python"$version" /usr/local/lib/
cp -a /tmp/python/usr/include/. /usr/local/include/
cp -a /tmp/python/usr/share/python-wheels /usr/share/
rm -rf "$lib"/sitecustomize.py "$lib"/EXTERNALLY-MANAGED "$lib"/_distutils_system_mod.py \
    "$lib"/config-*/*.a "$lib"/config-*/*.o "$lib"/config-*/*.so "$lib"/test "$lib"/unittest/test \
    "$lib"/lib-dynload/_test* "$lib"/lib-dynload/_xx* "$lib"/lib-dynload/_ctypes_test*
mkdir "$lib/site-packages"
mv /usr/local/bin/*-linux-gnu-python"$version"-config "/usr/local/bin/python$version-config"
"python$version" /mnt/undebian.py "$lib"
"python$version" -m ensurepip --default-pip

cd /usr/local/bin
ln -s "python$version" python3
ln -s python3 python
ln -s "python$version-config" python3-config
ln -s python3-config python-config
[ -e pip ] || ln -s pip3 pip
find /usr/local -depth \( -type d \( -name test -o -name tests -o -name idle_test -o -name __pycache__ \) \) -exec rm -rf {} +
rm -rf /root/.cache
echo "PYTHON_VERSION=$(python -c 'import platform; print(platform.python_version())')" >"$lines"
