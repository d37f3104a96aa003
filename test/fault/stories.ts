/** What users and guests do to an instance, each with what comes before it and what must come of it, whatever happens meanwhile. */
import { instance } from '#service/ec2/instance/instance'
import { audit } from './audit.ts'
import { diskStoriesOf } from './disk-stories.ts'
import { networkStoriesOf } from './network-stories.ts'
import { transferStoriesOf } from './transfer-stories.ts'
import { openWorld, untilNone, type World } from './world.ts'

export type Story = {
  name: string
  /** Until the instance is as the story finds it. Answers its id, if there is one. */
  before(world: World): Promise<string>
  /** The one thing that happens. Answers the instance's id where the story makes it. */
  happens(world: World, id: string): Promise<string | void>
  /** State in the end, and how often the machine has then been started; 'gone' is the state of one that is no longer shown. */
  ends: { state: string; boots: number }
}

const launch = (world: World, more: object = {}) => async (): Promise<string> => {
  const { Images } = await world.call('DescribeImages', { Filters: [{ Name: 'name', Values: ['debian-12'] }] })
  const { Instances } = await world.call('RunInstances', {
    ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1, ClientToken: 'story', ...more,
  })
  return Instances[0].InstanceId
}

/** What is not as a story wants it to end. */
export async function unfinished(world: World, { state, boots }: Story['ends']): Promise<string[]> {
  await world.cloud().loop.sweep() // Whoever waits for the clock looks at it now.
  await world.cloud().loop.idle()
  const rows = await instance.everywhere(world.store())
  // Its hour is over in seconds here (world.ts): on a busy machine a terminated one is forgotten before anybody looks.
  const isRight = rows.length === (state === 'gone' ? 0 : 1) || (rows.length === 0 && state === 'terminated')
  const wrong = isRight ? [] : [`there are ${rows.length} instances`]
  for (const { id, status } of rows) {
    if (status.state !== state) wrong.push(`${id} is ${status.state}, not ${state}`)
    const machine = world.engine.machinesById.get(id)
    if (machine && machine.boots !== boots) wrong.push(`${id} has booted ${machine.boots} times, not ${boots}`)
  }
  return [...wrong, ...await audit({ engine: world.engine, store: world.store(), file: world.file })]
}

/** Lets a story's beginning come to rest. */
export const settled = (world: World, ends: Story['ends']) => untilNone(() => unfinished(world, ends))

async function running(world: World, more?: object): Promise<string> {
  const id = await launch(world, more)()
  await settled(world, { state: 'running', boots: 1 })
  return id
}

async function stopped(world: World): Promise<string> {
  const id = await running(world)
  await world.call('StopInstances', { InstanceIds: [id] })
  await settled(world, { state: 'stopped', boots: 1 })
  return id
}

const attach = async (world: World, InstanceId: string): Promise<string> => {
  const { NetworkInterfaces: [spare] } = await world.call('DescribeNetworkInterfaces', { Filters: [{ Name: 'status', Values: ['available'] }] })
  const { NetworkInterfaceId } = spare
  return (await world.call('AttachNetworkInterface', { NetworkInterfaceId, InstanceId, DeviceIndex: 1 })).AttachmentId
}

/** Beside an interface that nobody has. */
const withSpare = (before: (world: World) => Promise<string>) => async (world: World): Promise<string> => {
  const id = await before(world)
  const { Reservations } = await world.call('DescribeInstances', { InstanceIds: [id] })
  await world.call('CreateNetworkInterface', { SubnetId: Reservations[0].Instances[0].SubnetId })
  return id
}

async function attached(world: World): Promise<string> {
  const id = await withSpare(running)(world)
  await attach(world, id)
  await settled(world, { state: 'running', boots: 1 })
  return id
}

const detach = async (world: World, id: string): Promise<void> => {
  const { Reservations } = await world.call('DescribeInstances', { InstanceIds: [id] })
  const { AttachmentId } = Reservations[0].Instances[0].NetworkInterfaces[1].Attachment
  await world.call('DetachNetworkInterface', { AttachmentId })
}

const ask = (operation: string, more: object = {}) => async (world: World, id: string): Promise<void> => {
  await world.call(operation, { InstanceIds: [id], ...more })
}

