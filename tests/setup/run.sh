#!/bin/sh
# Starts the program: the dashboard in a terminal, the built-in demo's report without one.
set -eu
program=$1
shift
if [ ! -t 1 ] && [ $# -eq 0 ]; then
    exec "$program" demo
fi
exec "$program" "$@"
