#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Only ga_ names leave the shared library, and none of the ga__ ones that its files share; whoever links the
# static library meets no other prefix either. usage: exports.sh SHARED STATIC
set -eu

names() {
    nm --defined-only --extern-only --format=posix "$@" | awk 'NF >= 3 { print $1 }' | sort -u
}

shared=$(names --dynamic "$1")
static=$(names "$2")
echo "$shared" | grep -qx ga_version || {
    echo "ga_version does not leave $1"
    exit 1
}
if echo "$shared" | grep -v '^ga_[a-z]'; then
    echo "these names leave $1 and should not"
    exit 1
fi
if echo "$static" | grep -v '^ga_'; then
    echo "these names of $2 could clash with a user's"
    exit 1
fi
