"""Who is where. From the documentation ranges (RFC 5737, RFC 3849): they exist in the demo's namespaces only."""

APP4, APP6 = "192.0.2.10", "2001:db8:a::10"
BACKEND = "198.51.100.5"  # database (5432), orders (8000), names (53)
CACHE = "198.51.100.20"  # is down: refuses
FAR = "198.51.100.30"  # a far service: HTTP (8080), TLS (8443)
UNHEARD = "198.51.100.66"  # its ACKs never arrive
NOBODY = "198.51.100.99"  # never answers
CLIENTS = [f"198.51.100.{n}" for n in (101, 102, 103, 104, 105, 106)]
CLIENT6 = "2001:db8:b::101"
LOSSY = CLIENTS[2]
NEAR = (BACKEND, CACHE)
NET4 = [BACKEND, CACHE, FAR, UNHEARD, *CLIENTS]
