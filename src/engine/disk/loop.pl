# Loop devices, as the kernel's linux/loop.h has them: what losetup can't do (a name of our own, an end to all I/O) or does not do in
# one step. Perl, because every Debian has it and it starts in 3 ms. One command a call; it fails with what the kernel said.
#
#   bind   NUMBER FILE TAG FLAGS OFFSET SIZE   gives the device its file, unless it has it already (SIZE 0: to the file's end)
#   mount  NUMBER FILE TAG ROOT POINT CALLS    the same, and mounts its ext4 file system; the device is gone with the mount
#   clear  NUMBER TAG                          takes the file away: prints 'free', or 'busy' while somebody has the device open
#   cut    NUMBER                              ends all I/O at once: the device has no sectors any more
#   grow   NUMBER                              takes the file's new size
#
# NUMBER may be 'any' for mount. TAG is what the storage helper knows the device's machine by: nobody but root can set it.
use strict;
use warnings;
use Errno qw(EBUSY ENXIO EEXIST ENODEV ENOENT);

use constant { SET_CAPACITY => 0x4C07, CLR_FD => 0x4C01, SET_STATUS64 => 0x4C04, GET_STATUS64 => 0x4C05, CONFIGURE => 0x4C0A };
use constant { CTL_ADD => 0x4C80, CTL_REMOVE => 0x4C81, CTL_GET_FREE => 0x4C82 };
use constant { READ_ONLY => 1, AUTOCLEAR => 4, DIRECT_IO => 16 };
# Numbers from here on belong to machines; what the kernel hands out as free must not be one of theirs.
use constant FIRST => 4096;
use constant NOWHERE => 2 ** 62;

open my $control, '+<', '/dev/loop-control' or die "/dev/loop-control: $!\n";

sub device { my ($n) = @_; 7 << 8 | $n & 0xff | ($n & 0xfff00) << 12 }

sub node {
  my ($n, $mode) = @_;
  system('mknod', '-m', '0600', "/dev/loop$n", 'b', 7, $n) if !-e "/dev/loop$n";
  open(my $loop, $mode, "/dev/loop$n") or return undef;
  return $loop;
}

# struct loop_info64: device, inode, rdevice, offset, size limit; number, two of encryption, flags; name …
sub info { my ($offset, $size, $flags, $tag) = @_; pack 'x24 Q Q x12 L a63 x113', $offset, $size, $flags, $tag }

sub status { my ($loop) = @_; my $info = "\0" x 256; return ioctl($loop, GET_STATUS64, $info) ? $info : undef }
sub tag_of { my ($info) = @_; return unpack 'x56 Z64', $info }

sub configure {
  my ($loop, $file, $tag, $flags, $offset, $size) = @_;
  open(my $image, ($flags & READ_ONLY) ? '<' : '+<', $file) or die "$file: $!\n";
  my $config = pack('L L', fileno $image, 0) . info($offset, $size, $flags | DIRECT_IO, $tag) . "\0" x 64;
  return ioctl $loop, CONFIGURE, $config;
}

sub bind_loop {
  my ($n, $file, $tag, $flags, $offset, $size) = @_;
  ioctl($control, CTL_ADD, $n + 0) // ($! == EEXIST or die "loop$n: $!\n");
  my $loop = node($n, ($flags & READ_ONLY) ? '<' : '+<') or die "/dev/loop$n: $!\n";
  return $loop if configure($loop, $file, $tag, $flags, $offset, $size);
  die "loop$n: $!\n" if $! != EBUSY;
  my $there = status($loop);
  die "loop$n is in use by " . ($there ? tag_of($there) : 'somebody') . "\n" if !$there || tag_of($there) ne $tag;
  return $loop;
}

sub bind_any {
  my ($file, $tag) = @_;
  for (1 .. 200) {
    my $free = ioctl($control, CTL_GET_FREE, 0) or die "no loop device: $!\n";
    my $n = int $free;
    if ($n >= FIRST) { ioctl($control, CTL_REMOVE, $n); next }
    my $loop = node($n, '+<') or die "/dev/loop$n: $!\n";
    return ($n, $loop) if configure($loop, $file, $tag, AUTOCLEAR, 0, 0);
    die "loop$n: $!\n" if $! != EBUSY;
  }
  die "no loop device is free\n";
}

# A disk's first partition is /dev/xvda1 on EC2, and the kernel shows guests the name that it was given: they see it in `df`, and no
# path of the host. The node of that name exists for a moment, in a root of its own. The mount is MS_NODEV (4). What the guest wrote
# into its superblock must not decide what becomes of the host: errors=remount-ro, for one may say there that the kernel shall panic.
sub mount_root {
  my ($n, $file, $tag, $root, $point, $mknodat, $mount) = @_;
  my $loop;
  if ($n eq 'any') { ($n, $loop) = bind_any($file, $tag) } else { $loop = bind_loop($n, $file, $tag, AUTOCLEAR, 0, 0) }
  my $name = "$root/dev/xvda1";
  syscall($mknodat + 0, -100, $name, 060600, device($n)) == 0 or die "mknod: $!\n";
  chroot $root and chdir '/' or die "chroot: $!\n";
  my ($source, $type, $options) = ('/dev/xvda1', 'ext4', 'discard,noinit_itable,errors=remount-ro');
  syscall($mount + 0, $source, $point, $type, 4, $options) == 0 or die "mount: $!\n";
}

sub clear {
  my ($n, $tag) = @_;
  return 'free' if !-e "/sys/block/loop$n";
  my $loop = node($n, '<') or ($! == ENXIO || $! == ENODEV || $! == ENOENT ? return 'free' : die "/dev/loop$n: $!\n");
  my $there = status($loop);
  return 'free' if $there && tag_of($there) ne $tag;
  ioctl($loop, CLR_FD, 0) // ($! == ENXIO or die "loop$n: $!\n");
  close $loop;
  # An unbound device would be the next that the host hands out: it goes. That fails while somebody has it open.
  for (1 .. 20) {
    return 'free' if defined ioctl($control, CTL_REMOVE, $n + 0) or $! == ENODEV;
    return 'busy' if -e "/sys/block/loop$n/loop/backing_file";
    select undef, undef, undef, 0.005;
  }
  return 'busy';
}

my ($command, @args) = @ARGV;
if ($command eq 'bind') { my ($n, $file, $tag, $flags, $offset, $size) = @args; bind_loop($n, $file, $tag, $flags, $offset, $size) }
elsif ($command eq 'mount') { mount_root(@args) }
elsif ($command eq 'clear') { print clear(@args) }
elsif ($command eq 'cut') {
  my ($n) = @args;
  my $loop = node($n, '<') or die "/dev/loop$n: $!\n";
  my $info = status($loop) or die "loop$n: $!\n";
  my $cut = info(NOWHERE, 0, AUTOCLEAR, tag_of($info)) . "\0" x 24;
  ioctl($loop, SET_STATUS64, $cut) // die "loop$n: $!\n";
} elsif ($command eq 'grow') {
  my ($n) = @args;
  my $loop = node($n, '<') or die "/dev/loop$n: $!\n";
  ioctl($loop, SET_CAPACITY, 0) // die "loop$n: $!\n";
} else { die "no command $command\n" }
