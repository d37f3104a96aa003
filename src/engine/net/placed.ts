/** Ports as the packet filter names them: by their devices, and their rules by the groups that they have. Pure. */
import { createHash } from 'node:crypto'
import type { NetworkSpec, PortSpec } from '#engine/port'
import { routerDevice } from '#engine/net/names'

export type Placed = { port: PortSpec; device: string }

/** Whether the other end of its device stands in a namespace that is ours, and no machine's. */
export const isHoused = (port: PortSpec): boolean => Boolean(port.translates || port.answers)

export const groupsOf = (port: PortSpec) => [...new Set(port.groups)].sort()
/** Of one group by its name, of several by a digest of theirs, for the kernel's bound on names. */
export function portChain(port: PortSpec, way: 'in' | 'out', head = 'port'): string {
  const groups = groupsOf(port)
  return `${head}_${groups.length === 1 ? groups[0] : createHash('sha256').update(groups.join()).digest('hex').slice(0, 16)}_${way}`
}

export function portsOf(spec: NetworkSpec): Placed[] {
  const subnets = new Map(spec.subnets.map(subnet => [subnet.id, subnet.index]))
  return spec.ports.map(port => ({ port, device: `"${routerDevice(subnets.get(port.subnet)!, port.index)}"` }))
}
