/** What may be asked of internet gateways. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import type * as sdk from '@aws-sdk/client-ec2'

export const actions: Actions<typeof sdk> = {
  DescribeInternetGateways: describe(internetGateway, 'InternetGatewayIds', 'InternetGateways'),
}
