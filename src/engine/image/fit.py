"""Makes a Linux system that somebody brought start as an EC2 instance, as images/import/setup.sh does with those of image servers.

Invariant: it runs inside the system's own file system, seeing nothing else, and runs nothing of it: files are read and written, as many as are named
here and as long as is said here. Where the system is none that could start, it ends with UNFIT and the reason, and whoever asked throws the disk away.
"""
import os
import re
import stat
import sys

UNFIT = 3
MOST_BYTES = 4 << 20
UNITS = "/etc/systemd/system/"
MACHINES = {"x86_64": 62, "aarch64": 183}
# systemd from here on starts under control groups of the second kind alone.
NEEDS_SECOND_GROUPS = 256
BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
NETWORK_MANAGER = """[connection]
id=ens5
type=ethernet
interface-name=ens5
autoconnect-priority=1

[ipv4]
method=auto
route-metric=512
dhcp-client-id=mac

[ipv6]
method=disabled
"""


class Unfit(Exception):
    pass


def read(path, most=MOST_BYTES):
    """The text of a plain file, or ''. Whatever else has the name is not waited for."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return ""
    try:
        return os.read(file, most).decode("latin-1") if stat.S_ISREG(os.fstat(file).st_mode) else ""
    finally:
        os.close(file)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    remove(path)
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    with os.fdopen(file, "wb") as out:
        out.write(text.encode("latin-1"))


def remove(path):
    if os.path.lexists(path):
        os.unlink(path)


def link(path, target):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    remove(path)
    os.symlink(target, path)


def folder(path):
    return sorted(os.path.join(path, name) for name in os.listdir(path)) if os.path.isdir(path) else []


def enable(target, unit, at="/usr/lib/systemd/system/"):
    link(UNITS + target + ".wants/" + unit, at + unit)


def program(*names):
    """Where systemd's programs are differs."""
    return next((path for name in names for path in ("/usr/lib/systemd/" + name, "/lib/systemd/" + name) if os.path.isfile(path)), None)


def check(second_groups):
    init = program("systemd")
    if not os.path.isfile("/etc/os-release") or init is None or not os.path.isfile("/sbin/init"):
        raise Unfit("a file system without systemd")
    head = read(init, 20).encode("latin-1")
    if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != MACHINES[os.uname().machine]:
        raise Unfit("its programs are of another architecture")
    libraries = [name for path in folder("/usr/lib") + ["/usr/lib"] for name in folder(os.path.join(path, "systemd"))]
    versions = [int(found[1]) for found in (re.search(r"libsystemd-(?:shared|core)-(\d{1,4})\b", name) for name in libraries) if found]
    if versions and max(versions) >= NEEDS_SECOND_GROUPS and not second_groups:
        raise Unfit("its systemd %d wants control groups of the second kind, and this host has the first" % max(versions))


def trust(certificates):
    """Where no program of the system may be run, the bundle is written by hand; the next update finds the files."""
    for bundle in filter(os.path.isfile, BUNDLES):
        place = "/usr/local/share/ca-certificates/" if bundle.startswith("/etc/ssl") else "/etc/pki/ca-trust/source/anchors/"
        text = read(bundle)
        for name, content in certificates.items():
            write(place + name, content)
            if content.strip() not in text:
                text += content
        write(os.path.realpath(bundle), text)
        # AWS's SDKs and Node.js bring lists of their own; services don't read /etc/environment.
        names = ["NODE_EXTRA_CA_CERTS=" + bundle, "AWS_CA_BUNDLE=" + bundle]
        environment = read("/etc/environment")
        if "AWS_CA_BUNDLE=" not in environment:
            write("/etc/environment", "\n".join([environment.rstrip("\n")] * (environment != "") + names) + "\n")
        write("/etc/systemd/system.conf.d/certificates.conf", "[Manager]\nDefaultEnvironment=" + " ".join(names) + "\n")
        return


