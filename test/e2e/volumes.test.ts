/** Volumes, snapshots and images as a course uses them, by the AWS CLI and ssh on the real engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
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
async function launch(image: string, count = 1, type = 't3.micro'): Promise<string[]> {
  const { Instances } = await enclume.ec2('run-instances', '--image-id', image, '--instance-type', type, '--count', String(count),
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
async function reboot(id: string): Promise<void> {
  const boot = async () => (await ssh(await login(id), 'stat -c %Z /proc/1')).stdout.trim()
  const before = await boot()
  await enclume.ec2('reboot-instances', '--instance-ids', id)
  await eventually(async () => { const now = await boot(); return now !== '' && now !== before }, { what: 'the reboot', timeoutMs: 60_000 })
}
async function restart(id: string): Promise<void> {
  await enclume.ec2('stop-instances', '--instance-ids', id)
  await enclume.state(id, 'stopped')
  await enclume.ec2('start-instances', '--instance-ids', id)
  await enclume.state(id, 'running')
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
  await reboot(one)
  await mounted()
  await restart(one)
  await mounted()
})

test('instance store is there over a reboot, and empty after a stop', async () => {
  const [id] = await launch(await enclume.image('debian-12-ec2'), 1, 'm5d.large') as [string]
  assert.equal(await inside(id, 'lsblk -dno MODEL /dev/nvme1n1'), 'Amazon EC2 NVMe Instance Storage')
  await inside(id, 'mkfs.ext4 -q /dev/nvme1n1; mount /dev/nvme1n1 /mnt; echo kept > /mnt/file; umount /mnt')
  await reboot(id)
  assert.equal(await inside(id, 'mount /dev/nvme1n1 /mnt; cat /mnt/file; umount /mnt'), 'kept')
  await restart(id)
  await sshReady(await login(id))
  assert.equal(await inside(id, 'head -c 1048576 /dev/nvme1n1 | tr -d "\\000" | wc -c'), '0')
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

/** What a task of VM Import/Export says in the end. */
async function ended(list: 'import' | 'export', id: string): Promise<any> {
  const done = await eventually(async () => {
    const answer = await enclume.ec2(`describe-${list}-image-tasks`, `--${list === 'import' ? 'import' : 'export-image'}-task-ids`, id)
    const [task] = list === 'import' ? answer.ImportImageTasks : answer.ExportImageTasks
    return task.Status !== 'active' && task
  }, { what: `${id} ended`, timeoutMs: 180_000 })
  assert.equal(done.Status, 'completed', done.StatusMessage)
  return done
}
async function importImage(container: string): Promise<string> {
  const { ImportTaskId } = await enclume.ec2('import-image', '--disk-containers', container)
  const { ImageId, SnapshotDetails } = await ended('import', ImportTaskId)
  ids.images.push(ImageId)
  for (const { SnapshotId } of SnapshotDetails) ids.snapshots.push(SnapshotId)
  return ImageId
}

test('a disk with partitions becomes an image, that a file in a bucket, that an image again, and an instance of it has what was on the disk', {
  timeout: 420_000,
}, async () => {
  const trust = JSON.stringify({ Version: '2012-10-17', Statement: {
    Effect: 'Allow', Principal: { Service: 'vmie.amazonaws.com' }, Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:Externalid': 'vmimport' } },
  } })
  await enclume.aws('iam', 'create-role', '--role-name', 'vmimport', '--assume-role-policy-document', trust)
  const bucket = `images-${Date.now()}`
  assert.equal((await enclume.aws('s3', 'mb', `s3://${bucket}`)).code, 0)
  const disk = await volume('--size', '3')
  await attach(disk, one, '/dev/xvdp')
  // What takes the most room and is not needed to start is left out: it all goes to the bucket and back.
  const without = ['usr/lib/python3/dist-packages/awscli', 'usr/share/doc', 'usr/share/locale', 'usr/share/man', 'var/lib/apt', 'var/cache']
  await inside(one, 'printf "label: gpt\\n,100M,U\\n,\\n" | sfdisk -q /dev/xvdp; mkfs.ext4 -q /dev/xvdp2; mkdir /new; mount /dev/xvdp2 /new; '
    + `tar -C / --one-file-system ${without.map(path => `--exclude=./${path}`).join(' ')} -cf - . | tar -C /new -xf -; `
    + 'echo brought > /new/root/file; echo "UUID=none /boot/efi vfat defaults 0 1" > /new/etc/fstab; umount /new')
  const { SnapshotId } = await enclume.ec2('create-snapshot', '--volume-id', disk)
  await completed(SnapshotId)
  await detach(disk)
  const first = await importImage(`SnapshotId=${SnapshotId}`)
  const { ExportImageTaskId } = await enclume.ec2('export-image', '--image-id', first, '--disk-image-format', 'VMDK',
    '--s3-export-location', `S3Bucket=${bucket},S3Prefix=out/`)
  await ended('export', ExportImageTaskId)
  const second = await importImage(`Format=VMDK,Url=s3://${bucket}/out/${ExportImageTaskId}.vmdk`)
  const [made] = await launch(second) as [string]
  assert.equal(await inside(made, 'cat /root/file; systemctl is-system-running --wait > /dev/null || true; findmnt -no FSTYPE /'), 'brought\next4')
  await enclume.ec2('terminate-instances', '--instance-ids', made)
  assert.equal((await enclume.aws('s3', 'rb', '--force', `s3://${bucket}`)).code, 0)
  assert.equal((await enclume.aws('iam', 'delete-role', '--role-name', 'vmimport')).code, 0)
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
