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

Each machine's monitor has a process of its own here, so that one that hangs or dies is its own machine's matter.
Usage: storage.py SOCKET LOCK
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

libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == 'aarch64'
AUDIT_ARCH = 0xC00000B7 if ARM else 0xC000003E
NR_MOUNT, NR_IOCTL = (40, 29) if ARM else (165, 16)
MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, PIDFD_OPEN, OPENAT2, PIDFD_GETFD, MOUNT_SETATTR = 429, 430, 431, 432, 433, 434, 437, 438, 442
SETNS, UNSHARE, PIVOT_ROOT = (268, 97, 41) if ARM else (308, 272, 155)
NEWNS, DETACH = 0x20000, 2
AT_EMPTY_PATH = 0x1000
O_CLOEXEC = os.O_CLOEXEC
# mount(2)
RDONLY, NOSUID, NODEV, NOEXEC, SYNC, REMOUNT, DIRSYNC, NOATIME, NODIRATIME, BIND = 1, 2, 4, 8, 16, 32, 128, 1024, 2048, 4096
MOVE, PROPAGATION, RELATIME, STRICTATIME, LAZYTIME, MAGIC, MAGIC_MASK = 8192, 0x1E0000, 1 << 21, 1 << 24, 1 << 25, 0xC0ED0000, 0xFFFF0000
# mount_setattr(2)
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC, ATTR_ATIME, ATTR_NOATIME, ATTR_STRICTATIME = 1, 2, 4, 8, 0x70, 0x10, 0x20
ATTR_NODIRATIME, ATTR_IDMAP = 0x80, 0x100000
# linux/loop.h, linux/fs.h and the file systems' own
LOOP_GET_STATUS64 = 0x4C05
BLKFLSBUF, BLKBSZSET = 0x1261, 0x40081271
IOCTLS = {0x40086610: 8, 0x4010586E: 16, 0xC0185879: 24, BLKFLSBUF: 0, BLKBSZSET: 4}  # EXT4_RESIZE_FS, XFS_GROWFSDATA, FITRIM …
EXT, XFS = (b'ext4', b'ext3', b'ext2'), b'xfs'
XFS_MAGIC = 0x58465342
COMMON = {b'discard', b'nodiscard', b'quota', b'noquota', b'usrquota', b'grpquota', b'prjquota'}
OPTIONS = {
    XFS: COMMON | {b'attr2', b'inode32', b'inode64', b'largeio', b'nolargeio', b'nouuid', b'norecovery', b'logbufs', b'logbsize',
                   b'allocsize', b'noalign', b'swalloc', b'sunit', b'swidth', b'wsync', b'filestreams', b'ikeep', b'noikeep', b'uquota',
                   b'gquota', b'pquota', b'uqnoenforce', b'gqnoenforce', b'pqnoenforce', b'lifetime'},
    EXT: COMMON | {b'data', b'commit', b'errors', b'barrier', b'nobarrier', b'noload', b'norecovery', b'acl', b'noacl', b'user_xattr',
                   b'nouser_xattr', b'delalloc', b'nodelalloc', b'auto_da_alloc', b'noauto_da_alloc', b'stripe', b'resuid', b'resgid',
                   b'grpid', b'nogrpid', b'bsdgroups', b'sysvgroups', b'minixdf', b'bsddf', b'init_itable', b'noinit_itable',
                   b'journal_checksum', b'nojournal_checksum', b'journal_async_commit', b'dioread_lock', b'dioread_nolock',
                   b'max_batch_time', b'min_batch_time', b'journal_ioprio', b'i_version', b'block_validity', b'noblock_validity'},
}
SECONDS = 60
PATH_BYTES, OPTION_BYTES = 4096, 4096


class Attr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ('set', 'clear', 'propagation', 'userns')]


class How(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ('flags', 'mode', 'resolve')]


class Refused(OSError):
    pass


def refuse(number):
    return Refused(number, os.strerror(number))


def call(number, *args):
    """A system call; bytes, None and structures are given by address."""
    def word(value):
        if isinstance(value, ctypes.Structure):
            return ctypes.byref(value)
        return ctypes.c_char_p(value) if value is None or isinstance(value, bytes) else ctypes.c_long(value)
    result = libc.syscall(ctypes.c_long(number), *map(word, args))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def say(*words):
    print(*words, file=sys.stderr, flush=True)


class Caller:
    """Who asks: the directory of its process, opened by the monitor while the call was known to be waiting, and its memory."""

    def __init__(self, machine, init, proc, memory):
        self.machine, self.init, self.proc, self.memory = machine, init, proc, memory

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


def attributes(flags):
    atime = ATTR_NOATIME if flags & NOATIME else ATTR_STRICTATIME if flags & STRICTATIME else 0
    pairs = ((RDONLY, ATTR_RDONLY), (NOSUID, ATTR_NOSUID), (NOEXEC, ATTR_NOEXEC), (NODIRATIME, ATTR_NODIRATIME))
    return sum(attr for flag, attr in pairs if flags & flag) | atime | ATTR_NODEV


