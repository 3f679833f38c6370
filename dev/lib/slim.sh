#!/bin/sh
# Run by mmdebstrap (see base.sh), as root, with the folder of the new root file system: gives it the ways of Debian's
# official slim image that mmdebstrap does not know.
set -eu
cd "$1"

# The names that the official images use: image recipes look for some of them, docker-clean above all.
mv etc/dpkg/dpkg.cfg.d/99mmdebstrap etc/dpkg/dpkg.cfg.d/docker
for sources in etc/apt/sources.list.d/*base.sources; do
    [ ! -e "$sources" ] || mv "$sources" etc/apt/sources.list.d/debian.sources
done

cat >etc/apt/apt.conf.d/docker-clean <<'CONF'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
CONF
cat >etc/apt/apt.conf.d/docker-gzip-indexes <<'CONF'
Acquire::GzipIndexes "true";
CONF
cat >etc/apt/apt.conf.d/docker-no-languages <<'CONF'
Acquire::Languages "none";
CONF
cat >etc/apt/apt.conf.d/docker-autoremove-suggests <<'CONF'
Apt::AutoRemove::SuggestsImportant "false";
CONF

# An installed service is not started while an image is built.
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d

# mmdebstrap copies the first two from the machine for its own run; in a container the engine writes them. The last are
# apt's index of its lists, which go too.
rm -f etc/resolv.conf etc/hostname var/cache/apt/*.bin
