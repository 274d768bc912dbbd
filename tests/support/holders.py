"""Processes that hold sockets in ways that an owner must be told from; they do one thing more at each line on stdin.

    holders.py prefork HOST PORT WORKERS     one listener, inherited by all; a line makes the last worker accept
    holders.py reuseport HOST PORT WORKERS   a listener each (SO_REUSEPORT); a line makes the last of them accept
    holders.py pass HOST PORT                connects, hands the connection to another process and closes it

Prints the pids of the holders when they are ready, and again "done" after each line.
"""

import os
import select
import socket
import sys


def say(*words):
    print(*words, flush=True)


def listener(host, port, reuse):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind((host, port))
    server.listen(16)
    return server


def worker(server, make, told):
    """Holds a listener; accepts one connection from whichever has one when told to."""
    server = server or make()
    held = None
    os.write(told[1], b"r")
    while os.read(told[2], 1):
        if select.select([server], [], [], 1)[0]:
            held = server.accept()
            os.write(told[1], f"{os.getpid()} ".encode())
        else:
            os.write(told[1], b"- ")
    if held:
        held[0].close()


def serve(host, port, count, reuse):
    server = None if reuse else listener(host, port, False)
    ready, write = os.pipe()
    workers = []
    for _ in range(count):
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(tell)
            for _, other in workers:
                os.close(other)
            worker(server, lambda: listener(host, port, True), (ready, write, told))
            os._exit(0)
        os.close(told)
        workers.append((pid, tell))
        os.read(ready, 1)
    own = [] if reuse else [os.getpid()]
    say(*own, *(pid for pid, _ in workers))
    for _ in sys.stdin:
        # The kernel chose one of them: the last that has the connection takes it.
        for _, tell in reversed(workers):
            os.write(tell, b"a")
            answer = os.read(ready, 32).decode().strip()
            if answer != "-":
                say("done", answer)
                break
    for pid, tell in workers:
        os.close(tell)
        os.waitpid(pid, 0)


def hand_over(host, port):
    here, there = socket.socketpair()
    holder = os.fork()
    if holder == 0:
        here.close()
        _, held, _, _ = socket.recv_fds(there, 1, 1)
        there.sendall(b"k")
        there.recv(1)
        os._exit(0)
    there.close()
    with socket.create_connection((host, port)) as connection:
        port = connection.getsockname()[1]
        socket.send_fds(here, [b"f"], [connection.fileno()])
        here.recv(1)
    say(holder, port)
    sys.stdin.read()
    here.close()
    os.waitpid(holder, 0)


def main():
    mode, host, port, *more = sys.argv[1:]
    if mode == "pass":
        hand_over(host, int(port))
    else:
        serve(host, int(port), int(more[0]), mode == "reuseport")


if __name__ == "__main__":
    main()
