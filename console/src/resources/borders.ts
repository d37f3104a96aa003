/** Forms of what stands at the borders of VPCs: NAT gateways' addresses, peerings, entries and subnets of network ACLs. */
import { isIn } from '../../../src/service/ec2/states'
import { call, currentRegion, listAll } from '../api/call'
import { t } from '../i18n/text'
import { wordText } from '../parts/State'
import { facts } from '../shell/facts'
import { subnet, vpc } from './choices'
import type { Call, Choice, Field, Form, Item, Values } from './kinds'

/** Elastic IPs that are nobody's. */
export const freeAddress: Field = {
  name: 'address',
  label: 'f.AllocationId',
  kind: 'select',
  from: {
    operation: 'DescribeAddresses',
    member: 'Addresses',
    value: item => item.AllocationId,
    label: item => `${item.PublicIp} (${item.AllocationId})`,
    keep: item => !item.AssociationId,
  },
}
/** VPC User Guide, "NAT gateway creation fails": a public one needs an internet gateway at its VPC. */
export const natSubnet: Field = {
  ...subnet,
  hint: 'nats.subnetHint',
  from: {
    ...subnet.from!,
    async load() {
      const [all, doors] = await Promise.all([
        listAll('ec2', 'DescribeSubnets', 'Subnets'),
        listAll('ec2', 'DescribeInternetGateways', 'InternetGateways'),
      ])
      const open = new Set(doors.flatMap(door => door.Attachments ?? []).map((one: Item) => one.VpcId))
      return all.map(one => ({ ...one, open: open.has(one.VpcId) }))
    },
    keep: (item, { values }) => values.kind !== 'public' || item.open,
  },
}
export const isPublic = (item: Item): boolean => item.ConnectivityType === 'public'
const further = (item: Item): Item[] => (item.NatGatewayAddresses ?? []).filter((one: Item) => !one.IsPrimary)
const id = ({ NatGatewayId }: Item): object => ({ NatGatewayId })

export const natPublic: Form = {
  fields: [
    {
      name: 'gone',
      label: 'nats.gone',
      kind: 'many',
      optional: true,
      own: item => further(item).map(one => ({ value: one.AssociationId, label: `${one.PublicIp} (${one.PrivateIp})` })),
    },
    { ...freeAddress, name: 'fresh', label: 'nats.fresh', kind: 'many', optional: true },
  ],
  calls: ({ gone, fresh }, item) => [
    ...(gone.length > 0 ? [{ operation: 'DisassociateNatGatewayAddress', input: { ...id(item), AssociationIds: gone } }] : []),
    ...(fresh.length > 0 ? [{ operation: 'AssociateNatGatewayAddress', input: { ...id(item), AllocationIds: fresh } }] : []),
  ],
}
export const natPrivate: Form = {
  fields: [
    {
      name: 'gone',
      label: 'nics.gone4',
      kind: 'many',
      optional: true,
      own: item => further(item).map(one => ({ value: one.PrivateIp, label: one.PrivateIp })),
    },
    { name: 'more', label: 'nats.more', kind: 'number', optional: true },
  ],
  calls: ({ gone, more }, item) => [
    ...(gone.length > 0 ? [{ operation: 'UnassignPrivateNatGatewayAddress', input: { ...id(item), PrivateIpAddresses: gone } }] : []),
    ...(Number(more) > 0 ? [{ operation: 'AssignPrivateNatGatewayAddress', input: { ...id(item), PrivateIpAddressCount: Number(more) } }] : []),
  ],
}

/** A VPC's peer is another one. */
export const peerVpc: Field = {
  ...vpc,
  name: 'peer',
  label: 'f.accepter',
  from: { ...vpc.from!, keep: (item, { chosen }) => chosen.vpc !== undefined && item.VpcId !== chosen.vpc.VpcId },
}

const SIDES = { requester: 'Requester', accepter: 'Accepter' } as const
type Side = keyof typeof SIDES
const sideOf = (item: Item, side: Side): Item => item[`${SIDES[side]}VpcInfo`] ?? {}
const dnsOf = (item: Item, side: Side): boolean => sideOf(item, side).PeeringOptions?.AllowDnsResolutionFromRemoteVpc === true
/** Each side says of itself alone what the other may resolve. */
const isMine = (item: Item, side: Side): boolean => sideOf(item, side).OwnerId === facts().account && sideOf(item, side).Region === currentRegion()

export const peeringOptions: Form = {
  fields: [
    { name: 'requester', label: 'peerings.requesterDns', kind: 'bool' },
    { name: 'accepter', label: 'peerings.accepterDns', kind: 'bool' },
  ],
  start: item => ({ requester: dnsOf(item, 'requester'), accepter: dnsOf(item, 'accepter') }),
  calls(values: Values, item): Call[] {
    const changed = (['requester', 'accepter'] as const).filter(side => isMine(item, side) && values[side] !== dnsOf(item, side))
    const options = changed.map(side => [`${SIDES[side]}PeeringConnectionOptions`, { AllowDnsResolutionFromRemoteVpc: values[side] }])
    if (options.length === 0) return []
    const input = { VpcPeeringConnectionId: item.VpcPeeringConnectionId, ...Object.fromEntries(options) }
    return [{ operation: 'ModifyVpcPeeringConnectionOptions', input }]
  },
}

