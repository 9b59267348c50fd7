#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gdb shows the tasks of a live process and of its core, and the backtrace of a task that waits. usage: gdb.sh SOURCE SUBJECT
set -eu
script=$1/packaging/gather-gdb.py subject=$(realpath "$2")

command -v gdb >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

show='python
tasks = [task for thread, loop in loops() for depth, task in walk(loop["root"]["root"])]
gdb.execute("gather bt " + hex(int(tasks[1])))
end'

check() {
    grep -q '^thread 1: 3 tasks$' "$1"
    grep -q '^main 0x.*: running' "$1"
    [ "$(grep -c '^  child 0x.*: waits for a sleep to end, in the group opened at .*gdb_subject.c:' "$1")" -eq 2 ]
    grep -q '^#[0-9]* .* in wait_deep_down (seconds=1000)' "$1"
    grep -q '^#[0-9]* .* in child (arg=' "$1"
    tail -n 1 "$1" | grep -q 'ga__context_start'
}

printf 'set pagination off\nsource %s\nrun\ngather tasks\n%s\n' "$script" "$show" >live.gdb
gdb -batch -nx -x live.gdb "$subject" >live.txt 2>&1 || { cat live.txt; exit 1; }
check live.txt || { cat live.txt; exit 1; }
echo "live: ok"

# A core is where the system puts one: only the plain pattern is looked for.
[ "$(cat /proc/sys/kernel/core_pattern)" = core ] || exit 0
(ulimit -c unlimited && exec "$subject") || true
core=$(find . -name 'core*' | head -n 1)
[ -n "$core" ] || exit 0
printf 'set pagination off\nsource %s\ngather tasks\n%s\n' "$script" "$show" >core.gdb
gdb -batch -nx -x core.gdb "$subject" "$core" >core.txt 2>&1 || { cat core.txt; exit 1; }
check core.txt || { cat core.txt; exit 1; }
echo "core: ok"
