/** Partitions inside machines on the real host: what people do with fdisk, growpart and fstab on EC2, and what a hostile guest may try. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { loopNumbers, loopsBelow, partLoop } from '#engine/disk/loop'
import { ebs, openBench } from '#engine/disk/volumes.suite'
import { until } from '#engine/incus/process'

const [A, B] = ['i-0000000000000000a', 'i-0000000000000000b']
let bench: Awaited<ReturnType<typeof openBench>>
const inA = (script: string) => bench.shell(A, script)
const inB = (script: string) => bench.shell(B, script)
/** Names and sizes of a disk and its partitions, as lsblk shows them. */
const listed = async (device: string, inside = inA) =>
  (await inside(`lsblk -nrbo NAME,TYPE,SIZE /dev/${device} | sort`)).trim().split('\n')
const table = (lines: string, device = 'xvdf') => inA(`printf '${lines}' | sfdisk -q /dev/${device} 2>&1`)

before(async () => {
  bench = await openBench()
  await Promise.all([bench.machine(A), bench.machine(B)])
  for (const [id, machine, device] of [['vol-1', A, 'xvdf'], ['vol-2', A, 'nvme1n1'], ['vol-3', B, 'xvdf']] as const) {
    await bench.disk(id, 1)
    await bench.machines.attachDisk(machine, ebs(id, device))
  }
})
after(async () => { await bench.close() })

test('a table that is written has its partitions at once, of either kind of table', async () => {
  await table('label: dos\\n,100M\\n,100M\\n,,E\\n,100M\\n,\\n')
  assert.deepEqual((await listed('xvdf')).map(line => line.replace('xvdf6 part 7560', 'xvdf6 part ')), ['xvdf disk 1073741824',
    'xvdf1 part 104857600', 'xvdf2 part 104857600', 'xvdf3 part 1024', 'xvdf5 part 104857600', 'xvdf6 part 23296'])
  await table('label: gpt\\n,300M\\n,\\n', 'nvme1n1')
  assert.deepEqual((await listed('nvme1n1')).slice(0, 2), ['nvme1n1 disk 1073741824', 'nvme1n1p1 part 314572800'])
  await table('label: gpt\\n,300M\\n,300M\\n')
  assert.deepEqual(await listed('xvdf'), ['xvdf disk 1073741824', 'xvdf1 part 314572800', 'xvdf2 part 314572800'])
  assert.equal(await inA('stat -c %G:%a /dev/xvdf1; cat /sys/class/block/xvdf2/start; grep -c xvdf /proc/partitions; ls /dev/xvdf*'),
    'disk:660\n616448\n3\n/dev/xvdf\n/dev/xvdf1\n/dev/xvdf2\n')
})

test('a partition is formatted, mounted and seen through the whole disk, and is not taken from under its file system', async () => {
  await inA('mkfs.ext4 -q /dev/xvdf1; mkfs.xfs -qf /dev/xvdf2; mkdir -p /one /two; mount /dev/xvdf1 /one; mount /dev/xvdf2 /two')
  await inA('echo kept | tee /one/f > /two/f; fstrim /one; fstrim /two')
  assert.equal(await inA('findmnt -rno SOURCE,FSTYPE /one; findmnt -rno SOURCE,FSTYPE /two'), '/dev/xvdf1 ext4\n/dev/xvdf2 xfs\n')
  // The mark of ext4 is where the whole disk has it.
  assert.match(await inA('sync; dd if=/dev/xvdf skip=2050 count=1 status=none | od -An -tx1 -j56 -N2'), /53 ef/)
  await assert.rejects(inA('blockdev --rereadpt /dev/xvdf'), /busy/)
  await assert.rejects(inA('partx -d --nr 1 /dev/xvdf'))
  assert.equal((await listed('xvdf')).length, 3)
})

test('a grown disk is taken by growpart and the file system, mounted', async () => {
  await bench.disks.grow('vol-1', 2)
  await inA('growpart /dev/xvdf 2; xfs_growfs /two')
  assert.deepEqual((await listed('xvdf'))[2], `xvdf2 part ${2 ** 31 - (616448 + 33) * 512}`)
  assert.ok(Number(await inA('df --output=size -BM /two | tail -1 | tr -d M')) > 1600)
})

