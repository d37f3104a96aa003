/** What a hostile guest may try with its disks, on the real host: each of it must come to nothing. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { loopsBelow } from '#engine/disk/loop'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { run } from '#engine/disk/run'
import { ebs, openBench } from '#engine/disk/volumes.suite'
import { startDaemon } from '#engine/incus/daemon'
import { commandLine, processes, until } from '#engine/incus/process'
import { storageHelper } from '#engine/storage/helper'

const [A, B] = ['i-0000000000000000a', 'i-0000000000000000b']
let bench: Awaited<ReturnType<typeof openBench>>
const inA = (script: string) => bench.shell(A, script)
const inB = (script: string) => bench.shell(B, script)
const python = (script: string) => bench.inside(A, 'python3', '-c', `import ctypes,os,errno,mmap
libc = ctypes.CDLL(None, use_errno=True)
def call(*a):
    r = libc.syscall(*[ctypes.c_long(x) if isinstance(x, int) else ctypes.c_char_p(x) for x in a])
    return 'ok' if r >= 0 else errno.errorcode[ctypes.get_errno()]
${script}`)
const places = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map(line => line.split(' ')[4])

/** A number as mknod(1) takes it. */
const numberOf = (path: string) => {
  const { rdev } = statSync(path)
  return `${(rdev >> 8) & 0xfff} ${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`
}
/** The loop device of the pool, or where that is not one, any device of the host's own. */
const hostDevice = () => {
  const name = readdirSync('/sys/block').find(block => /^loop\d{1,3}$/.test(block) && statSync(`/sys/block/${block}/loop`, { throwIfNoEntry: false }))
  return `/dev/${name ?? readdirSync('/sys/block')[0]}`
}

before(async () => {
  bench = await openBench()
  await Promise.all([bench.machine(A), bench.machine(B)])
  for (const id of ['vol-1', 'vol-2', 'vol-3']) await bench.disk(id, 1)
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  await bench.machines.attachDisk(A, ebs('vol-3', 'xvdg'))
  await bench.machines.attachDisk(B, ebs('vol-2', 'xvdf'))
  await inB('mkfs.ext4 -q /dev/xvdf; mount /dev/xvdf /mnt; echo secret > /mnt/secret; umount /mnt')
})
after(async () => { await bench.close() })

test('a node for a device of the host, inside a file system of the guest\'s own, opens nothing', async () => {
  const theirs = loopsBelow(volumeFile(bench.home, diskVolume('vol-2')))[0]!.number
  await inA('mkfs.ext4 -q /dev/xvdf')
  // Written past the kernel, as root in the guest can into its own disk.
  const nodes = { host: numberOf(hostDevice()), disk: '259 0', theirs: '259 1' }
  for (const [name, number] of Object.entries(nodes)) await inA(`debugfs -w -R 'mknod ${name} b ${number}' /dev/xvdf`)
  // debugfs takes no number above 65,535: the inode is given the kernel's own writing of it (new_encode_dev).
  const encoded = ((theirs & 0xff) | (7 << 8) | ((theirs & ~0xff) << 12)) >>> 0
  await inA(`debugfs -w -R 'set_inode_field theirs block[0] 0' /dev/xvdf; debugfs -w -R 'set_inode_field theirs block[1] ${encoded}' /dev/xvdf`)
  await inA('mount /dev/xvdf /mnt')
  assert.equal((await inA('stat -c %t:%T /mnt/theirs')).trim(), `7:${theirs.toString(16)}`)
  for (const name of Object.keys(nodes)) {
    await assert.rejects(inA(`head -c1 /mnt/${name}`), /Permission denied|not permitted/, name)
    for (const type of ['ext4', 'xfs']) await assert.rejects(inA(`mount -t ${type} /mnt/${name} /srv`), /permission denied|not permitted/, name)
  }
  // `nodev` is the guest's to take off; the control group is not.
  await inA('mount -o remount,bind,dev /mnt')
  for (const name of Object.keys(nodes)) {
    await assert.rejects(inA(`head -c1 /mnt/${name}`), /not permitted/, name)
    await assert.rejects(inA(`mount -t ext4 /mnt/${name} /srv`), /permission denied|not permitted/, name)
  }
  await inA('umount /mnt')
})

