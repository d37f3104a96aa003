/**
 * Volumes by type: what was asked of EC2 against what fio inside the instance gets; how long attaching, a snapshot and an image take, against
 * what plain Incus has nearest; and the speed of a volume that is not held back against the host's own file, in the same run.
 * Needs an Enclume that is up (ENCLUME_HOME), with a way to Debian's packages for fio. node test/bench/volumes.ts [SECONDS a measurement]
 */
import {
  AttachVolumeCommand, CreateImageCommand, CreateSnapshotCommand, DescribeImagesCommand, DescribeSnapshotsCommand, DescribeVolumesCommand,
} from '@aws-sdk/client-ec2'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { daemonClient } from '#engine/incus/place'
import { openDisks } from '#engine/disk/disks'
import { openLog } from '#base/log'
import { Enclume, eventually, must, ssh, sshReady, type Login } from '../e2e/enclume.ts'
import { clientOf } from './shared/client.ts'
import { openPlain } from './shared/plain.ts'

const SECONDS = Number(process.argv[2] ?? 5)
const TYPES = [
  { name: 'gp3', gib: 10, iops: 3000, mib: 125, options: [] },
  { name: 'gp3', gib: 20, iops: 6000, mib: 250, options: ['--iops', '6000', '--throughput', '250'] },
  { name: 'gp2', gib: 10, iops: 3000, mib: 128, options: [] },
  { name: 'io1', gib: 10, iops: 400, mib: 100, options: ['--iops', '400'] },
  { name: 'io2', gib: 10, iops: 1000, mib: 250, options: ['--iops', '1000'] },
  // Held to throughput alone, by their size.
  { name: 'st1', gib: 500, iops: undefined, mib: 122, options: [] },
  { name: 'sc1', gib: 500, iops: undefined, mib: 39, options: [] },
  { name: 'standard', gib: 10, iops: 200, mib: 90, options: [] },
]

const enclume = await Enclume.up()
const ec2 = clientOf(enclume)
const disks = openDisks(enclume.home, daemonClient(enclume.home), openLog(() => {}, 'error'))
const made: string[] = []
let instance = ''
let group = ''
const name = `bench-${process.pid}`

async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now()
  return [await act(), Math.round(performance.now() - started)]
}
/** Asks until it is so, no oftener than every 15 ms. */
async function comes(look: () => Promise<boolean>): Promise<void> {
  while (!await look()) await new Promise(resolve => setTimeout(resolve, 15))
}
const state = async (id: string): Promise<any> => (await enclume.ec2('describe-volumes', '--volume-ids', id)).Volumes[0]
const reaches = (id: string, wanted: string) =>
  eventually(async () => (await state(id)).State === wanted, { what: `${id} ${wanted}`, timeoutMs: 60_000 })
async function volume(zone: string, type: string, gib: number, options: string[]): Promise<string> {
  const { VolumeId } = await enclume.ec2('create-volume', '--availability-zone', zone, '--volume-type', type, '--size', String(gib), ...options)
  made.push(VolumeId)
  await reaches(VolumeId, 'available')
  return VolumeId
}
async function attach(id: string): Promise<void> {
  await enclume.ec2('attach-volume', '--volume-id', id, '--instance-id', instance, '--device', '/dev/xvdf')
  await eventually(async () => (await state(id)).Attachments[0]?.State === 'attached', { what: `${id} attached`, timeoutMs: 60_000 })
}
async function detach(id: string): Promise<void> {
  await enclume.ec2('detach-volume', '--volume-id', id)
  await reaches(id, 'available')
}
const fio = (file: string, kind: 'rand' | 'seq', rw: 'read' | 'write'): string => [
  'fio', '--name=x', `--filename=${file}`, '--direct=1', '--ioengine=libaio', '--iodepth=32', '--size=1G', `--runtime=${SECONDS}`, '--time_based',
  '--output-format=json', ...(kind === 'rand' ? [`--rw=rand${rw}`, '--bs=4k'] : [`--rw=${rw}`, '--bs=256k']),
].join(' ')
const result = (text: string, rw: 'read' | 'write') => {
  const { iops, bw_bytes } = JSON.parse(text).jobs[0][rw] as { iops: number; bw_bytes: number }
  return { iops: Math.round(iops), mib: Math.round(bw_bytes / 2 ** 20) }
}
async function measure(login: Login, file = '/dev/xvdf') {
  const run = async (kind: 'rand' | 'seq', rw: 'read' | 'write') => {
    const { code, stdout, stderr } = await ssh(login, `sudo ${fio(file, kind, rw)}`)
    if (code !== 0) throw new Error(`fio: ${stderr}`)
    return result(stdout, rw)
  }
  const [write, read] = [(await run('seq', 'write')).mib, (await run('seq', 'read')).mib]
  return { write, read, writes: (await run('rand', 'write')).iops, reads: (await run('rand', 'read')).iops }
}

