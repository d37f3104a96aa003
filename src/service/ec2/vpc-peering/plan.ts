/**
 * What next for a VPC peering connection. Pure.
 *
 * Invariant: it is active only when both networks have been made so, and no longer than both VPCs are there.
 */
import { rest, type Step } from '#loop/driver'
import type { PeeringRow } from '#service/ec2/vpc-peering/peering'

export type Seen = { vpcs: 'both' | 'gone'; linked: boolean }

/** How long each end is shown (VPC Peering Guide, lifecycle): to whoever sees it longest. */
export const SHOWN_MS = { failed: 2 * 3_600_000, deleted: 2 * 3_600_000, rejected: 48 * 3_600_000, expired: 48 * 3_600_000 }

export function plan({ status }: Pick<PeeringRow, 'status'>, { vpcs, linked }: Seen, now: Date): Step {
  const leftMs = status.until === undefined ? Infinity : new Date(status.until).getTime() - now.getTime()
  switch (status.state) {
    case 'pending-acceptance':
      if (vpcs === 'gone') return { write: 'deleted' }
      return leftMs > 0 ? { rest: true, againMs: leftMs } : { write: 'expired' }
    case 'provisioning':
      if (vpcs === 'gone') return { write: 'deleted' }
      return linked ? { write: 'active' } : { act: 'link' }
    case 'active': return vpcs === 'gone' ? { write: 'deleted' } : rest
    case 'failed':
    case 'rejected':
    case 'expired':
    case 'deleted': return leftMs > 0 ? { rest: true, againMs: leftMs } : { write: 'remove' }
  }
}
