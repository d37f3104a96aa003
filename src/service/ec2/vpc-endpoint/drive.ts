/**
 * The driver of VPC endpoints: says of each interface endpoint when it answers, and lets its interfaces go when it is deleted.
 *
 * Invariant: that a network has an endpoint is remembered only by this process, of one generation of its record, and after the network's
 * own loop has settled with its interfaces.
 */
import type { Driver } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { releaseInterface } from '#service/ec2/network-interface/allocate'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { plan, type Seen } from '#service/ec2/vpc-endpoint/plan'
import { vpcEndpoint, type VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'

export function vpcEndpointDriver({ store, engine, loop }: Pick<Context, 'store' | 'engine' | 'loop'>): Driver<VpcEndpointRow, Seen> {
  const joined = new Map<string, number>()
  const interfacesOf = ({ spec }: VpcEndpointRow) => spec.inside?.interfaces.map(({ id }) => id) ?? []
  return {
    kind: vpcEndpoint.kind,
    async observe(row) {
      const own = interfacesOf(row)
      if (!row.spec.inside || (row.status.state === 'available' && row.spec.inside.desired === 'present')) return { joined: true, occupies: true }
      const found = own.length === 0 ? 'absent' : await engine.networks.observe(row.spec.vpc)
      if (found === 'unknown') return 'unknown'
      const has = (id: string) => found !== 'absent' && found.ports.includes(id)
      const records = await Promise.all(own.map(id => networkInterface.find(store, id)))
      return { joined: joined.get(row.id) === row.generation && own.every(has), occupies: own.some(has) || records.some(Boolean) }
    },
    plan,
    acts: {
      async join(row) {
        await loop().settle('vpc', row.spec.vpc)
        joined.set(row.id, row.generation)
      },
      async leave(row) {
        joined.delete(row.id)
        await store.transact(async tx => {
          for (const id of interfacesOf(row)) {
            const own = await networkInterface.find(tx, id)
            if (own) await releaseInterface(tx, own)
          }
        })
        await loop().settle('vpc', row.spec.vpc)
      },
    },
    writes: {
      available: (tx, row) => vpcEndpoint.update(tx, row, { status: { state: 'available' } }, 'available'),
      remove: (tx, row) => tx.remove(row, 'deleted'),
    },
  }
}
