/** The pool that holds all disks, full under an instance that writes: it waits, nothing new is promised, and with room all goes on. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Enclume, eventually, must, ssh, sshArgs, sshReady, type Login } from './enclume.ts'

const SOON = { timeoutMs: 60_000 }
let enclume: Enclume
let group: string
let image: string
let id: string
let login: Login
const pool = () => join(enclume.home.dir, 'incus', 'storage-pools', 'pool')
const ballast = () => join(pool(), 'ballast')

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair('full')
  group = (await enclume.ec2('create-security-group', '--group-name', 'full', '--description', 'full')).GroupId
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  image = await enclume.image('debian-12')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.nano', '--key-name', 'full',
    '--security-group-ids', group)
  id = Instances[0].InstanceId
  login = { key, user: 'admin', address: (await enclume.state(id, 'running')).PublicIpAddress }
  await sshReady(login, 180_000)
}, { timeout: 600_000 })

after(async () => {
  // Also of a test that failed: whoever comes next needs the room at once.
  await empty()
  if (id) await enclume.aws('ec2', 'terminate-instances', '--instance-ids', id)
  if (id) await enclume.state(id, 'terminated')
  await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'full')
  enclume.close()
}, { timeout: 300_000 })

const refused = async (...asked: string[]) => {
  const { stderr } = await enclume.aws('ec2', ...asked)
  return /\(InsufficientVolumeCapacity\).*not enough capacity for new volumes/.test(stderr) && stderr
}
const status = async (): Promise<string> => JSON.stringify(await enclume.instance(id))

const volume = ['create-volume', '--availability-zone', 'us-east-1a', '--size', '1']
/** Blocks that are reserved and never written. */
async function fill(): Promise<void> {
  const { bavail, bsize } = statfsSync(pool())
  await must('fallocate', ['--length', String(bavail * bsize - 700 * 2 ** 20), ballast()])
}
async function empty(): Promise<void> {
  rmSync(ballast(), { force: true })
  await must('btrfs', ['filesystem', 'sync', pool()])
}
const isVolume = (id: string, state: string) => eventually(
  async () => (await enclume.ec2('describe-volumes', '--volume-ids', id)).Volumes[0].State === state, { what: `a volume ${state}`, ...SOON })

test('in a full pool writing waits, new volumes and instances are refused, and with room the file is whole', { timeout: 300_000 }, async () => {
  await fill()
  await eventually(() => refused(...volume), { what: 'a refused volume', ...SOON })
  assert.ok(await refused('run-instances', '--image-id', image, '--instance-type', 't3.nano'))
  // Read is what there is; written is nothing until there is room.
  let isWritten = false
  const writing = ssh(login, 'head -c 8M /dev/urandom > /tmp/file && sync /tmp/file && stat -c %s /tmp/file', 200_000)
    .then(done => { isWritten = true; return done })
  await eventually(async () => (await ssh(login, 'stat -c %s /tmp/file')).stdout.trim() === '8388608', { what: 'a file in memory', ...SOON })
  assert.match(await status(), /"Name":\s*"running"/)
  assert.equal(isWritten, false)

  await empty()
  assert.deepEqual((await writing).stdout.trim(), '8388608')
  const { VolumeId } = await eventually(async () => {
    const { code, stdout } = await enclume.aws('ec2', ...volume, '--output', 'json')
    return code === 0 && JSON.parse(stdout) as { VolumeId: string }
  }, { what: 'a volume', ...SOON })
  await isVolume(VolumeId, 'available')
  await enclume.ec2('delete-volume', '--volume-id', VolumeId)
  assert.equal((await ssh(login, 'sudo touch /root/writable')).code, 0)
})

test('a volume that is detached in order while the pool is full goes when its data are written, and has them all', { timeout: 300_000 }, async () => {
  const { VolumeId } = await enclume.ec2(...volume)
  await isVolume(VolumeId, 'available')
  const attach = async () => {
    await enclume.ec2('attach-volume', '--volume-id', VolumeId, '--instance-id', id, '--device', '/dev/xvdf')
    await eventually(async () => (await ssh(login, 'test -b /dev/xvdf')).code === 0, { what: 'the disk', ...SOON })
  }
  await attach()
  // Whoever signs in now may wait for long: it is done by one who is there.
  const inside = spawn('ssh', sshArgs(login, `sudo sh -ec 'mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/xvdf
    mount /dev/xvdf /mnt; sync; echo ready; read go
    head -c 256K /dev/urandom > /mnt/file; sha256sum < /mnt/file; echo unmounting; umount /mnt; echo unmounted'`))
  let said = ''
  inside.stdout.on('data', (text: Buffer) => { said += text.toString() })
  const says = (word: string) => eventually(async () => said.split('\n').includes(word), { what: `to hear ${word}`, ...SOON })
  await says('ready')
  await fill()
  await eventually(() => refused(...volume), { what: 'a refused volume', ...SOON })
  inside.stdin.write('go\n')
  await says('unmounting')
  await enclume.ec2('detach-volume', '--volume-id', VolumeId)
  const isBusy = async () => (await enclume.ec2('describe-volumes', '--volume-ids', VolumeId)).Volumes[0].Attachments[0].State === 'busy'
  await eventually(isBusy, { what: 'a volume that is mounted still', ...SOON })
  assert.equal(said.includes('unmounted'), false)
  await empty()
  await says('unmounted')
  await isVolume(VolumeId, 'available')
  await attach()
  assert.equal((await ssh(login, 'sudo mount /dev/xvdf /mnt && sha256sum < /mnt/file && sudo umount /mnt')).stdout.trim(), said.split('\n')[1])
  await enclume.ec2('detach-volume', '--volume-id', VolumeId)
  await isVolume(VolumeId, 'available')
  await enclume.ec2('delete-volume', '--volume-id', VolumeId)
})
