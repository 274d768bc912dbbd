#!/bin/sh
# Says what to do where cargo is missing or too old. Reads MSRV and CARGO.
set -eu
hint="Install a current one with rustup (https://rustup.rs): rustup update stable"
have=$("${CARGO:-cargo}" --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p') || true
if [ -z "$have" ] && [ -n "${SUDO_USER:-}" ]; then
    echo "There is no cargo for root. Build without sudo (make build), then: sudo target/release/sockscope" >&2
    exit 1
fi
if [ -z "$have" ]; then
    echo "sockscope needs cargo $MSRV or newer, and there is none. $hint" >&2
    exit 1
fi
oldest=$(printf '%s\n%s\n' "$MSRV" "$have" | sort -V | head -n 1)
if [ "$oldest" != "$MSRV" ]; then
    echo "sockscope needs cargo $MSRV or newer; this is $have. $hint" >&2
    exit 1
fi
