#!/bin/sh
# Draws the README's pictures anew, of the demo.
set -eu
program=$(realpath "$1")
draw() { name=$1; shift; "$program" snap --demo --size 120x40 "$@" -o "assets/$name.png"; }
draw overview --at 64
draw handshakes --view handshakes --at 64
draw findings --view findings --at 64
