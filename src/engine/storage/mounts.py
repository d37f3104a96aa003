"""mount(2) for guests: ext2, ext3, ext4 and XFS on the machine's own disks.

Invariant: every mount is nodev and has the machine's user ids; options come from a list; each is made by a child with a minute to live.
"""
import ctypes
import errno
import os
import signal
import stat
import struct

from caller import in_guest, own_loop
from kernel import *

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
            tidy(os.getpid())  # What an earlier process of this number left when it was killed.
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
