/** Machines and disks on the real host: root, Incus and a kernel are needed. All is made in a home of its own and removed. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { homeAt } from '#base/home'
import { openLog } from '#base/log'
import type { Disks, MachineEvent, Machines, MachineSpec } from '#engine/port'
import { openDisks, rootPoint } from '#engine/disk/disks'
import { buildImage } from '#engine/disk/image'
import { diskVolume, volumeFile } from '#engine/disk/layout'
import { loopsBelow } from '#engine/disk/loop'
import { isMounted, mountsBelow } from '#engine/disk/mount'
import { run } from '#engine/disk/run'
import { capacityOf } from '#engine/incus/capacity'
import { openGuard } from '#engine/incus/guard'
import type { Client } from '#engine/incus/client'
import { daemonStatus, startDaemon } from '#engine/incus/daemon'
import { incusDir } from '#engine/incus/place'
import { openLan, type Lan } from '#engine/incus/lan.suite'
import { openMeters } from '#engine/incus/meters'
import { openMachines } from '#engine/incus/machines'
import { runs, until } from '#engine/incus/process'
import { resetDaemon } from '#engine/incus/reset'

const home = homeAt({ dir: process.env['ENCLUME_TEST_HOME'] ?? '/var/lib/enclume-test-incus', slot: 6 })
mkdirSync(join(home.dir, 'log'), { recursive: true })
const log = openLog(line => writeFileSync(join(home.dir, 'log', 'test.log'), line, { flag: 'a' }))
const spec: MachineSpec = {
  id: 'i-00000000000000001', cpus: 1, memoryMiB: 512, rootDisk: 'vol-1', ports: [{ port: 'port-1', device: `${home.prefix}-m0`, name: 'ens5' }],
}
const events: MachineEvent[] = []
let client: Client
let disks: Disks
let machines: Machines
let lan: Lan
let unwatch = () => {}

/** Runs a command in the guest, as its root. */
async function inside(...command: string[]): Promise<string> {
  const { pid } = await client.get<{ pid: number }>(`/1.0/instances/${spec.id}/state`)
  return run('nsenter', [`--target=${pid}`, '--all', '--setuid=0', '--setgid=0', ...command])
}
const booted = () => until(async () => (await lan.sshBanner()) === 'SSH-2.0-', 60_000)
const on = async () => {
  const seen = await machines.observe(spec.id)
  assert.ok(typeof seen === 'object' && seen.power === 'on', `seen: ${JSON.stringify(seen)}`)
  return seen.bootId
}

before(async () => {
  lan = await openLan(home.prefix)
  client = await startDaemon(home, log, { poolGiB: 20 })
  await buildImage(home, client, 'debian-12', log)
  disks = openDisks(home, client, log)
  machines = openMachines(home, client, log)
  unwatch = machines.watch(event => events.push(event))
})

after(async () => {
  unwatch()
  // Images take a minute to build: a home given by the caller is left as it is, but for what the test made in it.
  try {
    await machines.delete(spec.id)
    for (const id of ['vol-1', 'vol-2']) await disks.delete(id)
  } finally {
    await lan.close() // Its programs would keep this one waiting.
  }
  if (process.env['ENCLUME_TEST_HOME'] !== undefined) return
  await resetDaemon(home, log)
  assert.deepEqual([mountsBelow(home.dir), mountsBelow(home.run), loopsBelow(home.dir)], [[], [], []])
  rmSync(home.dir, { recursive: true })
  rmSync(home.run, { recursive: true })
})

test('a disk made from an image has the size asked for', async () => {
  await disks.create({ id: 'vol-1', sizeGiB: 10, from: { image: 'debian-12' } })
  await disks.create({ id: 'vol-1', sizeGiB: 10, from: { image: 'debian-12' } })
  const made = [await disks.observe('vol-1'), await disks.users('vol-1'), await disks.observe('vol-2'), await disks.list()]
  assert.deepEqual(made, [{ sizeGiB: 10 }, [], 'absent', ['vol-1']])
})

