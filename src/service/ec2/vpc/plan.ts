/**
 * What next for a VPC's network. Pure.
 *
 * Invariant: a network is on the host exactly as long as its VPC is wanted and has an interface: the default VPCs that every
 * region has cost nothing until something is launched there.
 */
import { rest, type Step } from '#loop/loop'
import type { VpcRow } from '#service/ec2/vpc/vpc'

export type Seen = {
  /** 'current': there, with all its ports, and last made from the records as they are; 'stale': there, but not so. */
  network: 'absent' | 'stale' | 'current'
  /** Whether the VPC has an interface. */
  populated: boolean
}

export function plan({ spec: { desired } }: Pick<VpcRow, 'spec'>, { network, populated }: Seen): Step {
  if (desired === 'present' && populated) return network === 'current' ? rest : { act: 'apply' }
  if (network !== 'absent') return { act: 'delete' }
  return desired === 'absent' ? { write: 'remove' } : rest
}
