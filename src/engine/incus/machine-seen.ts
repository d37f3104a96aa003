/** What Incus says of a machine, in the engine's words. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineSeen } from '#engine/port'
import { rootOf } from '#engine/incus/attachment'
import type { Instance } from '#engine/incus/machine-disks'
import { portsAmong } from '#engine/incus/spec'

/** The host's number of the guest's root. */
export function hostRoot({ name, config }: Instance): number {
  const [first] = JSON.parse(config['volatile.idmap.next'] ?? '[]') as { Hostid: number }[]
  if (!first) throw new Error(`machine ${name} has no user ids of its own`)
  return first.Hostid
}

export const isOnHost = (device: string): boolean => existsSync(join('/sys/class/net', device))

/**
 * Whether a running machine has lost a device that Incus believes it has: the device was made anew, with its router or because its guest
 * had deleted it, and lies on the host.
 */
export const hasLost = ({ status }: Instance, device: string): boolean => status === 'Running' && isOnHost(device)

/**
 * Incus renews `last_used_at` at each start of the guest's init, also one that was typed inside; it writes the last state of power
 * when a machine's end is told to it, so that a machine that is off and was RUNNING last had an end that nobody told.
 */
export function seen(instance: Instance, disks: MachineSeen['disks']): MachineSeen | 'unknown' {
  const rootDisk = rootOf(instance.config)
  const devices = portsAmong(instance.devices).filter(device => !hasLost(instance, device))
  const common = { devices, disks, ...(rootDisk !== undefined && { rootDisk }) }
  const cut = instance.config['volatile.last_state.power'] === 'RUNNING'
  if (instance.status === 'Stopped') return { power: 'off', ...common, ...(cut && { cut }) }
  return instance.status === 'Error' ? 'unknown' : { power: 'on', bootId: instance.last_used_at, ...common }
}
