/** Volumes, snapshots and images as a course uses them, by the AWS CLI and ssh on the real engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findServer } from '#launch/server'
import { Enclume, eventually, ssh, sshReady, visit, type Login } from './enclume.ts'

let enclume: Enclume
let key: string
let group: string
let zone: string
const none: string[] = []
const ids = { instances: [...none], volumes: [...none], snapshots: [...none], images: [...none] }
let one: string
let data: string

const login = async (id: string): Promise<Login> => ({ key, user: 'ec2-user', address: (await enclume.instance(id)).PublicIpAddress })
/** As root in an instance; it must succeed. */
async function inside(id: string, script: string): Promise<string> {
  const { code, stdout, stderr } = await ssh(await login(id), `sudo sh -euc '${script}'`)
  assert.equal(code, 0, `${script}: ${stderr}${stdout}`)
  return stdout.trim()
}
async function launch(image: string, count = 1): Promise<string[]> {
  const { Instances } = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', 't3.micro', '--count', String(count),
    '--key-name', 'volumes', '--security-group-ids', group)
  const made = Instances.map((instance: any) => instance.InstanceId as string)
  ids.instances.push(...made)
  await Promise.all(made.map(async (id: string) => { await enclume.state(id, 'running'); await sshReady(await login(id)) }))
  return made
}
async function volume(...options: string[]): Promise<string> {
  const { VolumeId } = await enclume.ec2('create-volume', '--availability-zone', zone, '--volume-type', 'gp3', ...options)
  ids.volumes.push(VolumeId)
  await reaches(VolumeId, 'available')
  return VolumeId
}
const reaches = (id: string, state: string) => eventually(async () =>
  (await enclume.ec2('describe-volumes', '--volume-ids', id)).Volumes[0].State === state, { what: `${id} ${state}`, timeoutMs: 60_000 })
async function attach(id: string, instance: string, device: string): Promise<void> {
  await enclume.ec2('attach-volume', '--volume-id', id, '--instance-id', instance, '--device', device)
  await eventually(async () => (await enclume.ec2('describe-volumes', '--volume-ids', id)).Volumes[0].Attachments[0]?.State === 'attached',
    { what: `${id} attached`, timeoutMs: 60_000 })
}
async function detach(id: string): Promise<void> {
  await enclume.ec2('detach-volume', '--volume-id', id)
  await reaches(id, 'available')
}
async function completed(id: string): Promise<string> {
  ids.snapshots.push(id)
  await eventually(async () => (await enclume.ec2('describe-snapshots', '--snapshot-ids', id)).Snapshots[0].State === 'completed',
    { what: `${id} completed`, timeoutMs: 60_000 })
  return id
}

before(async () => {
  enclume = await Enclume.up()
  key = await enclume.keyPair('volumes')
  group = (await enclume.ec2('create-security-group', '--group-name', 'volumes', '--description', 'Volumes')).GroupId
  for (const port of ['22', '80']) {
    await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', port, '--cidr', '0.0.0.0/0')
  }
  [one] = await launch(await enclume.image('debian-12-ec2')) as [string]
  zone = (await enclume.instance(one)).Placement.AvailabilityZone
}, { timeout: 900_000 })

after(async () => {
  if (ids.instances.length > 0) await enclume.ec2('terminate-instances', '--instance-ids', ...ids.instances)
  for (const id of ids.instances) await enclume.state(id, 'terminated')
  for (const id of ids.images) await enclume.aws('ec2', 'deregister-image', '--image-id', id)
  for (const id of ids.volumes) await enclume.aws('ec2', 'delete-volume', '--volume-id', id)
  for (const id of ids.snapshots) await enclume.aws('ec2', 'delete-snapshot', '--snapshot-id', id)
  await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', 'volumes')
  enclume.close()
})

test('a volume is attached under the name asked, formatted, mounted, and named in /etc/fstab', async () => {
  data = await volume('--size', '1')
  await attach(data, one, '/dev/xvdf')
  const [model, serial] = (await inside(one, 'lsblk -dno MODEL /dev/xvdf; lsblk -dno SERIAL /dev/xvdf')).split('\n')
  assert.deepEqual([model, serial], ['Amazon Elastic Block Store', data.replace('-', '')])
  await inside(one, 'mkfs.ext4 -q /dev/xvdf; mkdir /data; echo "/dev/xvdf /data ext4 defaults,nofail 0 2" >> /etc/fstab')
  await inside(one, 'mount -a; echo kept > /data/file')
  assert.match(await inside(one, 'df --output=source /data'), /\/dev\/xvdf$/)
})

