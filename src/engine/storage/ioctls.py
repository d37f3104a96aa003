"""The few ioctl(2) requests that the kernel lets no container make, on the machine's own disks and the file systems on them."""
import errno
import fcntl
import os
import stat

from caller import own_loop
from kernel import BLKBSZSET, BLKFLSBUF

# The size of what each is given.
IOCTLS = {0x40086610: 8, 0x4010586E: 16, 0xC0185879: 24, BLKFLSBUF: 0, BLKBSZSET: 4}  # EXT4_RESIZE_FS, XFS_GROWFSDATA, FITRIM


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
