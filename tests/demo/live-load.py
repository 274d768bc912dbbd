#!/usr/bin/env python3
"""A host in trouble, for pictures of the live dashboard: real processes with real sockets in two network namespaces.

usage: live-load.py SECONDS COMMAND...      (as root; standard library only)

Makes two namespaces joined by a veth pair, 192.0.2.10 ("the host") and 198.51.100.5 (its peers), starts the processes
below, runs COMMAND in the host's namespace, and takes everything away again. Nothing lives longer than SECONDS.

  web     serves keep-alive clients           report  accepts and never reads
  worker  leaks sockets in CLOSE-WAIT         batch   many short connections: TIME-WAIT
  probe   connects to who refuses and who never answers
  app     listens and never accepts
"""
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

HOST, PEER, NOBODY = "192.0.2.10", "198.51.100.5", "198.51.100.99"
HOST_NS, PEER_NS = f"sockscope-host-{os.getpid()}", f"sockscope-peer-{os.getpid()}"


def main():
    seconds, command = float(sys.argv[1]), sys.argv[2:]
    children = []
    try:
        make_namespaces()
        for where, name, work in PROCESSES:
            children.append(start(where, name, work, seconds))
        time.sleep(1.5)
        return subprocess.run(["ip", "netns", "exec", HOST_NS, *command], timeout=seconds + 60).returncode
    finally:
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        for namespace in (HOST_NS, PEER_NS):
            subprocess.run(["ip", "netns", "del", namespace], stderr=subprocess.DEVNULL)


def ip(*words):
    subprocess.check_call(["ip", *words])


def make_namespaces():
    for namespace in (HOST_NS, PEER_NS):
        ip("netns", "add", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
    ip("-n", HOST_NS, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", PEER_NS)
    for namespace, address, other in ((HOST_NS, HOST, PEER), (PEER_NS, PEER, HOST)):
        ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
        ip("-n", namespace, "link", "set", "eth0", "up")
        ip("-n", namespace, "route", "add", f"{other.rsplit('.', 1)[0]}.0/24", "dev", "eth0")
    # An address that takes packets and never answers.
    ip("-n", HOST_NS, "neigh", "add", NOBODY, "lladdr", "02:00:00:00:00:99", "dev", "eth0")


def start(where, name, work, seconds):
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(int(seconds) + 30)
    with open(f"/run/netns/{where}") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0x40000000):  # CLONE_NEWNET
            raise OSError(ctypes.get_errno(), "setns")
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
    try:
        work(time.monotonic() + seconds)
    except (OSError, KeyboardInterrupt) as error:
        print(f"{name}: {error}", file=sys.stderr)
    os._exit(0)


def listen(address, port, backlog=128):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(backlog)
    return server


def connect(address, port, patience=10.0):
    """Connects, waiting for the listener to be there."""
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection((address, port), timeout=5)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def serve(address, port, answer, close_first=False):
    """A server of one process: reads what is there, answers, and closes after the peer (or first)."""
    def run(end):
        import selectors
        selector = selectors.DefaultSelector()
        server = listen(address, port)
        selector.register(server, selectors.EVENT_READ)
        while time.monotonic() < end:
            for key, _ in selector.select(0.2):
                if key.fileobj is server:
                    connection, _ = server.accept()
                    selector.register(connection, selectors.EVENT_READ)
                    continue
                try:
                    data = key.fileobj.recv(65536)
                    if data:
                        key.fileobj.sendall(answer)
                except OSError:
                    data = b""
                if not data or close_first:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
    return run


def keep_alive_clients(end):
    clients = [connect(HOST, 80) for _ in range(12)]
    turn = 0
    while time.monotonic() < end:
        client = clients[turn % len(clients)]
        client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        client.recv(65536)
        turn += 1
        time.sleep(0.012)


def never_reads(end):
    server, held = listen(HOST, 9000), []
    server.settimeout(0.5)
    while time.monotonic() < end:
        try:
            held.append(server.accept())
        except TimeoutError:
            pass


def pushes(end):
    sender = connect(HOST, 9000)
    sender.settimeout(1)
    while time.monotonic() < end:
        try:
            sender.sendall(b"x" * 32768)
        except TimeoutError:
            pass


def leaks(end):
    held = []
    while time.monotonic() < end:
        connection = connect(PEER, 8000)
        connection.sendall(b"job?")
        connection.recv(100)
        held.append(connection)
        time.sleep(0.25)


def short_connections(end):
    while time.monotonic() < end:
        connection = connect(PEER, 5432)
        connection.sendall(b"select 1")
        connection.recv(100)
        connection.close()
        time.sleep(0.006)


def probes(end):
    waiting = []
    while time.monotonic() < end:
        try:
            socket.create_connection((PEER, 6379), timeout=1)
        except OSError:
            pass
        prober = socket.socket()
        prober.setblocking(False)
        try:
            prober.connect((NOBODY, 9200))
        except BlockingIOError:
            pass
        waiting.append(prober)
        time.sleep(1)
        if len(waiting) > 3:
            waiting.pop(0).close()


def never_accepts(end):
    server = listen(HOST, 8443, backlog=8)
    while time.monotonic() < end:
        time.sleep(0.5)
    server.close()


def crowd(end):
    time.sleep(0.5)
    waiting = []
    for _ in range(14):
        client = socket.socket()
        client.setblocking(False)
        try:
            client.connect((HOST, 8443))
        except BlockingIOError:
            pass
        waiting.append(client)
        time.sleep(0.3)
    time.sleep(max(0.0, end - time.monotonic()))


PROCESSES = [
    (HOST_NS, "web", serve(HOST, 80, b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"." * 4000)),
    (PEER_NS, "clients", keep_alive_clients),
    (HOST_NS, "report", never_reads),
    (PEER_NS, "pusher", pushes),
    (PEER_NS, "queue", serve(PEER, 8000, b"none", close_first=True)),
    (HOST_NS, "worker", leaks),
    (PEER_NS, "db", serve(PEER, 5432, b"1")),
    (HOST_NS, "batch", short_connections),
    (HOST_NS, "probe", probes),
    (HOST_NS, "app", never_accepts),
    (PEER_NS, "crowd", crowd),
]

if __name__ == "__main__":
    if len(sys.argv) < 3 or os.geteuid() != 0:
        sys.exit(__doc__)
    sys.exit(main())
