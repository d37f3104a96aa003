/**
 * How fast an instance is there: RunInstances until `running` and until sshd answers, against `incus launch` of the same
 * root file system on the same daemon, in the same run. Needs an Enclume that is up: ENCLUME_HOME.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import { incusDir } from '#engine/incus/place'
import { readCredentials } from '#launch/credentials'
import { Enclume, must } from '../e2e/enclume.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const PROMISED = { runningRatio: 1.3, sshdMs: 3000 }

const enclume = await Enclume.up()
const { accessKeyId, secretAccessKey } = readCredentials(enclume.home)
const ec2 = new EC2Client({
  endpoint: `http://127.0.0.1:${enclume.home.port}`, region: enclume.home.region, credentials: { accessKeyId, secretAccessKey },
})
// The client reads more configuration from a standard input that is no terminal, and waits for its end.
const incus = (...args: string[]) => must('sh', ['-c', 'exec incus "$@" </dev/null', 'sh', ...args], {
  env: { ...process.env, INCUS_DIR: incusDir(enclume.home) },
})
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!
/** Asking takes processor time from what is being waited for: no oftener than this. */
const tick = () => new Promise(resolve => setTimeout(resolve, 15))

const answers = (host: string) => new Promise<boolean>(resolve => {
  const socket = connect({ host, port: 22, timeout: 500 })
  const done = (yes: boolean) => { socket.destroy(); resolve(yes) }
  socket.once('data', () => done(true)).once('error', () => done(false)).once('timeout', () => done(false)).once('close', () => done(false))
})

/** One instance: milliseconds from the request to `running`, and to sshd's greeting. */
async function launch(ImageId: string): Promise<{ running: number; sshd: number }> {
  const started = performance.now()
  const { Instances } = await ec2.send(new RunInstancesCommand({
    ImageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, SecurityGroupIds: [group],
  }))
  const InstanceIds = [Instances![0]!.InstanceId!]
  let found
  do {
    await tick()
    found = (await ec2.send(new DescribeInstancesCommand({ InstanceIds }))).Reservations![0]!.Instances![0]!
  } while (found.State!.Name === 'pending')
  const running = performance.now() - started
  while (!await answers(found.PublicIpAddress!)) await tick()
  const sshd = performance.now() - started
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  await enclume.state(InstanceIds[0]!, 'terminated')
  return { running, sshd }
}

/** The same root file system as an image of Incus's own, for the reference. */
async function importReference(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-bench-'))
  try {
    const name = (await incus('storage', 'volume', 'list', 'pool', '--format', 'csv', '--columns', 'n')).split('\n')
      .find(volume => volume.startsWith('image-debian-12-ec2'))!
    const file = join(incusDir(enclume.home), 'storage-pools/pool/custom', `default_${name}`, 'root.img')
    await must('mkdir', ['-p', join(dir, 'root')])
    await must('mount', ['-o', 'ro,loop,noload', file, join(dir, 'root')])
    try {
      writeFileSync(join(dir, 'metadata.yaml'), 'architecture: x86_64\ncreation_date: 1767225600\n')
      await must('tar', ['-C', dir, '-cf', join(dir, 'metadata.tar'), 'metadata.yaml'])
      await must('mksquashfs', [join(dir, 'root'), join(dir, 'root.squashfs'), '-comp', 'zstd', '-Xcompression-level', '1', '-quiet', '-no-progress'],
        { timeoutMs: 600_000 })
    } finally {
      await must('umount', [join(dir, 'root')])
    }
    await incus('image', 'import', join(dir, 'metadata.tar'), join(dir, 'root.squashfs'), '--alias', 'bench-reference')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function reference(): Promise<number> {
  const started = performance.now()
  await incus('launch', 'bench-reference', 'bench-reference', '--quiet', '--storage', 'pool', '--profile', 'bench-reference',
    '--config', 'security.idmap.isolated=true', '--config', 'security.guestapi=false')
  const running = performance.now() - started
  await incus('delete', '--force', 'bench-reference')
  return running
}

const image = await enclume.image('debian-12-ec2')
const group = (await enclume.ec2('create-security-group', '--group-name', 'bench', '--description', 'bench')).GroupId as string
await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
try {
  await importReference()
  // Plain Incus gives an instance a network interface too: the cheapest that there is, a pair of devices without a bridge.
  await incus('profile', 'create', 'bench-reference')
  await incus('profile', 'device', 'add', 'bench-reference', 'eth0', 'nic', 'nictype=p2p', 'name=eth0')
  await reference()
  await launch(image)
  const ours: { running: number; sshd: number }[] = []
  const plain: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await reference())
    ours.push(await launch(image))
  }
  const running = median(ours.map(o => o.running))
  const sshd = median(ours.map(o => o.sshd))
  const ratio = running / median(plain)
  console.log(`incus launch                 ${median(plain).toFixed(0)} ms`)
  console.log(`RunInstances until running   ${running.toFixed(0)} ms   ratio ${ratio.toFixed(2)} (promised ${PROMISED.runningRatio})`)
  if (ratio > PROMISED.runningRatio || sshd > PROMISED.sshdMs) process.exitCode = 1
  console.log(`RunInstances until sshd      ${sshd.toFixed(0)} ms   (promised ${PROMISED.sshdMs} on an idle machine)`)
} finally {
  // What was never made is not there to be deleted: that must not hide why.
  await Promise.allSettled([
    incus('image', 'delete', 'bench-reference').then(() => incus('profile', 'delete', 'bench-reference')),
    enclume.ec2('delete-security-group', '--group-id', group),
  ])
  enclume.close()
  ec2.destroy()
}
