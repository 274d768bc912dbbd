"""Many short-lived clients, each a process of its own, which tell the server over the connection who they are.

    clients.py HOST PORT PROCESSES AT_ONCE

Every fourth only forks, renames itself, connects from a thread, or (one of sixteen of these) executes another program.
The truth is what each says: "PID NAME".
"""

import ctypes
import os
import socket
import sys
import threading

LIBC = ctypes.CDLL(None)
PR_SET_NAME = 15


def name():
    with open("/proc/self/comm") as comm:
        return comm.read().rstrip("\n")


def rename(to):
    LIBC.prctl(PR_SET_NAME, to.encode(), 0, 0, 0)


def connect(to, truth):
    with socket.create_connection(to) as connection:
        connection.sendall(truth.encode())


def client(number, to):
    kind = number % 4
    if number % 64 == 63:
        script = f'exec 3<>/dev/tcp/{to[0]}/{to[1]}; read -r name </proc/$$/comm; echo -n "$$ $name" >&3'
        os.execvp("bash", ["bash", "-c", script])
    if kind == 1:
        rename(f"client {number}")
    truth = f"{os.getpid()} {name()}"
    if kind == 2:
        thread = threading.Thread(target=lambda: (rename("a thread"), connect(to, truth)))
        thread.start()
        thread.join()
    else:
        connect(to, truth)


def main():
    to, count, at_once = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4])
    running = 0
    for number in range(count):
        if running == at_once:
            os.wait()
            running -= 1
        if os.fork() == 0:
            status = 1
            try:
                client(number, to)
                status = 0
            finally:
                os._exit(status)
        running += 1
    for _ in range(running):
        os.wait()


if __name__ == "__main__":
    main()