export const machineStories: Story[] = [
  {
    name: 'launch', ends: { state: 'running', boots: 1 },
    before: async () => '',
    happens: world => launch(world)(),
  },
  { name: 'stop', ends: { state: 'stopped', boots: 1 }, before: running, happens: ask('StopInstances') },
  { name: 'forced stop', ends: { state: 'stopped', boots: 1 }, before: running, happens: ask('StopInstances', { Force: true }) },
  { name: 'start', ends: { state: 'running', boots: 2 }, before: stopped, happens: ask('StartInstances') },
  { name: 'reboot', ends: { state: 'running', boots: 2 }, before: running, happens: ask('RebootInstances') },
  { name: 'terminate', ends: { state: 'terminated', boots: 1 }, before: running, happens: ask('TerminateInstances') },
  { name: 'terminate while stopped', ends: { state: 'terminated', boots: 1 }, before: stopped, happens: ask('TerminateInstances') },
  { name: 'attach', ends: { state: 'running', boots: 1 }, before: withSpare(running), happens: async (world, id) => { await attach(world, id) } },
  {
    name: 'attach while stopped', ends: { state: 'stopped', boots: 1 }, before: withSpare(stopped),
    happens: async (world, id) => { await attach(world, id) },
  },
  { name: 'detach', ends: { state: 'running', boots: 1 }, before: attached, happens: detach },
  {
    // The engine goes away between a machine's making and its start.
    name: 'terminate what was made and never started', ends: { state: 'terminated', boots: 0 },
    async before(world) {
      world.at(point => { if (point === 'after machine.create') world.engine.outage = true; return undefined })
      const id = await launch(world)()
      await untilNone(async () => (world.engine.outage ? [] : ['the machine is not made']))
      world.at(() => undefined)
      await world.call('TerminateInstances', { InstanceIds: [id] })
      return id
    },
    happens: async world => { world.engine.outage = false },
  },
  {
    name: 'shutdown typed inside', ends: { state: 'stopped', boots: 1 }, before: running,
    happens: async (world, id) => { world.engine.guest.shutdown(id) },
  },
  {
    name: 'shutdown typed inside, which terminates', ends: { state: 'terminated', boots: 1 },
    before: world => running(world, { InstanceInitiatedShutdownBehavior: 'terminate' }),
    happens: async (world, id) => { world.engine.guest.shutdown(id) },
  },
  {
    name: 'reboot typed inside', ends: { state: 'running', boots: 2 }, before: running,
    happens: async (world, id) => { world.engine.guest.reboot(id) },
  },
  {
    name: 'an alarm that stops it', ends: { state: 'stopped', boots: 1 }, before: running,
    // Of a metric that has no data, which it takes for too much.
    happens: async (world, id) => {
      await world.call('PutMetricAlarm', {
        AlarmName: 'story', Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Dimensions: [{ Name: 'InstanceId', Value: id }],
        Statistic: 'Average', Period: 60, EvaluationPeriods: 1, Threshold: 90, ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'breaching', AlarmActions: ['arn:aws:automate:us-east-1:ec2:stop'],
      }, 'monitoring')
    },
  },
  {
    name: 'power cut of the host', ends: { state: 'running', boots: 2 },
    before: world => running(world, { InstanceInitiatedShutdownBehavior: 'terminate' }),
    happens: async world => { world.engine.powerCut() },
  },
  {
    name: 'a stopped machine that somebody switches on underneath', ends: { state: 'stopped', boots: 2 }, before: stopped,
    happens: async (world, id) => { world.engine.switchOn(id) },
  },
  {
    name: 'the loss of a network underneath', ends: { state: 'running', boots: 1 }, before: running,
    happens: async world => { for (const id of world.engine.networksById.keys()) world.engine.loseNetwork(id) },
  },
]

export const diskStories = diskStoriesOf({ running, stopped, settled })
export const networkStories = networkStoriesOf({ running, settled })
export const transferStories = transferStoriesOf({ running, settled })
export const stories = [...machineStories, ...diskStories, ...networkStories, ...transferStories]

/** Worlds wait more than they work, and know nothing of each other: a few at a time. */
export async function atATime<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all[Symbol.iterator]()
  const worker = async () => { for (const one of left) await work(one) }
  await Promise.all(Array.from({ length: 4 }, worker))
}

/** The points of an undisturbed run, each with its number among those of its name: `before machine.start 1`. */
export async function pointsOf(story: Story): Promise<string[]> {
  const points: string[] = []
  await inWorld(async world => {
    const id = await story.before(world)
    const name = numbered()
    world.at(point => { points.push(name(point)); return undefined })
    await story.happens(world, id)
    await settled(world, story.ends)
  })
  return points
}

export function numbered(): (point: string) => string {
  const counts = new Map<string, number>()
  return point => {
    counts.set(point, (counts.get(point) ?? 0) + 1)
    return `${point} ${counts.get(point)}`
  }
}

export async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld()
  try { await work(world) } finally { await world.close() }
}
