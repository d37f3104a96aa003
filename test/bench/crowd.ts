/**
 * Many instances on the real engine: fifty requests at once, each for one instance, and then a hundred that run beside each other. Every request
 * is answered at once or the benchmark fails, since its client tries nothing again; every instance greets by sshd, whose address came by DHCP;
 * and nothing is left. Against as many `incus launch` at once as plain Incus is given, in the same run. Needs an Enclume that is up: ENCLUME_HOME.
 */
import { readFileSync } from 'node:fs'
import { DescribeInstancesCommand, RunInstancesCommand, TerminateInstancesCommand, type Instance, type _InstanceType } from '@aws-sdk/client-ec2'
import { daemonStatus } from '#engine/incus/daemon'
import { daemonClient } from '#engine/incus/place'
import { findServer } from '#launch/server'
import { Enclume, eventually, traces } from '../e2e/enclume.ts'
import { clientOf, greets, median } from './shared/client.ts'
import { openPlain } from './shared/plain.ts'

const [REQUESTS, BESIDE] = [Number(process.argv[2] ?? 50), Number(process.argv[3] ?? 100)]
const PLAIN = 10
const LIMIT_MS = 600_000
/** What one of many may take of what one of plain Incus's takes. */
const PROMISED = 2

const enclume = await Enclume.up()
const ec2 = clientOf(enclume)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const tell = (what: string, text: string) => console.log(`${what.padEnd(46)} ${text}`)
/** MiB of a line such as `MemAvailable:  123 kB`. */
const mebibytes = (file: string, name: string): number =>
  Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))![1]) / 1024)
const serverMiB = (): number => mebibytes(`/proc/${findServer(enclume.home)!.pid}/status`, 'VmRSS')

const stateOf = (id: string) => daemonClient(enclume.home).get<{ cpu: { usage: number }; memory: { usage: number } }>(`/1.0/instances/${id}/state`)

/** What the kernel counts as each instance's memory, in MiB. */
async function guestsMiB(ids: string[]): Promise<number> {
  const states = await Promise.all(ids.map(stateOf))
  return Math.round(states.reduce((sum, { memory }) => sum + memory.usage, 0) / ids.length / 2 ** 20)
}

/** Seconds of the processor that the server, its Incus and the instances have had. */
async function processor(ids: string[]): Promise<Record<'server' | 'incus' | 'guests', number>> {
  const of = (pid: number) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  }
  const states = await Promise.all(ids.map(stateOf))
  return {
    server: of(findServer(enclume.home)!.pid), incus: of((await daemonStatus(enclume.home)).pid!),
    guests: states.reduce((sum, { cpu }) => sum + cpu.usage / 1e9, 0),
  }
}
const TICKS = 100 // A second has so many, on every Linux that Node runs on.

async function tellProcessor(ids: string[], before: Awaited<ReturnType<typeof processor>>): Promise<void> {
  const now = await processor(ids)
  const each = (of: keyof typeof now) => `${of} ${((now[of] - before[of]) / ids.length).toFixed(2)}`
  tell('  seconds of the processor, each', [each('guests'), each('server'), each('incus')].join(', '))
}

async function run(count: number, InstanceType: _InstanceType): Promise<string[]> {
  const { Instances } = await ec2.send(new RunInstancesCommand({
    ImageId: image, InstanceType, MinCount: count, MaxCount: count, SecurityGroupIds: [group],
  }))
  return Instances!.map(one => one.InstanceId!)
}

async function all(InstanceIds: string[]): Promise<Instance[]> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }))
  return Reservations!.flatMap(one => one.Instances!)
}

/** Asking takes processor time from what is waited for. */
const tick = () => new Promise(resolve => setTimeout(resolve, 300))

async function reach(ids: string[], state: string): Promise<Instance[]> {
  const look = async () => { await tick(); const found = await all(ids); return found.every(one => one.State!.Name === state) && found }
  return eventually(look, { what: `${ids.length} ${state}`, timeoutMs: LIMIT_MS })
}

