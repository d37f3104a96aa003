"""Partitions of a machine's disks, which the kernel makes of no loop device here: each is a loop device of its own over the disk's.

A partition has a number of its machine's own range, and lies on the disk's device, not on its file: so it can reach nothing but its disk,
is held to the disk's limits, and keeps the disk busy while it is in use. What is there is what the kernel says of these devices, nothing else.

Usage: partitions.py VIEWS add|drop MACHINE NUMBER INIT: for the server, when a disk comes or goes. INIT is 0 while the machine is off.
"""
import errno
import fcntl
import os
import stat
import struct
import sys
from typing import NamedTuple

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from kernel import *
from nodes import place, show, take
from table import SECTOR, Part, read_table

PER_MACHINE = 64
MOST_NUMBER = 128
READ_ONLY, AUTOCLEAR, DIRECT_IO = 1, 4, 16
ADD, DELETE, RESIZE = 1, 2, 3


class There(NamedTuple):
    """A partition that is there, and the number of its loop device."""
    part: Part
    device: int


def node(device, name=None):
    """A node in a root of our own. What the kernel says of a device on top of it is this name."""
    path = f'/dev/{name or f"loop{device}"}'
    if not os.path.exists(path):
        os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(7, device))
    return path


def opened(device, flags=os.O_RDONLY):
    return os.open(node(device), flags | O_CLOEXEC)


def attribute(device, name):
    try:
        with open(f'/sys/block/loop{device}/{name}') as file:
            return file.read().rstrip('\n')
    except OSError:
        return ''


def sectors_of(device):
    return int(attribute(device, 'size') or 0)


def range_of(whole):
    """The numbers for partitions, the last of the machine's first: its disks have the lowest."""
    first = whole - whole % PER_MACHINE
    return range(first + PER_MACHINE - 1, first, -1)


def parts_of(whole):
    found = []
    for device in range_of(whole):
        name = attribute(device, 'loop/backing_file').removesuffix(' (deleted)')
        number = name.removeprefix(f'/dev/loop{whole}p')
        if number != name and number.isdigit() and sectors_of(device):
            offset, limit = int(attribute(device, 'loop/offset')), int(attribute(device, 'loop/sizelimit'))
            found.append(There(Part(int(number), offset // SECTOR, limit // SECTOR), device))
    return sorted(found)


def table_of(whole):
    disk = opened(whole)
    try:
        return read_table(lambda sector, count: os.pread(disk, count * SECTOR, sector * SECTOR), sectors_of(whole))
    finally:
        os.close(disk)


def info(part, flags, tag):
    """struct loop_info64"""
    return struct.pack('<24xQQ12xI64s112x', part.start * SECTOR, part.length * SECTOR, flags, tag)


def tag_of(device):
    loop = opened(device)
    try:
        return bytes(fcntl.ioctl(loop, LOOP_GET_STATUS64, bytes(232)))[56:120]
    finally:
        os.close(loop)


def bind(whole, part):
    """A loop device for it, of the first number that nothing has."""
    read_only = attribute(whole, 'ro') == '1'
    mode = os.O_RDONLY if read_only else os.O_RDWR
    control = os.open('/dev/loop-control', os.O_RDWR | O_CLOEXEC)
    below = os.open(node(whole, f'loop{whole}p{part.number}'), mode | O_CLOEXEC)
    try:
        for device in range_of(whole):
            try:
                fcntl.ioctl(control, LOOP_CTL_ADD, device)
            except FileExistsError:
                continue
            loop = opened(device, mode)
            try:
                config = struct.pack('<II', below, 0) + info(part, DIRECT_IO | (READ_ONLY if read_only else 0), tag_of(whole)) + bytes(64)
                fcntl.ioctl(loop, LOOP_CONFIGURE, config)
            finally:
                os.close(loop)
            return There(part, device)
        raise refuse(errno.ENOSPC)
    finally:
        os.close(below)
        os.close(control)


def is_used(there):
    """Whether it is mounted."""
    try:
        os.close(opened(there.device, os.O_EXCL))
        return False
    except OSError as error:
        return error.errno == errno.EBUSY


def release(there):
    """It goes at once, or with whoever still has it open."""
    loop, control = opened(there.device), os.open('/dev/loop-control', os.O_RDWR | O_CLOEXEC)
    try:
        fcntl.ioctl(loop, LOOP_CLR_FD, 0)
    finally:
        os.close(loop)
    try:
        fcntl.ioctl(control, LOOP_CTL_REMOVE, there.device)
    except OSError:
        pass  # The server removes what is bound to nothing.
    finally:
        os.close(control)


def resize(there, part):
    loop = opened(there.device)
    try:
        fcntl.ioctl(loop, LOOP_SET_STATUS64, info(part, DIRECT_IO, tag_of(there.device)))
    finally:
        os.close(loop)


class Disk:
    """One of a machine's disks. `views`: the directory of what machines see of block devices; `init`: the machine's, or 0."""

    def __init__(self, views, machine, whole, init):
        self.views, self.machine, self.whole, self.init = views, machine, whole, init

    def settle(self, wanted):
        """Exactly these. Nothing is changed where one that has to go is mounted."""
        there = parts_of(self.whole)
        going = [one for one in there if one.part not in wanted]
        if any(map(is_used, going)):
            raise refuse(errno.EBUSY)
        for one in going:
            self.remove(one)
        for part in wanted:
            if part not in [one.part for one in there]:
                self.add(part)

    def add(self, part):
        made = bind(self.whole, part)
        name = show(self.views, self.machine, self.whole, made)
        if name and self.init:
            place(self.init, name, made.device)

    def remove(self, one):
        name = show(self.views, self.machine, self.whole, one, gone=True)
        if name and self.init:
            take(self.init, name)
        release(one)

    def change(self, operation, part):
        """BLKPG, as the kernel does it (block/ioctl.c, block/partitions/core.c)."""
        there = parts_of(self.whole)
        found = next((one for one in there if one.part.number == part.number), None)
        meets = any(one is not found and one.part.start < part.start + part.length and part.start < one.part.start + one.part.length for one in there)
        if operation == DELETE:
            if not found:
                raise refuse(errno.ENXIO)
            if is_used(found):
                raise refuse(errno.EBUSY)
            return self.remove(found)
        if part.start + part.length > sectors_of(self.whole) or part.length == 0:
            raise refuse(errno.EINVAL)
        if operation == ADD:
            if found or meets:
                raise refuse(errno.EBUSY)
            return self.add(part)
        if not found:
            raise refuse(errno.ENXIO)
        if part.start != found.part.start:
            raise refuse(errno.EINVAL)
        if meets:
            raise refuse(errno.EBUSY)
        resize(found, part)
        show(self.views, self.machine, self.whole, There(part, found.device))


def main(views, command, machine, number, init):
    from storage import leave_host
    directory = os.open(views, os.O_PATH | os.O_DIRECTORY | O_CLOEXEC)
    leave_host()
    disk = Disk(directory, machine, int(number), int(init))
    if command == 'add':
        return disk.settle(table_of(disk.whole))
    for one in parts_of(disk.whole):
        disk.remove(one)


if __name__ == '__main__':
    main(*sys.argv[1:])
