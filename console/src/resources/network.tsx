/** Security groups, addresses, key pairs, network interfaces. */
import { download } from '../parts/download'
import { GroupTab } from '../parts/GroupTab'
import { column, nameColumn, type Field, type Resource } from './kinds'

const vpc: Field = {
  name: 'vpc',
  label: 'f.VpcId',
  kind: 'select',
  from: { operation: 'DescribeVpcs', member: 'Vpcs', value: item => item.VpcId, label: item => `${item.VpcId} (${item.CidrBlock})` },
}
const subnet: Field = {
  name: 'subnet',
  label: 'f.SubnetId',
  kind: 'select',
  from: {
    operation: 'DescribeSubnets',
    member: 'Subnets',
    value: item => item.SubnetId,
    label: item => `${item.SubnetId} (${item.AvailabilityZone}, ${item.CidrBlock})`,
  },
}
const text = (value: string): string | undefined => (value === '' ? undefined : value)

export const resources: Resource[] = [
  {
    path: '/ec2/security-groups',
    service: 'ec2',
    title: 'menu.groups',
    empty: ['groups.empty', 'groups.emptyHint'],
    operation: 'DescribeSecurityGroups',
    member: 'SecurityGroups',
    id: item => item.GroupId,
    kinds: ['security-group', 'security-group-rule'],
    tagged: true,
    columns: [
      nameColumn,
      column('GroupId', 'f.GroupId'),
      column('GroupName', 'f.GroupName'),
      column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' }),
      column('Description', 'f.description'),
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
    kinds: ['elastic-ip', 'network-interface'],
    tagged: true,
    columns: [
      nameColumn,
      column('AllocationId', 'f.AllocationId'),
      column('PublicIp', 'f.allocated'),
      column('InstanceId', 'f.InstanceId', { link: '/ec2/instances' }),
      column('PrivateIpAddress', 'f.privateIp'),
      column('AssociationId', 'f.AssociationId'),
      column('NetworkInterfaceId', 'f.InterfaceId', { link: '/ec2/network-interfaces' }),
    ],
    create: {
      label: 'addresses.allocate',
      form: { operation: 'AllocateAddress', id: answer => answer.PublicIp, fields: [], input: () => ({ Domain: 'vpc' }) },
    },
    actions: [
      {
        id: 'associate',
        label: 'addresses.associate',
        form: {
          operation: 'AssociateAddress',
          fields: [{ name: 'instance', label: 'f.InstanceId' }],
          input: (values, item) => ({ AllocationId: item?.AllocationId, InstanceId: values.instance }),
        },
      },
      {
        id: 'disassociate',
        label: 'addresses.disassociate',
        operation: 'DisassociateAddress',
        each: item => ({ AssociationId: item.AssociationId }),
        enabled: item => item.AssociationId !== undefined,
        confirm: 'plain',
      },
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
    kinds: ['key-pair'],
    tagged: true,
    columns: [
      column('KeyName', 'f.Name'),
      column('KeyPairId', 'f.KeyPairId'),
      column('KeyType', 'f.type'),
      column('KeyFingerprint', 'f.fingerprint'),
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
    actions: [{ id: 'delete', label: 'keys.delete', operation: 'DeleteKeyPair', each: item => ({ KeyPairId: item.KeyPairId }), confirm: 'typed' }],
  },
  {
    path: '/ec2/network-interfaces',
    service: 'ec2',
    title: 'menu.interfaces',
    empty: ['nics.empty', 'nics.emptyHint'],
    operation: 'DescribeNetworkInterfaces',
    member: 'NetworkInterfaces',
    id: item => item.NetworkInterfaceId,
    kinds: ['network-interface', 'instance', 'elastic-ip'],
    rows: items => items.map(item => ({ ...item, Tags: item.TagSet })),
    tagged: true,
    columns: [
      nameColumn,
      column('NetworkInterfaceId', 'f.InterfaceId'),
      column('SubnetId', 'f.SubnetId', { link: '/vpc/subnets' }),
      column('VpcId', 'f.VpcId', { link: '/vpc/vpcs' }),
      column('AvailabilityZone', 'f.zone'),
      { id: 'groups', label: 'f.groups', value: item => item.Groups?.map((g: any) => g.GroupName).join(', ') },
      column('InterfaceType', 'f.interfaceType'),
      column('Attachment.InstanceId', 'f.InstanceId', { link: '/ec2/instances' }),
      column('Status', 'f.state', { kind: 'state' }),
      column('PrivateIpAddress', 'f.privateIp'),
      column('Association.PublicIp', 'f.publicIp'),
      column('MacAddress', 'f.mac', { hidden: true }),
      column('SourceDestCheck', 'f.sourceCheck', { hidden: true }),
    ],
    create: {
      label: 'nics.create',
      form: {
        operation: 'CreateNetworkInterface',
        id: answer => answer.NetworkInterface.NetworkInterfaceId,
        fields: [subnet, { name: 'description', label: 'f.description', optional: true }],
        input: values => ({ SubnetId: values.subnet, Description: text(values.description) }),
      },
    },
    actions: [
      {
        id: 'attach',
        label: 'nics.attach',
        enabled: item => item.Status === 'available',
        form: {
          operation: 'AttachNetworkInterface',
          fields: [{ name: 'instance', label: 'f.InstanceId' }],
          input: (values, item) => ({ NetworkInterfaceId: item?.NetworkInterfaceId, InstanceId: values.instance, DeviceIndex: 1 }),
        },
      },
      {
        id: 'detach',
        label: 'nics.detach',
        operation: 'DetachNetworkInterface',
        each: item => ({ AttachmentId: item.Attachment.AttachmentId }),
        enabled: item => (item.Attachment?.DeviceIndex ?? 0) > 0,
        confirm: 'plain',
      },
      {
        id: 'delete',
        label: 'nics.delete',
        operation: 'DeleteNetworkInterface',
        each: item => ({ NetworkInterfaceId: item.NetworkInterfaceId }),
        enabled: item => item.Status === 'available',
        confirm: 'plain',
      },
    ],
  },
]
