/**
 * Which disks a machine has, in its configuration. Pure.
 *
 * Invariant: the configuration says what is wanted, in one write with the device that Incus gives the guest; the loop devices in the
 * machine's own range of numbers say what is there. One that is there and not wanted is on its way out.
 */
import type { MachineDisk } from '#engine/port'
import { firstLoop, loopTag, PER_MACHINE, type Loop } from '#engine/disk/loop'

/** The keys in a machine's configuration: its root disk, its place among the machines of this Enclume, and each of its data disks. */
export const ROOT_DISK = 'user.root-disk'
export const PLACE = 'user.place'
const DISK = 'user.disk.'
const ROOT_DEVICE = 'xvda1'
const LOOP_MAJOR = 7

export type Config = Record<string, string>
export type Devices = Record<string, Record<string, string>>
/** `number`: its loop device's. */
export type Held = MachineDisk & { number: number }

export const placeOf = (config: Config): number | undefined => (config[PLACE] ? Number(config[PLACE]) : undefined)
export const rootOf = (config: Config): string | undefined => config[ROOT_DISK] || undefined

/** The numbers of loop devices that are this machine's alone. */
export const rangeOf = (slot: number, place: number): { first: number; last: number } => {
  const first = firstLoop({ slot, place })
  return { first, last: first + PER_MACHINE - 1 }
}

export const heldIn = (config: Config): Held[] => Object.entries(config)
  .filter(([key, value]) => key.startsWith(DISK) && value !== '').map(([, value]) => JSON.parse(value) as Held)
  .sort((a, b) => a.number - b.number)

export const loopOf = (machine: string, { disk, number }: Pick<Held, 'disk' | 'number'>): Loop => ({ number, tag: loopTag(machine, disk) })

/** What a machine with this disk has in its configuration. The guest's root and its group `disk` may use the node, as on any Linux. */
export const holding = (held: Held): { config: Config; devices: Devices } => ({
  config: { [DISK + held.disk]: JSON.stringify(held) }, devices: { [deviceName(held)]: node(held.device, held.number, held.readOnly) },
})
export const rootNode = (first: number): Devices => ({ [`disk-${ROOT_DEVICE}`]: node(ROOT_DEVICE, first) })

const deviceName = ({ device }: Pick<Held, 'device'>): string => `disk-${device}`
const node = (name: string, number: number, readOnly?: true): Record<string, string> => ({
  type: 'unix-block', path: `/dev/${name}`, major: String(LOOP_MAJOR), minor: String(number), uid: '0', gid: '6', mode: readOnly ? '0440' : '0660',
})

/** The configuration and the devices without one. */
export function without<T extends { config: Config; devices: Devices }>(instance: T, held: Held): Pick<T, 'config' | 'devices'> {
  const drop = (from: Record<string, any>, name: string) => Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
  return { config: drop(instance.config, DISK + held.disk), devices: drop(instance.devices, deviceName(held)) }
}

/** The lowest number of its range that nothing has. The first one is the root's. */
export function freeNumber({ first, last }: { first: number; last: number }, taken: Set<number>): number {
  for (let number = first + 1; number <= last; number++) if (!taken.has(number)) return number
  throw new Error('the machine has no room for another disk')
}
