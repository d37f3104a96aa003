/**
 * Disks under kill -9 on the real engine: of the server, of Incus, of the storage helper and of what holds a machine still, while a volume is
 * attached and taken away, a snapshot and an image are made. Meanwhile a writer in the instance syncs one record after another.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { daemonStatus } from '#engine/incus/daemon'
import { storageHelper } from '#engine/storage/helper'
import { commandLine, processes } from '#engine/incus/process'
import { findServer } from '#launch/server'
import { Enclume, eventually, launcher, ssh, sshReady, traces, type Login } from './enclume.ts'

let enclume: Enclume
let group: string
let one: string
let zone: string
let login: Login
let data: string
const made = { volumes: [] as string[], snapshots: [] as string[], images: [] as string[] }
/** What the writer had synced when each snapshot was asked for. */
const sure = new Map<string, number>()
const seed = Number(process.env['ENCLUME_TEST_SEED'] ?? Date.now() % 1e6)

async function inside(script: string): Promise<string> {
  const { code, stdout, stderr } = await ssh(login, `sudo sh -euc '${script}'`)
  assert.equal(code, 0, `${script}: ${stderr}${stdout}`)
  return stdout.trim()
}
const volumeOf = async (id: string) => (await enclume.ec2('describe-volumes', '--volume-ids', id)).Volumes[0]
const reaches = (id: string, state: string) =>
  eventually(async () => (await volumeOf(id)).State === state, { what: `${id} ${state}`, timeoutMs: 60_000 })
const attached = (id: string) =>
  eventually(async () => (await volumeOf(id)).Attachments[0]?.State === 'attached', { what: `${id} attached`, timeoutMs: 60_000 })
async function volume(...options: string[]): Promise<string> {
  const { VolumeId } = await enclume.ec2('create-volume', '--availability-zone', zone, '--size', '1', ...options)
  made.volumes.push(VolumeId)
  await reaches(VolumeId, 'available')
  return VolumeId
}

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('disk-faults')
  group = (await enclume.ec2('create-security-group', '--group-name', 'disk-faults', '--description', 'disk-faults')).GroupId
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12-ec2'), '--instance-type', 't3.micro',
    '--key-name', 'disk-faults', '--security-group-ids', group)
  one = Instances[0].InstanceId
  const { PublicIpAddress: address, Placement } = await enclume.state(one, 'running')
  zone = Placement.AvailabilityZone
  login = { key, user: 'ec2-user', address }
  await sshReady(login)
  data = await volume()
  await enclume.ec2('attach-volume', '--volume-id', data, '--instance-id', one, '--device', '/dev/xvdf')
  await attached(data)
  // A table, so that partitions are part of it; the longest that a record took, in milliseconds, is kept.
  await inside('echo , | sfdisk -q /dev/xvdf; mkfs.ext4 -q /dev/xvdf1; mkdir /data; mount /dev/xvdf1 /data')
  await inside(`cat > /root/writer.py <<EOF
import os, time
log = os.open("/data/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
n, worst = 0, 0
while not os.path.exists("/run/stop"):
    n += 1; began = time.monotonic()
    os.write(log, b"%d\\n" % n); os.fsync(log)
    worst = max(worst, time.monotonic() - began)
    open("/run/new", "w").write("%d %d" % (n, worst * 1000)); os.rename("/run/new", "/run/synced"); time.sleep(0.005)
EOF
systemd-run -q --unit writer python3 /root/writer.py`)
}, { timeout: 900_000 })

after(async () => {
  await enclume.ec2('terminate-instances', '--instance-ids', one)
  await enclume.state(one, 'terminated')
  for (const id of made.images) await enclume.aws('ec2', 'deregister-image', '--image-id', id)
  for (const id of made.volumes) await enclume.aws('ec2', 'delete-volume', '--volume-id', id)
  for (const id of made.snapshots) await enclume.aws('ec2', 'delete-snapshot', '--snapshot-id', id)
  await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'disk-faults')
  enclume.close()
}, { timeout: 120_000 })

const SOON = { timeoutMs: 60_000 }
/** Who may be killed. */
const victims: Record<string, () => Promise<number[]>> = {
  server: async () => [findServer(enclume.home)!.pid],
  // The one that was killed before is to be back.
  incus: async () => [await eventually(async () => (await daemonStatus(enclume.home)).pid, { what: 'incus', ...SOON })],
  helper: async () => processes('storage.py').filter(pid => commandLine(pid)?.includes(`${enclume.home.run}/`)),
  // Whoever holds the machine still, if it does so just now, and the server.
  freezer: async () => [...processes('cat > /dev/null').filter(pid => commandLine(pid)?.includes(one)), findServer(enclume.home)!.pid],
}

