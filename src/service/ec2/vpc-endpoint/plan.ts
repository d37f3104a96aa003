/**
 * What next for a VPC endpoint. Pure.
 *
 * Invariant: an interface endpoint is available only when its network has all its interfaces, and forgotten only when it has none of them. A
 * gateway endpoint is a route of its tables and needs nothing.
 */
import { rest, type Step } from '#loop/driver'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'

export type Seen = {
  /** Whether the network has been made so with the endpoint as it is. */
  joined: boolean
  /** Whether an interface's record or port is still there. */
  occupies: boolean
}

export function plan({ spec: { inside }, status }: Pick<VpcEndpointRow, 'spec' | 'status'>, { joined, occupies }: Seen): Step {
  if (!inside) return rest
  if (inside.desired === 'absent') return occupies ? { act: 'leave' } : { write: 'remove' }
  if (status.state === 'available') return rest
  return joined ? { write: 'available' } : { act: 'join' }
}