test('a machine boots to sshd, with the sizes it was given', async () => {
  await machines.create(spec)
  await machines.create(spec)
  assert.deepEqual(await machines.observe(spec.id), { power: 'off', devices: [spec.ports[0]!.device], disks: [], rootDisk: 'vol-1' })
  await machines.start(spec.id)
  await on()
  const started = Date.now()
  assert.ok(await booted(), String(await machines.console(spec.id)))
  log.info('sshd answers', { ms: Date.now() - started })
  assert.deepEqual([await machines.reachable(spec.id), /cloud-init\[\d+\]/.test(String(await machines.console(spec.id)))], [true, true])
  const df = (await inside('df', '--output=size,source', '--block-size=1M', '/')).split('\n')[1]!.trim().split(/\s+/)
  assert.ok(Number(df[0]) > 9800 && Number(df[0]) <= 10240 && df[1] === '/dev/xvda1', `df says ${df}`)
  const kib = /MemTotal:\s+(\d+)/.exec(await inside('cat', '/proc/meminfo'))?.[1]
  const cpus = (await inside('cat', '/proc/cpuinfo')).match(/^processor/gm)?.length
  assert.deepEqual([kib, cpus], [String(512 * 1024), 1])
  assert.deepEqual([await disks.observe('vol-1'), await disks.users('vol-1')], [{ sizeGiB: 10 }, [spec.id]])
})

test('a guest can neither use a block device nor reach the daemon', async () => {
  await assert.rejects(inside('sh', '-c', 'mknod /tmp/loop0 b 7 0 && head -c1 /tmp/loop0'), /Operation not permitted/)
  await assert.rejects(inside('test', '-e', '/dev/incus/sock'))
})

test('new limits hold at once', async () => {
  await machines.resize(spec.id, { cpus: 2, memoryMiB: 768 })
  assert.match(await inside('cat', '/proc/meminfo'), new RegExp(`MemTotal:\\s+${768 * 1024} kB`))
})

test('what it uses of its processors and disks is counted', async () => {
  const meters = openMeters(home)
  const count = async () => {
    const [times, work] = [await meters.processors([spec.id, 'nobody']), await disks.work()]
    assert.ok(times !== 'unknown' && work !== 'unknown')
    assert.deepEqual(Object.keys(times), [spec.id])
    return { ...times[spec.id]!, ...work['vol-1']! }
  }
  const before = await count()
  // By the guest's own init: what is run from outside is not the machine's.
  await inside('systemd-run', '--wait', '--quiet', 'sh', '-c',
    'timeout 2 sh -c "while :; do :; done"; dd if=/dev/zero of=/root/zeros bs=1M count=8 conv=fsync')
  const after = await count()
  assert.equal(after.boot, before.boot)
  assert.ok(after.seconds - before.seconds > 0.2 && after.seconds - before.seconds < 10, `${after.seconds - before.seconds} s`)
  assert.ok(after.bytes - before.bytes - (after.bytesRead - before.bytesRead) >= 8 * 2 ** 20, `${after.bytes - before.bytes} bytes`)
})

test('a disk in use is not deleted, and its copy is another machine', async () => {
  await assert.rejects(disks.delete('vol-1'), /belongs to machine/)
  await inside('sh', '-c', 'echo kept > /root/file && sync')
  await disks.create({ id: 'vol-2', sizeGiB: 11, from: { disk: 'vol-1' }, identity: 'fresh' })
  assert.deepEqual(await disks.observe('vol-2'), { sizeGiB: 11 })
  const file = volumeFile(home, diskVolume('vol-2'))
  const read = async (path: string) => run('debugfs', ['-R', `cat ${path}`, file])
  assert.deepEqual([await read('/root/file'), await read('/etc/machine-id')], ['kept\n', ''])
})

test('a reboot typed inside is a new boot, and told', async () => {
  const before = await on()
  events.length = 0
  await inside('systemctl', 'reboot')
  assert.ok(await until(async () => {
    const seen = await machines.observe(spec.id)
    return typeof seen === 'object' && (seen.bootId ?? before) !== before
  }, 30_000))
  assert.ok(await until(() => events.some(({ id, event }) => id === spec.id && event === 'restarted'), 60_000), JSON.stringify(events))
  assert.ok(await booted())
})

test('a reboot from outside is a new boot', async () => {
  const before = await on()
  await machines.reboot(spec.id, { timeoutMs: 20_000 })
  assert.notEqual(await on(), before)
  assert.ok(await booted())
})

