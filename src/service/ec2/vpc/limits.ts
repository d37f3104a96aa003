/**
 * How many of each kind an account may have: AWS's defaults (VPC User Guide, "Amazon VPC quotas"; EC2 User Guide, "Restrictions for Amazon EC2
 * launch templates", and "Error codes" for what has no code of its own).
 */
import { ApiError } from '#kit/error'

/** The most, AWS's error, and what the message calls them. */
const limits = {
  vpcs: [5, 'VpcLimitExceeded', 'VPCs'],
  cidrs: [5, 'CidrLimitExceeded', 'CIDR blocks for this VPC'],
  cidrs6: [5, 'CidrLimitExceeded', 'IPv6 CIDR blocks for this VPC'],
  cidrs6OfSubnet: [1, 'CidrLimitExceeded', 'IPv6 CIDR blocks for this subnet'],
  egressOnlyGateways: [5, 'EgressOnlyInternetGatewayLimitExceeded', 'egress-only internet gateways'],
  subnets: [200, 'SubnetLimitExceeded', 'subnets'],
  internetGateways: [5, 'InternetGatewayLimitExceeded', 'internet gateways'],
  routeTables: [200, 'RouteTableLimitExceeded', 'route tables'],
  routes: [50, 'RouteLimitExceeded', 'routes'],
  peerings: [50, 'VpcPeeringConnectionsPerVpcLimitExceeded', 'active VPC peering connections for this VPC'],
  natGateways: [5, 'NatGatewayLimitExceeded', 'NAT gateways in the Availability Zone'],
  flowLogs: [2, 'FlowLogsLimitExceeded', 'flow logs for this resource'],
  gatewayEndpoints: [20, 'VpcEndpointLimitExceeded', 'gateway VPC endpoints'],
  interfaceEndpoints: [50, 'VpcEndpointLimitExceeded', 'interface VPC endpoints for this VPC'],
  prefixLists: [100, 'PrefixListLimitExceeded', 'prefix lists'],
  launchTemplates: [5000, 'ResourceLimitExceeded', 'launch templates'],
  launchTemplateVersions: [10_000, 'ResourceLimitExceeded', 'versions of this launch template'],
  networkAcls: [200, 'NetworkAclLimitExceeded', 'network acls'],
  networkAclEntries: [20, 'NetworkAclEntryLimitExceeded', 'network acl entries'],
} as const satisfies Record<string, [number, string, string]>

export const limitOf = (of: keyof typeof limits): number => limits[of][0]

/** Throws AWS's error where there are so many already that one more is too many. */
export function checkLimit(of: keyof typeof limits, count: number): void {
  const [most, code, words] = limits[of]
  if (count >= most) throw new ApiError(code, `The maximum number of ${words} has been reached.`)
}
