"""Works on the file system in a raw file that somebody else filled, without trusting it.

    sandbox.py FILE POINT extract COMMAND...   runs a command of the host that may write below POINT and nowhere else
    sandbox.py FILE POINT setup RECIPES CERTIFICATES SCRIPT ARG...
                                               runs RECIPES/SCRIPT with the file system's own tools, it being all they see
    sandbox.py FILE POINT fit RECIPES CERTIFICATES
                                               changes its files as fit.py does, running nothing of it

Started as the init of mount, process, IPC and host name namespaces of its own. The file is mounted in there, at POINT, so that no
other process of the host ever has the mount and it cannot outlive this one. Invariant: nothing on the host is written outside the
file system, whatever links or names it has: `extract` makes all other mounts read-only, and `setup` and `fit` have no other mount left. Each
gives up first what would undo that: mounting, making devices, opening files by handle, other processes' memory, network settings.
"""

import ctypes
import os
import signal
import stat
import subprocess
import sys
import traceback  # noqa: F401. What tells of an error is not to be looked for in somebody's file system.

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import fit as fitting

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1, 2, 4, 8, 4096
AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MNT_DETACH = -100, 0x8000, 1, 2
CLONE_NEWNS = 0x20000
SYS_MOUNT_SETATTR = 442
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
# CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETFCAP: what installing packages takes.
KEPT = {0, 1, 3, 4, 5, 6, 7, 31}
MKNOD = 27
CAPABILITY_VERSION_3 = 0x20080522


def check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def mount(kind, point, flags, source=None):
    source = (source or kind).encode()
    check(libc.mount(source, point.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), None), point)


def set_read_only(path, on):
    flag, none = MOUNT_ATTR_RDONLY, 0
    attributes = (ctypes.c_uint64 * 4)(flag if on else none, none if on else flag, 0, 0)
    flags = AT_RECURSIVE if on else 0
    check(libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), flags, ctypes.byref(attributes), 32), path)


def give_up_rights(kept):
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        if capability not in kept:
            check(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "capability %d" % capability)
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def keep_rights(kept):
    """For what is not followed by another program, which alone loses by `give_up_rights`."""
    mask = sum(1 << capability for capability in kept)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, 0, 0, 0, 0)), "capabilities")


def extract(point, *command):
    # Of the mounts as they are here one is written through: the loop device's file lies on it.
    check(libc.unshare(CLONE_NEWNS), "mount namespace")
    set_read_only("/", True)
    set_read_only(point, False)
    # Device nodes in the archive are made, on a mount where they mean nothing; `setup` removes them.
    give_up_rights(KEPT | {MKNOD})
    os.execvp(command[0], command)


def read_folder(folder):
    found = {}
    for directory, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = file.read()
    return found


def remove_devices(directory):
    with os.scandir(directory) as entries:
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                remove_devices(entry.path)
            elif stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
                os.unlink(entry.path)


def enter(point):
    check(libc.unshare(CLONE_NEWNS), "mount namespace")
    os.chdir(point)
    check(libc.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    # The old root now lies over the new one; when it is gone the new one is all there is.
    check(libc.umount2(b".", MNT_DETACH), "old root")
    os.chdir("/")


def lend_resolver(nameservers):
    os.makedirs("/run/lent")
    with open("/run/lent/resolv.conf", "w") as file:
        file.write(nameservers)
    # Often a link to what systemd-resolved writes below /run, which is ours here and gone afterwards.
    path = os.path.realpath("/etc/resolv.conf")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "a").close()
    mount(None, path, MS_BIND, "/run/lent/resolv.conf")


def setup(point, recipes, certificates, script, *arguments):
    files = read_folder(recipes)
    files.update({os.path.join("certificates", name): content for name, content in read_folder(certificates).items()})
    with open("/etc/resolv.conf") as file:
        nameservers = file.read()
    enter(point)
    remove_devices("/")
    for directory in ("/proc", "/dev", "/run", "/tmp"):
        os.makedirs(directory, exist_ok=True)
    # Read-only: root may write the kernel's settings even without any right.
    mount("proc", "/proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", "/dev", MS_NOSUID | MS_NOEXEC)
    mount("tmpfs", "/run", MS_NOSUID | MS_NODEV)
    mount("tmpfs", "/tmp", MS_NOSUID | MS_NODEV)
    os.chmod("/tmp", 0o1777)
    os.umask(0)
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod("/dev/" + name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
    os.symlink("/proc/self/fd", "/dev/fd")
    os.umask(0o022)
    lend_resolver(nameservers)
    for name, content in files.items():
        path = os.path.join("/run/setup", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    give_up_rights(KEPT)
    kept = {name: value for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy", "no_proxy")}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **kept}
    os.execve("/bin/sh", ["sh", "/run/setup/" + script, *arguments], environment)


def fit(point, recipes, certificates):
    files = {name: content.decode("latin-1") for name, content in read_folder(recipes).items()}
    trusted = {name: content.decode("latin-1") for name, content in read_folder(certificates).items()}
    second_groups = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    enter(point)
    os.umask(0o022)
    keep_rights(KEPT)
    fitting.fit(files, trusted, second_groups)


def end_the_rest():
    """Whatever a command left running holds the file system too."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        pass


def main(file, point, verb, *arguments):
    subprocess.run(["mount", "-t", "ext4", "-o", "loop,nodev,discard,noinit_itable", file, point], check=True)
    child = os.fork()
    if child == 0:
        {"extract": extract, "setup": setup, "fit": fit}[verb](point, *arguments)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    end_the_rest()
    check(libc.umount2(point.encode(), 0), point)
    return code if code >= 0 else 128 - code


sys.exit(main(*sys.argv[1:]))