test('a reboot keeps it, and a stop and a start', async () => {
  const read = async () => (await ssh(await login(one), 'cat /data/file')).stdout
  const mounted = () => eventually(async () => await read() === 'kept\n', { what: '/data', timeoutMs: 60_000 })
  const booted = await inside(one, 'cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1')
  await enclume.ec2('reboot-instances', '--instance-ids', one)
  await eventually(async () => (await ssh(await login(one), 'cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1')).stdout.trim() !== booted,
    { what: 'the reboot', timeoutMs: 60_000 })
  await mounted()
  await enclume.ec2('stop-instances', '--instance-ids', one)
  await enclume.state(one, 'stopped')
  await enclume.ec2('start-instances', '--instance-ids', one)
  await enclume.state(one, 'running')
  await mounted()
})

test('a snapshot made while it is written holds every record that was synced before, in a clean file system', async () => {
  const step = 'i=\\$((i+1)); echo \\$i >> /data/log; sync /data/log; echo \\$i > /run/synced'
  await inside(one, `nohup sh -c "i=0; while [ ! -e /data/stop ]; do ${step}; done" > /dev/null 2>&1 &`)
  await eventually(async () => Number(await inside(one, 'cat /run/synced || echo 0')) > 20, { what: 'records', timeoutMs: 60_000 })
  const sure = Number(await inside(one, 'cat /run/synced'))
  const { SnapshotId } = await enclume.ec2('create-snapshot', '--volume-id', data, '--description', 'under load')
  await completed(SnapshotId)
  const later = Number(await inside(one, 'cat /run/synced'))
  await inside(one, 'touch /data/stop')
  assert.ok(later > sure, 'writing went on')
  const restored = await volume('--snapshot-id', SnapshotId)
  await attach(restored, one, '/dev/xvdg')
  // The first check replays the journal, as a mount would; the second finds nothing left to say.
  await inside(one, 'e2fsck -p /dev/xvdg || [ $? -le 1 ]; e2fsck -fn /dev/xvdg; mkdir -p /restored; mount /dev/xvdg /restored')
  const records = (await inside(one, 'cat /restored/log')).split('\n').map(Number)
  assert.deepEqual(records.slice(0, sure), Array.from({ length: sure }, (_, i) => i + 1))
  await inside(one, 'umount /restored')
  await detach(restored)
})

test('it grows while it is attached, and moves to another instance with its data', async () => {
  await enclume.ec2('modify-volume', '--volume-id', data, '--size', '2')
  const size = () => inside(one, 'blockdev --getsize64 /dev/xvdf')
  await eventually(async () => await size() === String(2 * 2 ** 30), { what: 'the new size', timeoutMs: 60_000 })
  await inside(one, 'umount /data; e2fsck -fp /dev/xvdf; resize2fs /dev/xvdf; sed -i /xvdf/d /etc/fstab')
  await detach(data)
  const [two] = await launch(await enclume.image('debian-12-ec2')) as [string]
  await attach(data, two, '/dev/sdh')
  const { stdout } = await ssh(await login(two),
    'sudo sh -euc "mkdir /data; mount /dev/sdh /data; cat /data/file; df --output=size -BM /data | tail -1"')
  const [kept, seen] = stdout.trim().split('\n').map(line => line.trim())
  assert.ok(kept === 'kept' && Number.parseInt(seen!, 10) > 1900, stdout)
  await enclume.ec2('terminate-instances', '--instance-ids', two)
  await reaches(data, 'available')
})

