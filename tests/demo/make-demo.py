#!/usr/bin/env python3
"""Makes the built-in demo: a capture of a small incident between real sockets in two network namespaces.

    sudo python3 tests/demo/make-demo.py [assets/demo.pcap.gz]

Needs root, iproute2, tcpdump and /dev/net/tun; takes about 80 s; removes its namespaces whatever happens. The two
namespaces are joined by a pair of tap devices with this program between them as the wire, since not every kernel has
netem: it delays, drops the odd segment and swallows what the story needs swallowed. The capture is what tcpdump sees
on `app`'s eth0. Addresses are from the documentation ranges (RFC 5737, RFC 3849) and exist in the namespaces only.

The cast: `app` (192.0.2.10, 2001:db8:a::10) serves HTTP on port 80 and calls its backends; everybody else lives in
`net`: .5 database (5432) and orders service (8000), .20 a cache that is down (6379 refused), .30 a far service
(8080), .99 nobody, .66 a client whose ACKs never arrive, .101 and up clients.
"""
import fcntl, gzip, heapq, os, random, select, shutil, signal, socket, struct, subprocess, sys, tempfile, threading, time

LENGTH = 70.0  # seconds of capture
APP4, APP6 = "192.0.2.10", "2001:db8:a::10"
NET4 = [f"198.51.100.{n}" for n in (5, 20, 30, 66, 101, 102, 103, 104, 105, 106)]
NET6 = ["2001:db8:b::101"]
NOBODY = "198.51.100.99"
MAC = {"app": "02:00:5e:00:53:0a", "net": "02:00:5e:00:53:05"}


# ---- the wire ----------------------------------------------------------------------------------------------------

class Wire(threading.Thread):
    """Carries frames between two tap devices: in order, delayed by the far end's address, sometimes dropped."""

    def __init__(self, app_fd, net_fd, start):
        super().__init__(daemon=True)
        self.fds, self.start_at, self.dice = (app_fd, net_fd), start, random.Random(7)
        self.due, self.count, self.last, self.syns, self.stopped = [], 0, {}, set(), False

    def run(self):
        app, net = self.fds
        other = {app: net, net: app}
        while not self.stopped:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 0.2
            for fd in select.select([app, net], [], [], min(wait, 0.2))[0]:
                self.take(os.read(fd, 65536), other[fd], fd == app)
            while self.due and self.due[0][0] <= time.monotonic():
                _, _, fd, frame = heapq.heappop(self.due)
                os.write(fd, frame)

    def take(self, frame, to, outward):
        far, ports, flags, length = describe(frame, outward)
        if self.swallows(far, ports, flags, length, outward):
            return
        now = time.monotonic()
        at = max(now + self.delay(far, now - self.start_at), self.last.get((to, far), 0))
        self.last[to, far] = at
        self.count += 1
        heapq.heappush(self.due, (at, self.count, to, frame))

    def delay(self, far, clock):
        """One way, seconds. The far service slows down while the incident lasts."""
        if far == "198.51.100.30":
            return self.dice.uniform(0.09, 0.21) if 24 < clock < 50 else self.dice.uniform(0.010, 0.016)
        if far and ":" in far:
            return 0.0085 + self.dice.uniform(0, 0.001)
        if far in ("198.51.100.5", "198.51.100.20"):
            return 0.00015
        return 0.004 + self.dice.uniform(0, 0.0015)

    def swallows(self, far, ports, flags, length, outward):
        if flags is None:
            return False
        if far == NOBODY:
            return True
        if far == "198.51.100.66" and not outward:
            return not flags & 0x02  # everything but its SYN
        if far == "198.51.100.30" and outward and flags & 0x12 == 0x02 and ports not in self.syns:
            self.syns.add(ports)  # the first SYN of every third connection
            return len(self.syns) % 3 == 0
        return far == "198.51.100.103" and length > 60 and self.dice.random() < 0.03


def describe(frame, outward):
    """The far end's address, both ports, the TCP flags and the length of the TCP segment; flags None if not TCP."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        far = socket.inet_ntoa(frame[30:34] if outward else frame[26:30])
        at, proto, length = 14 + (frame[14] & 15) * 4, frame[23], struct.unpack("!H", frame[16:18])[0] - 20
    elif kind == b"\x86\xdd" and len(frame) >= 54:
        far = socket.inet_ntop(socket.AF_INET6, frame[38:54] if outward else frame[22:38])
        at, proto, length = 54, frame[20], struct.unpack("!H", frame[18:20])[0]
    else:
        return None, None, None, 0
    if proto != 6 or len(frame) < at + 20:
        return far, None, None, 0
    return far, frame[at:at + 4], frame[at + 13], length


def tap(name):
    """A new tap device and the fd that is its other end."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))  # TUNSETIFF, IFF_TAP | IFF_NO_PI
    return fd


# ---- the actors --------------------------------------------------------------------------------------------------

