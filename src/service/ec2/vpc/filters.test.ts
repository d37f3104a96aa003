import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Shape } from '#kit/schema'
import { dhcpOptions } from '#service/ec2/dhcp-options/dhcp-options'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { networkAcl } from '#service/ec2/network-acl/network-acl'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { routeTable } from '#service/ec2/route-table/route-table'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { securityGroupRule } from '#service/ec2/security-group/security-group-rule'
import { subnet } from '#service/ec2/subnet/subnet'
import { operations } from '#service/ec2/vpc/harness.suite'
import { vpc } from '#service/ec2/vpc/vpc'

const shown: [string, string, { filters: Record<string, unknown> }][] = [
  ['DescribeVpcs', 'Vpcs', vpc],
  ['DescribeSubnets', 'Subnets', subnet],
  ['DescribeRouteTables', 'RouteTables', routeTable],
  ['DescribeInternetGateways', 'InternetGateways', internetGateway],
  ['DescribeNetworkAcls', 'NetworkAcls', networkAcl],
  ['DescribeDhcpOptions', 'DhcpOptions', dhcpOptions],
  ['DescribeNetworkInterfaces', 'NetworkInterfaces', networkInterface],
  ['DescribeSecurityGroups', 'SecurityGroups', securityGroup],
  ['DescribeSecurityGroupRules', 'SecurityGroupRules', securityGroupRule],
]

/** Whether a shape has a member at a path, descending through lists. */
function has(shape: Shape | undefined, path: string[]): boolean {
  if (shape?.kind === 'list') return has(shape.value!.target, path)
  const [name, ...rest] = path
  return name === undefined ? shape !== undefined : has(shape?.byName.get(name)?.target, rest)
}

test('every filter reads a member that the operation answers', () => {
  const wrong = shown.flatMap(([operation, list, { filters }]) => Object.entries(filters)
    .filter(([, path]) => typeof path === 'string' && !has(operations.get(operation)!.output, [list, ...path.split('.')]))
    .map(([name]) => `${operation} ${name}`))
  assert.deepEqual(wrong, [])
})
