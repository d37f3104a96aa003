/** The names of interface endpoints as a network's resolver knows them. Pure. */
import type { NetworkSpec } from '#engine/port'
import type { InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { endpointNames, privateNames } from '#service/ec2/vpc-endpoint/names'
import type { VpcEndpointRow } from '#service/ec2/vpc-endpoint/vpc-endpoint'

/** Both attributes are needed for private DNS (VPC User Guide, "DNS attributes for your VPC"); `inside`: who asks is in the endpoint's VPC. */
export function endpointRecords(
  endpoints: readonly VpcEndpointRow[], interfaces: readonly InterfaceRow[], { inside }: { inside: boolean },
): NetworkSpec['names'] {
  const addresses = new Map(interfaces.map(row => [row.id, row.spec.addresses[0]!.private]))
  return endpoints.flatMap(row => {
    const own = row.spec.inside
    if (!own || own.desired === 'absent') return []
    const known = own.interfaces.flatMap(({ id, zone }) => (addresses.has(id) ? [{ zone, address: addresses.get(id)! }] : []))
    const { all, zonal } = endpointNames(row, known.map(({ zone }) => zone))
    const everywhere = inside && own.privateDns && !own.inboundOnly ? [all, ...privateNames(row)] : [all]
    return [
      ...everywhere.flatMap(name => known.map(({ address }) => ({ name, address }))),
      ...zonal.map(({ name }, i) => ({ name, address: known[i]!.address })),
    ]
  })
}