class Stage:
    """The clock of the play and the sockets that must stay open to its end."""

    def __init__(self, start):
        self.start, self.held = start, []

    def until(self, clock):
        time.sleep(max(0.0, self.start + clock - time.monotonic()))

    def clock(self):
        return time.monotonic() - self.start

    def every(self, first, last, step, act):
        clock = first
        while clock < last:
            self.until(clock)
            threading.Thread(target=quietly, args=(act,), daemon=True).start()
            clock += step


def quietly(act, *args):
    try:
        act(*args)
    except OSError:
        pass  # refused, timed out, reset: that is the story


def go(act, *args):
    threading.Thread(target=quietly, args=(act, *args), daemon=True).start()


def connect(source, host, port, timeout=None, keepalive=False):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if keepalive:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in ((socket.TCP_KEEPIDLE, 6), (socket.TCP_KEEPINTVL, 6)):
            s.setsockopt(socket.IPPROTO_TCP, option, value)
    s.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    if source:
        s.bind((source, 0))
    s.settimeout(timeout)
    s.connect((host, port))
    s.settimeout(None)
    return s


def serve(host, port, handle, backlog=128, rcvbuf=None):
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if rcvbuf:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    listener.bind((host, port))
    listener.listen(backlog)

    def loop():
        while True:
            go(handle, listener.accept()[0])
    if handle:
        go(loop)
    return listener


