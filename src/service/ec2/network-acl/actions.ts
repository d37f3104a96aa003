/** What may be asked of network acls. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { networkAcl } from '#service/ec2/network-acl/network-acl'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions: Actions<typeof sdk> = {
  DescribeNetworkAcls: describe(networkAcl, 'NetworkAclIds', 'NetworkAcls'),
}
