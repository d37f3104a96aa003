"""The few ioctl(2) requests that the kernel lets no container make, on the machine's own disks and the file systems on them."""
import errno
import fcntl
import os
import stat
import struct

from caller import own_loop
from kernel import BLKBSZSET, BLKFLSBUF, BLKPG, BLKRRPART
from partitions import ADD, DELETE, PER_MACHINE, RESIZE, SECTOR, Disk, Part, attribute, is_used, parts_of, table_of

# The size of what each is given: EXT4_RESIZE_FS, XFS_GROWFSDATA, FITRIM; of struct blkpg_ioctl_arg.
IOCTLS = {0x40086610: 8, 0x4010586E: 16, 0xC0185879: 24, BLKFLSBUF: 0, BLKBSZSET: 4, BLKRRPART: 0, BLKPG: 24}
OF_DEVICES, OF_PARTITIONS = (BLKFLSBUF, BLKBSZSET, BLKRRPART, BLKPG), (BLKRRPART, BLKPG)


def do_ioctl(caller, home, args):
    request = args[1] & 0xFFFFFFFF
    if request not in IOCTLS:
        return None
    if not caller.is_root():
        return errno.EACCES if request in OF_PARTITIONS else errno.EPERM
    descriptor = caller.descriptor(args[0] & 0xFFFFFFFF)
    try:
        status = os.fstat(descriptor)
        block = stat.S_ISBLK(status.st_mode)
        if block != (request in OF_DEVICES):
            return None
        device = status.st_rdev if block else status.st_dev
        loop = own_loop(caller, device)
        if loop is None:
            return None
        try:
            size = IOCTLS[request]
            words = caller.words(args[2], size) if size else bytearray(8)
            if request in OF_PARTITIONS:
                return do_partitions(caller, os.minor(device), request, words)
            fcntl.ioctl(descriptor, request, words, True)
            if size == 24:
                os.pwrite(caller.memory, bytes(words), args[2])
        finally:
            os.close(loop)
        return 0
    finally:
        os.close(descriptor)


def do_partitions(caller, whole, request, words):
    """Only a whole disk has any: no partition, and no root, which is shown as one."""
    if whole % PER_MACHINE == 0 or attribute(whole, 'loop/backing_file').startswith('/dev/'):
        return errno.EINVAL
    disk = Disk(caller.views, caller.machine, whole, caller.init)
    if request == BLKRRPART:
        if any(map(is_used, parts_of(whole))):
            return errno.EBUSY
        disk.settle(table_of(whole))
        return 0
    operation, _, _, address = struct.unpack('<iii4xQ', words)
    if operation not in (ADD, DELETE, RESIZE):
        return errno.EINVAL
    # struct blkpg_partition, in bytes; the names in it mean nothing to the kernel either.
    start, size, number = struct.unpack('<qqi', caller.words(address, 20))
    if number <= 0 or number > 128 or (operation != DELETE and (start < 0 or size <= 0 or start % SECTOR or size % SECTOR)):
        return errno.EINVAL
    disk.change(operation, Part(number, start // SECTOR, size // SECTOR))
    return 0
