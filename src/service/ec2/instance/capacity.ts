/**
 * Whether an instance fits on the host.
 *
 * A type's CPUs and memory must be there in whole (nproc and free inside would lie otherwise). Together, instances may be
 * given more memory than the host has, up to a factor: an idle container uses a small part of its limit, and the limit is
 * what is enforced.
 */
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { instance, type InstanceRow } from '#service/ec2/instance/instance'
import type { Store, Tx } from '#store/store'
import { tallying } from '#store/tally'

export const MEMORY_OVERCOMMIT = 8

export type Demand = { cpus: number; memoryMiB: number }
const none = (message: string) => new ApiError('InsufficientInstanceCapacity', message, 500)

/** What is left of the host for further instances, as the records are at this moment. */
export type Room = {
  /** How many of these fit, at most `wanted`; throws InsufficientInstanceCapacity where not even one can ever. */
  fits(demand: Demand, wanted: number): number
  /** Takes it for one more; throws InsufficientInstanceCapacity where there is not enough. */
  take(demand: Demand): void
}

const tallies = new WeakMap<Store, (tx: Tx) => Promise<number>>()

/** MiB of all that run or shall. Asked at every launch, among however many. */
function given(tx: Tx, { store }: Context): Promise<number> {
  let tally = tallies.get(store)
  if (!tally) {
    tally = tallying<InstanceRow>(store, instance.kind, ({ spec }) => (spec.desired === 'running' ? spec.memoryMiB : 0))
    tallies.set(store, tally)
  }
  return tally(tx)
}

/** Asked before the transaction writes instances. */
export async function roomOf(tx: Tx, context: Context): Promise<Room> {
  const host = context.capacity()
  let left = host.memoryMiB * MEMORY_OVERCOMMIT - await given(tx, context)
  const fits = (demand: Demand, wanted: number): number => {
    if (demand.cpus > host.cpus) throw none(`The instance type has ${demand.cpus} vCPUs; this host has ${host.cpus}.`)
    if (demand.memoryMiB > host.memoryMiB) {
      throw none(`The instance type has ${demand.memoryMiB} MiB of memory; this host has ${host.memoryMiB} MiB.`)
    }
    return Math.max(0, Math.min(wanted, Math.floor(left / demand.memoryMiB)))
  }
  return {
    fits,
    take(demand) {
      if (fits(demand, 1) < 1) {
        throw none(`There is not enough memory left on this host: instances together may have ${MEMORY_OVERCOMMIT} times its memory.`)
      }
      left -= demand.memoryMiB
    },
  }
}
