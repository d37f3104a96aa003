/**
 * An Elastic IP address: what it is. What it is associated with stands in the interface alone (network-interface.ts: `public`).
 *
 * Invariants: the address is claimed in 'public-address' by this row as long as the account has it; while it is associated, the
 * interface claims the allocation's and the association's id in 'elastic-ip-at', so that both are free when the interface goes.
 */
import { ApiError } from '#kit/error'
import type { Place } from '#kit/action'
import { resource, tagList } from '#kit/resource'
import { networkInterface, type Address, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import type { Reader, Row, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = {
  address: string
  /** The name that its reverse record says. */
  reverseName?: string
}
export type AddressRow = Row<Spec, object>
/** Where an address is: behind this private address of this interface. */
export type Located = { owner: InterfaceRow; inside: Address }

export const ASSOCIATIONS = 'elastic-ip-at'

/** Where an allocation or an association leads, if it does. */
export async function placeOf(reader: Reader, id: string): Promise<Located | undefined> {
  const holder = await reader.holder(ASSOCIATIONS, id)
  const owner = holder === undefined ? undefined : await networkInterface.find(reader, holder)
  const inside = owner?.spec.addresses.find(({ public: outside }) => outside?.allocation === id || outside?.association === id)
  return owner && inside && { owner, inside }
}

export const elasticIp = resource<Spec, object, sdk.Address, Map<string, Located | undefined>>({
  kind: 'elastic-ip', prefix: 'eipalloc', label: 'allocation ID',
  missing: 'InvalidAllocationID.NotFound', malformed: 'InvalidAllocationID.NotFound',
  join: async (reader, rows) => new Map(await Promise.all(rows.map(async ({ id }) => [id, await placeOf(reader, id)] as const))),
  view({ id, account, region, spec, tags }, places) {
    const found = places.get(id)
    return {
      AllocationId: id,
      PublicIp: spec.address,
      Domain: 'vpc',
      PublicIpv4Pool: 'amazon',
      NetworkBorderGroup: region,
      Tags: tagList(tags),
      ...(found && {
        AssociationId: found.inside.public!.association,
        InstanceId: found.owner.spec.attachment?.instance,
        NetworkInterfaceId: found.owner.id,
        NetworkInterfaceOwnerId: account,
        PrivateIpAddress: found.inside.private,
      }),
    }
  },
  filters: {
    'allocation-id': 'AllocationId',
    'association-id': 'AssociationId',
    'domain': 'Domain',
    'instance-id': 'InstanceId',
    'network-border-group': 'NetworkBorderGroup',
    'network-interface-id': 'NetworkInterfaceId',
    'network-interface-owner-id': 'NetworkInterfaceOwnerId',
    'private-ip-address': 'PrivateIpAddress',
    'public-ip': 'PublicIp',
  },
})

/** The caller's row of an allocation; one that another account has is AuthFailure (API Reference, ReleaseAddress). */
export async function getElasticIp(tx: Tx, place: Place, id: string): Promise<AddressRow> {
  const row = await elasticIp.find(tx, id)
  if (row && row.account !== place.account) {
    throw new ApiError('AuthFailure', 'You do not have permission to access the specified resource.')
  }
  return elasticIp.get(tx, place, id)
}

/** The caller's rows of these public addresses, or the error that names the first that is not its own. */
export async function byPublicIp(reader: Reader, place: Place, addresses: readonly string[]): Promise<AddressRow[]> {
  const own = new Map((await elasticIp.list(reader, place)).map(row => [row.spec.address, row]))
  return addresses.map(address => {
    const row = own.get(address)
    if (!row) throw new ApiError('InvalidAddress.NotFound', `Address '${address}' not found.`)
    return row
  })
}