test('partitions in /etc/fstab are there at boot, also one typed inside, and after a stop', async () => {
  await inA('printf "/dev/xvdf1 /one ext4 defaults,nofail 0 2\\n/dev/xvdf2 /two xfs defaults,nofail 0 2\\n" > /etc/fstab')
  // systemd, too, must have noticed: it takes away again what it is still mounting when the node goes.
  const sources = () => inA(`systemctl is-active -q one.mount; systemctl is-active -q two.mount
    findmnt -rno SOURCE /one; findmnt -rno SOURCE /two`).catch(() => '')
  const mounted = () => until(async () => /xvdf1[^]*xvdf2/.test(await sources()), 60_000)
  const { bootId } = await bench.seen(A)
  await inA('systemctl reboot')
  assert.ok(await until(async () => ![bootId, undefined].includes((await bench.seen(A)).bootId), 60_000))
  assert.ok(await mounted())
  await bench.machines.stop(A, { timeoutMs: 20_000 })
  assert.deepEqual(loopsBelow(volumeFile(bench.home, diskVolume('vol-1'))), [])
  await bench.start(A)
  assert.ok(await mounted())
  assert.equal(await inA('cat /one/f /two/f; ls /dev/nvme1n1p1'), 'kept\nkept\n/dev/nvme1n1p1\n')
})

test('a mounted partition keeps its disk busy, which then moves to another machine with its partitions', async () => {
  await bench.machines.detachDisk(A, 'vol-1', { force: false })
  assert.deepEqual((await bench.seen(A)).disks, [{ disk: 'vol-2' }, { disk: 'vol-1', busy: true }])
  await assert.rejects(inA('ls /dev/xvdf1'))
  assert.equal(await inA('cat /one/f; umount /one /two'), 'kept\n')
  assert.ok(await until(async () => (await bench.seen(A)).disks.length === 1, 60_000))
  assert.deepEqual(loopsBelow(volumeFile(bench.home, diskVolume('vol-1'))), [])
  await bench.machines.attachDisk(B, ebs('vol-1', 'xvdh'))
  assert.equal(await inB('mkdir -p /one; mount /dev/xvdh1 /one; cat /one/f'), 'kept\n')
  await bench.machines.detachDisk(B, 'vol-1', { force: true })
  assert.deepEqual((await bench.seen(B)).disks, [{ disk: 'vol-3' }])
  await assert.rejects(inB('echo more > /one/more && sync -f /one/more'))
  await inB('umount /one')
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  assert.equal(await inA('mount /dev/xvdf1 /one; cat /one/f; umount /one'), 'kept\n')
  // Again under the same numbers, in the same machine.
  await bench.machines.detachDisk(A, 'vol-1', { force: false })
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  assert.equal(await inA('mount /dev/xvdf1 /one; cat /one/f; umount /one'), 'kept\n')
})

test('a limit of a disk holds for its partitions together', async () => {
  const speed = async () => {
    const started = performance.now()
    await inA('for p in 1 2; do dd if=/dev/zero of=/dev/nvme1n1p$p bs=1M count=8 oflag=direct status=none & done; wait')
    return 16 / ((performance.now() - started) / 1000)
  }
  await bench.disks.limit('vol-2', { bytesPerSecond: 4 * 2 ** 20 })
  const limited = await speed()
  await bench.disks.limit('vol-2', undefined)
  bench.log.info('MiB/s', { limited, free: await speed() })
  assert.ok(limited < 6 && limited > 2, String(limited))
})

