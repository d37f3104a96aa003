/**
 * How fast an instance is there: RunInstances until `running` and until sshd answers, against `incus launch` of the same
 * root file system on the same daemon, in the same run. Needs an Enclume that is up: ENCLUME_HOME.
 */
import { DescribeInstancesCommand, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import { Enclume } from '../e2e/enclume.ts'
import { clientOf, greets, median } from './shared/client.ts'
import { openPlain } from './shared/plain.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const PROMISED = { runningRatio: 1.3, sshdMs: 3000 }

const enclume = await Enclume.up()
const ec2 = clientOf(enclume)
/** Asking takes processor time from what is being waited for: no oftener than this. */
const tick = () => new Promise(resolve => setTimeout(resolve, 15))

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
  while (!await greets(found.PublicIpAddress!)) await tick()
  const sshd = performance.now() - started
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  await enclume.state(InstanceIds[0]!, 'terminated')
  return { running, sshd }
}

const image = await enclume.image('debian-12-ec2')
const group = (await enclume.ec2('create-security-group', '--group-name', 'bench', '--description', 'bench')).GroupId as string
await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
const reference = await openPlain(enclume)
/** Milliseconds of one. */
async function plainly(): Promise<number> {
  const started = performance.now()
  await reference.launch()
  const took = performance.now() - started
  await reference.remove()
  return took
}
try {
  await plainly()
  await launch(image)
  const ours: { running: number; sshd: number }[] = []
  const plain: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    plain.push(await plainly())
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
  await reference.close()
  await enclume.ec2('delete-security-group', '--group-id', group)
  enclume.close()
  ec2.destroy()
}
