/** The tabs of an instance's page. */
import { Alert, Box, Button, Container, Header, SpaceBetween, Spinner } from '@cloudscape-design/components'
import { lazy, Suspense } from 'react'
import { useAnswer, useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import { alarmForm, columns, instanceOf, remove } from '../resources/alarms'
import { column, stateColumn, subnetColumn, vpcColumn, type Column, type Item } from '../resources/kinds'
import { follow } from '../shell/router'
import { ItemLink } from './cells'
import { Facts } from './Facts'
import { RuleTable } from './RuleTable'
import { State } from './State'
import { List, SubList } from './SubList'

function InstanceStatus({ id }: { id: string }) {
  const { data, error } = useAnswer('ec2', 'DescribeInstanceStatus', { InstanceIds: [id], IncludeAllInstances: true }, ['instance'])
  const status = data?.InstanceStatuses?.[0]
  const checks: [Key, string | undefined][] = [
    ['instances.systemStatus', status?.SystemStatus?.Status],
    ['instances.instanceStatus', status?.InstanceStatus?.Status],
    ['instances.ebsStatus', status?.AttachedEbsStatus?.Status],
  ]
  return (
    <Container header={<Header variant="h2">{t('tab.status')}</Header>}>
      <SpaceBetween size="m">
        {error && <Alert type="error">{error}</Alert>}
        {checks.map(([label, state]) => (
          <div key={label}>
            <Box variant="awsui-key-label">{t(label)}</Box>
            {state ? <State state={state} /> : t('value.none')}
          </div>
        ))}
      </SpaceBetween>
    </Container>
  )
}

const Metrics = lazy(() => import('./Metrics'))

export const InstanceMetrics = ({ id }: { id: string }) => (
  <Suspense fallback={<Spinner />}>
    <Metrics id={id} />
  </Suspense>
)

export const InstanceAlarms = ({ id }: { id: string }) => (
  <SpaceBetween size="l">
    <InstanceStatus id={id} />
    <SubList
      service="cloudwatch"
      title="alarms.own"
      operation="DescribeAlarms"
      member="MetricAlarms"
      input={{}}
      columns={columns}
      kinds={['alarm']}
      keep={alarm => instanceOf(alarm) === id}
      remove={remove}
      empty="alarms.none"
      more={<Button href={alarmForm(id)} onFollow={follow}>{t('alarms.create')}</Button>}
    />
  </SpaceBetween>
)

export function InstanceSecurity({ item }: { item: Item }) {
  const ids = (item.SecurityGroups ?? []).map((g: Item) => g.GroupId)
  const rules = useList('ec2', 'DescribeSecurityGroupRules', 'SecurityGroupRules', {
    off: ids.length === 0,
    kinds: ['security-group-rule', 'security-group'],
    input: { Filters: [{ Name: 'group-id', Values: ids }] },
  })
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">{t('f.groups')}</Header>}>
        <SpaceBetween size="xs">
          {(item.SecurityGroups ?? []).map((g: Item) => (
            <ItemLink key={g.GroupId} href={`/ec2/security-groups/${g.GroupId}`} text={`${g.GroupId} (${g.GroupName})`} />
          ))}
        </SpaceBetween>
      </Container>
      <RuleTable title="instances.inbound" rules={(rules.data ?? []).filter(rule => !rule.IsEgress)} />
      <RuleTable title="instances.outbound" rules={(rules.data ?? []).filter(rule => rule.IsEgress)} />
    </SpaceBetween>
  )
}

const networking: Column[] = [
  column('PublicIpAddress', 'f.publicIp'),
  column('PublicDnsName', 'f.publicDns'),
  vpcColumn,
  column('PrivateIpAddress', 'f.privateIp'),
  column('PrivateDnsName', 'f.privateDns'),
  subnetColumn,
  column('SourceDestCheck', 'f.sourceCheck'),
  column('Placement.AvailabilityZone', 'f.zone'),
]
const nics: Column[] = [
  column('NetworkInterfaceId', 'f.InterfaceId', { link: '/ec2/network-interfaces' }),
  column('Description', 'f.description'),
  column('PrivateIpAddress', 'f.privateIp'),
  column('Association.PublicIp', 'f.publicIp'),
  column('MacAddress', 'f.mac'),
  subnetColumn,
  column('Status', 'f.state', { kind: 'state' }),
]

export const InstanceNetworking = ({ item }: { item: Item }) => (
  <SpaceBetween size="l">
    <Facts title="instances.publicAccess" columns={networking} item={item} />
    <List title="instances.nics" columns={nics} items={item.NetworkInterfaces ?? []} />
  </SpaceBetween>
)

const devices: Column[] = [
  column('VolumeId', 'f.VolumeId', { link: '/ec2/volumes' }),
  column('device', 'f.device'),
  column('Size', 'f.size', { kind: 'gib' }),
  column('VolumeType', 'f.type'),
  stateColumn,
  column('deleteOnTermination', 'f.deleteOnTermination'),
  column('Encrypted', 'f.encrypted'),
]

export function InstanceStorage({ item }: { item: Item }) {
  const volumes = useList('ec2', 'DescribeVolumes', 'Volumes', {
    kinds: ['volume', 'instance'],
    input: { Filters: [{ Name: 'attachment.instance-id', Values: [item.InstanceId] }] },
  })
  const rows = (volumes.data ?? []).map(volume => {
    const attachment = volume.Attachments?.find((a: Item) => a.InstanceId === item.InstanceId)
    return { ...volume, device: attachment?.Device, deleteOnTermination: attachment?.DeleteOnTermination }
  })
  return <List title="instances.devices" columns={devices} items={rows} />
}