test('an image of a configured instance becomes three that serve the same page, each with an identity of its own', async () => {
  await inside(one, 'mkdir -p /var/www; echo "made once" > /var/www/index.html; '
    + 'printf "[Service]\\nExecStart=/usr/bin/python3 -m http.server 80 --directory /var/www\\n[Install]\\nWantedBy=multi-user.target\\n" '
    + '> /etc/systemd/system/page.service; systemctl enable -q page')
  const { ImageId } = await enclume.ec2('create-image', '--instance-id', one, '--name', `page-${Date.now()}`, '--no-reboot')
  ids.images.push(ImageId)
  const image = await eventually(async () => {
    const [found] = (await enclume.ec2('describe-images', '--image-ids', ImageId)).Images
    return found.State === 'available' && found
  }, { what: 'the image', timeoutMs: 60_000 })
  for (const { Ebs } of image.BlockDeviceMappings) if (Ebs) ids.snapshots.push(Ebs.SnapshotId)
  const three = await launch(ImageId, 3)
  const machines = new Set<string>()
  for (const id of three) {
    const { address } = await login(id)
    assert.equal(await eventually(async () => {
      const seen = await visit(`http://${address}/`)
      return seen !== 'refused' && seen.trim()
    }, { what: 'the page', timeoutMs: 30_000 }), 'made once')
    machines.add(await inside(id, 'cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname'))
  }
  assert.equal(machines.size, 3)
  await enclume.ec2('terminate-instances', '--instance-ids', ...three)
})

test('the root of a stopped instance is repaired in another and put back', async () => {
  const [rescue] = await launch(await enclume.image('debian-12-ec2')) as [string]
  await inside(one, 'mv /usr/sbin/sshd /usr/sbin/sshd.lost')
  await enclume.ec2('stop-instances', '--instance-ids', one)
  const { BlockDeviceMappings: [root], RootDeviceName } = await enclume.state(one, 'stopped')
  await detach(root.Ebs.VolumeId)
  await attach(root.Ebs.VolumeId, rescue, '/dev/xvdf')
  await inside(rescue, 'mkdir /rescue; mount /dev/xvdf /rescue; mv /rescue/usr/sbin/sshd.lost /rescue/usr/sbin/sshd; umount /rescue')
  await detach(root.Ebs.VolumeId)
  await attach(root.Ebs.VolumeId, one, RootDeviceName)
  await enclume.ec2('start-instances', '--instance-ids', one)
  await enclume.state(one, 'running')
  await sshReady(await login(one))
  assert.equal(await inside(one, 'cat /var/www/index.html'), 'made once')
})

test('killed at any moment while it attaches, detaches and copies, it loses nothing and leaves nothing', async () => {
  const kill = () => { process.kill(findServer(enclume.home)!.pid, 'SIGKILL') }
  const back = () => eventually(async () => (await enclume.aws('sts', 'get-caller-identity')).code === 0, { what: 'the server', timeoutMs: 30_000 })
  const killed = await volume('--size', '1')
  await enclume.ec2('attach-volume', '--volume-id', killed, '--instance-id', one, '--device', '/dev/xvdp')
  kill()
  await back()
  await reaches(killed, 'in-use')
  await eventually(async () => (await ssh(await login(one), 'test -b /dev/xvdp')).code === 0, { what: '/dev/xvdp', timeoutMs: 60_000 })
  await inside(one, 'mkfs.ext4 -q /dev/xvdp; mkdir -p /p; mount /dev/xvdp /p; echo kept > /p/file; sync')
  const user = await login(one) // While the server is away nobody tells its address.
  const { SnapshotId } = await enclume.ec2('create-snapshot', '--volume-id', killed)
  kill()
  assert.equal((await ssh(user, 'sudo sh -euc "echo on >> /p/file; cat /p/file"')).stdout.trim(), 'kept\non')
  await back()
  await completed(SnapshotId)
  await inside(one, 'umount /p')
  await enclume.ec2('detach-volume', '--volume-id', killed)
  kill()
  await back()
  await reaches(killed, 'available')
  assert.notEqual((await ssh(await login(one), 'test -e /dev/xvdp')).code, 0)
  const restored = await volume('--snapshot-id', SnapshotId)
  await attach(restored, one, '/dev/xvdp')
  assert.match(await inside(one, 'mount /dev/xvdp /p; cat /p/file'), /^kept/)
})

test('terminate deletes the root volume and keeps the data', async () => {
  const [fresh] = await launch(await enclume.image('debian-12-ec2')) as [string]
  const { BlockDeviceMappings: [root] } = await enclume.instance(fresh)
  await attach(data, fresh, '/dev/sdg')
  await enclume.ec2('terminate-instances', '--instance-ids', fresh)
  await enclume.state(fresh, 'terminated')
  await eventually(async () => (await enclume.aws('ec2', 'describe-volumes', '--volume-ids', root.Ebs.VolumeId)).code !== 0,
    { what: 'the root volume gone', timeoutMs: 60_000 })
  await reaches(data, 'available')
})
