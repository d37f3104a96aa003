/**
 * Carries out an instance's plan: observes its machine through the port, makes, starts, stops and deletes it, and writes
 * what came of it. What it needs of other records (its root volume's disk, its VPC's ports) it lets their own loops settle.
 */
import { together } from '#base/together'
import type { Driver } from '#loop/loop'
import type { MachineSpec } from '#engine/port'
import type { Tx } from '#store/store'
import { volume } from '#service/ec2/volume/volume'
import type { Context } from '#service/ec2/context'
import { detach, release } from '#service/ec2/instance/belongings'
import { instance, lifeOf, type InstanceRow } from '#service/ec2/instance/instance'
import { lostReason, plan, type Reason, type Seen } from '#service/ec2/instance/plan'
import { find, limits } from '#service/ec2/instance-type/instance-type'
import { networkInterface } from '#service/ec2/network-interface/network-interface'

/** How long a guest may take to shut down before it is switched off. EC2 gives "a few minutes"; a container needs less. */
const STOP_TIMEOUT_MS = 60_000
/** Terminated instances stay visible for about an hour (EC2 User Guide, "Terminate your instance"). */
const VISIBLE_MS = 3_600_000
const ATTEMPTS = 5

export function instanceDriver(context: Context): Driver<InstanceRow, Seen> {
  const { engine, store, clock } = context
  const { machines } = engine

  /** A volume in use had its disk whole: one that is gone since then fails the start. */
  const rootDisk = async (row: InstanceRow): Promise<void> => {
    if ((await volume.find(store, row.spec.rootVolume))?.status.state === 'in-use') return
    await context.loop().settle('volume', row.spec.rootVolume)
    const root = await volume.find(store, row.spec.rootVolume)
    if (root?.status.state !== 'in-use') throw new Error(`root volume ${row.spec.rootVolume} is ${root?.status.state}: ${root?.status.reason}`)
  }

  return {
    kind: 'instance',
    async observe(row) {
      const seen = await machines.observe(row.id)
      if (seen === 'unknown') return 'unknown'
      if (seen === 'absent') return { power: 'absent' }
      if (seen.power === 'off' || row.status.state !== 'running') return { power: seen.power }
      const reachable = await machines.reachable(row.id)
      return { power: 'on', reachable: reachable === 'unknown' ? undefined : reachable }
    },
    plan: (row, seen, now) => plan(lifeOf(row), seen, now),
    acts: {
      async create(row) {
        await together(rootDisk(row), machineSpec(row).then(machines.create))
      },
      async start(row) {
        await together(context.loop().settle('vpc', row.spec.vpc), rootDisk(row).then(() => machines.prepare(row.id)))
        await machines.start(row.id)
      },
      stop: row => machines.stop(row.id, { timeoutMs: STOP_TIMEOUT_MS }),
      kill: row => machines.kill(row.id),
      delete: row => machines.delete(row.id),
      async reboot(row) {
        await machines.reboot(row.id, { timeoutMs: STOP_TIMEOUT_MS })
        await store.transact(async tx => {
          const now = await instance.find(tx, row.id)
          if (!now) return
          const status = { rebootsDone: row.spec.rebootsAsked, reachableSince: undefined, impairedSince: undefined }
          await instance.update(tx, now, { status }, 'rebooted')
        })
      },
    },
    writes: {
      created: (tx, row) => instance.update(tx, row, { status: { created: true } }, 'created'),
      state: (tx, row, { state }) => instance.update(tx, row, { status: { state } }, state),
      want: (tx, row, { desired, state, reason }) => instance.update(tx, row,
        { spec: { desired }, status: { state, reason, transition: reason.message } }, state),
      running: (tx, row) => instance.update(tx, row,
        { status: { state: 'running', suspended: false, rebootsDone: row.spec.rebootsAsked, reachableSince: undefined, impairedSince: undefined } }, 'running'),
      reachable: (tx, row) => instance.update(tx, row, { status: { reachableSince: clock().toISOString(), impairedSince: undefined } }, 'reachable'),
      impaired: (tx, row) => instance.update(tx, row,
        { status: { reachableSince: undefined, impairedSince: clock().toISOString() } }, 'impaired'),
      async stopped(tx, row) {
        await release(tx, row)
        await instance.update(tx, row, { spec: { force: false }, status: { state: 'stopped', suspended: false, reachableSince: undefined, impairedSince: undefined } }, 'stopped')
      },
      async terminated(tx, row) {
        await detach(tx, row)
        const forgetAt = new Date(clock().getTime() + VISIBLE_MS).toISOString()
        await instance.update(tx, row, { status: { state: 'terminated', forgetAt, reachableSince: undefined, impairedSince: undefined } }, 'terminated')
      },
      forget: (tx, row) => tx.remove(row),
    },
    surrender: {
      after: ATTEMPTS,
      write: (tx, row, error) => surrender(context, { tx, row, error }),
    },
  }

  async function machineSpec(row: InstanceRow): Promise<MachineSpec> {
    const type = find(row.spec.type)
    if (!type) throw new Error(`no instance type ${row.spec.type}`)
    const { cpus, cpuBaselinePercent, memoryMiB } = limits(type)
    const ports = await Promise.all(row.spec.interfaces.map(async id => {
      const port = await networkInterface.find(store, id)
      if (!port) throw new Error(`instance ${row.id} has no interface ${id}`)
      return { port: id, device: engine.networks.portDevice(port.spec.index) }
    }))
    return { id: row.id, cpus, cpuBaselinePercent, memoryMiB, rootDisk: row.spec.rootVolume, ports }
  }
}

/** A start that fails again and again: a first launch is terminated, a later start goes back to stopped, as on EC2. */
async function surrender(context: Context, { tx, row, error }: { tx: Tx; row: InstanceRow; error: Error }): Promise<void> {
  const { desired } = row.spec
  if (desired !== 'running' || row.status.state !== 'pending') return
  context.log.error('instance.gave-up', { id: row.id, error })
  const everRan = row.status.transition !== ''
  const reason: Reason = everRan ? { code: 'Server.InternalError', message: 'Server.InternalError: Internal error on launch' } : lostReason
  const next = everRan ? ({ desired: 'stopped', state: 'stopping' } as const) : ({ desired: 'terminated', state: 'shutting-down' } as const)
  await instance.update(tx, row,
    { spec: { desired: next.desired }, status: { state: next.state, reason, transition: reason.message } }, next.state)
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