test('another machine\'s disk is not mounted, by whatever name, and however the name changes meanwhile', async () => {
  await inA('mkfs.ext4 -q -F /dev/xvdg; mkdir -p /race /got; mount /dev/xvdf /mnt; test -b /mnt/theirs')
  const result = await python(`
import threading, subprocess
stop = False
def swap():
    while not stop:
        for name in ('/mnt/theirs', '/dev/xvdg'):
            try: os.symlink(name, '/race/new'); os.rename('/race/new', '/race/source')
            except OSError: pass
t = threading.Thread(target=swap); t.start()
mounted = refused = 0
for i in range(200):
    got = call(165, b'/race/source', b'/got', b'ext4', 0, b'')
    if got == 'ok':
        mounted += 1
        assert not os.path.exists('/got/secret')
        subprocess.run(['umount', '/got'], check=True)
    else: refused += 1
stop = True; t.join(); subprocess.run(['umount', '/mnt'], check=True); print(mounted, refused)`)
  const [mounted, refused] = result.trim().split(' ').map(Number)
  assert.equal(mounted! + refused!, 200)
  assert.ok(refused! > 0 && mounted! > 0, result)
})

test('a mount lands inside the guest, whatever its path says', async () => {
  const before = places()
  await inA('ln -sfn ../../../../../../../../srv /race/up; ln -sfn /proc/1/root/srv /race/magic')
  await inA('mount -t ext4 /dev/xvdg /race/up; findmnt -rno SOURCE /srv; umount /srv')
  await assert.rejects(inA('mount -t ext4 -i /dev/xvdg /proc/self/cwd/../nowhere'))
  assert.equal((await python('print(call(165, b"/dev/xvdg", b"/race/magic", b"ext4", 0, b""))')).trim(), 'ELOOP')
  assert.deepEqual(places(), before)
})

test('who is no root of the machine, or root of a namespace of its own making, mounts nothing', async () => {
  await inA('chmod 666 /dev/xvdg')
  await assert.rejects(inA('setpriv --reuid 1000 --clear-groups python3 -c "import ctypes; l=ctypes.CDLL(None,use_errno=True); '
    + 'exit(0 if l.mount(b\'/dev/xvdg\', b\'/got\', b\'ext4\', 0, None) == 0 else 3)"'))
  await assert.rejects(inA('unshare --user --map-root-user --mount mount -t ext4 /dev/xvdg /got'),
    /permission denied|not permitted/)
  await inA('unshare --mount sh -c "mount -t ext4 /dev/xvdg /got && umount /got"')
})

test('pointers to nowhere, hidden numbers and loop devices\' own requests come to nothing', async () => {
  const said = await python(`
page = mmap.mmap(-1, 4096); address = ctypes.addressof(ctypes.c_char.from_buffer(page)); page[:] = b'/' * 4096
fd = os.open('/dev/xvdg', os.O_RDWR)
print(call(165, 1, b'/got', b'ext4', 0, 0), call(165, b'/dev/xvdg', 1, b'ext4', 0, 0), call(165, b'/dev/xvdg', b'/got', 1, 0, 0))
print(call(165, b'/dev/xvdg', b'/got', b'ext4', 0, 2**63 - 8192), call(165, address, b'/got', b'ext4', 0, 0))
print(call(165, b'x' * 5000, b'/got', b'ext4', 0, 0), call(165, b'/dev/xvdg', b'/got', b'ext4', 0, b'journal_path=/dev/loop0'))
panic = call(165, b'/dev/xvdg', b'/got', b'ext4', 0, b'errors=panic')
print(panic, call(165, b'/dev/null', b'/got', b'ext4', 0, 0), call(165, b'/nothing', b'/got', b'ext4', 0, 0))
print(*[call(16, fd, request | high, 0) for request in (0x4C00, 0x4C01, 0x4C04, 0x4C05, 0x4C06, 0x4C09, 0x4C0A) for high in (0, 1 << 32, 7 << 60)])
print(call(16, 9999, 0xC0185879, address), call(16, fd, 0x1261, 0), call(16, os.open('/', 0), 0xC0185879, 1))`)
  const lines = said.trim().split('\n')
  assert.deepEqual([0, 2, 3].map(line => lines[line]), ['EFAULT EFAULT EFAULT', 'ENAMETOOLONG EINVAL', 'EINVAL ENOTBLK ENOENT'])
  // What follows the page in memory decides whether its name has an end.
  assert.match(lines[1]!, /^EFAULT (EFAULT|ENAMETOOLONG|ENOTBLK|ENOENT|EISDIR)$/)
  assert.ok(lines[4]!.split(' ').every(word => word === 'ENOTTY'), lines[4])
  assert.deepEqual(lines[5], 'EBADF ok EFAULT')
})