def options_of(kind, data):
    """What the file system is told: the guest's options, as far as they concern nobody else, after ours."""
    allowed = OPTIONS[XFS if kind == XFS else EXT]
    # `idmapped` is what the kernel shows of our own doing; whoever remounts gives back all that is shown.
    given = [option.partition(b'=')[::2] for option in data.split(b',') if option not in (b'', b'idmapped', b'defaults')]
    for name, value in given:
        if name not in allowed or (name == b'errors' and value == b'panic'):
            raise refuse(errno.EINVAL)
    # One kernel holds all machines' file systems, and copies of a volume have one UUID. A superblock may ask the kernel to panic.
    ours = [(b'nouuid', b'')] if kind == XFS else [(b'errors', b'remount-ro')]
    return ours + [option for option in given if option != (b'nouuid', b'')]


def check_superblock(loop):
    """An ext file system may name another device as its journal, which the kernel would open."""
    block = os.pread(loop, 1024, 1024)
    if len(block) < 1024 or block[56:58] != b'\x53\xef':
        return
    if struct.unpack_from('<I', block, 0xE4)[0] or b'journal' in block[0x200:0x240]:
        raise refuse(errno.EINVAL)


def configure(fs, command, name=None, value=None):
    call(FSCONFIG, fs, command, name, value, 0)


def super_flags(fs, flags):
    for flag, name in ((RDONLY, b'ro'), (SYNC, b'sync'), (DIRSYNC, b'dirsync'), (LAZYTIME, b'lazytime')):
        if flags & flag:
            configure(fs, 0, name)


def make_mount(kind, source, device, flags, data):
    """The file system as a mount that is nowhere yet. Its source is shown under the name the guest typed: a node in a root of its own."""
    jail = b'/jail/%d' % os.getpid()
    path = os.path.normpath(b'/' + source.lstrip(b'/'))
    os.makedirs(jail + os.path.dirname(path))
    os.mknod(jail + path, 0o600 | stat.S_IFBLK, device)
    os.chroot(jail)
    os.chdir('/')
    fs = call(FSOPEN, kind, 1)
    configure(fs, 1, b'source', path)
    super_flags(fs, flags)
    for name, value in options_of(kind, data):
        configure(fs, 1 if value else 0, name, value or None)
    configure(fs, 6)
    return call(FSMOUNT, fs, 1, 0)


def mount_new(caller, home, kind, source, target, flags, data):
    node, point = in_guest(caller, home, [source, target])
    status = os.fstat(node)
    if not stat.S_ISBLK(status.st_mode):
        raise refuse(errno.ENOTBLK)
    loop = own_loop(caller, status.st_rdev)
    if loop is None:
        say(caller.machine, 'mount of a foreign device refused:', os.major(status.st_rdev), os.minor(status.st_rdev))
        raise refuse(errno.EPERM)
    if kind in EXT:
        check_superblock(loop)
    users = caller.user_namespace()
    made = make_mount(kind, source, status.st_rdev, flags, data)
    attr = Attr(ATTR_IDMAP | attributes(flags), ATTR_ATIME if flags & (NOATIME | STRICTATIME) else 0, 0, users)
    call(MOUNT_SETATTR, made, b'', AT_EMPTY_PATH, attr, ctypes.sizeof(attr))
    space = caller.open('ns/mnt', os.O_RDONLY)
    call(SETNS, space, NEWNS)
    call(MOVE_MOUNT, made, b'', point, b'', 0x4 | 0x40)


def remount(caller, home, target, flags, data):
    """False where the file system is not on one of the machine's disks."""
    point, = in_guest(caller, home, [target])
    loop = own_loop(caller, os.fstat(point).st_dev)
    if loop is None:
        return False
    words = ctypes.create_string_buffer(256)
    if libc.fstatfs(point, words):
        raise OSError(ctypes.get_errno(), 'fstatfs')
    kind = XFS if struct.unpack_from('q', words)[0] == XFS_MAGIC else b'ext4'
    fs = call(FSPICK, point, b'', 8)
    configure(fs, 0, b'ro' if flags & RDONLY else b'rw')
    for name, value in options_of(kind, data):
        configure(fs, 1 if value else 0, name, value or None)
    configure(fs, 7)
    space = caller.open('ns/mnt', os.O_RDONLY)
    call(SETNS, space, NEWNS)
    attr = Attr(attributes(flags), ATTR_RDONLY & ~attributes(flags), 0, 0)
    call(MOUNT_SETATTR, point, b'', AT_EMPTY_PATH, attr, ctypes.sizeof(attr))
    return True


