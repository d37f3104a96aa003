/**
 * The driver of VPC peering connections: says of each when both networks are linked, and ends those whose time or VPC is gone.
 *
 * Invariant: that both are linked is remembered only by this process, after the networks' own loops have settled with it.
 */
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { peering, sidesOf, type PeeringRow } from '#service/ec2/vpc-peering/peering'
import { plan, SHOWN_MS, type Seen } from '#service/ec2/vpc-peering/plan'
import { vpc } from '#service/ec2/vpc/vpc'

export function peeringDriver({ store, clock, loop }: Pick<Context, 'store' | 'clock' | 'loop'>): Driver<PeeringRow, Seen> {
  const linked = new Set<string>()
  const until = (ms: number) => new Date(clock().getTime() + ms).toISOString()
  return {
    kind: peering.kind,
    async observe(row) {
      const vpcs = await Promise.all(sidesOf(row).map(side => vpc.find(store, side.vpc)))
      return { vpcs: vpcs.every(found => found && !vpc.gone?.(found)) ? 'both' : 'gone', linked: linked.has(row.id) }
    },
    plan,
    acts: {
      async link(row) {
        for (const side of sidesOf(row)) await loop().settle('vpc', side.vpc)
        linked.add(row.id)
      },
    },
    writes: {
      active: (tx, row) => peering.update(tx, row, { status: { state: 'active', message: 'Active' } }, 'active'),
      expired: (tx, row) => peering.update(tx, row, { status: { state: 'expired', message: 'Expired', until: until(SHOWN_MS.expired) } }, 'expired'),
      deleted: (tx, row) =>
        peering.update(tx, row, { status: { state: 'deleted', message: 'Deleted with its VPC', until: until(SHOWN_MS.deleted) } }, 'deleted'),
      async remove(tx, row) {
        linked.delete(row.id)
        await tx.remove(row)
      },
    },
  }
}
