/** What stands at the borders of VPCs: gateways, peering, network ACLs, DHCP options. */
import { isIn, natGateways, peerings } from '../../../src/service/ec2/states'
import { AclTab, OptionsTab } from '../parts/VpcTabs'
import {
  addEntry, aclSubnets, editEntry, freeAddress, hasEntries, isPublic, natPrivate, natPublic, natSubnet, peeringOptions, peerVpc, removeEntry,
} from './borders'
import { simple, text, vpc, vpcForm } from './choices'
import { column, nameColumn, stateColumn, subnetColumn, vpcColumn, type Item, type Resource } from './kinds'

const hasAddresses = (item: Item): boolean => isIn(natGateways.addresses, item.State)

export const gateways: Resource[] = [
  {
    path: '/vpc/internet-gateways',
    service: 'ec2',
    title: 'menu.igws',
    empty: ['igws.empty', 'igws.emptyHint'],
    operation: 'DescribeInternetGateways',
    member: 'InternetGateways',
    id: item => item.InternetGatewayId,
    kinds: ['internet-gateway'],
    tagged: 'internet-gateway',
    columns: [
      nameColumn,
      column('InternetGatewayId', 'f.GatewayId'),
      { id: 'state', label: 'f.state', kind: 'state', value: item => (item.Attachments?.length ? 'attached' : 'detached') },
      { id: 'vpc', label: 'f.VpcId', link: '/vpc/vpcs', value: item => item.Attachments?.[0]?.VpcId },
      column('OwnerId', 'f.OwnerId', { hidden: true }),
    ],
    create: {
      label: 'igws.create',
      form: { operation: 'CreateInternetGateway', id: answer => answer.InternetGateway.InternetGatewayId, fields: [], input: () => ({}) },
    },
    actions: [
      {
        id: 'attach',
        label: 'igws.attach',
        enabled: item => !item.Attachments?.length,
        form: {
          operation: 'AttachInternetGateway',
          fields: [vpc],
          input: (values, item) => ({ InternetGatewayId: item?.InternetGatewayId, VpcId: values.vpc }),
        },
      },
      {
        id: 'detach',
        label: 'igws.detach',
        operation: 'DetachInternetGateway',
        each: item => ({ InternetGatewayId: item.InternetGatewayId, VpcId: item.Attachments[0].VpcId }),
        enabled: item => item.Attachments?.length > 0,
        confirm: 'plain',
      },
      {
        id: 'delete',
        label: 'igws.delete',
        ...simple('DeleteInternetGateway', 'InternetGatewayId'),
        enabled: item => !item.Attachments?.length,
        confirm: 'plain',
      },
    ],
  },
  {
    path: '/vpc/dhcp-options',
    service: 'ec2',
    title: 'menu.dhcp',
    empty: ['dhcp.empty', 'dhcp.emptyHint'],
    operation: 'DescribeDhcpOptions',
    member: 'DhcpOptions',
    id: item => item.DhcpOptionsId,
    kinds: ['dhcp-options'],
    tagged: 'dhcp-options',
    columns: [
      nameColumn,
      column('DhcpOptionsId', 'f.DhcpId'),
      {
        id: 'options',
        label: 'f.options',
        value: item => item.DhcpConfigurations?.map((c: Item) => `${c.Key} = ${c.Values?.map((v: Item) => v.Value).join(', ')}`).join('; '),
      },
    ],
    create: {
      label: 'dhcp.create',
      form: {
        operation: 'CreateDhcpOptions',
        id: answer => answer.DhcpOptions.DhcpOptionsId,
        fields: [
          { name: 'domain', label: 'dhcp.domain', value: 'example.internal' },
          { name: 'servers', label: 'dhcp.servers', value: 'AmazonProvidedDNS' },
        ],
        input: values => ({
          DhcpConfigurations: [
            { Key: 'domain-name', Values: [values.domain] },
            { Key: 'domain-name-servers', Values: values.servers.split(',').map((s: string) => s.trim()) },
          ],
        }),
      },
    },
    actions: [{ id: 'delete', label: 'dhcp.delete', ...simple('DeleteDhcpOptions', 'DhcpOptionsId'), confirm: 'plain' }],
    tabs: [{ id: 'options', label: 'f.options', content: item => <OptionsTab item={item} /> }],
  },
  {
    path: '/vpc/nat-gateways',
    service: 'ec2',
    title: 'menu.nats',
    empty: ['nats.empty', 'nats.emptyHint'],
    operation: 'DescribeNatGateways',
    member: 'NatGateways',
    id: item => item.NatGatewayId,
    kinds: ['natgateway', 'nat-gateway', 'network-interface'],
    tagged: 'natgateway',
    columns: [
      nameColumn,
      column('NatGatewayId', 'f.NatId'),
      column('ConnectivityType', 'f.connectivity', { kind: 'word' }),
      stateColumn,
      {
        id: 'public',
        label: 'f.publicIp',
        value: item =>
          item.NatGatewayAddresses?.map((a: Item) => a.PublicIp)
            .filter(Boolean)
            .join(', '),
      },
      vpcColumn,
      subnetColumn,
      column('CreateTime', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'nats.create',
      form: {
        operation: 'CreateNatGateway',
        id: answer => answer.NatGateway.NatGatewayId,
        fields: [
          { name: 'kind', label: 'f.connectivity', kind: 'select', options: ['public', 'private'] },
          natSubnet,
          { ...freeAddress, when: values => values.kind === 'public' },
        ],
        input: values => ({
          SubnetId: values.subnet,
          ConnectivityType: values.kind,
          AllocationId: values.kind === 'public' ? text(values.address) : undefined,
        }),
      },
    },
    actions: [
      { id: 'addresses', label: 'nats.addresses', enabled: item => hasAddresses(item) && isPublic(item), form: natPublic },
      { id: 'private', label: 'nats.privateAddresses', enabled: item => hasAddresses(item) && !isPublic(item), form: natPrivate },
      {
        id: 'delete',
        label: 'nats.delete',
        ...simple('DeleteNatGateway', 'NatGatewayId'),
        enabled: item => isIn(natGateways.delete, item.State),
        confirm: 'plain',
      },
    ],
  },
  {
    path: '/vpc/peering-connections',
    service: 'ec2',
    title: 'menu.peerings',
    empty: ['peerings.empty', 'peerings.emptyHint'],
    operation: 'DescribeVpcPeeringConnections',
    member: 'VpcPeeringConnections',
    id: item => item.VpcPeeringConnectionId,
    kinds: ['vpc-peering-connection'],
    tagged: 'vpc-peering-connection',
    columns: [
      nameColumn,
      column('VpcPeeringConnectionId', 'f.PeeringId'),
      column('Status.Code', 'f.state', { kind: 'state' }),
      column('RequesterVpcInfo.VpcId', 'f.requester', { link: '/vpc/vpcs' }),
      column('AccepterVpcInfo.VpcId', 'f.accepter', { link: '/vpc/vpcs' }),
    ],
    create: {
      label: 'peerings.create',
      form: {
        operation: 'CreateVpcPeeringConnection',
        id: answer => answer.VpcPeeringConnection.VpcPeeringConnectionId,
        fields: [vpc, peerVpc],
        input: values => ({ VpcId: values.vpc, PeerVpcId: values.peer }),
      },
    },
    actions: [
      {
        id: 'accept',
        label: 'peerings.accept',
        ...simple('AcceptVpcPeeringConnection', 'VpcPeeringConnectionId'),
        enabled: item => isIn(peerings.accept, item.Status?.Code),
      },
      {
        id: 'reject',
        label: 'peerings.reject',
        ...simple('RejectVpcPeeringConnection', 'VpcPeeringConnectionId'),
        enabled: item => isIn(peerings.reject, item.Status?.Code),
        confirm: 'plain',
      },
      { id: 'options', label: 'peerings.options', enabled: item => isIn(peerings.options, item.Status?.Code), form: peeringOptions },
      {
        id: 'delete',
        label: 'peerings.delete',
        ...simple('DeleteVpcPeeringConnection', 'VpcPeeringConnectionId'),
        enabled: item => isIn(peerings.delete, item.Status?.Code),
        confirm: 'plain',
      },
    ],
  },
  {
    path: '/vpc/network-acls',
    service: 'ec2',
    title: 'menu.acls',
    empty: ['acls.empty', 'acls.emptyHint'],
    operation: 'DescribeNetworkAcls',
    member: 'NetworkAcls',
    id: item => item.NetworkAclId,
    kinds: ['network-acl', 'subnet'],
    tagged: 'network-acl',
    columns: [
      nameColumn,
      column('NetworkAclId', 'f.AclId'),
      { id: 'subnets', label: 'f.subnets', value: item => item.Associations?.length },
      column('IsDefault', 'f.default'),
      vpcColumn,
      { id: 'in', label: 'f.inboundCount', value: item => item.Entries?.filter((e: Item) => !e.Egress).length },
      { id: 'out', label: 'f.outboundCount', value: item => item.Entries?.filter((e: Item) => e.Egress).length },
    ],
    create: { label: 'acls.create', form: vpcForm('CreateNetworkAcl', 'NetworkAcl') },
    actions: [
      { id: 'add', label: 'acls.add', form: addEntry },
      { id: 'edit', label: 'acls.edit', enabled: hasEntries, form: editEntry },
      { id: 'remove', label: 'acls.remove', enabled: hasEntries, form: removeEntry },
      { id: 'subnets', label: 'acls.subnets', form: aclSubnets },
      { id: 'delete', label: 'acls.delete', ...simple('DeleteNetworkAcl', 'NetworkAclId'), enabled: item => !item.IsDefault, confirm: 'plain' },
    ],
    tabs: [
      { id: 'inbound', label: 'acls.inbound', content: item => <AclTab acl={item} egress={false} /> },
      { id: 'outbound', label: 'acls.outbound', content: item => <AclTab acl={item} egress /> },
    ],
  },
]
