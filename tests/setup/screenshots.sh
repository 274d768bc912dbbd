#!/bin/sh
# Draws the README's pictures anew, as root: of a live host in trouble, and of the demo's handshakes and some of its
# connections.
set -eu
program=$(realpath "$1")
python3 tests/demo/live-load.py 45 "$program" snap --for 30s --size 120x40 -o assets/live.png
"$program" snap --demo --view handshakes --size 120x36 -o assets/handshakes.png
"$program" snap --demo --view flow --flow 20 --at 40 --size 120x36 -o assets/flow.png
"$program" snap --demo --view ladder --flow 20 --at 40 --size 120x36 -o assets/ladder.png
"$program" snap --demo --view graph --flow 113 --size 120x36 -o assets/graph.png
