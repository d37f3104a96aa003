#!/bin/sh
# Runs inside the new root, once, after the packages: what a container needs no unit for goes, and what makes boots slow.
set -eu

cd /etc/systemd/system
for unit in e2scrub_reap.service e2scrub_all.timer systemd-pstore.service fstrim.timer modprobe@.service \
  systemd-modules-load.service systemd-update-utmp.service systemd-update-utmp-runlevel.service sys-kernel-debug.mount \
  sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount dev-mqueue.mount dev-hugepages.mount \
  systemd-remount-fs.service systemd-hwdb-update.service systemd-udev-trigger.service systemd-udevd.service \
  systemd-firstboot.service getty@tty1.service getty-static.service cloud-init-hotplugd.socket; do
  ln -sf /dev/null "$unit"
done
systemctl disable -q apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
systemctl enable -q volumes.service ec2-network.service systemd-networkd.service systemd-networkd-wait-online.service systemd-resolved.service console-getty.service ssh.service
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

# cloud-init makes new host keys at an instance's first boot, and systemd a machine id where the file is empty.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
ln -s /etc/machine-id /var/lib/dbus/machine-id
: > /etc/machine-id
: > /etc/fstab
rm -f /etc/hostname
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' > /etc/hosts

# Python starts are most of cloud-init's time: without its caches each boot would compile it again.
python3 -m compileall -q /usr/lib/python3/dist-packages
rm -rf /var/log/apt /var/log/*.log /var/cache/apt/*.bin
