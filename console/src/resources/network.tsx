/** Security groups, addresses, key pairs, network interfaces. */
import { call, listAll } from '../api/call'
import { download } from '../parts/download'
import { GroupTab } from '../parts/GroupTab'
import { instance, networkInterface, text, vpc } from './choices'
import { networkInterfaces } from './interfaces'
import { column, nameColumn, nameOf, vpcColumn, withNames, type Form, type Item, type Resource } from './kinds'

/** To an instance, or to an interface, which may be another's: then to one of its private addresses. */
const associate: Form = {
  operation: 'AssociateAddress',
  fields: [
    { name: 'of', label: 'addresses.of', kind: 'select', options: ['instance', 'NetworkInterface'] },
    { ...instance, when: values => values.of === 'instance' },
    { ...networkInterface, when: values => values.of === 'NetworkInterface' },
    { name: 'private', label: 'f.privateIp', hint: 'addresses.privateHint', optional: true },
    { name: 'again', label: 'addresses.again', kind: 'bool' },
  ],
  input: (values, item) => ({
    AllocationId: item?.AllocationId,
    ...(values.of === 'instance' ? { InstanceId: values.instance } : { NetworkInterfaceId: values.interface }),
    PrivateIpAddress: text(values.private),
    AllowReassociation: values.again,
  }),
}

/** An empty name takes it away. */
const reverseName: Form = {
  fields: [{ name: 'name', label: 'addresses.reverseName', hint: 'addresses.reverseHint', optional: true }],
  start: async ({ AllocationId }) => {
    const asked = { AllocationIds: [AllocationId], Attribute: 'domain-name' }
    return { name: (await call('ec2', 'DescribeAddressesAttribute', asked)).Addresses?.[0]?.PtrRecord ?? '' }
  },
  calls: ({ name: DomainName }, { AllocationId }) =>
    DomainName === ''
      ? [{ operation: 'ResetAddressAttribute', input: { AllocationId, Attribute: 'domain-name' } }]
      : [{ operation: 'ModifyAddressAttribute', input: { AllocationId, DomainName } }],
}

/** Those of NAT gateways, which go with them and not before. */
async function managed(): Promise<Map<string, Item>> {
  const Filters = [{ Name: 'requester-managed', Values: ['true'] }]
  const nics: Item[] = await listAll('ec2', 'DescribeNetworkInterfaces', 'NetworkInterfaces', { Filters })
  const ids: unknown[] = nics.flatMap(nic => nic.PrivateIpAddresses.map((one: Item) => one.Association?.AllocationId))
  return new Map(ids.filter(id => typeof id === 'string').map(id => [id, { Managed: true }]))
}

const importKey: Form = {
  operation: 'ImportKeyPair',
  fields: [
    { name: 'name', label: 'launch.keyName' },
    { name: 'key', label: 'keys.public', hint: 'keys.publicHint', kind: 'file' },
  ],
  input: values => ({ KeyName: values.name, PublicKeyMaterial: new TextEncoder().encode(values.key.trim()) }),
}

