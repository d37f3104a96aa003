/** What may be asked of sets of DHCP options. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { dhcpOptions } from '#service/ec2/dhcp-options/dhcp-options'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions: Actions<typeof sdk> = {
  DescribeDhcpOptions: describe(dhcpOptions, 'DhcpOptionsIds', 'DhcpOptions'),
}
