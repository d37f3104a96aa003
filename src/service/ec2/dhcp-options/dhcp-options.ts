/** A set of DHCP options: what it is. AWS never changes a set: a VPC is given another one. */
import { resource, tagList } from '#kit/resource'
import type { Row } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Option = 'domain-name' | 'domain-name-servers' | 'ntp-servers' | 'netbios-name-servers' | 'netbios-node-type'
export type Spec = { options: { key: Option; values: string[] }[] }
export type Status = Record<string, never>
export type DhcpOptionsRow = Row<Spec, Status>

/** The name server that stands for the VPC's own resolver. */
export const OWN_RESOLVER = 'AmazonProvidedDNS'

/** A set's values for one option; none where it isn't set. */
export const optionValues = (spec: Spec | undefined, key: Option): string[] => spec?.options.find(o => o.key === key)?.values ?? []

export const dhcpOptions = resource<Spec, Status, sdk.DhcpOptions>({
  kind: 'dhcp-options', prefix: 'dopt', label: 'dhcpOption ID',
  missing: 'InvalidDhcpOptionID.NotFound', malformed: 'InvalidDhcpOptionsId.Malformed',
  view: ({ id, account, spec, tags }) => ({
    DhcpOptionsId: id,
    OwnerId: account,
    DhcpConfigurations: spec.options.map(({ key, values }) => ({ Key: key, Values: values.map(Value => ({ Value })) })),
    Tags: tagList(tags),
  }),
  filters: {
    'dhcp-options-id': 'DhcpOptionsId',
    'key': 'DhcpConfigurations.Key',
    'owner-id': 'OwnerId',
    'value': 'DhcpConfigurations.Values.Value',
  },
})