/** What plain Incus has nearest, in milliseconds: a volume given to an instance that runs, a volume's snapshot, an instance's snapshot. */
async function plainly(): Promise<{ attached: number; snapped: number; imaged: number }> {
  const reference = await openPlain(enclume)
  try {
    await reference.launch()
    await reference.volume(name, 2048)
    const [, attached] = await timed(() => reference.attach(name))
    const [, snapped] = await timed(() => reference.snapshotVolume(name))
    const [, imaged] = await timed(() => reference.snapshot())
    return { attached, snapped, imaged }
  } finally {
    await reference.remove()
    await reference.removeVolume(name)
    await reference.close()
  }
}

try {
  const key = await enclume.keyPair(name)
  group = (await enclume.ec2('create-security-group', '--group-name', name, '--description', name)).GroupId
  await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const launched = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12-ec2'), '--instance-type', 't3.medium',
    '--key-name', name, '--security-group-ids', group)
  instance = launched.Instances[0].InstanceId
  await enclume.state(instance, 'running')
  const { PublicIpAddress: address, Placement } = await enclume.instance(instance)
  const login = { key, user: 'ec2-user', address }
  await sshReady(login)
  const { code, stderr } = await ssh(login, 'sudo apt-get -qq update && sudo apt-get -qq -y --no-install-recommends install fio > /dev/null')
  if (code !== 0) throw new Error(`no fio: ${stderr}`)

  console.log('type      GiB | IOPS asked  write   read | MiB/s asked  write   read')
  for (const { name: type, gib, iops, mib, options } of TYPES) {
    const id = await volume(Placement.AvailabilityZone, type, gib, options)
    await attach(id)
    const seen = await measure(login)
    const columns = (...values: (number | undefined)[]) => values.map(value => String(value ?? '-').padStart(7)).join('')
    const [rates, speeds] = [columns(iops, seen.writes, seen.reads), columns(mib, seen.write, seen.read)]
    console.log(`${type.padEnd(9)} ${String(gib).padStart(3)} | ${rates} | ${speeds}`)
    await detach(id)
  }

  const data = await volume(Placement.AvailabilityZone, 'gp3', 10, [])
  const [, attached] = await timed(async () => {
    await ec2.send(new AttachVolumeCommand({ VolumeId: data, InstanceId: instance, Device: '/dev/xvdf' }))
    await comes(async () => (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [data] }))).Volumes![0]!.Attachments?.[0]?.State === 'attached')
  })
  await disks.limit(data, undefined)
  const inside = await measure(login)
  const file = join(enclume.home.dir, 'bench-volumes')
  const host = async (kind: 'rand' | 'seq', rw: 'read' | 'write') => result(await must('sh', ['-c', `exec ${fio(file, kind, rw)}`]), rw)
  const hosts = { write: (await host('seq', 'write')).mib, read: (await host('seq', 'read')).mib }
  rmSync(file, { force: true })
  console.log(`not held back: ${inside.write}/${inside.read} MiB/s written/read inside, ${hosts.write}/${hosts.read} in the host's own file: ratio `
    + `${(inside.write / hosts.write).toFixed(2)}/${(inside.read / hosts.read).toFixed(2)}`)
  await ssh(login, 'sudo dd if=/dev/urandom of=/dev/xvdf bs=1M count=2048 oflag=direct status=none')
  const [snapshot, snapped] = await timed(async () => {
    const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: data }))
    const SnapshotIds = [SnapshotId!]
    await comes(async () => (await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))).Snapshots![0]!.State === 'completed')
    return SnapshotId!
  })
  const [image, imaged] = await timed(async () => {
    const { ImageId } = await ec2.send(new CreateImageCommand({ InstanceId: instance, Name: name, NoReboot: true }))
    const ImageIds = [ImageId!]
    await comes(async () => (await ec2.send(new DescribeImagesCommand({ ImageIds }))).Images![0]!.State === 'available')
    return ImageId!
  })
  const plain = await plainly()
  const beside = (took: number, reference: number) => `${took} ms (plain ${reference} ms, ratio ${(took / reference).toFixed(2)})`
  console.log(`attach ${beside(attached, plain.attached)}; snapshot of 10 GiB with 2 GiB of data ${beside(snapped, plain.snapped)}; `
    + `image of two volumes ${beside(imaged, plain.imaged)}`)
  const { BlockDeviceMappings } = (await enclume.ec2('describe-images', '--image-ids', image)).Images[0]
  await enclume.ec2('deregister-image', '--image-id', image)
  const snapshots = [snapshot, ...BlockDeviceMappings.map(({ Ebs }: any) => Ebs.SnapshotId as string)]
  for (const id of snapshots) await enclume.aws('ec2', 'delete-snapshot', '--snapshot-id', id)
} finally {
  if (instance) {
    await enclume.ec2('terminate-instances', '--instance-ids', instance)
    await enclume.state(instance, 'terminated')
  }
  for (const id of made) await enclume.aws('ec2', 'delete-volume', '--volume-id', id)
  if (group) await enclume.aws('ec2', 'delete-security-group', '--group-id', group)
  await enclume.aws('ec2', 'delete-key-pair', '--key-name', name)
  enclume.close()
  ec2.destroy()
}
