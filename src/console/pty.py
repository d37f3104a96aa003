"""Runs a program on a terminal of its own. Input comes on standard input, output goes to standard output; each line on file
descriptor 3, "COLUMNS ROWS", is a new size. Ends when the program or the input ends; then nothing of the program is left.

usage: pty.py COLUMNS ROWS PROGRAM ARGUMENT..."""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def resize(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def relay(master):
    """A program may read and write in whatever order it likes: while it does not read, its output is taken all the same."""
    os.set_blocking(master, False)
    sources, sizes, typed = {0, 3, master}, b'', b''
    while True:
        # What is typed waits where it came from until the program has taken what was typed before.
        reading = sources - {0} if typed else sources
        ready, writable, _ = select.select(reading, [master] if typed else [], [])
        if master in ready:
            try:
                data = os.read(master, 65536)
            except BlockingIOError:
                continue
            except OSError:  # The other side is closed: Linux answers EIO.
                return
            if not data:
                return
            write_all(1, data)
        if writable:
            try:
                typed = typed[os.write(master, typed[:4096]):]
            except BlockingIOError:
                pass
            except OSError:
                return
        if 0 in ready:
            typed = os.read(0, 65536)
            if not typed:
                return
        if 3 in ready:
            data = os.read(3, 4096)
            if not data:
                sources.remove(3)
            *lines, sizes = (sizes + data).split(b'\n')
            for line in lines:
                columns, rows = line.split()
                resize(master, int(columns), int(rows))


def main():
    columns, rows, *command = sys.argv[1:]
    child, master = pty.fork()
    if child == 0:
        os.close(3)
        resize(0, int(columns), int(rows))  # Before the program can ask.
        os.execvp(command[0], command)
    try:
        relay(master)
    finally:
        os.close(master)  # Hangs the program up.
        try:
            os.killpg(child, signal.SIGHUP)
        except ProcessLookupError:
            pass
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xff)


main()
