"""The kernel's numbers and structures that Python does not know, and its calls by number."""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
ARM = os.uname().machine == 'aarch64'
AUDIT_ARCH = 0xC00000B7 if ARM else 0xC000003E
NR_MOUNT, NR_IOCTL = (40, 29) if ARM else (165, 16)
OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK = 428, 429, 430, 431, 432, 433
PIDFD_OPEN, OPENAT2, PIDFD_GETFD, MOUNT_SETATTR = 434, 437, 438, 442
SETNS, UNSHARE, PIVOT_ROOT = (268, 97, 41) if ARM else (308, 272, 155)
NEWNS, DETACH, UMOUNT_NOFOLLOW, PDEATHSIG = 0x20000, 2, 8, 1
AT_EMPTY_PATH = 0x1000
O_CLOEXEC = os.O_CLOEXEC
# mount(2)
RDONLY, NOSUID, NODEV, NOEXEC, SYNC, REMOUNT, DIRSYNC, NOATIME, NODIRATIME, BIND = 1, 2, 4, 8, 16, 32, 128, 1024, 2048, 4096
MOVE, PROPAGATION, RELATIME, STRICTATIME, LAZYTIME, MAGIC, MAGIC_MASK = 8192, 0x1E0000, 1 << 21, 1 << 24, 1 << 25, 0xC0ED0000, 0xFFFF0000
# mount_setattr(2)
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC, ATTR_ATIME, ATTR_NOATIME, ATTR_STRICTATIME = 1, 2, 4, 8, 0x70, 0x10, 0x20
ATTR_NODIRATIME, ATTR_IDMAP = 0x80, 0x100000
# linux/loop.h, linux/fs.h and the file systems' own
LOOP_CLR_FD, LOOP_SET_STATUS64, LOOP_GET_STATUS64, LOOP_CONFIGURE = 0x4C01, 0x4C04, 0x4C05, 0x4C0A
LOOP_CTL_ADD, LOOP_CTL_REMOVE = 0x4C80, 0x4C81
BLKFLSBUF, BLKBSZSET, BLKRRPART, BLKPG = 0x1261, 0x40081271, 0x125F, 0x1269


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