test('a killed daemon leaves machines running, reads as unknown, and its successor finds them', async () => {
  const bootId = await on()
  const { pid } = await daemonStatus(home)
  process.kill(pid!, 'SIGKILL')
  await until(() => !runs(pid!, 'incusd'), 60_000)
  const views = [await machines.observe(spec.id), await machines.list(), await disks.observe('vol-1'), await machines.reachable(spec.id)]
  assert.deepEqual(views, ['unknown', 'unknown', 'unknown', 'unknown'])
  assert.ok(isMounted(rootPoint(home, 'vol-1')))
  await startDaemon(home, log)
  assert.equal(await on(), bootId)
  events.length = 0
})

test('a guest that shuts down by itself is seen off, and told by a watch that outlived the daemon', async () => {
  await inside('systemctl', 'poweroff')
  assert.ok(await until(async () => /"power":"off"/.test(JSON.stringify(await machines.observe(spec.id))), 60_000))
  assert.ok(await until(() => events.some(({ event }) => event === 'shutdown'), 60_000), JSON.stringify(events))
})

test('files outlive stop and start', async () => {
  await machines.start(spec.id)
  assert.ok(await booted())
  await machines.stop(spec.id, { timeoutMs: 20_000 })
  await machines.stop(spec.id, { timeoutMs: 20_000 })
  assert.deepEqual([isMounted(rootPoint(home, 'vol-1')), loopsBelow(volumeFile(home, diskVolume('vol-1')))], [false, []])
  await machines.start(spec.id)
  assert.equal(await inside('cat', '/root/file'), 'kept\n')
})

const firstId = async (id: string) => (await client.get<{ config: Record<string, string> }>(`/1.0/instances/${id}`)).config['volatile.idmap.base']!

test('a machine that has another\'s user ids gets its own at its next start, and its files are its own still', async () => {
  const other = { ...spec, id: 'i-00000000000000002', rootDisk: 'vol-2', ports: [] }
  await machines.stop(spec.id, { timeoutMs: 30_000 })
  await machines.create(other)
  const before = await firstId(spec.id)
  await client.act('PATCH', `/1.0/instances/${other.id}`, { config: { 'volatile.idmap.base': before } })
  await machines.start(spec.id)
  assert.ok(await booted())
  assert.deepEqual([await firstId(spec.id) === before, await firstId(other.id)], [false, before])
  assert.equal((await inside('stat', '-c', '%u %s', '/root/file')).trim(), '0 5')
  await machines.delete(other.id)
})

test('deleting leaves no mount, loop device or volume', async () => {
  await machines.delete(spec.id)
  await machines.delete(spec.id)
  for (const id of ['vol-1', 'vol-2']) await disks.delete(id)
  await disks.delete('vol-1')
  assert.deepEqual([await machines.observe(spec.id), await machines.list(), await disks.list()], ['absent', [], []])
  const volumes = join(incusDir(home), 'storage-pools/pool/custom')
  assert.deepEqual([mountsBelow(`${home.run}/root/vol-1`), loopsBelow(volumes)], [[], []])
})

test('machines that are made at the same time have user ids of their own, which root may give away', async () => {
  const ids = Array.from({ length: 8 }, (_, i) => `i-0000000000000010${i}`)
  await Promise.all(ids.map(id => machines.create({ ...spec, id, rootDisk: `vol-${id}`, ports: [] })))
  const bases = (await Promise.all(ids.map(firstId))).map(Number)
  await Promise.all(ids.map(id => machines.delete(id)))
  const [, first, count] = /^root:(\d+):(\d+)$/m.exec(readFileSync('/etc/subuid', 'utf8'))!.map(Number) as [number, number, number]
  assert.equal(new Set(bases).size, ids.length, bases.join(' '))
  for (const base of bases) assert.ok(base >= first && base + 65_536 <= first + count, bases.join(' '))
})

test('capacity is what the kernel and the pool say', async () => {
  const { memoryMiB, diskGiB } = await capacityOf(home, client)
  const guard = openGuard(home, client, log)
  const free = guard.freeGiB()
  await guard.close()
  const total = /MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))![1]
  assert.deepEqual([memoryMiB, free > 0, diskGiB >= free], [Math.floor(Number(total) / 1024), true, true])
})
