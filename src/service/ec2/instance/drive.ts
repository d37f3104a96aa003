/**
 * Carries out an instance's plan: observes its machine through the port, makes, starts, stops and deletes it, and writes
 * what came of it. What it needs of other records (its root volume's disk, its VPC's ports) it lets their own loops settle.
 */
import { together } from '#base/together'
import { firstLooks } from '#loop/driver'
import type { Driver } from '#loop/loop'
import type { MachineSpec } from '#engine/port'
import type { Tx } from '#store/store'
import type { Context } from '#service/ec2/context'
import { detach, release } from '#service/ec2/instance/belongings'
import { disksOf, writeDisks } from '#service/ec2/instance/disks'
import { endImaging, imagingOf, letTake, settleImaging } from '#service/ec2/instance/imaging'
import { instance, lifeOf, type InstanceRow } from '#service/ec2/instance/instance'
import { portsOf, writePorts } from '#service/ec2/instance/ports'
import { lostReason, plan, type Seen } from '#service/ec2/instance/plan'
import { find, limits } from '#service/ec2/instance-type/instance-type'

/** How long a guest may take to shut down before it is switched off. EC2 gives "a few minutes"; a container needs less. */
const STOP_TIMEOUT_MS = 60_000
/** Terminated instances stay visible for about an hour (EC2 User Guide, "Terminate your instance"). */
const VISIBLE_MS = 3_600_000
const ATTEMPTS = 5
/** After a boot or an end: status checks begin anew. */
const unchecked = { offSince: undefined, reachableSince: undefined, impairedSince: undefined }

export function instanceDriver(context: Context): Driver<InstanceRow, Seen> {
  const { engine, store, clock } = context
  const { machines } = engine
  const ports = portsOf(context)

  const disks = disksOf(context)
  // Making a machine that is there changes nothing.
  const isSpared = firstLooks()

  return {
    kind: 'instance',
    async observe(row) {
      // It was seen to be gone before it was called terminated, and is never made again: an hour of looks would see no more.
      if (isSpared(row) || row.status.state === 'terminated') return { power: 'absent' }
      const found = await machines.observe(row.id)
      if (found === 'unknown') return 'unknown'
      if (found === 'absent') return { power: 'absent' }
      const { power, bootId, cut } = found
      const seen: Seen = {
        power, bootId, ...(cut && { cut }), ports: await ports.seen(row, found.devices),
        disks: await disks.seen(row, found),
        imaging: await imagingOf(store, row), ...(await disks.swaps(row, found) && { swaps: true as const }),
      }
      if (seen.power === 'off' || row.status.state !== 'running') return seen
      const reachable = await machines.reachable(row.id)
      return { ...seen, reachable: reachable === 'unknown' ? undefined : reachable }
    },
    plan: (row, seen, now) => plan(lifeOf(row), seen, now),
    acts: {
      async create(row) {
        const { rootVolume } = row.spec
        if (rootVolume === undefined) throw new Error(`${row.id} has no root volume`)
        // Its volumes are being made meanwhile: only a start needs them.
        const isNew = await machines.create({
          id: row.id, ...sizeOf(row), rootDisk: rootVolume, ports: await ports.wanted(row), disks: await disks.wanted(row),
        })
        return isNew ? { power: 'off' as const } : undefined
      },
      async start(row) {
        await together(ports.ready(row), disks.ready(row).then(() => machines.prepare(row.id)))
        // A machine is made with its type's size; only between a stop and a start can the type have become another.
        if (row.spec.launchTime !== row.created) await machines.resize(row.id, sizeOf(row))
        await machines.start(row.id)
      },
      stop: row => machines.stop(row.id, { timeoutMs: STOP_TIMEOUT_MS }),
      kill: row => machines.kill(row.id),
      ports: row => ports.move(row),
      disks: row => disks.move(row),
      image: row => settleImaging(context, row),
      async delete(row) {
        await disks.wipe(row)
        await machines.delete(row.id)
      },
      async reboot(row) {
        await machines.reboot(row.id, { timeoutMs: STOP_TIMEOUT_MS })
        await store.transact(async tx => {
          const now = await instance.find(tx, row.id)
          if (now) await instance.update(tx, now, { status: { rebootsDone: row.spec.rebootsAsked, ...unchecked } }, 'rebooted')
        })
      },
    },
    writes: {
      ports: writePorts,
      disks: writeDisks,
      suspend: (tx, row) => instance.update(tx, row, { status: { suspended: true } }, 'suspended'),
      quiet: letTake,
      imaged: endImaging,
      created: (tx, row) => instance.update(tx, row, { status: { created: true } }, 'created'),
      state: (tx, row, { state }) => instance.update(tx, row, { status: { state } }, state),
      want: (tx, row, { desired, state, reason }) => instance.update(tx, row,
        { spec: { desired }, status: { state, reason, transition: reason.message } }, state),
      running: (tx, row, { bootId }) => instance.update(tx, row,
        { status: { state: 'running', created: true, suspended: false, bootId, rebootsDone: row.spec.rebootsAsked, ...unchecked } }, 'running'),
      off: (tx, row) => instance.update(tx, row, { status: { offSince: clock().toISOString() } }, 'off'),
      reachable: (tx, row) => instance.update(tx, row, { status: { reachableSince: clock().toISOString(), impairedSince: undefined } }, 'reachable'),
      impaired: (tx, row) => instance.update(tx, row,
        { status: { reachableSince: undefined, impairedSince: clock().toISOString() } }, 'impaired'),
      async stopped(tx, row) {
        await release(tx, row)
        await instance.update(tx, row, { spec: { force: false }, status: { state: 'stopped', suspended: false, ...unchecked } }, 'stopped')
      },
      async terminated(tx, row) {
        await detach(tx, row)
        const forgetAt = new Date(clock().getTime() + VISIBLE_MS).toISOString()
        await instance.update(tx, row, { status: { state: 'terminated', forgetAt, ...unchecked } }, 'terminated')
      },
      forget: (tx, row) => tx.remove(row),
    },
    surrender: {
      after: ATTEMPTS,
      write: (tx, row, error) => surrender(context, { tx, row, error }),
    },
  }
}

