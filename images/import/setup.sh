#!/bin/sh
# Makes another distribution's container image one that boots as an EC2 instance: cloud-init asks EC2's metadata service, ssh lets
# in the user whom that distribution's AMIs have, ens5 is configured by DHCP. Runs inside the image, seeing nothing else, with
# images/ at /run/setup. Running it twice does no harm.
set -eu
user=$1
setup=/run/setup

say() { echo "setup: $*" >&2; }
. /etc/os-release

# The API's and the host's own certificate authorities, as in the images that are built here.
if [ -d $setup/certificates ]; then
  if command -v update-ca-certificates > /dev/null; then
    mkdir -p /usr/local/share/ca-certificates
    cp -R $setup/certificates/. /usr/local/share/ca-certificates && update-ca-certificates > /dev/null
  elif command -v update-ca-trust > /dev/null; then
    find $setup/certificates -name '*.crt' -exec cp {} /etc/pki/ca-trust/source/anchors \; && update-ca-trust
  fi
  # AWS's SDKs and Node.js bring lists of their own; services don't read /etc/environment.
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    [ -f $bundle ] || continue
    grep -q '^AWS_CA_BUNDLE=' /etc/environment 2> /dev/null || printf 'NODE_EXTRA_CA_CERTS=%s\nAWS_CA_BUNDLE=%s\n' $bundle $bundle >> /etc/environment
    mkdir -p /etc/systemd/system.conf.d
    printf '[Manager]\nDefaultEnvironment=NODE_EXTRA_CA_CERTS=%s AWS_CA_BUNDLE=%s\n' $bundle $bundle > /etc/systemd/system.conf.d/certificates.conf
    break
  done
fi

# Public container images have no ssh server, and some no cloud-init. A machine without either could not be used as on EC2.
missing=
command -v cloud-init > /dev/null || missing="$missing cloud-init"
[ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
command -v sudo > /dev/null || missing="$missing sudo"
if [ -n "$missing" ]; then
  say "installing$missing"
  if command -v apt-get > /dev/null; then
    apt-get -qq update
    apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 install $missing
    apt-get clean
  elif command -v dnf > /dev/null; then
    dnf -q -y install $missing
    dnf -q clean all
  else
    say "this system has neither apt nor dnf"
    exit 1
  fi
fi
[ -d /usr/lib/systemd/system ] || [ -d /lib/systemd/system ] || { say "this system has no systemd"; exit 1; }

# cloud-init: only EC2's service is asked, and nothing that was left by another one is believed.
source=
for source in /usr/lib/python3*/*-packages/cloudinit/sources/DataSourceEc2.py; do :; done
[ -f "$source" ] || { say "cloud-init has no EC2 data source"; exit 1; }
cp $setup/base/files/usr/lib/python3/dist-packages/cloudinit/sources/DataSourceEc2Container.py "$(dirname "$source")"
rm -rf /var/lib/cloud /etc/cloud/cloud-init.disabled
mkdir -p /etc/cloud/cloud.cfg.d
# Which modules run is this distribution's affair; ssh's keys alone are allowed already (below), without a restart of it.
sed '/^cloud_.*_modules:/,/\]$/d; /^ssh_genkeytypes:/d; /^ssh_pwauth:/d' $setup/base/files/etc/cloud/cloud.cfg.d/90_ec2.cfg \
  | sed '1s/.*/# The data source is EC2'"'"'s metadata service./' > /etc/cloud/cloud.cfg.d/90_ec2.cfg
admins=wheel
grep -q '^sudo:' /etc/group && admins=sudo
cat > /etc/cloud/cloud.cfg.d/91_user.cfg <<TEXT
system_info:
  default_user: { name: $user, gecos: "$NAME", groups: [adm, $admins, systemd-journal], sudo: ["ALL=(ALL) NOPASSWD:ALL"], shell: /bin/bash, lock_passwd: true }
TEXT

# Network: whichever of the two is there; netplan's files speak of an interface that instances don't have.
rm -f /etc/netplan/*.yaml /etc/systemd/network/*eth0* /etc/sysconfig/network-scripts/ifcfg-eth0
if [ -e /usr/lib/systemd/system/NetworkManager.service ]; then
  mkdir -p /etc/NetworkManager/system-connections
  ( umask 077; cat > /etc/NetworkManager/system-connections/ens5.nmconnection ) <<TEXT
[connection]
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
TEXT
  systemctl -q enable NetworkManager.service
elif [ -e /usr/lib/systemd/systemd-networkd ] || [ -e /lib/systemd/systemd-networkd ]; then
  mkdir -p /etc/systemd/network /etc/systemd/system/systemd-networkd-wait-online.service.d
  cp $setup/base/files/etc/systemd/network/* /etc/systemd/network
  cp $setup/base/files/etc/systemd/system/systemd-networkd-wait-online.service.d/* /etc/systemd/system/systemd-networkd-wait-online.service.d
  # Of another place in some distributions.
  sed -i "s|^ExecStart=/.*wait-online|ExecStart=$(ls /usr/lib/systemd/systemd-networkd-wait-online /lib/systemd/systemd-networkd-wait-online 2> /dev/null | head -n 1)|" \
    /etc/systemd/system/systemd-networkd-wait-online.service.d/*
  systemctl -q enable systemd-networkd.service systemd-networkd-wait-online.service
  # Further addresses and interfaces, where what that needs is there.
  if [ -x /bin/bash ] && command -v ip > /dev/null; then
    mkdir -p /usr/libexec /etc/systemd/networkd.conf.d
    cp $setup/base/files/usr/libexec/ec2-network /usr/libexec
    cp $setup/base/files/etc/systemd/networkd.conf.d/* /etc/systemd/networkd.conf.d
    cp $setup/base/files/etc/systemd/system/ec2-network.service /etc/systemd/system
    systemctl -q enable ec2-network.service
  fi
  # ifupdown, where it is too, would configure the same interface a second time.
  [ ! -d /etc/network ] || printf 'auto lo\niface lo inet loopback\n' > /etc/network/interfaces
else
  say "this system has neither NetworkManager nor systemd-networkd"
  exit 1
fi

# ssh: by key alone. Where its configuration takes no further files, the first words in it count.
keys=$setup/base/files/etc/ssh/sshd_config.d/50-keys-only.conf
if grep -qi '^Include /etc/ssh/sshd_config.d' /etc/ssh/sshd_config; then
  mkdir -p /etc/ssh/sshd_config.d
  cp $keys /etc/ssh/sshd_config.d
elif ! grep -q '^PasswordAuthentication no' /etc/ssh/sshd_config; then
  cat $keys /etc/ssh/sshd_config > /run/sshd_config && cat /run/sshd_config > /etc/ssh/sshd_config
fi
if ! systemctl -q is-enabled ssh.socket 2> /dev/null; then
  for unit in sshd ssh; do
    if [ -e /usr/lib/systemd/system/$unit.service ] || [ -e /lib/systemd/system/$unit.service ]; then systemctl -q enable $unit.service; break; fi
  done
fi

# What a container needs no unit for, as in images/base/setup.sh.
for unit in $(cat $setup/import/masked); do
  ln -sf /dev/null /etc/systemd/system/$unit
done
systemctl -q enable console-getty.service
# systemd mounts no devices of /etc/fstab in a container: this does.
cp $setup/base/files/etc/systemd/system/volumes.service /etc/systemd/system
systemctl -q enable volumes.service

# Every instance makes an identity of its own.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /etc/hostname
: > /etc/machine-id
: > /etc/fstab
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' > /etc/hosts
