/** The set of DHCP options that new VPCs get. */
import { resourceId } from '#base/id'
import type { Place } from '#kit/action'
import { dhcpOptions, OWN_RESOLVER } from '#service/ec2/dhcp-options/dhcp-options'
import { privateDomain } from '#service/ec2/network-interface/names'
import type { Tx } from '#store/store'

const SCOPE = 'default-dhcp-options'

/** An account's default set in a region, made when there is none (VPC User Guide, "DHCP option sets": every Region has one). */
export async function defaultDhcpOptions(tx: Tx, place: Place, now: Date): Promise<string> {
  const key = `${place.account}/${place.region}`
  const found = await tx.holder(SCOPE, key)
  if (found !== undefined) return found
  const id = resourceId(dhcpOptions.prefix)
  await tx.claim(SCOPE, key, id)
  await tx.put(dhcpOptions.make({
    ...place, now, id, status: {},
    spec: {
      options: [{ key: 'domain-name', values: [privateDomain(place.region)] }, { key: 'domain-name-servers', values: [OWN_RESOLVER] }],
    },
  }), 'created')
  return id
}
