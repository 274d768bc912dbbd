"""The demo's processes. Each is a function of the stage; in `app` they are the host that is watched, in `net` its peers.

  web       serves keep-alive clients (80)           report    accepts and never reads (9000)
  ticketd   listens with a backlog of 1 and never accepts (7000)
  importd   reads to the end, answers slowly to a client that has shut its side (8081)
  worker    reads the answer and the end, and forgets the socket: a leak in CLOSE-WAIT
  batch     a connection for each query: TIME-WAIT is ours, and the ports to the database run out
  checkout  calls the far service by name, over HTTP and TLS; the first SYN of every third call is lost
  session   is refused by the cache                  search    connects to nobody; its first try is never given up
"""
import os, random, socket, ssl, struct, threading, time

from addresses import APP4, APP6, BACKEND, CACHE, CLIENT6, CLIENTS, FAR, NOBODY, UNHEARD

LENGTH = 70.0  # seconds of recording


class Stage:
    """The clock of the play and the sockets that must stay open to its end."""

    def __init__(self, start, certificate):
        self.start, self.certificate, self.held = start, certificate, []

    def until(self, clock):
        time.sleep(max(0.0, self.start + clock - time.monotonic()))

    def clock(self):
        return time.monotonic() - self.start

    def every(self, first, last, step, act):
        """Calls `act` in a thread of its own at `first` and then each `step`; returns after `last`."""
        clock = first
        while clock < last:
            self.until(clock)
            go(act)
            clock += step


def go(act, *args):
    threading.Thread(target=quietly, args=(act, *args), daemon=True).start()


def quietly(act, *args):
    try:
        act(*args)
    except OSError:
        pass  # refused, timed out, reset: that is the story


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


def listen(host, port, backlog=128, rcvbuf=None):
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if rcvbuf:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    listener.bind((host, port))
    listener.listen(backlog)
    return listener


def serve(listener, handle):
    while True:
        go(handle, listener.accept()[0])


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


