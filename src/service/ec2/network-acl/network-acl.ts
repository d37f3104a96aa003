/**
 * A network ACL: what it is.
 *
 * Invariants: numbers of entries are unique in each direction; the last rule ('*', number 32767), which denies, is never
 * kept; which subnets have the ACL is kept with the subnet.
 */
import { resource, tagList } from '#kit/resource'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import type { VpcRow } from '#service/ec2/vpc/vpc'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Entry = {
  number: number
  egress: boolean
  allow: boolean
  /** IANA's number, or '-1' for all. */
  protocol: string
  /** One of the two. */
  cidr?: string
  cidr6?: string
  ports?: { from: number; to: number }
  /** -1 is any. */
  icmp?: { type: number; code: number }
}
export type Spec = { vpc: string; isDefault: boolean; entries: Entry[] }
export type Status = Record<string, never>
export type NetworkAclRow = Row<Spec, Status>

export const NETWORK_ACL_ASSOCIATION = 'network-acl-association'
export const LAST_RULE = 32_767
const last = (egress: boolean, speaks6: boolean): Entry[] => [
  { number: LAST_RULE, egress, allow: false, protocol: '-1', cidr: '0.0.0.0/0' },
  // VPC User Guide, "Default network ACL": a VPC with an IPv6 block has one more.
  ...(speaks6 ? [{ number: LAST_RULE + 1, egress, allow: false, protocol: '-1', cidr6: '::/0' }] : []),
]

const entryView = (entry: Entry): sdk.NetworkAclEntry => ({
  RuleNumber: entry.number,
  Egress: entry.egress,
  Protocol: entry.protocol,
  RuleAction: entry.allow ? 'allow' : 'deny',
  CidrBlock: entry.cidr,
  Ipv6CidrBlock: entry.cidr6,
  PortRange: entry.ports && { From: entry.ports.from, To: entry.ports.to },
  IcmpTypeCode: entry.icmp && { Type: entry.icmp.type, Code: entry.icmp.code },
})

export const networkAcl = resource<Spec, Status, sdk.NetworkAcl, { subnets: SubnetRow[]; speaking6: Set<string> }>({
  kind: 'network-acl', prefix: 'acl', label: 'networkAcl ID',
  missing: 'InvalidNetworkAclID.NotFound', malformed: 'InvalidNetworkAclId.Malformed',
  async join(reader, [first]) {
    const at = { account: first?.account ?? '', region: first?.region ?? '' }
    const vpcs = await reader.list<VpcRow>({ kind: 'vpc', ...at })
    return {
      subnets: await reader.list<SubnetRow>({ kind: 'subnet', ...at }),
      speaking6: new Set(vpcs.filter(row => (row.spec.cidrs6 ?? []).length > 0).map(row => row.id)),
    }
  },
  view: ({ id, account, spec, tags }, { subnets, speaking6 }) => ({
    NetworkAclId: id,
    VpcId: spec.vpc,
    OwnerId: account,
    IsDefault: spec.isDefault,
    Associations: subnets.filter(subnet => subnet.spec.networkAcl.id === id).map(subnet => ({
      NetworkAclAssociationId: subnet.spec.networkAcl.association, NetworkAclId: id, SubnetId: subnet.id,
    })),
    // AWS lists what goes out first, then what comes in, each in the order of numbers.
    Entries: [true, false].flatMap(egress =>
      [...spec.entries.filter(entry => entry.egress === egress).sort((a, b) => a.number - b.number), ...last(egress, speaking6.has(spec.vpc))]
        .map(entryView)),
    Tags: tagList(tags),
  }),
  filters: {
    'association.association-id': 'Associations.NetworkAclAssociationId',
    'association.network-acl-id': 'Associations.NetworkAclId',
    'association.subnet-id': 'Associations.SubnetId',
    'default': 'IsDefault',
    'entry.cidr': 'Entries.CidrBlock',
    'entry.egress': 'Entries.Egress',
    'entry.icmp.code': 'Entries.IcmpTypeCode.Code',
    'entry.icmp.type': 'Entries.IcmpTypeCode.Type',
    'entry.ipv6-cidr': 'Entries.Ipv6CidrBlock',
    'entry.port-range.from': 'Entries.PortRange.From',
    'entry.port-range.to': 'Entries.PortRange.To',
    'entry.protocol': 'Entries.Protocol',
    'entry.rule-action': 'Entries.RuleAction',
    'entry.rule-number': 'Entries.RuleNumber',
    'network-acl-id': 'NetworkAclId',
    'owner-id': 'OwnerId',
    'vpc-id': 'VpcId',
  },
})
