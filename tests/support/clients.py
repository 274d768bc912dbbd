"""Short-lived clients, each a process of its own, which tell the server over the connection who they are.

    clients.py many HOST PORT PROCESSES AT_ONCE     forks that connect at once, in four ways
    clients.py tuple HOST PORT PROCESSES FROM_PORT  one after the other from the same port, each ended by RST
    clients.py slow HOST PORT PROCESSES MS          one after the other, each for so long
    clients.py pid HOST PORT PROCESSES              one after the other under the same pid, where it can be had

The truth is what each says: "PID NAME". Whoever ends it with a newline waits for an answer.
"""

import ctypes
import os
import socket
import struct
import sys
import threading
import time

LIBC = ctypes.CDLL(None)
PR_SET_NAME = 15
RST_ON_CLOSE = struct.pack("ii", 1, 0)


def name():
    with open("/proc/self/comm") as comm:
        return comm.read().rstrip("\n")


def rename(to):
    LIBC.prctl(PR_SET_NAME, to.encode(), 0, 0, 0)


def truth():
    return f"{os.getpid()} {name()}"


def connect(to, told):
    with socket.create_connection(to) as connection:
        connection.sendall(told.encode())


def one_of_many(number, to):
    """Only forks, renames itself, connects from a thread; one of 64 runs another program."""
    if number % 64 == 63:
        script = f'exec 3<>/dev/tcp/{to[0]}/{to[1]}; read -r name </proc/$$/comm; echo -n "$$ $name" >&3'
        os.execvp("bash", ["bash", "-c", script])
    if number % 4 == 1:
        rename(f"client {number}")
    told = truth()
    if number % 4 == 2:
        thread = threading.Thread(target=lambda: (rename("a thread"), connect(to, told)))
        thread.start()
        thread.join()
    else:
        connect(to, told)


def on_one_tuple(number, to, port):
    rename(f"tuple {number}")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
        connection.bind(("", port))
        connection.connect(to)
        connection.sendall((truth() + "\n").encode())
        connection.recv(1)


def forked(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def many(to, count, at_once):
    running = 0
    for number in range(count):
        if running == at_once:
            os.wait()
            running -= 1
        forked(lambda: one_of_many(number, to))
        running += 1
    for _ in range(running):
        os.wait()


def one_tuple(to, count, port):
    for number in range(count):
        os.waitpid(forked(lambda: on_one_tuple(number, to, port)), 0)


def hold(number, to, millis):
    rename(f"slow {number}")
    with socket.create_connection(to) as connection:
        connection.sendall(truth().encode())
        time.sleep(millis / 1000)


def slow(to, count, millis):
    for number in range(count):
        os.waitpid(forked(lambda: hold(number, to, millis)), 0)


def one_pid(to, count):
    wanted = None
    for number in range(count):
        if wanted is not None:
            with open("/proc/sys/kernel/ns_last_pid", "w") as last:
                last.write(str(wanted - 1))
        child = forked(lambda: (rename(f"pid {number}"), connect(to, truth())))
        wanted = wanted or child
        os.waitpid(child, 0)


def main():
    mode, host, *numbers = sys.argv[1:]
    port, count, *more = map(int, numbers)
    {"many": many, "tuple": one_tuple, "slow": slow, "pid": one_pid}[mode]((host, port), count, *more)


if __name__ == "__main__":
    main()
