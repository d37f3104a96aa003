/** Disks in machines on the real host: what EC2 users do with volumes. Root, Incus and a kernel are needed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { inUse, loopsBelow } from '#engine/disk/loop'
import { run } from '#engine/disk/run'
import { ebs, openBench } from '#engine/disk/volumes.suite'
import { until } from '#engine/incus/process'

const [A, B] = ['i-0000000000000000a', 'i-0000000000000000b']
let bench: Awaited<ReturnType<typeof openBench>>
const inA = (script: string) => bench.shell(A, script)
const inB = (script: string) => bench.shell(B, script)
const columns = (text: string) => text.trim().split('\n').map(line => line.trim().split(/\s{2,}|\s(?=[\d/])/))

before(async () => { bench = await openBench() })
after(async () => { await bench.close() })

test('a machine shows its root and no disk of the host', async () => {
  await Promise.all([bench.machine(A), bench.machine(B)])
  assert.deepEqual(JSON.parse(await inA('lsblk --json --output NAME,SIZE,TYPE,MOUNTPOINTS')).blockdevices, [
    { name: 'xvda', size: '8G', type: 'disk', mountpoints: [null], children: [{ name: 'xvda1', size: '8G', type: 'part', mountpoints: ['/'] }] },
  ])
  assert.deepEqual((await bench.seen(A)).disks, [])
})

test('a disk is attached hot under the name asked, with its model and serial, formatted and mounted', async () => {
  for (const id of ['vol-1', 'vol-2', 'vol-3']) await bench.disk(id, 1)
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  await bench.machines.attachDisk(A, ebs('vol-2', 'sdg'))
  await bench.machines.attachDisk(A, ebs('vol-3', 'nvme1n1'))
  const listed = JSON.parse(await inA('lsblk --json --nodeps --output NAME,SIZE,MODEL,SERIAL')).blockdevices as { name: string }[]
  assert.deepEqual(listed.filter(({ name }) => name !== 'xvda').sort((a, b) => (a.name < b.name ? -1 : 1)), [
    ['nvme1n1', 'vol3'], ['sdg', 'vol2'], ['xvdf', 'vol1'],
  ].map(([name, serial]) => ({ name, size: '1G', model: 'Amazon Elastic Block Store', serial })))
  await inA('mkfs.ext4 -q /dev/xvdf; mkdir -p /data /xfs; mount /dev/xvdf /data; echo kept > /data/file; sync')
  await inA('mkfs.xfs -q /dev/sdg; mount -o noatime /dev/sdg /xfs; mkdir /xfs/dir; chown 1000:1000 /xfs/dir')
  assert.deepEqual(columns(await inA('findmnt -rno SOURCE,FSTYPE,TARGET /data; findmnt -rno SOURCE,FSTYPE,TARGET /xfs; stat -c %u:%g /xfs/dir')), [
    ['/dev/xvdf ext4', '/data'], ['/dev/sdg xfs', '/xfs'], ['1000:1000'],
  ])
  assert.match(await inA('df --output=source,size -BM /data'), /\/dev\/xvdf +\d+M/)
  assert.deepEqual((await bench.seen(A)).disks, [{ disk: 'vol-1' }, { disk: 'vol-2' }, { disk: 'vol-3' }])
  assert.deepEqual([await bench.disks.observe('vol-1'), await bench.disks.users('vol-1')], [{ sizeGiB: 1 }, [A]])
  await assert.rejects(bench.machines.attachDisk(B, ebs('vol-1', 'xvdf')), /belongs to machine/)
  await assert.rejects(bench.disks.delete('vol-1'), /belongs to machine/)
})

test('fsck, trim and remounting work inside', async () => {
  await inA('umount /data; e2fsck -fp /dev/xvdf; mount /dev/xvdf /data; fstrim /data; mount -o remount,ro /data')
  await assert.rejects(inA('touch /data/x'), /Read-only/)
  await inA('mount -o remount,rw /data; touch /data/x; umount /xfs; xfs_repair -n /dev/sdg; mount /dev/sdg /xfs; fstrim /xfs; fstrim /')
})

test('a disk that is mounted stays busy until it is let go, then moves to another machine with its data', async () => {
  await bench.machines.detachDisk(A, 'vol-1', { force: false })
  assert.deepEqual((await bench.seen(A)).disks, [{ disk: 'vol-2' }, { disk: 'vol-3' }, { disk: 'vol-1', busy: true }])
  assert.equal(await inA('cat /data/file'), 'kept\n')
  await assert.rejects(bench.machines.attachDisk(B, ebs('vol-1', 'xvdf')), /belongs to machine/)
  await inA('umount /data')
  assert.ok(await until(async () => (await bench.seen(A)).disks.length === 2, 60_000))
  assert.deepEqual(await bench.disks.users('vol-1'), [])
  assert.deepEqual(loopsBelow(volumeFile(bench.home, diskVolume('vol-1'))), [])
  await assert.rejects(inA('test -e /dev/xvdf'))
  await bench.machines.attachDisk(B, ebs('vol-1', 'xvdh'))
  assert.equal(await inB('mkdir -p /data; mount /dev/xvdh /data; cat /data/file'), 'kept\n')
})

test('force takes a disk away from under a mounted file system', async () => {
  await bench.machines.detachDisk(B, 'vol-1', { force: true })
  assert.deepEqual((await bench.seen(B)).disks, [])
  await assert.rejects(inB('echo more > /data/more && sync -f /data/more'))
  await bench.machines.attachDisk(A, ebs('vol-1', 'xvdf'))
  assert.equal(await inA('mount /dev/xvdf /data; cat /data/file'), 'kept\n')
})

test('growth is seen at once, and the file systems take it', async () => {
  await bench.disks.grow('vol-2', 2)
  await bench.disks.grow('vol-1', 2)
  await assert.rejects(bench.disks.grow('vol-1', 1), /can't shrink/)
  assert.equal(await inA('blockdev --getsize64 /dev/xvdf; lsblk -nbdo SIZE /dev/sdg'), `${2 ** 31}\n${2 ** 31}\n`)
  await inA('xfs_growfs /xfs')
  assert.ok(Number(await inA('df --output=size -BM /xfs | tail -1 | tr -d M')) > 1900)
  // Growing a mounted ext4 needs CAP_SYS_RESOURCE, which some hosts have not.
  await inA('umount /data; e2fsck -fp /dev/xvdf; resize2fs /dev/xvdf; mount /dev/xvdf /data; cat /data/file')
  assert.ok(Number(await inA('df --output=size -BM /data | tail -1 | tr -d M')) > 1900)
})

test('/etc/fstab is mounted at boot; a reboot and a stop keep the disks', async () => {
  const before = (await bench.seen(A)).bootId
  await inA('printf "/dev/xvdf /data ext4 defaults,nofail 0 2\\n/dev/sdg /xfs xfs defaults,nofail 0 2\\n" > /etc/fstab; systemctl reboot')
  const sources = () => inA('systemctl is-active -q data.mount; systemctl is-active -q xfs.mount; findmnt -no SOURCE /data; findmnt -no SOURCE /xfs')
    .catch(() => '')
  const mounted = () => until(async () => /xvdf[^]*sdg/.test(await sources()), 60_000)
  assert.ok(await until(async () => ![before, undefined].includes((await bench.seen(A)).bootId), 60_000))
  assert.ok(await mounted())
  await bench.machines.stop(A, { timeoutMs: 20_000 })
  assert.deepEqual([(await bench.seen(A)).disks.length, inUse(volumeFile(bench.home, diskVolume('vol-1')))], [3, false])
  await bench.machines.detachDisk(A, 'vol-3', { force: false })
  await bench.start(A)
  assert.ok(await mounted())
  assert.equal(await inA('cat /data/file; ls /dev/nvme1n1 2>&1 || true'), 'kept\nls: cannot access \'/dev/nvme1n1\': No such file or directory\n')
})

test('a disk is read-only for one who may only read, and two may share one', async () => {
  await bench.machines.attachDisk(A, ebs('vol-3', 'xvdm', { shared: true }))
  await assert.rejects(bench.machines.attachDisk(B, ebs('vol-3', 'xvdm')), /belongs to machine/)
  await bench.machines.attachDisk(B, ebs('vol-3', 'xvdm', { shared: true }))
  await inA('echo together | dd of=/dev/xvdm oflag=direct bs=512 conv=sync status=none')
  assert.equal(await inB('dd if=/dev/xvdm iflag=direct bs=512 count=1 status=none | head -c 9'), 'together\n')
  for (const id of [A, B]) await bench.machines.detachDisk(id, 'vol-3', { force: false })
  await bench.machines.attachDisk(B, ebs('vol-3', 'xvdr', { readOnly: true }))
  await assert.rejects(inB('dd if=/dev/zero of=/dev/xvdr count=1'))
})

test('the root of a machine that is off is repaired elsewhere and put back', async () => {
  await bench.machines.stop(B, { timeoutMs: 20_000 })
  await bench.machines.setRoot(B, undefined)
  assert.equal((await bench.seen(B)).rootDisk, undefined)
  await assert.rejects(bench.machines.start(B), /no root disk/)
  await bench.machines.attachDisk(A, ebs(`${B}-root`, 'xvdz'))
  await inA('mkdir -p /rescue; mount /dev/xvdz /rescue; echo repaired > /rescue/root/repaired; umount /rescue')
  await bench.machines.detachDisk(A, `${B}-root`, { force: false })
  await bench.machines.setRoot(B, `${B}-root`)
  await bench.start(B)
  assert.equal(await inB('cat /root/repaired'), 'repaired\n')
})

test('a copy made while the source is written is whole', async () => {
  await inA(`nohup sh -c 'i=0; while [ ! -e /data/stop ]; do i=$((i+1)); echo $i > /data/n.new; sync /data/n.new; mv /data/n.new /data/n;
    sync -f /data; echo $i > /run/synced; done' > /dev/null 2>&1 &`)
  assert.ok(await until(async () => Number(await inA('cat /run/synced 2>/dev/null || echo 0')) > 3, 60_000))
  const sure = Number(await inA('cat /run/synced'))
  await bench.disk('vol-4', 2, { disk: 'vol-1' })
  await inA('touch /data/stop')
  const file = volumeFile(bench.home, diskVolume('vol-4'))
  await run('e2fsck', ['-fp', file], { ok: [0, 1] })
  await run('e2fsck', ['-fn', file])
  assert.ok(Number(await run('debugfs', ['-R', 'cat /n', file])) >= sure)
})

test('copies of several disks are of one moment, also while both are written in turn', async () => {
  await bench.disk('vol-7', 1)
  await bench.machines.attachDisk(A, ebs('vol-7', 'xvdk'))
  await inA('mkfs.ext4 -q /dev/xvdk; mkdir -p /other; mount /dev/xvdk /other; rm -f /data/stop /data/n; sync')
  // A number is on the first disk before it is on the second, and on the second before the next is on the first.
  await inA(`nohup sh -c 'i=0; while [ ! -e /data/stop ]; do i=$((i+1)); for d in /data /other; do printf "%09d" $i |
    dd of=$d/n conv=notrunc,fsync status=none; done; echo $i > /run/turn; done' > /dev/null 2>&1 &`)
  const turn = async () => Number(await inA('cat /run/turn 2>/dev/null || echo 0'))
  assert.ok(await until(async () => await turn() > 5, 60_000))
  const sure = await turn()
  const specs = [{ id: 'vol-8', sizeGiB: 2, from: { disk: 'vol-1' } }, { id: 'vol-9', sizeGiB: 1, from: { disk: 'vol-7' } }]
  for (const { id } of specs) bench.made.add(id)
  await Promise.all([bench.disks.createTogether(specs), bench.disks.createTogether(specs)])
  const later = await turn()
  assert.ok(await until(async () => await turn() > later, 60_000), 'writing goes on')
  await inA('touch /data/stop')
  const [first, second] = await Promise.all(specs.map(async ({ id }) => {
    const file = volumeFile(bench.home, diskVolume(id))
    await run('e2fsck', ['-fp', file], { ok: [0, 1] })
    return Number(await run('debugfs', ['-R', 'cat /n', file]))
  }))
  assert.ok(second! >= sure && (first === second || first === second! + 1), `${sure} ${first} ${second} ${later}`)
  await inA('umount /other')
  await bench.machines.detachDisk(A, 'vol-7', { force: false })
})

test('blocks are what the file system says, and two copies differ where one was written', async () => {
  await bench.disk('vol-5', 1)
  assert.deepEqual([await bench.disks.blocks('vol-5', { first: 0, limit: 10 }), await bench.disks.readBlock('vol-5', 3)], [[], undefined])
  const block = Buffer.alloc(512 * 1024, 'block')
  for (const index of [1, 7]) await bench.disks.writeBlock('vol-5', index, block)
  await bench.disk('vol-6', 1, { disk: 'vol-5' })
  await bench.disks.writeBlock('vol-6', 7, Buffer.alloc(512 * 1024, 'other'))
  await bench.disks.writeBlock('vol-6', 9, Buffer.alloc(512 * 1024))
  const part = { first: 0, limit: 10 }
  assert.deepEqual([await bench.disks.blocks('vol-6', part), await bench.disks.changed('vol-6', 'vol-5', part)], [[1, 7, 9], [7]])
  assert.deepEqual([await bench.disks.blocks('vol-6', { first: 2, limit: 1 }), await bench.disks.usage('vol-5')], [[7], { bytes: 2 ** 20 }])
  assert.deepEqual(Buffer.from((await bench.disks.readBlock('vol-6', 1))!), block)
  assert.deepEqual(Buffer.from((await bench.disks.readBlock('vol-6', 9))!), Buffer.alloc(512 * 1024))
  await assert.rejects(bench.disks.writeBlock('vol-1', 0, block), /belongs to machine/)
})

test('a limit holds at once, for what is written past memory and for what is left to it, and over a restart', async () => {
  const speed = async () => {
    const started = performance.now()
    await inA('dd if=/dev/zero of=/data/zero bs=1M count=24 oflag=direct status=none')
    return 24 / ((performance.now() - started) / 1000)
  }
  const free = await speed()
  await bench.disks.limit('vol-1', { iops: 3000, bytesPerSecond: 8 * 2 ** 20 })
  const limited = await speed()
  const started = performance.now()
  await inA('dd if=/dev/zero of=/data/zero bs=1M count=24 conv=fsync status=none')
  const buffered = 24 / ((performance.now() - started) / 1000)
  await bench.machines.stop(A, { timeoutMs: 20_000 })
  await bench.start(A)
  assert.ok(await until(async () => (await inA('systemctl is-active -q data.mount; findmnt -rno SOURCE /data').catch(() => '')) !== '', 60_000))
  const again = await speed()
  await bench.disks.limit('vol-1', undefined)
  const freed = await speed()
  bench.log.info('MiB/s', { free, limited, buffered, again, freed })
  assert.ok([limited, buffered, again].every(value => value < 10 && value > 5) && freed > 16,
    JSON.stringify({ free, limited, buffered, again, freed }))
})
