/**
 * By which VPC endpoint a request came, for the doors that callers inside of VPCs knock at.
 *
 * Invariant: nothing that a request says is believed about that: a door of its own says which interface endpoint it was, and at the object
 * store's door a fabric address that it was a gateway endpoint. What an endpoint's policy says is read anew for each request.
 */
import type { Home } from '#base/home'
import type { Via } from '#kit/caller'
import { zonesOf } from '#service/ec2/context'
import { interfaceAt } from '#service/ec2/network-interface/fabric'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { s3Service } from '#service/ec2/prefix-list/managed'
import { subnet } from '#service/ec2/subnet/subnet'
import { endpointNames } from '#service/ec2/vpc-endpoint/names'
import { serviceNamed } from '#service/ec2/vpc-endpoint/services'
import { policyOfEndpoint, ROUTE_SCOPE, vpcEndpoint } from '#service/ec2/vpc-endpoint/vpc-endpoint'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'

async function endpointOf(reader: Reader, id: string | undefined): Promise<Via['endpoint']> {
  const row = id === undefined ? undefined : await vpcEndpoint.find(reader, id)
  return row && { id: row.id, account: row.account, policy: policyOfEndpoint(row) }
}

/** Who comes to the object store by a gateway endpoint is known by its fabric address; all others come by public ones. */
export async function gatewayOrigin(reader: Reader, home: Home, peer: string): Promise<Via | undefined> {
  const asking = await interfaceAt(reader, home, peer)
  if (!asking) return undefined
  const { region, spec } = asking
  const table = (await subnet.find(reader, spec.subnet))?.spec.routeTable?.id ?? (await vpc.find(reader, spec.vpc))?.spec.mainRouteTable.id
  const endpoint = await endpointOf(reader, await reader.holder(ROUTE_SCOPE, `${table}/${s3Service(region)}`))
  return { vpc: spec.vpc, address: spec.addresses[0]!.private, ...(endpoint && { endpoint }) }
}

/** Who comes to the door of an interface endpoint, which is the interface of this id, is known by the address that asks. */
export async function insideOrigin(reader: Reader, id: string, peer: string): Promise<Via | undefined> {
  const own = await networkInterface.find(reader, id)
  const endpoint = await endpointOf(reader, own?.spec.manager)
  return own && { vpc: own.spec.vpc, address: peer, ...(endpoint && { endpoint }) }
}

/** What is answered at the door of an interface endpoint: which service, by which domains. None where the endpoint is gone. */
export async function answeredAt(reader: Reader, id: string): Promise<{ service: string; domains: string[] } | undefined> {
  const own = await networkInterface.find(reader, id)
  const row = own?.spec.manager === undefined ? undefined : await vpcEndpoint.find(reader, own.spec.manager)
  const service = row && serviceNamed(row.region, row.spec.service)
  if (!service) return undefined
  const { all, zonal } = endpointNames(row, zonesOf(row.region))
  return { service: service.id, domains: [...service.hosts, all, ...zonal.map(({ name }) => name)].map(name => name.replace(/^\*\./, '')) }
}
