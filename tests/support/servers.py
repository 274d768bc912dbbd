"""A prefork server whose workers tell each client who served it.

    servers.py HOST PORT WORKERS    until its standard input ends

Prints "ready". A worker answers "PID NAME", and closes once its client has; so nobody is there for long.
"""

import os
import signal
import socket
import sys


def work(server):
    told = f"{os.getpid()} python-{os.getpid() % 7}"
    with open("/proc/self/comm", "w") as comm:
        comm.write(told.split()[1])
    while True:
        connection, _ = server.accept()
        connection.sendall(told.encode())
        connection.close()


def main():
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host, port))
    server.listen(128)
    workers = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            work(server)
        workers.append(pid)
    print("ready", flush=True)
    sys.stdin.read()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