test('what the kernel would refuse of partitions is refused, and nobody else\'s disk is reached by them', async () => {
  const said = await bench.inside(A, 'python3', '-c', `import ctypes, os, errno, struct
libc = ctypes.CDLL(None, use_errno=True)
def ask(fd, request, argument=0):
    argument = ctypes.c_long(argument) if isinstance(argument, int) else argument
    r = libc.syscall(ctypes.c_long(16), ctypes.c_long(fd), ctypes.c_long(request), argument)
    return 'ok' if r >= 0 else errno.errorcode[ctypes.get_errno()]
def part(op, number, start, length):
    data = ctypes.create_string_buffer(struct.pack('<qqi', start, length, number) + bytes(132))
    return ctypes.create_string_buffer(struct.pack('<iii4xQ', op, 0, 152, ctypes.addressof(data))), data
whole, one, null = os.open('/dev/xvdf', os.O_RDWR), os.open('/dev/xvdf1', os.O_RDWR), os.open('/dev/null', os.O_RDWR)
G = 2 ** 30
for op, number, start, length in ((1, 0, 0, 512), (1, 129, 0, 512), (1, -1, 0, 512), (1, 9, -512, 512), (1, 9, 100, 512), (1, 9, 2 * G, 512),
        (1, 9, 0, 2 ** 62), (1, 9, 2 ** 62, 2 ** 62), (1, 1, G, 512), (1, 9, 2 ** 20, 512), (2, 9, 0, 0), (3, 9, 0, 512), (3, 1, 512, 512),
        (7, 1, 0, 512)):
    words, data = part(op, number, start, length); print(ask(whole, 0x1269, words), end=' ')
words, data = part(1, 9, 0, 512)
print(ask(whole, 0x1269, 0), ask(whole, 0x1269, 2 ** 63 - 1), ask(one, 0x1269, words), ask(one, 0x125F), ask(null, 0x1269, words), end=' ')
print(ask(os.open('/dev/xvda1', 0), 0x125F), flush=True)
if os.fork() == 0:
    os.setuid(1000); print(ask(whole, 0x125F), ask(whole, 0x1269, words), flush=True); os._exit(0)
os.wait()`)
  assert.deepEqual(said.trim().split('\n').map(line => line.trim()), [
    'EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EBUSY EBUSY ENXIO ENXIO EINVAL EINVAL EFAULT EFAULT EINVAL EINVAL ENOTTY EINVAL',
    'EACCES EACCES',
  ])
  // The table of one machine says nothing of what another has, nor does a name in the way of a node.
  await inA('sfdisk -q --delete /dev/xvdf; rm -f /dev/xvdf1; ln -s /dev/null /dev/xvdf1; mkfifo /dev/xvdf2; mkdir /dev/xvdf3')
  await table('label: gpt\\n,100M\\n,100M\\n,100M\\n')
  assert.equal((await listed('xvdf')).length, 4)
  await inA('rm -rf /dev/xvdf1 /dev/xvdf2 || true; blockdev --rereadpt /dev/xvdf; sfdisk -q --delete /dev/xvdf')
  assert.equal((await listed('xvdf')).length, 1)
  assert.deepEqual(await listed('xvdf', inB), ['xvdf disk 1073741824'])
})

test('a table that says anything makes no more than lies on the disk', async () => {
  // Noise after the mark that there is one, and partitions that lead to themselves and beyond the end.
  await inA(`python3 -c "
import os, random, fcntl, struct
random.seed(7); disk = os.open('/dev/xvdf', os.O_RDWR)
for n in range(12):
    block = bytearray(random.randbytes(512)); block[510:512] = b'\\x55\\xaa'
    for slot in range(4):
        block[446 + 16 * slot:462 + 16 * slot] = struct.pack('<B3xB3xII', random.choice((0, 0x80)), random.choice((0x83, 5, 0xEE, 0x0F)),
            random.choice((0, 1, 2048, 2 ** 21, 2 ** 32 - 1)), random.choice((0, 1, 2048, 2 ** 32 - 1)))
    for at in (0, 1, 2048): os.pwrite(disk, block, 512 * at)
    os.fsync(disk)
    try: fcntl.ioctl(disk, 0x125F)
    except OSError as error: print(error)
os.pwrite(disk, bytes(512), 0); os.fsync(disk); fcntl.ioctl(disk, 0x125F)"`)
  assert.deepEqual(await listed('xvdf'), [`xvdf disk ${2 ** 31}`])
  await inA('printf "label: gpt\\n" | sfdisk -q /dev/nvme1n1')
  assert.deepEqual(loopNumbers().filter(number => partLoop(number) && number >= 6 * 131_072 && number < 7 * 131_072), [])
})
