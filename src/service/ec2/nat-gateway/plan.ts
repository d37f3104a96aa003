/**
 * What next for a NAT gateway. Pure.
 *
 * Invariant: a gateway is available only when its network translates, and deleted only when its interface is gone from the network.
 */
import { rest, type Step } from '#loop/driver'
import type { NatGatewayRow } from '#service/ec2/nat-gateway/nat-gateway'

export type Seen = {
  /** Whether the network has been made so with the gateway's interface in it. */
  translates: boolean
  /** Whether the interface's record or port is still there. */
  occupies: boolean
}

export const SHOWN_MS = 3_600_000

export function plan({ spec, status }: Pick<NatGatewayRow, 'spec' | 'status'>, { translates, occupies }: Seen, now: Date): Step {
  switch (status.state) {
    case 'pending': {
      if (spec.failure) return { write: 'fail' }
      return translates ? { write: 'available' } : { act: 'join' }
    }
    case 'available': return rest
    case 'deleting': return occupies ? { act: 'leave' } : { write: 'deleted' }
    case 'deleted':
    case 'failed': {
      const leftMs = new Date(status.ended!).getTime() + SHOWN_MS - now.getTime()
      return leftMs > 0 ? { rest: true, againMs: leftMs } : { write: 'remove' }
    }
  }
}
