#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed suffices: the README's first program, with the README's own command, compiles and links
# against it, shared and static, from C and from C++. usage: install.sh SOURCE BUILD
set -eu
source=$1 build=$2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet

PKG_CONFIG_PATH=$(dirname "$(find "$work/root" -name gather.pc)")
PKG_CONFIG_SYSROOT_DIR=$work/root
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS
libraries=$(dirname "$(find "$work/root" -name libgather.so)")

# Each function has a manual page, and man has nothing to complain about.
manual=$(dirname "$(find "$work/root" -name gather-session.3)")
grep -q '^\.so man3/gather-session\.3$' "$manual/ga_get.3"
for name in $(nm -D --defined-only "$libraries/libgather.so.0" | sed -n 's/.* T \(ga_.*[^_]\)$/\1/p'); do
    grep -q "\b$name\b" "$manual/$(sed -n 's/^\.so man3.//p' "$manual/$name.3")"
done
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
    for page in "$manual"/gather-*.3; do
        complaints=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
        [ -z "$complaints" ] || { echo "$page: $complaints"; exit 1; }
    done
    man -M "$(dirname "$manual")" ga_get | grep -q 'The HTTP client'
fi

# The command runs without the library beside it, and its manual, completions and schemas are in place.
command=$(find "$work/root" -path '*/bin/gather')
LD_LIBRARY_PATH='' "$command" --version | grep -q "^gather $(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")$"
share=$(dirname "$(dirname "$manual")")
[ -s "$share/man/man1/gather.1" ]
for file in bash-completion/completions/gather zsh/site-functions/_gather \
    fish/vendor_completions.d/gather.fish doc/gather/request.schema.json doc/gather/record.schema.json; do
    [ -s "$share/$file" ] || { echo "no $file"; exit 1; }
done

cd "$work"
# The first program, and the command that stands after it.
awk '/^```c$/ { inside = 1; next } /^```$/ && inside { exit } inside' "$source/README.md" >hello.c
command=$(sed -n 's/^ *\(cc .*hello\.c.*\)/\1/p' "$source/README.md" | head -n 1)
[ -s hello.c ]
[ -n "$command" ]
echo "$command"
sh -euc "$command"
LD_LIBRARY_PATH=$libraries ldd ./hello | grep -q "libgather.so.0 => $libraries"

# A program that needs no server runs, and is told the version that is installed.
cat >version.c <<'END'
#include <gather.h>
#include <stdio.h>

int main(void)
{
    puts(ga_version());
    return 0;
}
END
version=$(pkg-config --modversion gather)
cc -o version version.c $(pkg-config --cflags --libs gather)
[ "$(LD_LIBRARY_PATH=$libraries ./version)" = "$version" ]
cp version.c version.cpp
c++ -o version version.cpp $(pkg-config --cflags --libs gather)
[ "$(LD_LIBRARY_PATH=$libraries ./version)" = "$version" ]
rm "$libraries"/libgather.so*
# What the static library needs is named, and is the system's own.
needs=$(pkg-config --print-requires-private gather | awk '{ print $1 }')
cc -o version version.c -I"$(dirname "$(find "$work/root" -name gather.h)")" -L"$libraries" -lgather \
    $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs $needs) -pthread -lm
[ "$(./version)" = "$version" ]