async function greeted(instances: Instance[]): Promise<void> {
  await Promise.all(instances.map(one => eventually(async () => { await tick(); return greets(one.PublicIpAddress!) }, {
    what: `sshd of ${one.InstanceId}`, timeoutMs: LIMIT_MS,
  })))
}

/** Milliseconds until all are gone, and nothing is on the host that was not there before. */
async function terminate(ids: string[]): Promise<number> {
  const began = performance.now()
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }))
  await reach(ids, 'terminated')
  const clean = async () => JSON.stringify(await traces(enclume.home)) === before
  await eventually(clean, { what: 'nothing left', timeoutMs: 60_000 })
  return performance.now() - began
}

/** Milliseconds for each of so many of plain Incus, launched and removed at once. */
async function plainly(): Promise<{ launch: number; remove: number }> {
  const plain = await openPlain(enclume)
  try {
    await plain.launch()
    await plain.remove()
    const names = Array.from({ length: PLAIN }, (_, n) => `bench-${n}`)
    const each = async (work: (name: string) => Promise<void>) => {
      const began = performance.now()
      await Promise.all(names.map(work))
      return (performance.now() - began) / PLAIN
    }
    return { launch: await each(plain.launch), remove: await each(plain.remove) }
  } finally {
    await plain.close()
  }
}

/** Milliseconds for each of the instances that so many requests ask for at once. */
async function atOnce(): Promise<number> {
  const [before, began] = [await processor([]), performance.now()]
  const answered: number[] = []
  const ids = (await Promise.all(Array.from({ length: REQUESTS }, async () => {
    const mine = await run(1, 't3.nano')
    answered.push(performance.now() - began)
    return mine
  }))).flat()
  const instances = await reach(ids, 'running')
  const took = performance.now() - began
  tell(`${REQUESTS} RunInstances at once, answered`, `the median in ${seconds(median(answered))}, the last in ${seconds(Math.max(...answered))}`)
  tell('  the last running', seconds(took))
  await greeted(instances)
  tell('  the last greets by sshd', seconds(performance.now() - began))
  await tellProcessor(ids, before)
  tell('  terminated, and nothing left', seconds(await terminate(ids)))
  return took / REQUESTS
}

async function besideEachOther(): Promise<void> {
  const [resident, before, began] = [serverMiB(), await processor([]), performance.now()]
  const ids = [...await run(BESIDE / 2, 't3.nano'), ...await run(BESIDE / 2, 't3.micro')]
  const instances = await reach(ids, 'running')
  tell(`${BESIDE} beside each other, the last running`, seconds(performance.now() - began))
  await greeted(instances)
  tell('  the last greets by sshd', seconds(performance.now() - began))
  tell('  memory', `${await guestsMiB(ids)} MiB each, caches included; the server ${serverMiB()} MiB, ${resident} before`)
  await tellProcessor(ids, before)
  const asked = performance.now()
  await all(ids)
  tell('  DescribeInstances of them', `${(performance.now() - asked).toFixed(0)} ms`)
  tell('  terminated, and nothing left', seconds(await terminate(ids)))
}

const image = await enclume.image('debian-12-ec2')
const group = (await enclume.ec2('create-security-group', '--group-name', 'bench-crowd', '--description', 'bench')).GroupId as string
await enclume.ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
const before = JSON.stringify(await traces(enclume.home))
try {
  const plain = await plainly()
  tell(`incus launch and delete, ${PLAIN} at once`, `${plain.launch.toFixed(0)} and ${plain.remove.toFixed(0)} ms each`)
  const ours = (await atOnce()) / plain.launch
  const isMet = ours <= PROMISED
  tell('  one of them until running', `ratio to incus launch ${ours.toFixed(2)} (promised ${PROMISED})${isMet ? '' : '   MISSED'}`)
  if (!isMet) process.exitCode = 1
  await besideEachOther()
} finally {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance.group-id', Values: [group] }] }))
  const left = Reservations!.flatMap(one => one.Instances!).filter(one => one.State!.Name !== 'terminated').map(one => one.InstanceId!)
  if (left.length > 0) await terminate(left)
  await enclume.ec2('delete-security-group', '--group-id', group)
  enclume.close()
  ec2.destroy()
}
