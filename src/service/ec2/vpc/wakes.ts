/**
 * Which VPCs an event of another record concerns.
 *
 * Invariant: no change is missed: a record that moved wakes the VPC it left and the one it came to, and where it can't be
 * known which VPC a record belonged to, all are woken.
 */
import { peering, sidesOf, type PeeringRow } from '#service/ec2/vpc-peering/peering'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import type { Event, Reader, Row } from '#store/store'

const kinds = new Set(['subnet', 'route-table', 'internet-gateway', 'network-acl', 'security-group', 'network-interface', 'natgateway',
  'vpc-flow-log', 'vpc-endpoint', 'egress-only-internet-gateway'])
/** What peers of a VPC make their own networks of: its blocks, its addresses with their groups, and its endpoints' names. */
const shared = new Set(['vpc', 'network-interface', 'vpc-endpoint'])
type Wake = { kind: string; id: string }
const sidesFor = (row: PeeringRow | undefined): Wake[] => (row ? sidesOf(row).map(side => ({ kind: vpc.kind, id: side.vpc })) : [])

/** For the loop's `wakes`. Remembers where each record was last seen, for when it moves or goes. */
export function vpcWakes(reader: Reader): (event: Event) => Promise<Wake[]> {
  const last = new Map<string, string | undefined>()
  const all = async (choose: (row: VpcRow) => boolean = () => true): Promise<Wake[]> =>
    (await vpc.everywhere(reader)).filter(choose).map(({ kind, id }) => ({ kind, id }))
  const own = async ({ kind, id }: Event): Promise<Wake[]> => {
    if (kind === vpc.kind) return [{ kind, id }]
    if (kind === 'dhcp-options') return all(row => row.spec.dhcpOptions === id)
    // Groups and tables that refer to a list are in any VPC.
    if (kind === 'prefix-list') return all()
    if (!kinds.has(kind)) return []
    const key = `${kind}/${id}`
    const row = await reader.get<Row<{ vpc?: string }>>(kind, id)
    const known = last.has(key)
    const before = last.get(key)
    if (row) last.set(key, row.spec.vpc)
    else last.delete(key)
    // Only a gateway leaves a VPC and lives on; of a record that was never seen before nobody knows where it was.
    if (!known && (!row || kind === 'internet-gateway')) return all()
    const ids = new Set([before, row?.spec.vpc].filter(found => found !== undefined))
    return [...ids].map(found => ({ kind: vpc.kind, id: found }))
  }
  return async event => {
    if (event.kind === peering.kind) return sidesFor(await reader.get<PeeringRow>(peering.kind, event.id))
    const woken = await own(event)
    if (!shared.has(event.kind) || woken.length === 0) return woken
    const ids = new Set(woken.map(wake => wake.id))
    const joined = (await peering.everywhere(reader)).filter(row => sidesOf(row).some(side => ids.has(side.vpc)))
    const more = joined.flatMap(row => [...sidesFor(row), ...event.kind === vpc.kind ? [{ kind: peering.kind, id: row.id }] : []])
    return [...new Map([...woken, ...more].map(wake => [`${wake.kind}/${wake.id}`, wake])).values()]
  }
}
