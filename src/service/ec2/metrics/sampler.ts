/**
 * At each minute's beginning: reads what running instances and their volumes have used, and hands on what that says of the piece of time
 * that just ended: a minute where detailed monitoring is on, else five.
 *
 * Invariant: readings are this process's alone. What runs when it dies is not told of for the piece of time in which it did.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { DiskWork, PortTraffic } from '#engine/port'
import type { Context, Measured } from '#service/ec2/context'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import {
  instanceValues, pieceEnding, untilNextMinute, volumeValues, type DiskReading, type Reading, type Value,
} from '#service/ec2/metrics/sample'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { account, bucketOf } from '#service/ec2/volume/credits'
import { volume, type VolumeRow } from '#service/ec2/volume/volume'
import { remembering } from '#store/memory'

/** Values that are handed on before others get their turn. */
const AT_ONCE = 500

type Due = { row: InstanceRow; start: number; began: number | undefined; isNew: boolean }
type Counted = {
  now: number
  processors: Awaited<ReturnType<Context['engine']['meters']['processors']>>
  ports: Record<string, PortTraffic>
  disks: Record<string, DiskWork>
}

/** While it is neither well nor impaired it is being looked at, and nothing is known (EC2 User Guide, "Status checks"). */
function checks({ status }: InstanceRow): Value[] {
  if (!status.reachableSince && !status.impairedSince) return []
  const failed = status.impairedSince ? 1 : 0
  return [
    { metric: 'StatusCheckFailed', unit: 'Count', value: failed }, { metric: 'StatusCheckFailed_Instance', unit: 'Count', value: failed },
    { metric: 'StatusCheckFailed_System', unit: 'Count', value: 0 },
  ]
}

export type Sampler = ReturnType<typeof openSampler>

export function openSampler({ store, engine, clock, home, log, measure, tally }: Context) {
  const records = remembering(store)
  const readings = new Map<string, Reading>()
  const diskReadings = new Map<string, DiskReading>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  async function dueAt(minute: number): Promise<Due[]> {
    const found: Due[] = []
    for (const row of await instance.everywhere(records)) {
      const length = pieceEnding(minute, row.spec.detailedMonitoring)
      if (row.status.state !== 'running' || length === undefined) continue
      const start = minute - length
      // What began at a time to come, as the clock was put back since, is not of this piece.
      const isWithin = (time: string) => Date.parse(time) >= start && Date.parse(time) <= clock().getTime()
      // An interface that is older than its instance may have been another's, whose traffic its port counted.
      const isNew = isWithin(row.created)
        && (await records.getAll(networkInterface.kind, row.spec.interfaces)).every(({ created }) => isWithin(created))
      found.push({ row, start, began: isWithin(row.spec.launchTime) ? Date.parse(row.spec.launchTime) : undefined, isNew })
    }
    return found
  }

  async function count(due: Due[]): Promise<Counted> {
    const processors = await engine.meters.processors(due.map(({ row }) => row.id))
    const vpcs = [...new Set(due.map(({ row }) => row.spec.vpc))]
    const traffic = await Promise.all(vpcs.map(id => engine.networks.traffic(id)))
    const disks = await engine.disks.work()
    return {
      now: clock().getTime(), processors, disks: disks === 'unknown' ? {} : disks,
      ports: Object.assign({}, ...traffic.map(found => (found === 'unknown' || found === 'absent' ? {} : found))) as Counted['ports'],
    }
  }

  function ofInstance({ row, start, began, isNew }: Due, { now, processors, ports }: Counted): Value[] {
    const own = row.spec.interfaces.flatMap(id => (ports[id] ? [[id, ports[id]] as const] : []))
    const processor = processors === 'unknown' ? undefined : processors[row.id]
    const after: Reading = {
      at: now, ...(processor && { processor }), ...(own.length === row.spec.interfaces.length && { ports: Object.fromEntries(own) }),
      ...(tally.withoutToken && { withoutToken: tally.withoutToken.get(row.id) ?? 0 }),
    }
    const values = instanceValues(readings.get(row.id), after, { piece: { start, began }, cpus: row.spec.cpus, isNew })
    readings.set(row.id, after)
    return [...values, ...checks(row)]
  }

  function ofVolume(row: VolumeRow, { row: { id, status }, start, began }: Due, { now, disks }: Counted): Value[] {
    const work = disks[row.id]
    const after: DiskReading = { at: now, of: `${id} ${status.bootId}`, ...(work && { work }) }
    const isNew = Date.parse(row.created) >= start
    const values = volumeValues(diskReadings.get(row.id), after, { start, began: isNew ? began : undefined })
    diskReadings.set(row.id, after)
    const bucket = home.unthrottled ? undefined : bucketOf(row.spec)
    if (!bucket) return values
    const { balance } = account(row.status.credits, bucket, { work, now: new Date(now) })
    return [...values, { metric: 'BurstBalance', unit: 'Percent', value: Math.max(0, balance / bucket.most * 100) }]
  }

  /** `minute`: the beginning of one, in milliseconds; the piece of time that is told of ends there. */
  async function sample(minute: number): Promise<void> {
    const due = await dueAt(minute)
    if (due.length === 0) return
    const counted = await count(due)
    const all: Measured[] = []
    for (const one of due) {
      const { row, start } = one
      const { account: owner, region, spec: { rootVolume, volumes = [] } } = row
      const common = { account: owner, region, time: start / 1000 }
      const add = (namespace: string, dimension: Measured['dimension'], values: Value[]) =>
        all.push(...values.map(value => ({ ...common, namespace, dimension, ...value })))
      add('AWS/EC2', { name: 'InstanceId', value: row.id }, ofInstance(one, counted))
      for (const disk of await records.getAll<VolumeRow>(volume.kind, [...rootVolume === undefined ? [] : [rootVolume], ...volumes])) {
        add('AWS/EBS', { name: 'VolumeId', value: disk.id }, ofVolume(disk, one, counted))
      }
    }
    for (let i = 0; i < all.length; i += AT_ONCE) {
      measure(all.slice(i, i + AT_ONCE))
      await turn()
    }
    await forget()
  }

  async function forget(): Promise<void> {
    const there = new Set((await instance.everywhere(records)).filter(row => row.status.state === 'running').map(({ id }) => id))
    for (const id of readings.keys()) if (!there.has(id)) readings.delete(id)
    for (const [id, { of }] of diskReadings) if (!there.has(of.split(' ')[0]!)) diskReadings.delete(id)
  }

  return {
    sample,
    start(): void {
      const again = () => {
        const minute = Math.floor(clock().getTime() / 60_000) * 60_000
        running = sample(minute).catch((error: unknown) => log.error('metrics.sample', { error }))
        void running.then(arm)
      }
      const arm = () => { timer = setTimeout(again, untilNextMinute(clock().getTime())).unref() }
      arm()
    },
    async close(): Promise<void> {
      clearTimeout(timer)
      await running
      clearTimeout(timer)
    },
  }
}
