/**
 * The driver of NAT gateways: says of each when its network translates, and lets its interface go when it is deleted.
 *
 * Invariant: that a network translates is remembered only by this process, after the network's own loop has settled with the
 * interface in it.
 */
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { natGateway, type NatGatewayRow } from '#service/ec2/nat-gateway/nat-gateway'
import { plan, type Seen } from '#service/ec2/nat-gateway/plan'
import { releaseInterface } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'

export function natGatewayDriver({ store, engine, clock, loop }: Pick<Context, 'store' | 'engine' | 'clock' | 'loop'>): Driver<NatGatewayRow, Seen> {
  const joined = new Set<string>()
  return {
    kind: natGateway.kind,
    async observe({ id, spec: { vpc, interface: own } }) {
      if (own === undefined) return { translates: false, occupies: false }
      const found = await engine.networks.observe(vpc)
      if (found === 'unknown') return 'unknown'
      const hasPort = found !== 'absent' && found.ports.includes(own)
      return { translates: joined.has(id) && hasPort, occupies: hasPort || await networkInterface.find(store, own) !== undefined }
    },
    plan,
    acts: {
      async join({ id, spec }) {
        await loop().settle('vpc', spec.vpc)
        joined.add(id)
      },
      async leave({ id, spec }) {
        joined.delete(id)
        await store.transact(async tx => {
          const own = await networkInterface.find(tx, spec.interface!)
          if (own) await releaseInterface(tx, own)
        })
        await loop().settle('vpc', spec.vpc)
      },
    },
    writes: {
      available: (tx, row) => natGateway.update(tx, row, { status: { state: 'available' } }, 'available'),
      fail: (tx, row) => natGateway.update(tx, row, { status: { state: 'failed', ended: clock().toISOString() } }, 'failed'),
      deleted: (tx, row) => natGateway.update(tx, row, { status: { state: 'deleted', ended: clock().toISOString() } }, 'deleted'),
      remove: (tx, row) => tx.remove(row),
    },
  }
}
