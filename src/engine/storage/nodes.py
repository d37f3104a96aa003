"""How a partition appears in its machine: a node in /dev, at once as on any Linux, and an entry in what the machine sees of block devices.

Invariant: the node is made here, where the machine has no hand in it, and put into the machine's /dev as a mount; whatever is in the way
there is the machine's own matter. The entries' form is src/engine/incus/view.ts's.
"""
import ctypes
import errno
import os
import stat

from kernel import *
from mounts import apart

COPIED = ('alignment_offset', 'discard_alignment', 'inflight', 'stat', 'ro')
GROUP = 6  # disk


def read(views, path):
    with os.fdopen(os.open(path, os.O_RDONLY | O_CLOEXEC, dir_fd=views)) as file:
        return file.read()


def write(views, path, text):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | O_CLOEXEC, 0o644, dir_fd=views), 'w') as file:
        file.write(text)


def link(views, path, target):
    unlink(views, path)
    if target:
        os.symlink(target, path, dir_fd=views)


def unlink(views, path):
    try:
        os.unlink(path, dir_fd=views)
    except FileNotFoundError:
        pass


def make(views, path):
    try:
        os.mkdir(path, 0o755, dir_fd=views)
    except FileExistsError:
        pass


def show(views, machine, whole, there, gone=False):
    """Its name in the machine; None where the machine is not shown the disk."""
    try:
        disk = os.path.basename(os.readlink(f'{machine}/dev/7:{whole}', dir_fd=views))
    except FileNotFoundError:
        return None
    number, start, length = there.part
    name = f'{disk}{"p" if disk[-1].isdigit() else ""}{number}'
    at = f'{machine}/block/{disk}/{name}'
    link(views, f'{machine}/class/{name}', None if gone else f'../../block/{disk}/{name}')
    link(views, f'{machine}/dev/7:{there.device}', None if gone else f'../../block/{disk}/{name}')
    others = [line for line in read(views, f'{machine}/partitions').splitlines() if not line.endswith(f' {name}')]
    if gone:
        remove(views, at)
    else:
        others.append(f'{7:4} {there.device:8} {length // 2:10} {name}')
        make(views, at)
        make(views, f'{at}/holders')
        for attribute in COPIED:
            write(views, f'{at}/{attribute}', read(views, f'{machine}/block/{disk}/{attribute}'))
        facts = {'dev': f'7:{there.device}', 'size': length, 'start': start, 'partition': number,
                 'uevent': f'MAJOR=7\nMINOR={there.device}\nDEVNAME={name}\nDEVTYPE=partition\nPARTN={number}'}
        for attribute, value in facts.items():
            write(views, f'{at}/{attribute}', f'{value}\n')
    # In place: it is a mount of this very file that the machine has.
    write(views, f'{machine}/partitions', '\n'.join(others) + '\n')
    return name


def remove(views, at):
    try:
        directory = os.open(at, os.O_RDONLY | os.O_DIRECTORY | O_CLOEXEC, dir_fd=views)
    except FileNotFoundError:
        return
    for name in os.listdir(directory):
        if name == 'holders':
            os.rmdir(name, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)
    os.close(directory)
    os.rmdir(at, dir_fd=views)


def shown(views, machine):
    """All partitions that the machine is shown but its root, by name, and the numbers of their devices."""
    found = {}
    try:
        directory = os.open(f'{machine}/dev', os.O_RDONLY | os.O_DIRECTORY | O_CLOEXEC, dir_fd=views)
    except FileNotFoundError:
        return found
    try:
        for entry in os.listdir(directory):
            path = os.readlink(entry, dir_fd=directory).split('/')
            if len(path) == 5 and entry.startswith('7:') and path[-1] != 'xvda1':
                found[path[-1]] = int(entry[2:])
    finally:
        os.close(directory)
    return found


def in_machine(init, act):
    """In a child that is in the machine's /dev, with what `act(directory, first)` makes there being the machine's root's."""
    def work():
        with open(f'/proc/{init}/uid_map') as users:
            first = int(users.read().split()[1])
        node = act(None, first)
        space, root = os.open(f'/proc/{init}/ns/mnt', os.O_RDONLY | O_CLOEXEC), os.open(f'/proc/{init}/root', os.O_PATH | O_CLOEXEC)
        call(SETNS, space, NEWNS)
        os.fchdir(root)
        os.chroot('.')
        os.chdir('/dev')
        libc.setfsgid(first)
        libc.setfsuid(first)
        act(node, first)
    code = apart(work)
    if code:
        say('node:', os.strerror(code))


def place(init, name, device):
    def act(node, first):
        if node is None:
            jail = f'/jail/{os.getpid()}'
            os.mkdir(jail)
            os.mknod(f'{jail}/node', 0o600 | stat.S_IFBLK, os.makedev(7, device))
            os.chown(f'{jail}/node', first, first + GROUP)
            os.chmod(f'{jail}/node', 0o660)
            return call(OPEN_TREE, -100, f'{jail}/node'.encode(), 1 | O_CLOEXEC)
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | O_CLOEXEC, 0o600))
        except FileExistsError:
            status = os.lstat(name)
            if stat.S_ISBLK(status.st_mode) and status.st_rdev == os.makedev(7, device):
                return
        target = os.open(name, os.O_PATH | os.O_NOFOLLOW | O_CLOEXEC)
        call(MOVE_MOUNT, node, b'', target, b'', 0x4 | 0x40)
    in_machine(init, act)


def take(init, name):
    def act(node, first):
        if node is None:
            return 0
        while libc.umount2(name.encode(), DETACH | UMOUNT_NOFOLLOW) == 0:
            pass
        try:
            if stat.S_ISREG(os.lstat(name).st_mode):
                os.unlink(name)
        except FileNotFoundError:
            pass
    in_machine(init, act)
