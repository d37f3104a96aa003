/** Instances as a listing. Which states allow what the server's own table says. */
import { instances as from } from '../../../src/service/ec2/states'
import { facts } from '../shell/facts'
import { currentRegion, listAll } from '../api/call'
import { t } from '../i18n/text'
import { InstanceAlarms, InstanceMetrics, InstanceNetworking, InstanceSecurity, InstanceStorage } from '../parts/InstanceTabs'
import { Facts } from '../parts/Facts'
import { stateText } from '../parts/State'
import { SpaceBetween } from '@cloudscape-design/components'
import { checksOf, isCounted, type Checks } from './checks'
import { instancesOf } from './choices'
import { allowed, settings } from './instance-settings'
import { column, nameColumn, subnetColumn, vpcColumn, type Action, type Column, type Item, type Resource } from './kinds'

const all = (items: Item[]) => ({ InstanceIds: items.map(item => item.InstanceId) })
export const instancePath = (item: Item): string => `/ec2/instances/${item.InstanceId}`

const columns: Column[] = [
  nameColumn,
  column('InstanceId', 'f.InstanceId'),
  column('State.Name', 'f.instanceState', { kind: 'state', width: 206 }),
  column('InstanceType', 'f.InstanceType', { width: 120 }),
  { id: 'check', label: 'f.statusCheck', width: 236, kind: 'state', value: item => item.Check?.state, said: item => checksSaid(item.Check) },
  column('PublicIpAddress', 'f.publicIp'),
  column('Placement.AvailabilityZone', 'f.zone', { hidden: true }),
  column('PublicDnsName', 'f.publicDns', { hidden: true }),
  column('PrivateIpAddress', 'f.privateIp', { hidden: true }),
  { id: 'groups', label: 'f.groups', value: item => (item.SecurityGroups ?? []).map((g: Item) => g.GroupName).join(', '), hidden: true },
  column('KeyName', 'f.KeyName', { hidden: true }),
  column('LaunchTime', 'f.LaunchTime', { kind: 'date', hidden: true }),
  { ...vpcColumn, hidden: true },
  { ...subnetColumn, hidden: true },
  column('ImageId', 'f.ImageId', { link: '/ec2/images', hidden: true }),
  column('PlatformDetails', 'f.Platform', { hidden: true }),
]

const summary: Column[] = [
  column('InstanceId', 'f.InstanceId'),
  column('PublicIpAddress', 'f.publicIp'),
  column('PrivateIpAddress', 'f.privateIp'),
  column('State.Name', 'f.instanceState', { kind: 'state' }),
  column('PublicDnsName', 'f.publicDns'),
  column('PrivateDnsName', 'f.privateDns'),
  { id: 'hostname', label: 'f.hostnameType', kind: 'word', value: item => item.PrivateDnsNameOptions?.HostnameType },
  column('InstanceType', 'f.InstanceType'),
  vpcColumn,
  { id: 'imds', label: 'f.imdsv2', value: item => t(item.MetadataOptions?.HttpTokens === 'required' ? 'f.required' : 'f.optional') },
  subnetColumn,
  { id: 'arn', label: 'f.arn', value: item => `arn:aws:ec2:${currentRegion()}:${item.OwnerId ?? facts().account}:instance/${item.InstanceId}` },
  { id: 'role', label: 'f.role', link: '/iam/instance-profiles', value: item => item.IamInstanceProfile?.Arn.split('/').pop() },
  { id: 'managed', label: 'f.managed', value: item => item.Operator?.Managed === true },
]
const more: Column[] = [
  column('ImageId', 'f.ImageId', { link: '/ec2/images' }),
  column('PlatformDetails', 'f.Platform'),
  column('Architecture', 'f.architecture'),
  column('LaunchTime', 'f.LaunchTime', { kind: 'date' }),
  column('KeyName', 'f.KeyName'),
  column('AmiLaunchIndex', 'f.launchIndex'),
  column('ReservationId', 'f.reservation'),
  column('Placement.AvailabilityZone', 'f.zone'),
  column('Placement.Tenancy', 'f.tenancy', { kind: 'word' }),
  column('Monitoring.State', 'f.monitoring', { kind: 'word' }),
  column('StateTransitionReason', 'f.reason'),
  column('RootDeviceName', 'f.rootDevice'),
]

