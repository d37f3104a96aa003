/**
 * By which VPC endpoint a request came, for the doors that callers inside of VPCs knock at.
 *
 * Invariant: nothing that a request says is believed about that: a door of its own says which interface endpoint it was, and at the object
 * store's door a fabric address that it was a gateway endpoint. What an endpoint's policy says is read anew for each request.
 */
import type { Home } from '#base/home'
import type { Via } from '#kit/caller'
import { interfaceAt } from '#service/ec2/network-interface/fabric'
import { s3Service } from '#service/ec2/prefix-list/managed'
import { subnet } from '#service/ec2/subnet/subnet'
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
  const table = (await subnet.find(reader, spec.subnet))?.spec.routeTable ?? (await vpc.find(reader, spec.vpc))?.spec.mainRouteTable.id
  const endpoint = await endpointOf(reader, await reader.holder(ROUTE_SCOPE, `${table}/${s3Service(region)}`))
  return { vpc: spec.vpc, address: spec.addresses[0]!.private, ...(endpoint && { endpoint }) }
}
