/**
 * Ten instances of an AMI of one's own, in one RunInstances until all of them run, against ten `incus copy` of the same root file system with their
 * starts, on the same daemon and in the same run. Needs an Enclume that is up: ENCLUME_HOME. node test/bench/copies.ts [ROUNDS]
 */
import { DescribeInstancesCommand, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import { Enclume, eventually } from '../e2e/enclume.ts'
import { clientOf, median } from './shared/client.ts'
import { openPlain } from './shared/plain.ts'

const ROUNDS = Number(process.argv[2] ?? 3)
const COUNT = 10
/** As of one launch (launch.ts). */
const PROMISED_RATIO = 1.3

const enclume = await Enclume.up()
const ec2 = clientOf(enclume)
const reference = await openPlain(enclume)
const source = 'bench-copied'
const names = Array.from({ length: COUNT }, (_, n) => `bench-copy-${n}`)

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await act()
  return performance.now() - started
}

async function terminate(InstanceIds: string[]): Promise<void> {
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  for (const id of InstanceIds) await enclume.state(id, 'terminated')
}

/** Milliseconds until all run; they are gone when this returns. */
async function launched(ImageId: string): Promise<number> {
  let ids: string[] = []
  const took = await timed(async () => {
    const { Instances } = await ec2.send(new RunInstancesCommand({ ImageId, InstanceType: 't3.micro', MinCount: COUNT, MaxCount: COUNT }))
    ids = Instances!.map(({ InstanceId }) => InstanceId!)
    await eventually(async () => {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: ids }))
      return Reservations!.flatMap(({ Instances: all }) => all!).every(({ State }) => State!.Name === 'running')
    }, { what: 'all of them running', timeoutMs: 300_000 })
  })
  await terminate(ids)
  return took
}

async function copied(): Promise<number> {
  const took = await timed(async () => { for (const name of names) await reference.copy(source, name) })
  for (const name of names) await reference.remove(name)
  return took
}
const copiedAtOnce = async (): Promise<number> => {
  const took = await timed(() => Promise.all(names.map(name => reference.copy(source, name))))
  for (const name of names) await reference.remove(name)
  return took
}

let image: string | undefined
try {
  const made = await ec2.send(new RunInstancesCommand({
    ImageId: await enclume.image('debian-12-ec2'), InstanceType: 't3.micro', MinCount: 1, MaxCount: 1,
  }))
  const id = made.Instances![0]!.InstanceId!
  await enclume.state(id, 'running')
  image = (await enclume.ec2('create-image', '--instance-id', id, '--name', `bench-${process.pid}`)).ImageId as string
  await eventually(async () => (await enclume.ec2('describe-images', '--image-ids', image!)).Images[0].State === 'available',
    { what: 'the image', timeoutMs: 120_000 })
  await terminate([id])
  await reference.launch(source)
  await reference.stop(source)

  const [ours, one, all]: number[][] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    one!.push(await copied())
    all!.push(await copiedAtOnce())
    ours!.push(await launched(image))
  }
  const best = Math.min(median(one!), median(all!))
  const ratio = median(ours!) / best
  console.log(`${COUNT} incus copy, one after another  ${median(one!).toFixed(0)} ms`)
  console.log(`${COUNT} incus copy, all at once        ${median(all!).toFixed(0)} ms`)
  console.log(`${COUNT} instances of an own AMI        ${median(ours!).toFixed(0)} ms   ratio ${ratio.toFixed(2)} (promised ${PROMISED_RATIO})`)
  if (ratio > PROMISED_RATIO) process.exitCode = 1
} finally {
  await reference.remove(source)
  await reference.close()
  if (image) {
    const { BlockDeviceMappings } = (await enclume.ec2('describe-images', '--image-ids', image)).Images[0]
    await enclume.ec2('deregister-image', '--image-id', image)
    for (const { Ebs } of BlockDeviceMappings) await enclume.ec2('delete-snapshot', '--snapshot-id', Ebs.SnapshotId)
  }
  enclume.close()
  ec2.destroy()
}
