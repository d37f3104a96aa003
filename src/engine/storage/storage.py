"""The storage helper: does on the host what root inside a machine may do with its own disks, and the kernel lets no container do.

A machine's seccomp filter hands mount(2) and a few ioctl(2)s to its monitor, and the monitor hands them to this process over a unix
socket (lxc.container.conf(5), lxc.seccomp.notify.proxy). Everything in such a message but the monitor's own part is hostile.

Invariants:
- Only a loop device whose tag (set by the host's root at binding) names the caller's machine is ever touched. The device is held open
  from the check to the end, so that it can't become another meanwhile.
- Only a caller with CAP_SYS_ADMIN in its machine's own user namespace is served; one in a namespace that it made itself is not.
- Guest paths are resolved inside the guest's mount namespace and root, never here; this process's own root is an empty tmpfs.
- Every mount is nodev and has the machine's user ids. Options come from a list.
- What is not served goes on in the kernel as if nobody had looked, with the rights of an unprivileged container.

Each machine's monitor has a process of its own here, so that one that hangs or dies is its own machine's matter; the socket is held by one
that does nothing else. kernel.py, caller.py, mounts.py, ioctls.py, partitions.py, table.py and nodes.py are its parts. Of the host it holds one
directory, of what machines see of block devices.
Usage: storage.py SOCKET VIEWS LOCK
"""
import array
import ctypes
import errno
import fcntl
import os
import signal
import socket
import stat
import struct
import sys
import time

# An isolated Python (-I) looks for modules nowhere else, and leaves nothing beside them.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from caller import *
from ioctls import *
from kernel import *
from mounts import *
from nodes import place, shown

booted = None
# In seconds. A monitor waits for 30, and then says ENOSYS itself: what came later it would take for the answer to its next call
# (LXC's seccomp_notify_handler).
LATE = 25


def answer(message, descriptors, home, views=None):
    """The reply to one message of a monitor: seccomp_notify_proxy_msg, seccomp_notif, seccomp_notif_resp, cookie."""
    _, _, init, notif_size, resp_size, _, _, cookie_size = struct.unpack_from('QiiHHHHQ', message, 0)
    notice, _, _, number, arch, _, *args = struct.unpack_from('QIIiIQ6Q', message, 32)
    start = 32 + notif_size + resp_size
    machine = message[start:start + cookie_size].split(b'\0')[0].decode()
    result = None
    try:
        work = {NR_MOUNT: do_mount, NR_IOCTL: do_ioctl}.get(number) if arch == AUDIT_ARCH and machine else None
        if work:
            result = work(caller_of(machine, init, descriptors, views), home, args)
    except OSError as error:
        result = error.errno or errno.EIO
    except Exception as error:
        say(machine, 'failed:', repr(error))
        result = errno.EIO
    reply = struct.pack('QqiI', notice, 0, -result if result else 0, 1 if result is None else 0)
    return message[:32 + notif_size] + reply


def caller_of(machine, init, descriptors, views):
    """The first call of a machine's init comes before anything in it looks for a partition: they get their nodes now."""
    global booted
    if views is not None and booted != init:
        booted = init
        for name, device in shown(views, machine).items():
            place(init, name, device)
    return Caller(machine, init, descriptors[0], descriptors[1], views)


def serve(connection, home, views):
    while True:
        message, ancillary, _, _ = connection.recvmsg(8192, socket.CMSG_SPACE(16))
        if not message:
            return
        descriptors = array.array('i')
        for _, _, data in ancillary:
            descriptors.frombytes(data[:len(data) // 4 * 4])
        began = time.monotonic()
        try:
            reply = answer(message, descriptors, home, views)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if time.monotonic() - began > LATE:
            return say('too late for an answer: the monitor is to make a new connection')
        connection.send(reply)


def leave_host():
    """A root of our own: an empty tmpfs that takes device nodes, and /proc. Nothing of the host's file systems is held or reached."""
    call(UNSHARE, NEWNS)
    base = b'/run'
    for source, point, kind, flags in ((None, b'/', None, 0x40000 | 0x4000), (b'storage', base, b'tmpfs', NOSUID | NOEXEC)):
        if libc.mount(source, point, kind, flags, b'mode=0700'):
            raise OSError(ctypes.get_errno(), 'mount ' + point.decode())
    for name in (b'/run/proc', b'/run/sys', b'/run/jail', b'/run/dev', b'/run/old'):
        os.mkdir(name)
    os.mknod('/run/dev/loop-control', 0o600 | stat.S_IFCHR, os.makedev(10, 237))
    for name, flags in ((b'/proc', BIND | 0x4000), (b'/sys', BIND)):
        if libc.mount(name, b'/run' + name, None, flags, None):
            raise OSError(ctypes.get_errno(), 'mount ' + name.decode())
    call(PIVOT_ROOT, base, b'/run/old')
    os.chdir('/')
    if libc.umount2(b'/old', DETACH):
        raise OSError(ctypes.get_errno(), 'umount')
    os.rmdir('/old')


def accept_all(listener, lock, views):
    """A process for each machine's monitor. It ends with the one that holds the socket; those that serve a machine go on."""
    os.close(lock)
    if libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0) or os.getppid() == 1:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            libc.prctl(PDEATHSIG, 0, 0, 0, 0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            try:
                serve(connection, os.open('/proc/self/ns/mnt', os.O_RDONLY | O_CLOEXEC), views)
            except Exception as error:
                say('gave up:', repr(error))
            os._exit(0)
        connection.close()


def hold(listener, lock, views):
    """Nothing of a guest reaches this process: the socket outlives whoever serves it.

    A monitor that has lost its connection makes a new one in its next call. One that finds nobody there gives up: it then serves nothing that
    Incus begins in its machine until a mount of the guest's own finds the socket again.
    """
    while True:
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            accept_all(listener, lock, views)
            os._exit(0)
        os.waitpid(child, 0)
        say('begun anew')
        if time.monotonic() - began < 1:
            time.sleep(0.1)


def main(path, views_path, lock_path):
    lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit('another one runs already')
    os.ftruncate(lock, 0)
    os.write(lock, b'%d' % os.getpid())
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    fresh = f'{path}.new'
    if os.path.exists(fresh):
        os.unlink(fresh)
    os.umask(0o077)
    listener.bind(fresh)
    os.umask(0o022)  # What machines are shown is read by their users.
    listener.listen(1024)
    os.rename(fresh, path)
    views = os.open(views_path, os.O_PATH | os.O_DIRECTORY | O_CLOEXEC)
    leave_host()
    say('ready')
    hold(listener, lock, views)


if __name__ == '__main__':
    main(*sys.argv[1:])
