#!/usr/bin/env python3
"""Makes the built-in demo: a recording of a small incident between real processes in two network namespaces.

    sudo python3 tests/demo/make-demo.py SOCKSCOPE [assets/demo.pcapng.gz]

SOCKSCOPE is the program that records. Needs root, iproute2, openssl and /dev/net/tun; takes about 90 s; removes its
namespaces whatever happens. The two namespaces are joined by a pair of tap devices with this program between them as
the wire (wire.py); who does what is in cast.py. The recording is what sockscope sees in `app`: its eth0, its kernel,
its processes.
"""
import ctypes, gzip, os, shutil, signal, subprocess, sys, tempfile, time

from addresses import APP4, APP6, CLIENT6, NET4, NOBODY
from cast import APP, LENGTH, NET, Stage
from wire import Wire, tap

MAC = {"app": "02:00:5e:00:53:0a", "net": "02:00:5e:00:53:05"}
PORTS = "40000 40299"  # few, so that they run out while one watches


def main():
    if os.geteuid() != 0 or not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    play(os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "assets/demo.pcapng.gz")


def play(sockscope, out):
    names = {role: f"sockscope-demo-{role}-{os.getpid()}" for role in ("app", "net")}
    scratch = tempfile.mkdtemp(prefix="sockscope-demo-")
    raw = os.path.join(scratch, "raw.pcapng")
    children, wire = [], None
    try:
        stage = Stage(time.monotonic() + 8, certificate(scratch))
        fds = build(names)
        # Before the wire's thread: a fork copies no threads.
        for role, processes in (("app", APP), ("net", NET)):
            children += [start(names[role], process, stage) for process in processes]
        wire = Wire(fds["app"], fds["net"], stage.start)
        wire.start()
        stage.until(-1)
        # A recording tells the host's name.
        named = ["unshare", "--uts", "sh", "-c", 'hostname app && exec "$@"', "sh"]
        record = ["ip", "netns", "exec", names["app"], *named, sockscope, "record", "-i", "eth0", "-w", raw]
        recording = subprocess.Popen(record)
        children.append(recording.pid)
        stage.until(LENGTH)
        recording.send_signal(signal.SIGINT)
        recording.wait(10)
        with open(raw, "rb") as read, open(out, "wb") as file:
            with gzip.GzipFile("", "wb", 9, file, 0) as write:
                shutil.copyfileobj(read, write)
        print(f"{out}: {os.path.getsize(out)} bytes, {os.path.getsize(raw)} uncompressed")
    finally:
        for pid in children:
            end(pid)
        if wire:
            wire.stopped = True
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
        shutil.rmtree(scratch, ignore_errors=True)


def certificate(folder):
    """Key and certificate of the payments service, in one file."""
    path = os.path.join(folder, "payments.pem")
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=payments.example"
    alternative = ["-addext", "subjectAltName=DNS:payments.example"]
    subprocess.run([*words.split(), *alternative, "-keyout", path + ".key", "-out", path], check=True,
                   stderr=subprocess.DEVNULL)
    with open(path + ".key") as key, open(path, "a") as both:
        both.write(key.read())
    return path


def build(names):
    for role in names:
        run("ip", "netns", "add", names[role])
    fds = {}
    for role in names:
        name, ns, far = f"sd{role}{os.getpid()}"[:15], names[role], "net" if role == "app" else "app"
        fds[role] = tap(name)
        run("ip", "link", "set", name, "address", MAC[role], "netns", ns)
        run("ip", "-n", ns, "link", "set", name, "name", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-n", ns, "link", "set", device, "up")
        v4, v6 = ([APP4], [APP6]) if role == "app" else (NET4, [CLIENT6])
        for address in v4:
            run("ip", "-n", ns, "addr", "add", address + "/32", "dev", "eth0")
        for address in v6:
            run("ip", "-n", ns, "addr", "add", address + "/128", "dev", "eth0", "nodad")
        there = ("198.51.100.0/24", "2001:db8:b::/64") if role == "app" else ("192.0.2.0/24", "2001:db8:a::/64")
        for prefix in there:
            run("ip", "-n", ns, "route", "add", prefix, "dev", "eth0")
        if role == "app":
            run("ip", "-n", ns, "neigh", "add", NOBODY, "lladdr", MAC[far], "dev", "eth0")
            run("ip", "netns", "exec", ns, "sysctl", "-qw", f"net.ipv4.ip_local_port_range={PORTS}")
    return fds


def start(namespace, part, stage):
    """A process of that name in that namespace, whose command line is its name too; its pid."""
    parts = {"DEMO_PART": part.__name__, "DEMO_START": str(stage.start), "DEMO_CERTIFICATE": stage.certificate}
    # Under another name the interpreter does not find its library by itself.
    environment = {**os.environ, **parts, "PYTHONHOME": sys.prefix}
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.alarm(int(LENGTH) + 60)
    with open(f"/run/netns/{namespace}") as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0x40000000):  # CLONE_NEWNET
            os._exit(1)
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    os.execve(sys.executable, [part.__name__, "cast.py"], environment)


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def run(*words):
    subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
