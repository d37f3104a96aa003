/** Everything kept in a folder while an instance runs, and a home made of it again, on the real engine. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Enclume, eventually, launcher, run, ssh, sshReady, type Login } from './enclume.ts'

const LAUNCHER = fileURLToPath(new URL('../../enclume', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'enclume-backup-'))
const folder = join(work, 'kept')
let enclume: Enclume
let login: Login
let id: string
let snapshot: string | undefined

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('backup')
  const group = (await enclume.ec2('create-security-group', '--group-name', 'backup', '--description', 'backup')).GroupId
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.nano',
    '--key-name', 'backup', '--security-group-ids', group, '--block-device-mappings', 'DeviceName=/dev/xvdf,Ebs={VolumeSize=1}')
  id = Instances[0].InstanceId
  const { AllocationId, PublicIp } = await enclume.ec2('allocate-address')
  await enclume.state(id, 'running')
  await enclume.ec2('associate-address', '--allocation-id', AllocationId, '--instance-id', id)
  login = { key, user: 'admin', address: PublicIp }
  await sshReady(login)
  await must('mkfs.ext4 -q /dev/xvdf; mkdir /data; mount /dev/xvdf /data; echo snapshotted > /data/file; sync')
  const { BlockDeviceMappings } = await enclume.instance(id)
  const data = BlockDeviceMappings.find((one: any) => one.DeviceName === '/dev/xvdf').Ebs.VolumeId
  snapshot = (await enclume.ec2('create-snapshot', '--volume-id', data)).SnapshotId
  await completed()
})
async function must(command: string): Promise<string> {
  const { code, stdout, stderr } = await ssh(login, `sudo sh -ec '${command}'`)
  assert.equal(code, 0, stderr)
  return stdout
}
async function completed(): Promise<void> {
  const isDone = async () => (await enclume.ec2('describe-snapshots', '--snapshot-ids', snapshot!)).Snapshots[0].State === 'completed'
  await eventually(isDone, { what: 'the snapshot', timeoutMs: 60_000 })
}
after(async () => {
  await launcher('up')
  const { Addresses } = await enclume.ec2('describe-addresses')
  await enclume.ec2('terminate-instances', '--instance-ids', id)
  await enclume.state(id, 'terminated')
  if (snapshot) await enclume.ec2('delete-snapshot', '--snapshot-id', snapshot)
  for (const { AllocationId } of Addresses) await enclume.ec2('release-address', '--allocation-id', AllocationId)
  await enclume.ec2('delete-security-group', '--group-name', 'backup')
  await enclume.ec2('delete-key-pair', '--key-name', 'backup')
  enclume.close()
  rmSync(work, { recursive: true, force: true })
})

test('a backup of a running instance is whole, sparse and for root alone, and keeps the instance running', async () => {
  await must('echo kept > /data/file; sync')
  const { stdout: boot } = await ssh(login, 'echo kept > file; sync; cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')
  await launcher('backup', folder)
  const { volumes } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const files = volumes.map(({ name }: { name: string }) => statSync(join(folder, 'volumes', `${name}.img`)))
  const sizes = files.map(({ size }: { size: number }) => size / 2 ** 30).sort()
  assert.deepEqual(sizes, [1, 1, 8], 'the data volume, its snapshot and the root volume')
  for (const { size, blocks } of files) assert.ok(blocks * 512 < size / 4, `${size} bytes, ${blocks} blocks`)
  assert.deepEqual([statSync(join(folder, 'home')).mode & 0o77, statSync(join(folder, 'home', 'root-credentials.json')).mode & 0o77], [0, 0])
  assert.ok(readdirSync(join(folder, 'home')).includes('enclume.db'))
  assert.equal((await ssh(login, 'cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1')).stdout, boot)
  const again = await run(LAUNCHER, ['backup', folder])
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true])
})

test('a home is restored from it only where there is none, and what ran runs, with its files, volumes, snapshots and its address', async () => {
  await ssh(login, 'echo later > file; sync')
  await must('echo later > /data/file; sync')
  const occupied = await run(LAUNCHER, ['restore', folder])
  assert.deepEqual([occupied.code, /there is an Enclume in .* already/.test(occupied.stderr)], [1, true])
  await launcher('reset', '--yes')
  await launcher('restore', folder)
  await launcher('up')
  const found = await enclume.state(id, 'running')
  assert.equal(found.PublicIpAddress, login.address)
  await sshReady(login)
  assert.equal((await ssh(login, 'cat file')).stdout, 'kept\n')
  assert.equal(await must('mount /dev/xvdf /data; cat /data/file'), 'kept\n')
  await completed()
  const zone = (await enclume.instance(id)).Placement.AvailabilityZone
  const { VolumeId } = await enclume.ec2('create-volume', '--snapshot-id', snapshot!, '--availability-zone', zone)
  const isState = (wanted: string) => async () => (await enclume.ec2('describe-volumes', '--volume-ids', VolumeId)).Volumes[0].State === wanted
  await eventually(isState('available'), { what: 'a volume of the snapshot', timeoutMs: 60_000 })
  await enclume.ec2('attach-volume', '--volume-id', VolumeId, '--instance-id', id, '--device', '/dev/xvdg')
  await eventually(async () => (await ssh(login, 'test -b /dev/xvdg')).code === 0, { what: '/dev/xvdg', timeoutMs: 60_000 })
  assert.equal(await must('mkdir /old; mount /dev/xvdg /old; cat /old/file; umount /old'), 'snapshotted\n')
  await enclume.ec2('detach-volume', '--volume-id', VolumeId)
  await eventually(isState('available'), { what: 'the volume detached', timeoutMs: 60_000 })
  await enclume.ec2('delete-volume', '--volume-id', VolumeId)
})

test('a folder that is no whole backup is refused and makes nothing', async () => {
  const half = join(work, 'half')
  for (const [home, text] of [[half, undefined], [work, '{"format":99,"version":"9.0.0"}']] as const) {
    if (text) writeFileSync(join(home, 'manifest.json'), text)
    const { code, stderr } = await run(LAUNCHER, ['restore', home, '--home', join(work, 'home')])
    assert.deepEqual([code, /is no whole backup|written by a newer Enclume/.test(stderr)], [1, true], stderr)
  }
  assert.ok(!readdirSync(work).includes('home'))
})