def tell_cloud_init(base):
    sources = [path + "/cloudinit/sources/" for python in folder("/usr/lib") if re.search(r"/python3[.\d]*$", python)
               for path in folder(python) if path.endswith("-packages")]
    sources = [path for path in sources if os.path.isfile(path + "DataSourceEc2.py")]
    if not sources or os.path.isfile(sources[0] + "DataSourceEc2Container.py"):
        return
    for path in sources:
        write(path + "DataSourceEc2Container.py", base["usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2Container.py"])
    remove("/etc/cloud/cloud-init.disabled")
    # Which modules run is this system's affair. The last name counts.
    settings = re.sub(r"(?ms)^cloud_\w+_modules:.*?\]$\n|^ssh_(?:genkeytypes|pwauth):.*?$\n", "", base["etc/cloud/cloud.cfg.d/90_ec2.cfg"])
    write("/etc/cloud/cloud.cfg.d/99_zz_ec2.cfg", settings)


def set_network(base):
    """ens5 by DHCP, by whichever of the three is there; netplan's files speak of an interface that instances don't have."""
    for path in folder("/etc/netplan"):
        if path.endswith(".yaml"):
            remove(path)
    networkd = program("systemd-networkd")
    if os.path.isfile("/usr/lib/systemd/system/NetworkManager.service"):
        write("/etc/NetworkManager/system-connections/ens5.nmconnection", NETWORK_MANAGER, 0o600)
    elif networkd:
        for name in [name for name in base if name.startswith("etc/systemd/network/")]:
            write("/" + name, base[name])
        waiting = "etc/systemd/system/systemd-networkd-wait-online.service.d/first.conf"
        write("/" + waiting, re.sub(r"(?m)^ExecStart=/\S+", "ExecStart=" + str(program("systemd-networkd-wait-online")), base[waiting]))
        enable("multi-user.target", "systemd-networkd.service", os.path.dirname(networkd) + "/system/")
        enable("network-online.target", "systemd-networkd-wait-online.service", os.path.dirname(networkd) + "/system/")
        if os.path.isfile("/bin/bash") and any(map(os.path.isfile, ("/sbin/ip", "/usr/sbin/ip", "/bin/ip", "/usr/bin/ip"))):
            write("/usr/libexec/ec2-network", base["usr/libexec/ec2-network"], 0o755)
            write("/etc/systemd/networkd.conf.d/others.conf", base["etc/systemd/networkd.conf.d/others.conf"])
            write(UNITS + "ec2-network.service", base["etc/systemd/system/ec2-network.service"])
            enable("multi-user.target", "ec2-network.service", UNITS)
        if os.path.isdir("/etc/network"):
            write("/etc/network/interfaces", "auto lo\niface lo inet loopback\n")
    elif os.path.isdir("/etc/network"):
        write("/etc/network/interfaces", "auto lo\niface lo inet loopback\nauto ens5\niface ens5 inet dhcp\n")
    else:
        raise Unfit("it has none of NetworkManager, systemd-networkd and ifupdown")


def fit_units(base, masked):
    for unit in masked:
        link(UNITS + unit, "/dev/null")
    enable("getty.target", "console-getty.service")
    # systemd mounts no devices of /etc/fstab in a container: this does.
    write(UNITS + "volumes.service", base["etc/systemd/system/volumes.service"])
    enable("local-fs.target", "volumes.service", UNITS)


def leave_disk():
    """Of the disk that it was on there are no other partitions any more."""
    def stays(line):
        words = line.split()
        return len(words) < 3 or words[0].startswith("#") or not (words[1] in ("/", "/boot", "/boot/efi", "/efi") or words[2] == "swap")
    lines = read("/etc/fstab").splitlines()
    write("/etc/fstab", "".join(("" if stays(line) else "# ") + line + "\n" for line in lines))


def fit(files, certificates, second_groups):
    """`files`: those of images/, by their paths in there."""
    try:
        check(second_groups)
        base = {name[len("base/files/"):]: text for name, text in files.items() if name.startswith("base/files/")}
        masked = files["import/masked"].split()
        trust(certificates)
        set_network(base)
        tell_cloud_init(base)
        fit_units(base, masked)
        leave_disk()
    except Unfit as unfit:
        print(unfit, file=sys.stderr)
        sys.stderr.flush()
        os._exit(UNFIT)
    except OSError as error:
        # A folder in a file's place, or no room: no system that anybody made in earnest.
        print("%s: %s" % (error.filename, error.strerror), file=sys.stderr)
        sys.stderr.flush()
        os._exit(UNFIT)
    os._exit(0)
