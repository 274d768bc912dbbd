#!/bin/sh
# Installs what the build needs and is not there: libpcap's headers, a C compiler for the linker; with --for-tests also
# the tools that tests compare with (ss, lsof, ip). Quiet and quick where nothing is missing.
set -eu

for_tests=${1:-}

need_compiler() { ! command -v cc >/dev/null 2>&1; }
need_libpcap() {
    need_compiler && return 0
    ! printf '#include <pcap.h>\nint main(void){return !pcap_lib_version();}\n' |
        cc -x c - -lpcap -o /dev/null >/dev/null 2>&1
}
need_tools() {
    [ "$for_tests" = --for-tests ] || return 1
    for tool in ss ip lsof; do command -v "$tool" >/dev/null 2>&1 || return 0; done
    return 1
}

wanted=""
need_compiler && wanted="$wanted compiler"
need_libpcap && wanted="$wanted libpcap"
need_tools && wanted="$wanted tools"
[ -n "$wanted" ] || exit 0

names() { # names KIND COMPILER LIBPCAP TOOLS
    for kind in $wanted; do
        case $kind in compiler) echo "$1" ;; libpcap) echo "$2" ;; tools) echo "$3" ;; esac
    done | tr '\n' ' '
}

if command -v apt-get >/dev/null 2>&1; then
    packages=$(names gcc libpcap-dev "iproute2 lsof")
    install="apt-get install -y --no-install-recommends $packages"
    refresh="apt-get update"
elif command -v dnf >/dev/null 2>&1; then
    packages=$(names gcc libpcap-devel "iproute lsof")
    install="dnf install -y $packages"
    refresh=true
elif command -v pacman >/dev/null 2>&1; then
    packages=$(names gcc libpcap "iproute2 lsof")
    install="pacman -S --noconfirm --needed $packages"
    refresh="pacman -Sy"
elif command -v apk >/dev/null 2>&1; then
    packages=$(names build-base libpcap-dev "iproute2 lsof")
    install="apk add $packages"
    refresh="apk update"
else
    echo "Missing:$wanted, and no package manager that this script knows (apt, dnf, pacman, apk)." >&2
    echo "Install a C compiler and libpcap's headers, then try again." >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    elif [ "$wanted" = " tools" ]; then
        echo "Not installed (this needs root): $packages; the tests that compare with them will say that they skip." >&2
        exit 0
    else
        echo "Missing:$wanted. As root: $install" >&2
        exit 1
    fi
fi

echo "Installing what is missing: $packages" >&2
log=$(mktemp)
if ! { $as_root env DEBIAN_FRONTEND=noninteractive $refresh && $as_root env DEBIAN_FRONTEND=noninteractive $install; } >"$log" 2>&1; then
    cat "$log" >&2
    if [ "$wanted" = " tools" ]; then
        echo "Could not install $packages; the tests that compare with them will say that they skip." >&2
        rm -f "$log"
        exit 0
    fi
    echo "Could not install $packages. By hand: $as_root $install" >&2
    rm -f "$log"
    exit 1
fi
rm -f "$log"
