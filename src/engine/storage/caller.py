"""Who asks, and what is the asker's.

Invariant: everything that is read of a guest (its memory, paths, descriptors) is read through what the monitor opened of it while the
call was known to be waiting. Only a loop device whose tag names the caller's machine is ever handed out.
"""
import ctypes
import errno
import fcntl
import os
import stat

from kernel import (
    LOOP_GET_STATUS64, NEWNS, OPENAT2, O_CLOEXEC, PIDFD_GETFD, PIDFD_OPEN, SETNS, How, call, refuse)


class Caller:
    """Who asks: the directory of its process, opened by the monitor while the call was known to be waiting, and its memory."""

    def __init__(self, machine, init, proc, memory, views=None):
        self.machine, self.init, self.proc, self.memory, self.views = machine, init, proc, memory, views

    def open(self, name, flags):
        return os.open(name, flags | O_CLOEXEC, dir_fd=self.proc)

    def status(self):
        with os.fdopen(self.open('status', os.O_RDONLY)) as lines:
            return dict(line.rstrip('\n').split(':\t', 1) for line in lines if ':\t' in line)

    def user_namespace(self):
        return os.open(f'/proc/{self.init}/ns/user', os.O_RDONLY | O_CLOEXEC)

    def is_root(self):
        """CAP_SYS_ADMIN (21) counts in the machine's own user namespace alone."""
        here, there = self.open('ns/user', os.O_RDONLY), self.user_namespace()
        try:
            same = os.fstat(here)[:3] == os.fstat(there)[:3]
        finally:
            os.close(here)
            os.close(there)
        return same and bool(int(self.status()['CapEff'], 16) >> 21 & 1)

    def peek(self, size, address):
        try:
            return os.pread(self.memory, size, address)
        except (OSError, OverflowError):
            raise refuse(errno.EFAULT) from None

    def string(self, address, limit):
        """Page by page, for the next page may not be there."""
        if not address:
            return None
        text = b''
        while len(text) < limit:
            part = self.peek(min(limit - len(text), 4096 - (address + len(text)) % 4096), address + len(text))
            if not part:
                break
            text += part
            if b'\0' in part:
                return text[:text.index(b'\0')]
        raise refuse(errno.ENAMETOOLONG if len(text) >= limit else errno.EFAULT)

    def words(self, address, size):
        data = self.peek(size, address)
        if len(data) < size:
            raise refuse(errno.EFAULT)
        return bytearray(data)

    def descriptor(self, number):
        """A copy of one of its open files. The process is still the one that asked if its directory still answers afterwards."""
        pidfd = call(PIDFD_OPEN, int(self.status()['Tgid']), 0)
        try:
            self.status()
            return call(PIDFD_GETFD, pidfd, number, 0)
        finally:
            os.close(pidfd)


def own_loop(caller, device):
    """The loop device with this number, open, if it is one of the caller's machine; else None."""
    if os.major(device) != 7:
        return None
    node = f'/jail/{os.getpid()}-{os.minor(device)}'
    if os.path.exists(node):
        os.unlink(node)
    os.mknod(node, 0o600 | stat.S_IFBLK, device)
    try:
        loop = os.open(node, os.O_RDONLY | O_CLOEXEC)
    except OSError:
        return None
    finally:
        os.unlink(node)
    try:
        info = bytearray(256)
        fcntl.ioctl(loop, LOOP_GET_STATUS64, info, True)
        if bytes(info[56:120]).split(b'\0')[0].startswith(caller.machine.encode() + b'/'):
            return loop
    except OSError:
        pass
    os.close(loop)
    return None


def in_guest(caller, home, paths):
    """Opens paths as the caller would, by reference only, and comes back. `home`: this process's own mount namespace."""
    space, root, work = caller.open('ns/mnt', os.O_RDONLY), caller.open('root', os.O_PATH), caller.open('cwd', os.O_PATH)
    try:
        call(SETNS, space, NEWNS)
        os.fchdir(root)
        os.chroot('.')
        os.fchdir(work)
        how = How(os.O_PATH | O_CLOEXEC, 0, 0x02)  # RESOLVE_NO_MAGICLINKS
        return [call(OPENAT2, -100, path, how, ctypes.sizeof(how)) for path in paths]
    finally:
        call(SETNS, home, NEWNS)
        for opened in (space, root, work):
            os.close(opened)