/** What the instance's type gives it of the host. */
function sizeOf(row: InstanceRow): Pick<MachineSpec, 'cpus' | 'cpuBaselinePercent' | 'memoryMiB'> {
  const type = find(row.spec.type)
  if (!type) throw new Error(`no instance type ${row.spec.type}`)
  const { cpus, cpuBaselinePercent, memoryMiB } = limits(type)
  return { cpus, cpuBaselinePercent, memoryMiB }
}

/** A start that fails again and again: a first launch is terminated, a later start goes back to stopped, as on EC2. */
async function surrender(context: Context, { tx, row, error }: { tx: Tx; row: InstanceRow; error: Error }): Promise<void> {
  if (row.spec.desired !== 'running' || row.status.state !== 'pending') return
  context.log.error('instance.gave-up', { id: row.id, error })
  // A machine that has booted once may hold what its owner needs.
  const everRan = row.status.bootId !== undefined
  const state = everRan ? 'stopping' : 'shutting-down'
  await instance.update(tx, row, {
    spec: { desired: everRan ? 'stopped' : 'terminated' }, status: { state, reason: lostReason, transition: lostReason.message },
  }, state)
}

/** Machines that no record owns: left by a request that never committed, or by a record that is gone. */
export async function sweepMachines(context: Context): Promise<void> {
  const ids = await context.engine.machines.list()
  if (ids === 'unknown') return
  for (const id of ids.filter(name => name.startsWith('i-'))) {
    if (await instance.find(context.store, id)) continue
    context.log.warn('instance.orphan', { id })
    await context.engine.machines.delete(id)
  }
}