def apart(work):
    """In a child, which may change its root and namespace, and is killed if the guest makes it wait. Its errno; None for `work` is False."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = errno.EIO
        try:
            signal.alarm(SECONDS)
            code = -1 if work() is False else 0
        except OSError as error:
            code = error.errno or errno.EIO
        except Exception as error:
            say('failed:', repr(error))
        os.write(writer, struct.pack('i', code))
        os._exit(0)
    os.close(writer)
    answer = os.read(reader, 4)
    os.close(reader)
    os.waitpid(child, 0)
    tidy(child)
    code = struct.unpack('i', answer)[0] if answer else errno.EIO
    return None if code < 0 else code


def tidy(child):
    """The jail of a child that has ended: directories and one node, made by it alone."""
    for folder, below, files in os.walk(f'/jail/{child}', topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))
        for name in below:
            os.rmdir(os.path.join(folder, name))
    if os.path.isdir(f'/jail/{child}'):
        os.rmdir(f'/jail/{child}')


def do_mount(caller, home, args):
    flags = args[3] & 0xFFFFFFFF
    if flags & MAGIC_MASK == MAGIC:
        flags &= ~MAGIC_MASK
    if flags & (BIND | MOVE | PROPAGATION):
        return None
    if flags & REMOUNT:
        target, data = caller.string(args[1], PATH_BYTES), caller.string(args[4], OPTION_BYTES) or b''
        return apart(lambda: remount(caller, home, target or b'', flags, data)) if caller.is_root() else None
    kind = caller.string(args[2], 64)
    if kind != XFS and kind not in EXT:
        return None
    if not caller.is_root():
        return errno.EPERM
    source, target = caller.string(args[0], PATH_BYTES), caller.string(args[1], PATH_BYTES)
    if not source or not target:
        return errno.ENOENT
    data = caller.string(args[4], OPTION_BYTES) or b''
    return apart(lambda: mount_new(caller, home, kind, source, target, flags, data))


def do_ioctl(caller, home, args):
    request = args[1] & 0xFFFFFFFF
    if request not in IOCTLS:
        return None
    if not caller.is_root():
        return errno.EPERM
    descriptor = caller.descriptor(args[0] & 0xFFFFFFFF)
    try:
        status = os.fstat(descriptor)
        block = stat.S_ISBLK(status.st_mode)
        if block != (request in (BLKFLSBUF, BLKBSZSET)):
            return None
        loop = own_loop(caller, status.st_rdev if block else status.st_dev)
        if loop is None:
            return None
        try:
            size = IOCTLS[request]
            words = caller.words(args[2], size) if size else bytearray(8)
            fcntl.ioctl(descriptor, request, words, True)
            if size == 24:
                os.pwrite(caller.memory, bytes(words), args[2])
        finally:
            os.close(loop)
        return 0
    finally:
        os.close(descriptor)


def answer(message, descriptors, home):
    """The reply to one message of a monitor: seccomp_notify_proxy_msg, seccomp_notif, seccomp_notif_resp, cookie."""
    _, _, init, notif_size, resp_size, _, _, cookie_size = struct.unpack_from('QiiHHHHQ', message, 0)
    notice, _, _, number, arch, _, *args = struct.unpack_from('QIIiIQ6Q', message, 32)
    start = 32 + notif_size + resp_size
    machine = message[start:start + cookie_size].split(b'\0')[0].decode()
    result = None
    try:
        work = {NR_MOUNT: do_mount, NR_IOCTL: do_ioctl}.get(number) if arch == AUDIT_ARCH and machine else None
        if work:
            result = work(Caller(machine, init, descriptors[0], descriptors[1]), home, args)
    except OSError as error:
        result = error.errno or errno.EIO
    except Exception as error:
        say(machine, 'failed:', repr(error))
        result = errno.EIO
    reply = struct.pack('QqiI', notice, 0, -result if result else 0, 1 if result is None else 0)
    return message[:32 + notif_size] + reply


def serve(connection, home):
    while True:
        message, ancillary, _, _ = connection.recvmsg(8192, socket.CMSG_SPACE(16))
        if not message:
            return
        descriptors = array.array('i')
        for _, _, data in ancillary:
            descriptors.frombytes(data[:len(data) // 4 * 4])
        try:
            connection.send(answer(message, descriptors, home))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def leave_host():
    """A root of our own: an empty tmpfs that takes device nodes, and /proc. Nothing of the host's file systems is held or reached."""
    call(UNSHARE, NEWNS)
    base = b'/run'
    for source, point, kind, flags in ((None, b'/', None, 0x40000 | 0x4000), (b'storage', base, b'tmpfs', NOSUID | NOEXEC)):
        if libc.mount(source, point, kind, flags, b'mode=0700'):
            raise OSError(ctypes.get_errno(), 'mount ' + point.decode())
    for name in (b'/run/proc', b'/run/jail', b'/run/old'):
        os.mkdir(name)
    if libc.mount(b'/proc', b'/run/proc', None, BIND | 0x4000, None):
        raise OSError(ctypes.get_errno(), 'mount /proc')
    call(PIVOT_ROOT, base, b'/run/old')
    os.chdir('/')
    if libc.umount2(b'/old', DETACH):
        raise OSError(ctypes.get_errno(), 'umount')
    os.rmdir('/old')


def main(path, lock_path):
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
    listener.listen(1024)
    os.rename(fresh, path)
    leave_host()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say('ready')
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            os.close(lock)
            try:
                serve(connection, os.open('/proc/self/ns/mnt', os.O_RDONLY | O_CLOEXEC))
            except Exception as error:
                say('gave up:', repr(error))
            os._exit(0)
        connection.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
