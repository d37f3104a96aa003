/**
 * What next for a VPC's network. Pure.
 *
 * Invariant: a network comes to the host with its VPC's first interface, and stays as long as the VPC is wanted: the default
 * VPCs that every region has cost nothing until something is launched there, and a second launch finds the network made.
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
  if (desired === 'absent') return network === 'absent' ? { write: 'remove' } : { act: 'delete' }
  if (network === 'absent' && !populated) return rest
  return network === 'current' ? rest : { act: 'apply' }
}
