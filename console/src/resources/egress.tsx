/** Egress-only internet gateways: IPv6's way out, without a way in. */
import { simple, vpcForm } from './choices'
import { column, nameColumn, type Resource } from './kinds'

export const egress: Resource = {
  path: '/vpc/egress-only-gateways',
  service: 'ec2',
  title: 'menu.egress',
  empty: ['egress.empty', 'egress.emptyHint'],
  operation: 'DescribeEgressOnlyInternetGateways',
  member: 'EgressOnlyInternetGateways',
  id: item => item.EgressOnlyInternetGatewayId,
  kinds: ['egress-only-internet-gateway'],
  tagged: 'egress-only-internet-gateway',
  columns: [
    nameColumn,
    column('EgressOnlyInternetGatewayId', 'f.EgressId'),
    { id: 'state', label: 'f.state', kind: 'state', value: item => item.Attachments?.[0]?.State },
    { id: 'vpc', label: 'f.VpcId', link: '/vpc/vpcs', value: item => item.Attachments?.[0]?.VpcId },
  ],
  create: { label: 'egress.create', form: vpcForm('CreateEgressOnlyInternetGateway', 'EgressOnlyInternetGateway') },
  actions: [{ id: 'delete', label: 'egress.delete', ...simple('DeleteEgressOnlyInternetGateway', 'EgressOnlyInternetGatewayId'), confirm: 'plain' }],
}
