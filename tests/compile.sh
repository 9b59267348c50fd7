#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a user compiles compiles without a warning: the examples and the programs of tests/targets as C11, each public header by itself as C and
# as C++, with each compiler that is there. usage: compile.sh SOURCE
set -eu
cd "$1"

warnings='-Wall -Wextra -Wpedantic -Werror'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiled=0

compile() {
    if command -v "$1" >/dev/null; then
        "$@" $warnings -Iinclude -c -o "$work/object"
        compiled=$((compiled + 1))
    fi
}

for example in examples/*.c tests/targets/*.c; do
    for cc in gcc clang; do
        compile $cc -std=c11 "$example"
        compile $cc -std=gnu2x "$example"
    done
done
for header in include/gather.h include/gather/*.h; do
    printf '#include <%s>\nint main(void) { return 0; }\n' "${header#include/}" >"$work/header.c"
    cp "$work/header.c" "$work/header.cpp"
    for cc in gcc clang; do
        compile $cc -std=c11 "$work/header.c"
    done
    for cc in g++ clang++; do
        compile $cc -std=c++11 "$work/header.cpp"
        compile $cc -std=c++20 "$work/header.cpp"
    done
done
echo "$compiled compiled"
[ "$compiled" -gt 0 ]