const ports = (given: string): object | undefined => {
  const [from, to = from] = given.split('-').map(Number)
  return given === '' ? undefined : { From: from, To: to }
}
const PROTOCOLS: Record<string, string> = { tcp: '6', udp: '17', icmp: '1', '-1': '-1' }
const traffic: Field[] = [
  { name: 'protocol', label: 'f.protocol', kind: 'select', options: Object.keys(PROTOCOLS) },
  { name: 'ports', label: 'acls.ports', optional: true, when: values => values.protocol === 'tcp' || values.protocol === 'udp' },
  { name: 'cidr', label: 'acls.cidr', value: '0.0.0.0/0' },
  { name: 'action', label: 'acls.action', kind: 'select', options: ['allow', 'deny'] },
]
const trafficOf = (values: Values): object => ({
  Protocol: PROTOCOLS[values.protocol as string],
  PortRange: isIn(['tcp', 'udp'], values.protocol) ? ports(values.ports) : undefined,
  IcmpTypeCode: values.protocol === 'icmp' ? { Type: -1, Code: -1 } : undefined,
  ...(values.cidr.includes(':') ? { Ipv6CidrBlock: values.cidr } : { CidrBlock: values.cidr }),
  RuleAction: values.action,
})
export const addEntry: Form = {
  operation: 'CreateNetworkAclEntry',
  fields: [
    { name: 'egress', label: 'acls.egress', kind: 'bool' },
    { name: 'number', label: 'f.ruleNumber', kind: 'number', value: '90' },
    ...traffic,
  ],
  input: (values, item) => ({
    NetworkAclId: item?.NetworkAclId,
    Egress: values.egress,
    RuleNumber: Number(values.number),
    ...trafficOf(values),
  }),
}

/** The last entries, which deny what none takes, are every ACL's: 32767 for IPv4, 32768 for IPv6. */
export const isLast = ({ RuleNumber }: Item): boolean => RuleNumber >= 32_767
const keyOf = (one: Item): string => `${one.Egress ? 'out' : 'in'} ${one.RuleNumber}`
const ownOf = (acl: Item): Item[] => (acl.Entries ?? []).filter((one: Item) => !isLast(one))
const cidrOf = (one: Item): string => one.CidrBlock ?? one.Ipv6CidrBlock
const entriesOf = (acl: Item): Choice[] =>
  ownOf(acl).map(one => ({
    value: keyOf(one),
    label: `${t(one.Egress ? 'acls.egress' : 'acls.ingress')} ${one.RuleNumber} · ${cidrOf(one)} · ${wordText(one.RuleAction)}`,
  }))
const entry: Field = { name: 'entry', label: 'acls.entry', kind: 'select', own: entriesOf }
export const portsOf = ({ From, To }: { From: number; To: number }): string => (From === To ? String(From) : `${From}-${To}`)
/** How an entry is now, as the fields have it. */
const entryNow = (key: string, acl: Item): Values => {
  const one = ownOf(acl).find(own => keyOf(own) === key)
  if (!one) return {}
  const [protocol = ''] = Object.entries(PROTOCOLS).find(([, number]) => number === one.Protocol) ?? []
  return { protocol, ports: one.PortRange ? portsOf(one.PortRange) : '', cidr: cidrOf(one), action: one.RuleAction }
}
const named = (values: Values, item: Item | undefined) => {
  const [way, number] = values.entry.split(' ')
  return { NetworkAclId: item?.NetworkAclId, Egress: way === 'out', RuleNumber: Number(number) }
}
export const editEntry: Form = {
  operation: 'ReplaceNetworkAclEntry',
  fields: [{ ...entry, sets: entryNow }, ...traffic],
  input: (values, item) => ({ ...named(values, item), ...trafficOf(values) }),
}
export const removeEntry: Form = { operation: 'DeleteNetworkAclEntry', fields: [entry], input: named }
export const hasEntries = (acl: Item): boolean => entriesOf(acl).length > 0

/** A subnet has one ACL always: it gets another, and goes nowhere else by itself. */
export const aclSubnets: Form = {
  fields: [
    {
      ...subnet,
      name: 'chosen',
      label: 'menu.subnets',
      kind: 'many',
      hint: 'acls.subnetsHint',
      optional: true,
      from: {
        ...subnet.from!,
        keep: (one, { of }) => one.VpcId === of?.VpcId && !of?.Associations?.some((own: Item) => own.SubnetId === one.SubnetId),
      },
    },
  ],
  async start(acl) {
    const { NetworkAcls } = await call('ec2', 'DescribeNetworkAcls', { Filters: [{ Name: 'vpc-id', Values: [acl.VpcId] }] })
    const all: Item[] = NetworkAcls.flatMap((one: Item) => one.Associations ?? [])
    return { held: Object.fromEntries(all.map(one => [one.SubnetId, one.NetworkAclAssociationId])) }
  },
  calls: ({ chosen, held = {} }, { NetworkAclId }) =>
    chosen
      .filter((one: string) => held[one])
      .map((one: string) => ({ operation: 'ReplaceNetworkAclAssociation', input: { AssociationId: held[one], NetworkAclId } })),
}