export const resources: Resource[] = withNames([
  {
    path: '/ec2/security-groups',
    service: 'ec2',
    title: 'menu.groups',
    empty: ['groups.empty', 'groups.emptyHint'],
    operation: 'DescribeSecurityGroups',
    member: 'SecurityGroups',
    id: item => item.GroupId,
    name: item => item.GroupName,
    kinds: ['security-group', 'security-group-rule'],
    tagged: 'security-group',
    columns: [
      nameColumn,
      column('GroupId', 'f.GroupId'),
      column('GroupName', 'f.GroupName'),
      vpcColumn,
      column('Description', 'f.description', { width: 280 }),
      column('OwnerId', 'f.OwnerId', { hidden: true }),
    ],
    create: {
      label: 'groups.create',
      form: {
        operation: 'CreateSecurityGroup',
        id: answer => answer.GroupId,
        fields: [{ name: 'name', label: 'f.GroupName' }, { name: 'description', label: 'f.description' }, vpc],
        input: values => ({ GroupName: values.name, Description: values.description, VpcId: text(values.vpc) }),
      },
    },
    actions: [
      { id: 'inbound', label: 'rules.edit.inbound', href: item => `/ec2/security-groups/${item.GroupId}/inbound` },
      { id: 'outbound', label: 'rules.edit.outbound', href: item => `/ec2/security-groups/${item.GroupId}/outbound` },
      {
        id: 'delete',
        label: 'groups.delete',
        operation: 'DeleteSecurityGroup',
        each: item => ({ GroupId: item.GroupId }),
        confirm: 'plain',
        enabled: item => item.GroupName !== 'default',
      },
    ],
    tabs: [
      { id: 'inbound', label: 'instances.inbound', content: item => <GroupTab id={item.GroupId} outbound={false} /> },
      { id: 'outbound', label: 'instances.outbound', content: item => <GroupTab id={item.GroupId} outbound /> },
    ],
  },
  {
    path: '/ec2/addresses',
    service: 'ec2',
    title: 'menu.addresses',
    empty: ['addresses.empty', 'addresses.emptyHint'],
    operation: 'DescribeAddresses',
    member: 'Addresses',
    id: item => item.AllocationId,
    also: managed,
    name: item => nameOf(item) || item.PublicIp,
    kinds: ['elastic-ip', 'network-interface'],
    tagged: 'elastic-ip',
    columns: [
      nameColumn,
      column('AllocationId', 'f.AllocationId'),
      column('PublicIp', 'f.allocated'),
      column('InstanceId', 'f.InstanceId', { link: '/ec2/instances' }),
      column('PrivateIpAddress', 'f.privateIp'),
      column('AssociationId', 'f.AssociationId', { hidden: true }),
      column('NetworkInterfaceId', 'f.InterfaceId', { link: '/ec2/network-interfaces', hidden: true }),
    ],
    create: {
      label: 'addresses.allocate',
      form: { operation: 'AllocateAddress', id: answer => answer.PublicIp, fields: [], input: () => ({ Domain: 'vpc' }) },
    },
    actions: [
      {
        id: 'associate',
        label: 'addresses.associate',
        form: associate,
      },
      {
        id: 'disassociate',
        label: 'addresses.disassociate',
        operation: 'DisassociateAddress',
        each: item => ({ AssociationId: item.AssociationId }),
        enabled: item => item.AssociationId !== undefined && !item.Managed,
        confirm: 'plain',
      },
      { id: 'reverseName', label: 'addresses.reverse', form: reverseName },
      {
        id: 'release',
        label: 'addresses.release',
        operation: 'ReleaseAddress',
        each: item => ({ AllocationId: item.AllocationId }),
        enabled: item => item.AssociationId === undefined,
        confirm: 'plain',
      },
    ],
  },
  {
    path: '/ec2/key-pairs',
    service: 'ec2',
    title: 'menu.keys',
    empty: ['keys.empty', 'keys.emptyHint'],
    operation: 'DescribeKeyPairs',
    member: 'KeyPairs',
    id: item => item.KeyPairId,
    name: item => item.KeyName,
    kinds: ['key-pair'],
    tagged: 'key-pair',
    columns: [
      column('KeyName', 'f.Name'),
      column('KeyPairId', 'f.KeyPairId'),
      column('KeyType', 'f.type', { kind: 'word' }),
      column('KeyFingerprint', 'f.fingerprint', { width: 420 }),
      column('CreateTime', 'f.created', { kind: 'date' }),
    ],
    create: {
      label: 'keys.create',
      form: {
        operation: 'CreateKeyPair',
        id: answer => answer.KeyName,
        fields: [
          { name: 'name', label: 'launch.keyName' },
          { name: 'type', label: 'launch.keyType', kind: 'select', options: ['ed25519', 'rsa'] },
          { name: 'format', label: 'launch.keyFormat', kind: 'select', options: ['pem', 'ppk'] },
        ],
        input: values => ({ KeyName: values.name, KeyType: values.type, KeyFormat: values.format }),
        done: (answer, values) => download(`${answer.KeyName}.${values.format}`, `${String(answer.KeyMaterial).trimEnd()}\n`),
      },
    },
    actions: [
      { id: 'import', label: 'keys.import', least: 0, form: importKey },
      { id: 'delete', label: 'keys.delete', operation: 'DeleteKeyPair', each: item => ({ KeyPairId: item.KeyPairId }), confirm: 'typed' },
    ],
  },
  networkInterfaces,
])