let extra: string
let attachments = 0
const acts: Record<string, { ask(): Promise<unknown>; ends(): Promise<unknown> }> = {
  attach: {
    ask: () => enclume.ec2('attach-volume', '--volume-id', extra, '--instance-id', one, '--device', '/dev/xvdp'),
    async ends() {
      await attached(extra)
      // What was written before it was taken away, and somebody was killed, is there each time.
      await inside('blkid /dev/xvdp > /dev/null || mkfs.ext4 -q /dev/xvdp; mkdir -p /p; mount /dev/xvdp /p; echo kept >> /p/file; sync')
      assert.equal(await inside('cat /p/file; umount /p'), Array(++attachments).fill('kept').join('\n'))
    },
  },
  snapshot: {
    async ask() {
      const count = Number((await inside('cat /run/synced')).split(' ')[0])
      const { SnapshotId } = await enclume.ec2('create-snapshot', '--volume-id', data)
      made.snapshots.push(SnapshotId)
      sure.set(SnapshotId, count)
    },
    async ends() {
      const look = async () => (await enclume.ec2('describe-snapshots', '--snapshot-ids', made.snapshots.at(-1)!)).Snapshots[0].State === 'completed'
      await eventually(look, { what: 'the snapshot', timeoutMs: 60_000 })
    },
  },
  image: {
    async ask() {
      const { ImageId } = await enclume.ec2('create-image', '--instance-id', one, '--name', `faults-${Date.now()}`, '--no-reboot')
      made.images.push(ImageId)
    },
    async ends() {
      const image = await eventually(async () => {
        const [found] = (await enclume.ec2('describe-images', '--image-ids', made.images.at(-1)!)).Images
        return found.State === 'available' && found
      }, { what: 'the image', timeoutMs: 60_000 })
      for (const { Ebs } of image.BlockDeviceMappings) made.snapshots.push(Ebs.SnapshotId)
    },
  },
  detach: {
    ask: () => enclume.ec2('detach-volume', '--volume-id', extra),
    ends: async () => { await reaches(extra, 'available'); await inside('test ! -e /dev/xvdp') },
  },
}

const answers = () => eventually(async () => (await enclume.aws('sts', 'get-caller-identity')).code === 0, { what: 'the server', timeoutMs: 30_000 })

/** A chance that a seed decides, so that a run can be had again. */
function chances(from: number): () => number {
  let state = from
  return () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
}
const chance = chances(seed)

for (const victim of Object.keys(victims)) {
  test(`${victim} killed while a volume comes and goes and copies are made: all of it is done`, { timeout: 240_000 }, async t => {
    extra ??= await volume()
    for (const [name, { ask, ends }] of Object.entries(acts)) {
      const afterMs = Math.floor(chance() * 250)
      t.diagnostic(`${name}, killed ${afterMs} ms after the answer (seed ${seed})`)
      await ask()
      await pause(afterMs)
      const killed = await victims[victim]!()
      for (const pid of killed) process.kill(pid, 'SIGKILL')
      // While it is away mounts in guests fail, as its own tests show.
      const isBack = async () => !killed.includes(storageHelper(enclume.home) ?? killed[0]!)
      if (victim === 'helper') await eventually(isBack, { what: 'the helper', ...SOON })
      // A server that ends again and again is brought back later and later, unless somebody says `up`.
      if (['server', 'freezer'].includes(victim)) await launcher('up', '--home', enclume.home.dir)
      await answers()
      await ends()
    }
  })
}

test('the writer was never stopped, and every snapshot holds what was synced before it was asked for', { timeout: 240_000 }, async t => {
  const [count, worstMs] = (await inside('systemctl is-active -q writer; cat /run/synced')).split(' ').map(Number)
  t.diagnostic(`${count} records, the slowest in ${worstMs} ms`)
  assert.ok(worstMs! < 10_000)
  await inside('touch /run/stop')
  assert.ok([...sure.values()].every(n => n > 0 && n < count!))
  for (const [snapshot, synced] of sure) {
    const restored = await volume('--snapshot-id', snapshot)
    await enclume.ec2('attach-volume', '--volume-id', restored, '--instance-id', one, '--device', '/dev/xvdr')
    await attached(restored)
    await inside('e2fsck -p /dev/xvdr1 || [ $? -le 1 ]; e2fsck -fn /dev/xvdr1; mkdir -p /r; mount /dev/xvdr1 /r')
    const records = Number(await inside('awk "\\$1 != NR { exit 1 } END { print NR }" /r/log; umount /r'))
    assert.ok(records >= synced && records <= count!, `${snapshot}: ${records} of ${synced}`)
    await enclume.ec2('detach-volume', '--volume-id', restored)
    await reaches(restored, 'available')
  }
})

test('nothing is left on the host but what the records name', { timeout: 120_000 }, async () => {
  const { home } = enclume
  const look = async () => {
    const disks = readdirSync(join(home.dir, 'incus', 'storage-pools', 'pool', 'custom')).flatMap(name => /disk-(.*)$/.exec(name)?.[1] ?? [])
    const { Volumes } = await enclume.ec2('describe-volumes')
    const { Snapshots } = await enclume.ec2('describe-snapshots', '--owner-ids', 'self')
    const named = [...Volumes.map((v: any) => v.VolumeId), ...Snapshots.map((s: any) => s.SnapshotId)] as string[]
    const { loops, mounts } = await traces(home)
    const inUse = Volumes.filter((v: any) => v.State === 'in-use').length
    const [orphans, lost] = [disks.filter(id => !named.includes(id)), named.filter(id => !disks.includes(id))]
    return { orphans, lost, loops: loops.length - inUse, mounts: mounts.length }
  }
  let last: unknown
  const clean = async () => { last = await look(); return JSON.stringify(last) === JSON.stringify({ orphans: [], lost: [], loops: 0, mounts: 1 }) }
  await eventually(clean, { what: 'the records and the host alike', timeoutMs: 75_000 }).catch(() => assert.fail(JSON.stringify(last)))
})
