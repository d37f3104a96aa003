/**
 * Whether an instance fits on the host.
 *
 * A type's CPUs and memory must be there in whole (nproc and free inside would lie otherwise). Together, instances may be
 * given more memory than the host has, up to a factor: an idle container uses a small part of its limit, and the limit is
 * what is enforced.
 */
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { instance } from '#service/ec2/instance/instance'
import type { Reader } from '#store/store'

export const MEMORY_OVERCOMMIT = 8

export type Demand = { cpus: number; memoryMiB: number }
const none = (message: string) => new ApiError('InsufficientInstanceCapacity', message, 500)

/** How many of these fit now, at most `wanted`; throws InsufficientInstanceCapacity where not even one can ever. */
export async function howManyFit(reader: Reader, context: Context, demand: Demand, wanted: number): Promise<number> {
  const host = context.capacity()
  if (demand.cpus > host.cpus) {
    throw none(`The instance type has ${demand.cpus} vCPUs; this host has ${host.cpus}.`)
  }
  if (demand.memoryMiB > host.memoryMiB) {
    throw none(`The instance type has ${demand.memoryMiB} MiB of memory; this host has ${host.memoryMiB} MiB.`)
  }
  const live = (await instance.everywhere(reader)).filter(row => row.spec.desired === 'running')
  const used = live.reduce((sum, row) => sum + row.spec.memoryMiB, 0)
  return Math.max(0, Math.min(wanted, Math.floor((host.memoryMiB * MEMORY_OVERCOMMIT - used) / demand.memoryMiB)))
}

/** Throws InsufficientInstanceCapacity where one more does not fit. */
export async function checkFits(reader: Reader, context: Context, demand: Demand): Promise<void> {
  if (await howManyFit(reader, context, demand, 1) < 1) {
    throw none(`There is not enough memory left on this host: instances together may have ${MEMORY_OVERCOMMIT} times its memory.`)
  }
}