def http_handle(s):
    """Answers GET /N with N bytes, keeps the connection alive, closes when asked to (/N/close)."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = s.recv(4096)
            if not more:
                s.close()
                return
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        path = head.split(b" ")[1].decode().strip("/").split("/")
        body = b"." * int(path[0])
        time.sleep(0.002)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        if path[1:] == ["close"]:
            s.close()
            return


def http_get(s, size, close=False):
    s.sendall(f"GET /{size}{'/close' if close else ''} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            return
        data += more
    left = size - len(data.split(b"\r\n\r\n", 1)[1])
    while left > 0:
        more = s.recv(65536)
        if not more:
            return
        left -= len(more)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def app(stage):
    def never_reads(s):
        stage.held.append(s)

    def upload(s):  # reads to the end of the request, then answers slowly: the client has long shut its side
        while s.recv(4096):
            pass
        for _ in range(8):
            time.sleep(0.7)
            s.sendall(b"row\n" * 150)
        s.close()

    for host in (APP4, APP6):
        stage.held.append(serve(host, 80, http_handle))
    stage.held.append(serve(APP4, 9000, never_reads, rcvbuf=12000))
    stage.held.append(serve(APP4, 7000, None, backlog=1))
    stage.held.append(serve(APP4, 8081, upload))

    def order():  # the leak: the service answers and closes, we read the end and forget the socket
        s = connect(None, "198.51.100.5", 8000)
        s.sendall(b"GET /order HTTP/1.0\r\n\r\n")
        while s.recv(4096):
            pass
        stage.held.append(s)

    def query():  # a connection for each query: TIME-WAIT is ours
        s = connect(None, "198.51.100.5", 5432)
        s.sendall(b"select 1;")
        s.recv(100)
        s.close()

    def far():
        s = connect(None, "198.51.100.30", 8080, 20)
        http_get(s, 900)
        s.close()

    def aborted():
        s = connect(None, "198.51.100.5", 8000)
        reset(s)

    def burst(worker):
        for turn in range(100):
            stage.until(34 + turn * 0.055 + worker * 0.012)
            quietly(query)

    go(stage.every, 3, 62, 1.8, far)
    go(stage.every, 12, 60, 2.5, lambda: connect(None, "198.51.100.20", 6379))
    for at, patience in ((15, 200), (21, 4.5), (29, 4.5), (45, 4.5)):
        go(stage.every, at, at + 1, 2, lambda patience=patience: connect(None, NOBODY, 9200, patience))
    go(stage.every, 18, 60, 0.9, order)
    go(stage.every, 27, 56, 9, aborted)
    go(stage.every, 2, 64, 3, query)
    for worker in range(4):
        go(burst, worker)


def net(stage):
    def orders(s):
        s.recv(4096)
        s.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"o" * 300)
        s.close()

    def database(s):
        while s.recv(4096):
            s.sendall(b"1 row")
        s.close()

    stage.held.append(serve("198.51.100.5", 5432, database))
    stage.held.append(serve("198.51.100.5", 8000, orders))
    stage.held.append(serve("198.51.100.30", 8080, http_handle))
    dice = random.Random(11)

    def visitor(source, host, first, life):
        stage.until(first)
        while stage.clock() < LENGTH + 2:
            s = connect(source, host, 80, 5)
            end = stage.clock() + life * dice.uniform(0.7, 1.3)
            while stage.clock() < end:
                http_get(s, dice.choice((180, 420, 420, 1300, 5200)))
                time.sleep(dice.uniform(0.2, 1.1))
            if dice.random() < 0.4:
                http_get(s, 200, close=True)  # the server closes first
            s.close()

    def idle():
        s = connect("198.51.100.106", APP4, 80, 5, keepalive=True)
        http_get(s, 300)
        stage.held.append(s)

    def flood():  # to the server that does not read: fills its window and waits
        s = connect("198.51.100.105", APP4, 9000, 5)
        stage.held.append(s)
        s.sendall(b"x" * 400_000)

    def half_closer():
        s = connect("198.51.100.104", APP4, 8081, 5)
        s.sendall(b"insert;" * 60)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
        s.close()

    def aborter():
        s = connect("198.51.100.101", APP4, 80, 5)
        s.sendall(b"GET /5200 HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        s.recv(10)
        reset(s)

    def unheard():
        stage.held.append(connect("198.51.100.66", APP4, 80, 30))

    def queued(n):
        stage.held.append(connect(f"198.51.100.{101 + n % 4}", APP4, 7000, 9))

    for source, host, first, life in (("198.51.100.101", APP4, -2, 200), ("198.51.100.102", APP4, 1, 14),
                                      ("198.51.100.103", APP4, 2, 18), ("198.51.100.104", APP4, 4, 9),
                                      ("2001:db8:b::101", APP6, 5, 12)):
        go(visitor, source, host, first, life)
    for at, act in ((6, idle), (14, flood), (20, half_closer), (47, half_closer), (23, aborter), (41, aborter),
                    (38, unheard), (44, unheard)):
        go(stage.every, at, at + 1, 2, act)
    for n in range(6):
        go(stage.every, 50 + n * 0.4, 50.1 + n * 0.4, 1, lambda n=n: queued(n))


# ---- the play ----------------------------------------------------------------------------------------------------

def run(*words):
    subprocess.run(words, check=True)


def build(names):
    for role in ("app", "net"):
        run("ip", "netns", "add", names[role])
    fds = {}
    for role in ("app", "net"):
        name, ns, far = f"sd{role}{os.getpid()}"[:15], names[role], "net" if role == "app" else "app"
        fds[role] = tap(name)
        run("ip", "link", "set", name, "address", MAC[role], "netns", ns)
        run("ip", "-n", ns, "link", "set", name, "name", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", ns, "link", "set", device, "up")
        v4, v6 = ([APP4], [APP6]) if role == "app" else (NET4, NET6)
        for address in v4:
            run("ip", "-n", ns, "addr", "add", address + "/32", "dev", "eth0")
        for address in v6:
            run("ip", "-n", ns, "addr", "add", address + "/128", "dev", "eth0", "nodad")
        there = ("198.51.100.0/24", "2001:db8:b::/64") if role == "app" else ("192.0.2.0/24", "2001:db8:a::/64")
        for prefix in there:
            run("ip", "-n", ns, "route", "add", prefix, "dev", "eth0")
        peers = [NOBODY] if role == "app" else []
        for address in peers:
            run("ip", "-n", ns, "neigh", "add", address, "lladdr", MAC[far], "dev", "eth0")
    return fds


def play(out):
    names = {role: f"sockscope-demo-{role}-{os.getpid()}" for role in ("app", "net")}
    children, wire = [], None
    scratch = tempfile.mkdtemp(prefix="sockscope-demo-")
    raw = os.path.join(scratch, "raw.pcap")
    try:
        fds = build(names)
        start = time.monotonic() + 5
        wire = Wire(fds["app"], fds["net"], start)
        wire.start()
        for role in ("app", "net"):
            words = ["ip", "netns", "exec", names[role], sys.executable, __file__, "--actor", role, str(start)]
            children.append(subprocess.Popen(words))
        time.sleep(max(0.0, start - 0.5 - time.monotonic()))
        tcpdump = subprocess.Popen(["ip", "netns", "exec", names["app"], "tcpdump", "-i", "eth0", "-n", "-s", "128", "-B",
                                    "8192", "--time-stamp-precision=nano", "-Z", "root", "-U", "-w", raw])
        children.append(tcpdump)
        time.sleep(LENGTH + 0.5)
        tcpdump.send_signal(signal.SIGINT)
        tcpdump.wait(10)
        with open(raw, "rb") as read, open(out, "wb") as file:
            with gzip.GzipFile("", "wb", 9, file, 0) as write:
                write.write(read.read())
        print(f"{out}: {os.path.getsize(out)} bytes, {os.path.getsize(raw)} uncompressed")
    finally:
        for child in children:
            child.kill()
        if wire:
            wire.stopped = True
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    if sys.argv[1:2] == ["--actor"]:
        stage = Stage(float(sys.argv[3]))
        {"app": app, "net": net}[sys.argv[2]](stage)
        stage.until(LENGTH + 15)
    elif os.geteuid() != 0:
        sys.exit("make-demo.py needs root: it makes network namespaces and captures in one")
    else:
        play(sys.argv[1] if len(sys.argv) > 1 else "assets/demo.pcap.gz")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main()
