#!/bin/sh
# Makes the root file system of the image without the program: root.sh NODE FOLDER. It has Node, the libraries that Node loads, a user
# without rights and a folder for temporary files; no shell, no package manager. Where strip is installed, Node's symbols are left out.
set -eu
node=$1
root=$2
mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp"
chmod 1777 "$root/tmp"
cp -L "$node" "$root/usr/local/bin/node"
if command -v strip >/dev/null; then strip --strip-all "$root/usr/local/bin/node"; fi
ldd "$node" | grep -o '/[^ ]*' | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
echo 'siltstone:x:65532:65532::/data:/none' >"$root/etc/passwd"
echo 'siltstone:x:65532:' >"$root/etc/group"
# A container has its own in its place.
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
# Names of /etc/hosts first, as in other images.
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
