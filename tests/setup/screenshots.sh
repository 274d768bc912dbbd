#!/bin/sh
# Draws the README's pictures anew, of the demo.
set -eu
program=$(realpath "$1")
draw() { name=$1; shift; "$program" snap --demo --size 120x40 "$@" -o "assets/$name.png"; }
# The number of the flow with most bytes among those that match a filter.
flow() {
    "$program" report --demo --format ndjson --filter "$1" | python3 -c '
import json, sys
flows = [row for row in map(json.loads, sys.stdin) if row["type"] == "flow"]
print(max(flows, key=lambda row: sum(row[end]["payload_bytes"] for end in ("orig", "resp")))["id"])'
}
draw overview --at 64
draw handshakes --view handshakes --at 64
draw findings --view findings --at 64
draw flow --view flow --flow "$(flow 'port:9000')" --at 64
draw ladder --view ladder --flow "$(flow 'port:9000')" --at 64
draw graph --view graph --flow "$(flow 'peer:198.51.100.103 port:80')"
