# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the scripts share. A script begins with:
#
#     set -eu
#     . "$(dirname "$0")/lib.sh"
#
# and is then at the root of the source tree, which is $root.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

# What the packages install is used: nginx is in /usr/sbin, which not everybody has in PATH, and a Python that
# someone put before Debian's does not know Debian's modules.
PATH=/usr/bin:/usr/sbin:/bin:/sbin:$PATH
export PATH

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Runs a command as root: as it is, or with sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "cannot become root: there is no sudo"
    fi
}

installed=
# need_packages GROUP...: installs what is missing of these groups of script/packages.txt.
need_packages() {
    missing=
    for group; do
        for package in $(sed -n "s/^$group: *//p" script/packages.txt); do
            case " $missing " in *" $package "*) continue ;; esac
            is_installed "$package" || missing="$missing $package"
        done
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "please install what Debian calls$missing; this script can do so only with apt-get"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        die "as root, please run: apt-get install$missing (this script would, if it were root or had sudo)"
    say "Installing with apt-get:$missing"
    install_packages $missing
    installed=1
}

is_installed() {
    case $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) in
        *' ok installed') true ;;
        *) false ;;
    esac
}

# In a subshell, so that whatever happens policy-rc.d goes again: it keeps the servers that the tests use
# from starting as services. The tests start their own, on ports of their own.
install_packages() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        trap 'as_root rm -f $policy' EXIT
        trap 'exit 1' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod +x $policy
    fi
    as_root apt-get -qq update
    output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install --yes --no-install-recommends "$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        die "apt-get could not install: $*"
    }
    case " $* " in
        *' nginx-light '*) [ ! -d /run/systemd/system ] || as_root systemctl disable --quiet nginx ;;
    esac
)

# configure DIRECTORY [OPTION...]: a build directory with these options of Meson. It is told where packages are
# new: some parts are built only where what they need is there.
configure() {
    directory=$1
    shift
    if [ -f "$directory/build.ninja" ]; then
        grep -qF "\"source\": \"$root\"" "$directory/meson-info/meson-info.json" ||
            die "$directory was made for another source tree; please remove it first"
        [ -n "$installed" ] || return 0
        set -- --reconfigure "$@"
    fi
    meson setup "$directory" "$@" >"$directory.log" 2>&1 || {
        cat "$directory.log" >&2
        die "cannot configure $directory"
    }
    rm -f "$directory.log"
}

# build_release [DIRECTORY]: the optimised build, in build/ where no other directory is given. Meson would ask
# dpkg-architecture where Debian has its libraries, which need not be there; the compiler is.
build_release() {
    need_packages build
    multiarch=$(cc -print-multiarch 2>/dev/null || :)
    configure "${1:-build}" ${multiarch:+"-Dlibdir=lib/$multiarch"}
    ninja --quiet -C "${1:-build}"
}

# A port of 127.0.0.1 that nobody listens on at the moment.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# What fuzzing finds, the tests find, and the other way round.
export ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

# Starts a program under the sanitizers: they expect fewer random bits in addresses than some kernels use.
sanitizer_wrapper() {
    bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
    if [ "$bits" -gt 28 ] && setarch -R true 2>/dev/null; then
        echo 'setarch -R'
    fi
}