const actions: Action[] = [
  { id: 'connect', label: 'instances.connect', href: item => `${instancePath(item)}/connect`, enabled: allowed(from.connect), place: 'button' },
  { id: 'start', label: 'instances.start', place: 'state', operation: 'StartInstances', all, enabled: allowed(from.start) },
  { id: 'stop', label: 'instances.stop', place: 'state', operation: 'StopInstances', all, enabled: allowed(from.stop), confirm: 'plain' },
  { id: 'reboot', label: 'instances.reboot', place: 'state', operation: 'RebootInstances', all, enabled: allowed(from.reboot), confirm: 'plain' },
  {
    id: 'terminate',
    label: 'instances.terminate',
    place: 'state',
    operation: 'TerminateInstances',
    all,
    enabled: allowed(from.terminate),
    confirm: 'typed',
  },
  { id: 'template', label: 'templates.fromInstance', href: item => `/create/ec2/launch-templates?instance=${item.InstanceId}` },
  { id: 'like', label: 'instances.like', href: item => `/ec2/instances/launch?like=${item.InstanceId}` },
  { id: 'logs', label: 'instances.logs', href: item => `${instancePath(item)}/logs` },
  ...settings,
  {
    id: 'image',
    label: 'images.create',
    enabled: allowed(from.image),
    form: {
      operation: 'CreateImage',
      input: (values, item) => ({ InstanceId: item?.InstanceId, Name: values.name, NoReboot: values.noReboot }),
      fields: [
        { name: 'name', label: 'images.name' },
        { name: 'noReboot', label: 'images.noReboot', kind: 'bool' },
      ],
    },
  },
]

/** '3/3 checks passed', as the EC2 console says it; while one is still to tell, that. */
const checksSaid = (found: Checks): string =>
  isCounted(found) ? t('instances.checks', { passed: found.passed, all: found.all }) : stateText(found.state)

/** What the status checks say of each, and by what association it has its role. */
async function checks(): Promise<Map<string, Item>> {
  const [statuses, associations] = await Promise.all([
    listAll('ec2', 'DescribeInstanceStatus', 'InstanceStatuses'),
    listAll('ec2', 'DescribeIamInstanceProfileAssociations', 'IamInstanceProfileAssociations'),
  ])
  const more = new Map<string, Item>(statuses.map(s => [s.InstanceId as string, { Check: checksOf(s) }]))
  for (const { InstanceId: id, AssociationId } of associations) more.set(id, { ...more.get(id), ProfileAssociation: AssociationId })
  return more
}

export const resources: Resource[] = [
  {
    path: '/ec2/instances',
    service: 'ec2',
    title: 'instances.title',
    empty: ['instances.empty', 'instances.emptyHint'],
    operation: 'DescribeInstances',
    member: 'Reservations',
    // The first ones show while the others come: reading a thousand takes the browser more than a second.
    input: { MaxResults: 150 },
    rows: instancesOf,
    also: checks,
    id: item => item.InstanceId,
    kinds: ['instance', 'network-interface', 'elastic-ip'],
    columns,
    actions,
    tagged: 'instance',
    create: { label: 'instances.launch', href: '/ec2/instances/launch' },
    tabs: [
      {
        id: 'details',
        label: 'tab.details',
        content: item => (
          <SpaceBetween size="l">
            <Facts title="instances.summary" columns={summary} item={item} />
            <Facts title="instances.details" columns={more} item={item} />
          </SpaceBetween>
        ),
      },
      { id: 'status', label: 'tab.status', content: item => <InstanceAlarms id={item.InstanceId} /> },
      { id: 'monitoring', label: 'tab.monitoring', content: item => <InstanceMetrics id={item.InstanceId} /> },
      { id: 'security', label: 'tab.security', content: item => <InstanceSecurity item={item} /> },
      { id: 'networking', label: 'tab.networking', content: item => <InstanceNetworking item={item} /> },
      { id: 'storage', label: 'tab.storage', content: item => <InstanceStorage item={item} /> },
    ],
  },
]