test('a superblock decides nothing about the host', async () => {
  const shown = await inA('tune2fs -e panic /dev/xvdg >&2; mkdir -p /panics; mount /dev/xvdg /panics; '
    + 'grep /panics /proc/self/mountinfo; umount /panics')
  assert.match(shown, /nodev.*idmapped.* rw,errors=remount-ro/)
  await inA('debugfs -w -R "set_super_value journal_dev 1793" /dev/xvdg; debugfs -w -R "set_super_value journal_inum 0" /dev/xvdg')
  await assert.rejects(inA('mount -t ext4 /dev/xvdg /got'))
  await bench.machines.detachDisk(A, 'vol-3', { force: false })
  const file = volumeFile(bench.home, diskVolume('vol-3'))
  await assert.rejects(run('mount', ['-o', 'loop,ro', file, '/nonexistent']))
})

/** The helper's processes: the one that holds the socket, the one that accepts, one for each machine. */
const helpers = () => processes('storage.py').filter(pid => commandLine(pid)?.includes(`${bench.home.run}/`))

test('whoever dies of the helper but the one that holds the socket, mounts go on', async () => {
  await inA('mkfs.ext4 -q -F /dev/xvdf; mount /dev/xvdf /mnt')
  for (let n = 0; n < 3; n++) {
    for (const pid of helpers()) if (pid !== storageHelper(bench.home)) process.kill(pid, 'SIGKILL')
    await inA('umount /mnt; mount /dev/xvdf /mnt')
  }
  await inA('umount /mnt')
})

test('while the helper is away mounts fail, and nothing else; the next mount finds one that came anew', async () => {
  await inA('mkfs.ext4 -q -F /dev/xvdf; mount /dev/xvdf /mnt; echo kept > /mnt/file')
  // Incus needs a mount to run anything in a machine: what runs there meanwhile was begun before, and what looks comes by itself.
  const once = (go: string, act: string) => inA(`rm -f ${go} ${go}.came; setsid sh -c `
    + `"until test -e ${go}; do sleep 0.1; done; ${act}; echo \\$? > ${go}.came" >/dev/null 2>&1 &`)
  await inA('mkdir -p /tmpfs')
  await once('/away', 'mount -t tmpfs none /tmpfs')
  await once('/back', 'mount /dev/xvdf /mnt')
  const { pid: init } = await bench.client.get<{ pid: number }>(`/1.0/instances/${A}/state`)
  const look = (script: string) => run('nsenter', [`--target=${init}`, '--all', '--setuid=0', '--setgid=0', 'sh', '-euc', script])
  const came = async (go: string) => {
    await look(`touch ${go}`)
    assert.ok(await until(async () => (await look(`cat ${go}.came 2>/dev/null || true`)) !== '', 60_000))
    return (await look(`cat ${go}.came`)).trim()
  }
  for (const pid of helpers()) process.kill(pid, 'SIGKILL')
  assert.ok(await until(() => helpers().length === 0, 60_000))
  assert.notEqual(await came('/away'), '0')
  assert.equal(await look('cat /mnt/file; echo more >> /mnt/file; umount /mnt; echo free'), 'kept\nfree\n')
  await startDaemon(bench.home, bench.log)
  assert.equal(await came('/back'), '0')
  assert.equal(await inA('cat /mnt/file; umount /mnt'), 'kept\nmore\n')
})
