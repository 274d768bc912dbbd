"""The demo's wire: carries frames between two tap devices, delays them, drops the odd one, swallows what the story
needs swallowed. Not every kernel has netem, and this way each loss is chosen."""
import fcntl, heapq, os, random, select, socket, struct, threading, time

from addresses import FAR, LOSSY, NEAR, NOBODY, UNHEARD


class Wire(threading.Thread):
    """In order, delayed by the far end's address."""

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
        if far == FAR:
            return self.dice.uniform(0.09, 0.21) if 24 < clock < 50 else self.dice.uniform(0.010, 0.016)
        if far and ":" in far:
            return 0.0085 + self.dice.uniform(0, 0.001)
        if far in NEAR:
            return 0.00015
        return 0.004 + self.dice.uniform(0, 0.0015)

    def swallows(self, far, ports, flags, length, outward):
        if flags is None:
            return False
        if far == NOBODY:
            return True
        if far == UNHEARD and not outward:
            return not flags & 0x02  # everything but its SYN
        if far == FAR and outward and flags & 0x12 == 0x02 and ports not in self.syns:
            self.syns.add(ports)  # the first SYN of every third connection
            return len(self.syns) % 3 == 0
        return far == LOSSY and length > 60 and self.dice.random() < 0.03


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
