/** The storage helper's own decisions, without a machine: what it reads, what it lets through and what it refuses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '#engine/disk/run'
import { seccompProfile } from '#engine/storage/seccomp'

/** What the script prints, one line for each value. `said` runs a function and names the error that it raises. */
async function python(script: string): Promise<string[]> {
  const text = await run('python3', ['-Sc', `import sys, os, errno, struct, tempfile, ctypes
sys.dont_write_bytecode = True
sys.path.insert(0, ${JSON.stringify(import.meta.dirname)})
from storage import *
def said(act):
    try: return act()
    except OSError as error: return errno.errorcode[error.errno]
me = Caller('i-1', os.getpid(), os.open('/proc/self', os.O_PATH), os.open('/proc/self/mem', os.O_RDONLY))
${script}`])
  return text.trim().split('\n')
}

test('options come from a list, after those that keep a guest\'s file system from the host', async () => {
  assert.deepEqual(await python(`
print(options_of(b'ext4', b'noload,data=ordered,idmapped,defaults'))
print(options_of(b'xfs', b'nouuid,inode64'))
others = (b'xfs', b'logdev=/dev/sda'), (b'ext4', b'inode64'), (b'xfs', b'data=x')
for kind, data in ((b'ext4', b'errors=panic'), (b'ext4', b'journal_path=/dev/sda'), *others):
    print(said(lambda: options_of(kind, data)))`), [
    '[(b\'errors\', b\'remount-ro\'), (b\'noload\', b\'\'), (b\'data\', b\'ordered\')]', '[(b\'nouuid\', b\'\'), (b\'inode64\', b\'\')]',
    ...Array(5).fill('EINVAL') as string[],
  ])
})

test('every mount is nodev, and what the guest asks for besides is kept', async () => {
  assert.deepEqual(await python(`
for flags in (0, RDONLY | NOSUID | NOEXEC, NOATIME | NODIRATIME, STRICTATIME): print(attributes(flags))`), ['4', '15', '148', '36'])
})

test('a superblock that names another device as its journal is refused', async () => {
  assert.deepEqual(await python(`
def image(at, data):
    file = tempfile.TemporaryFile(); block = bytearray(2048); block[1024 + 56:1024 + 58] = b'\\x53\\xef'
    block[1024 + at:1024 + at + len(data)] = data; file.write(block); file.flush(); files.append(file); return file.fileno()
files = []
for at, data in ((0, b''), (0xE4, struct.pack('<I', 1793)), (0x200, b'journal_dev=0x701'), (0x200, b'discard')):
    print(said(lambda: check_superblock(image(at, data))))`), ['None', 'EINVAL', 'EINVAL', 'None'])
})

test('memory that is not there is EFAULT, and a name without an end is too long', async () => {
  assert.deepEqual(await python(`
text = ctypes.create_string_buffer(b'name'); long = ctypes.create_string_buffer(b'x' * 9000)
print(me.string(ctypes.addressof(text), 64), me.string(0, 64), said(lambda: me.string(1, 64)), said(lambda: me.string(2 ** 63 + 5, 64)))
print(said(lambda: me.string(ctypes.addressof(long), 4096)), said(lambda: me.words(8, 24)), bytes(me.words(ctypes.addressof(text), 4)))`),
  ['b\'name\' None EFAULT EFAULT', 'ENAMETOOLONG EFAULT b\'name\''])
})

test('what is not its business goes on in the kernel: other calls, other architectures, other file systems, bind mounts', async () => {
  assert.deepEqual(await python(`
def reply(number, arch, *args):
    message = struct.pack('QiiHHHHQ', 0, 1, os.getpid(), 80, 24, 64, 0, 3)
    message += struct.pack('QIIiIQ6Q', 7, os.getpid(), 0, number, arch, 0, *(args + (0,) * 6)[:6]) + bytes(24) + b'i-1'
    return struct.unpack('QqiI', answer(message, [me.proc, me.memory], -1)[112:136])
kind = ctypes.create_string_buffer(b'tmpfs'); at = ctypes.addressof(kind)
print(reply(NR_IOCTL, AUDIT_ARCH, 0, 0x5401), reply(NR_MOUNT, 0x40000003), reply(NR_MOUNT, AUDIT_ARCH, 0, 0, at), end=' ')
print(reply(NR_MOUNT, AUDIT_ARCH, 0, 0, 0, BIND))
print(reply(NR_MOUNT, AUDIT_ARCH, 0, 0, 8))`), ['(7, 0, 0, 1) (7, 0, 0, 1) (7, 0, 0, 1) (7, 0, 0, 1)', '(7, 0, -14, 0)'])
})

test('the filter hands over mounts and seven requests, and refuses loop devices\' own in every disguise', () => {
  const lines = seccompProfile.split('\n')
  assert.deepEqual([lines.filter(line => line.startsWith('mount ')).length, lines.filter(line => line.startsWith('ioctl notify')).length], [2, 7])
  assert.ok(lines.filter(line => line.startsWith('ioctl notify')).every(line => line.endsWith(',SCMP_CMP_MASKED_EQ,4294967295]')))
  assert.ok(lines.includes(`ioctl errno 25 [1,${0x4c00},SCMP_CMP_MASKED_EQ,${0xffffff00}]`))
})

test('an answer that comes too late is not given: the connection ends, and the next call has one of its own', async () => {
  assert.deepEqual(await python(`
import socket, storage
storage.answer, storage.LATE = lambda message, *rest: (time.sleep(0.3 if message == b'slow' else 0), message)[1], 0.1
def calls(*words):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close(); serve(theirs, None, None); os._exit(0)
    theirs.close(); ours.settimeout(10)
    got = []
    for word in words: ours.send(word); got.append(ours.recv(64))
    return got
print(calls(b'quick', b'quick', b'slow'), calls(b'quick'))`), ["[b'quick', b'quick', b''] [b'quick']"])
})