def http_get(s, size, close=False, host="shop.example"):
    s.sendall(f"GET /{size}{'/close' if close else ''} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
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


# ---- names -------------------------------------------------------------------------------------------------------

HOSTS = {"payments.example": FAR, "db.example": BACKEND, "orders.example": BACKEND}


def names(stage):
    """Answers A queries for HOSTS (RFC 1035 §4.1): the question again, one answer by a pointer to its name."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((BACKEND, 53))
    while True:
        query, peer = server.recvfrom(512)
        host = hosts_in(query)
        if host in HOSTS:
            address = socket.inet_aton(HOSTS[host])
            answer = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + address
            server.sendto(query[:2] + b"\x85\x80\0\x01\0\x01\0\0\0\0" + query[12:] + answer, peer)


def hosts_in(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels)


def look_up(host, dice):
    question = b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0\0\x01\0\x01"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.connect((BACKEND, 53))
    s.send(struct.pack("!HHHHHH", dice.getrandbits(16), 0x0100, 1, 0, 0, 0) + question)
    answer = s.recv(512)
    s.close()
    return socket.inet_ntoa(answer[-4:])


# ---- the host ----------------------------------------------------------------------------------------------------

def web(stage):
    six = listen(APP6, 80)
    go(serve, six, http_handle)
    serve(listen(APP4, 80), http_handle)


def report(stage):
    serve(listen(APP4, 9000, rcvbuf=12000), stage.held.append)


def ticketd(stage):
    stage.held.append(listen(APP4, 7000, backlog=1))
    stage.until(LENGTH + 10)


def importd(stage):
    def upload(s):
        while s.recv(4096):
            pass
        for _ in range(8):
            time.sleep(0.7)
            s.sendall(b"row\n" * 150)
        s.close()
    serve(listen(APP4, 8081), upload)


def worker(stage):
    def order():
        s = connect(None, BACKEND, 8000)
        s.sendall(b"GET /order HTTP/1.0\r\nHost: orders.example\r\n\r\n")
        while s.recv(4096):
            pass
        stage.held.append(s)  # never closed

    def aborted():
        reset(connect(None, BACKEND, 8000))
    go(stage.every, 27, 56, 9, aborted)
    stage.every(10, 68, 0.7, order)


def batch(stage):
    def query():
        s = connect(None, BACKEND, 5432)
        s.sendall(b"select 1;")
        s.recv(100)
        s.close()
    stage.every(2, 12, 2, query)
    stage.every(12, LENGTH + 2, 0.19, query)


def checkout(stage):
    dice = random.Random(5)
    trust = ssl.create_default_context(cafile=stage.certificate)

    def call():
        s = connect(None, look_up("payments.example", dice), 8080, 20)
        http_get(s, 900, host="payments.example")
        s.close()

    def pay():
        s = connect(None, look_up("payments.example", dice), 8443, 20)
        with trust.wrap_socket(s, server_hostname="payments.example") as s:
            http_get(s, 600, host="payments.example")
            s.unwrap()  # close_notify: closing with its answer unread would reset
    go(stage.every, 4, 62, 4.6, pay)
    stage.every(3, 62, 1.8, call)


def session(stage):
    stage.every(12, 66, 2.5, lambda: connect(None, CACHE, 6379))


def search(stage):
    for at, patience in ((21, 4.5), (29, 4.5), (45, 4.5)):
        go(stage.every, at, at + 1, 2, lambda patience=patience: connect(None, NOBODY, 9200, patience))
    stage.every(15, 16, 2, lambda: connect(None, NOBODY, 9200, 200))


# ---- its peers ---------------------------------------------------------------------------------------------------

def database(stage):
    def answer(s):
        while s.recv(4096):
            s.sendall(b"1 row")
        s.close()
    serve(listen(BACKEND, 5432), answer)


def orders(stage):
    def answer(s):
        s.recv(4096)
        s.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"o" * 300)
        s.close()
    serve(listen(BACKEND, 8000), answer)


def payments(stage):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stage.certificate)

    def secure(s):
        with context.wrap_socket(s, server_side=True) as s:
            http_handle(s)
    tls = listen(FAR, 8443)
    go(serve, tls, secure)
    serve(listen(FAR, 8080), http_handle)


def visitors(stage):
    dice = random.Random(11)

    def visit(source, host, first, life):
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
        s = connect(CLIENTS[5], APP4, 80, 5, keepalive=True)
        http_get(s, 300)
        stage.held.append(s)

    def flood():  # to the server that does not read: fills its window and waits
        s = connect(CLIENTS[4], APP4, 9000, 5)
        stage.held.append(s)
        s.sendall(b"x" * 400_000)

    def download():  # over the path that loses
        s = connect(CLIENTS[2], APP4, 80, 5)
        http_get(s, 300_000)
        s.close()

    def half_closer():
        s = connect(CLIENTS[3], APP4, 8081, 5)
        s.sendall(b"insert;" * 60)
        s.shutdown(socket.SHUT_WR)
        while s.recv(4096):
            pass
        s.close()

    def aborter():
        s = connect(CLIENTS[0], APP4, 80, 5)
        s.sendall(b"GET /5200 HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        s.recv(10)
        reset(s)

    def unheard():
        stage.held.append(connect(UNHEARD, APP4, 80, 30))

    def queued(n):
        stage.held.append(connect(CLIENTS[n % 4], APP4, 7000, 9))

    for source, host, first, life in ((CLIENTS[0], APP4, -2, 200), (CLIENTS[1], APP4, 1, 14), (CLIENTS[2], APP4, 2, 18),
                                      (CLIENTS[3], APP4, 4, 9), (CLIENT6, APP6, 5, 12)):
        go(visit, source, host, first, life)
    for at, act in ((6, idle), (14, flood), (20, half_closer), (47, half_closer), (23, aborter), (41, aborter),
                    (38, unheard), (44, unheard), (32, download)):
        go(stage.every, at, at + 1, 2, act)
    for n in range(6):
        go(stage.every, 50 + n * 0.4, 50.1 + n * 0.4, 1, lambda n=n: queued(n))
    stage.until(LENGTH + 10)


APP = [web, report, ticketd, importd, worker, batch, checkout, session, search]
NET = [database, orders, payments, names, visitors]


def main():
    """Plays the part that the environment names, under its name."""
    with open("/proc/self/comm", "w") as comm:
        comm.write(os.environ["DEMO_PART"])
    stage = Stage(float(os.environ["DEMO_START"]), os.environ["DEMO_CERTIFICATE"])
    part = next(part for part in APP + NET if part.__name__ == os.environ["DEMO_PART"])
    part(stage)
    stage.until(LENGTH + 10)


if __name__ == "__main__":
    main()
