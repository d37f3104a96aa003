/**
 * The network that every account finds in every region: a default VPC with all that belongs to it.
 *
 * Invariants: made once for each account and region (claim scope 'prepared'), in one transaction, also when two first calls
 * race; a default VPC that its owner deleted does not come back by itself, only by CreateDefaultVpc.
 */
import type { Place } from '#kit/action'
import { zonesOf } from '#service/ec2/context'
import { GATEWAY_OF, internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { routeTable } from '#service/ec2/route-table/route-table'
import { createSubnet } from '#service/ec2/subnet/make'
import { createVpc, defaultAcl } from '#service/ec2/vpc/make'
import { DEFAULT_VPC, placeKey, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Reader, Tx } from '#store/store'

const BLOCK = '172.31.0.0/16'
/** A /20 for each zone, in the order of letters (VPC User Guide, "Default VPC components"). */
const subnetBlock = (i: number): string => `172.31.${i * 16}.0/20`

/** The account's default VPC in the region, if it has one. */
export async function findDefaultVpc(reader: Reader, place: Place): Promise<VpcRow | undefined> {
  const id = await reader.holder(DEFAULT_VPC, placeKey(place))
  return id === undefined ? undefined : reader.get<VpcRow>('vpc', id)
}

/** A default VPC with its subnets, gateway, tables, group and options. The caller has checked that there is none. */
export async function createDefaultVpc(tx: Tx, place: Place, now: Date): Promise<VpcRow> {
  const row = await createVpc(tx, { place, now, cidr: BLOCK, isDefault: true })
  const gateway = await tx.put(internetGateway.make({ ...place, now, status: {}, spec: { vpc: row.id } }), 'created')
  await tx.claim(GATEWAY_OF, row.id, gateway.id)
  const table = await routeTable.get(tx, place, row.spec.mainRouteTable.id)
  await routeTable.update(tx, table, { spec: { routes: [{ cidr: '0.0.0.0/0', via: { gateway: gateway.id } }] } }, 'route-created')
  const acl = await defaultAcl(tx, row)
  for (const [i, zone] of zonesOf(place.region).entries()) {
    await createSubnet(tx, { place, now, vpc: row.id, acl: acl.id, zone, cidr: subnetBlock(i), isDefault: true })
  }
  return row
}

export type Preparation = {
  /** Makes a place's default VPC if this is the first call there. */
  prepare(tx: Tx, place: Place, now: Date): Promise<void>
  /** Whether `prepare` is known to have nothing to do. */
  prepared(place: Place): boolean
}

/** Remembers which places are prepared: only those that a transaction found so at its start, as one of its own may be rolled back. */
export function preparation(): Preparation {
  const known = new Set<string>()
  return {
    prepared: place => known.has(placeKey(place)),
    async prepare(tx, place, now) {
      const key = placeKey(place)
      if (known.has(key)) return
      if (await tx.holder('prepared', key) !== undefined) { known.add(key); return }
      await tx.claim('prepared', key, 'ec2')
      await createDefaultVpc(tx, place, now)
    },
  }
}
