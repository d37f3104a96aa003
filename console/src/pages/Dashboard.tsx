/** The first page: what there is, whether all is well, what the host has. */
import {
  Box,
  Button,
  ColumnLayout,
  Container,
  ContentLayout,
  Grid,
  Header,
  KeyValuePairs,
  Link,
  SpaceBetween,
  StatusIndicator,
} from '@cloudscape-design/components'
import { currentRegion } from '../api/call'
import { findSession } from '../api/session'
import { useInstances, useList, useLoaded } from '../api/use'
import { formatNumber, t, usd, type Key } from '../i18n/text'
import { ItemLink } from '../parts/cells'
import { Cost } from '../parts/Cost'
import { priceOf, type Disk } from '../prices'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { follow, go } from '../shell/router'

type Capacity = { cpus: number; memoryMiB: number; diskGiB: number; diskFreeGiB: number }

/** How many of each type, the most first. */
function byType(instances: Item[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { InstanceType: type } of instances) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5)
}

const shownPrice = (type: string, count: number): string => (priceOf(type) === undefined ? t('value.none') : usd(priceOf(type)! * count))
const diskOf = ({ VolumeType: type, Size: gib, Iops: iops, Throughput: throughput }: Item): Disk => ({ type, gib, iops, throughput })

/** Elastic IPs, bound or not, and what interfaces were given from Amazon's pool. */
const publicOf = (elastic: Item[], interfaces: Item[]): Set<string> =>
  new Set([
    ...elastic.map(one => one.PublicIp as string),
    ...interfaces.flatMap(nic => (nic.PrivateIpAddresses ?? []).map((one: Item) => one.Association?.PublicIp)).filter(Boolean),
  ])

export default function Dashboard() {
  const instances = useInstances()
  const types = useList('ec2', 'DescribeInstanceTypes', 'InstanceTypes')
  const zones = useList('ec2', 'DescribeAvailabilityZones', 'AvailabilityZones')
  const groups = useList('ec2', 'DescribeSecurityGroups', 'SecurityGroups', { kinds: ['security-group'] })
  const keys = useList('ec2', 'DescribeKeyPairs', 'KeyPairs', { kinds: ['key-pair'] })
  const volumes = useList('ec2', 'DescribeVolumes', 'Volumes', { kinds: ['volume'] })
  const snapshots = useList('ec2', 'DescribeSnapshots', 'Snapshots', { kinds: ['snapshot'], input: { OwnerIds: ['self'] } })
  const addresses = useList('ec2', 'DescribeAddresses', 'Addresses', { kinds: ['elastic-ip'] })
  const images = useList('ec2', 'DescribeImages', 'Images', { kinds: ['image'], input: { Owners: ['self'] } })
  const interfaces = useList('ec2', 'DescribeNetworkInterfaces', 'NetworkInterfaces', { kinds: ['network-interface'] })
  const vpcs = useList('ec2', 'DescribeVpcs', 'Vpcs', { kinds: ['vpc'] })
  const session = useLoaded(findSession, ['instance', 'volume'], 'session')
  const running = (instances.data ?? []).filter(i => i.State.Name === 'running')
  const alive = (instances.data ?? []).filter(i => i.State.Name !== 'terminated')
  const typeOf = (name: string) => (types.data ?? []).find(x => x.InstanceType === name)
  const given = running.reduce(
    (sum, i) => ({
      vcpus: sum.vcpus + (typeOf(i.InstanceType)?.VCpuInfo.DefaultVCpus ?? 0),
      memory: sum.memory + (typeOf(i.InstanceType)?.MemoryInfo.SizeInMiB ?? 0) / 1024,
    }),
    { vcpus: 0, memory: 0 },
  )
  const capacity = (session.data as unknown as { capacity?: Capacity } | undefined)?.capacity
  const counts: [Key, string, number | undefined][] = [
    ['dashboard.running', '/ec2/instances', instances.data && running.length],
    ['menu.instances', '/ec2/instances', instances.data && alive.length],
    ['menu.groups', '/ec2/security-groups', groups.data?.length],
    ['menu.keys', '/ec2/key-pairs', keys.data?.length],
    ['menu.volumes', '/ec2/volumes', volumes.data?.length],
    ['menu.snapshots', '/ec2/snapshots', snapshots.data?.length],
    ['menu.addresses', '/ec2/addresses', addresses.data?.length],
    ['menu.interfaces', '/ec2/network-interfaces', interfaces.data?.length],
    ['catalog.mine', '/ec2/images', images.data?.length],
    ['menu.vpcs', '/vpc/vpcs', vpcs.data?.length],
  ]
  const known = facts()
  const defaultVpc: string | undefined = vpcs.data?.find(one => one.IsDefault)?.VpcId
  return (
    <ContentLayout header={<Header variant="h1">{t('menu.dashboard')}</Header>}>
      <SpaceBetween size="l">
        <Container
          header={
            <Header variant="h2" description={t('dashboard.resourcesHint', { region: currentRegion() })}>
              {t('dashboard.resources')}
            </Header>
          }
        >
          <ColumnLayout columns={4} variant="text-grid">
            {counts.map(([label, href, count]) => (
              <div key={label}>
                <Box variant="awsui-key-label">{t(label)}</Box>
                <Link variant="awsui-value-large" href={href} onFollow={follow} ariaLabel={`${t(label)}: ${count ?? ''}`}>
                  {count === undefined ? '…' : formatNumber(count)}
                </Link>
              </div>
            ))}
          </ColumnLayout>
        </Container>
        <Grid gridDefinition={Array.from({ length: 4 }, () => ({ colspan: { default: 12, s: 6 } }))}>
          <Container fitHeight header={<Header variant="h2">{t('dashboard.launch')}</Header>}>
            <SpaceBetween size="m">
              <Box>{t('dashboard.launchHint')}</Box>
              <Button variant="primary" onClick={() => go('/ec2/instances/launch')}>
                {t('dashboard.launch')}
              </Button>
            </SpaceBetween>
          </Container>
          <Container fitHeight header={<Header variant="h2">{t('dashboard.health')}</Header>}>
            <SpaceBetween size="m">
              <StatusIndicator type={instances.error ? 'error' : 'success'}>{instances.error ?? t('dashboard.healthy')}</StatusIndicator>
              <KeyValuePairs
                columns={2}
                items={[
                  { label: t('app.region'), value: currentRegion() },
                  { label: t('dashboard.engine'), value: known.engine },
                  { label: t('dashboard.version'), value: known.version },
                  { label: t('dashboard.endpoint'), value: known.endpoint },
                  { label: t('dashboard.host'), value: known.hostAddress },
                  { label: t('dashboard.zones'), value: <Zones names={(zones.data ?? []).map(z => z.ZoneName as string)} /> },
                ]}
              />
            </SpaceBetween>
          </Container>
          <Container
            fitHeight
            header={
              <Header variant="h2" description={t('dashboard.given', { vcpus: given.vcpus, memory: formatNumber(given.memory) })}>
                {t('dashboard.capacity')}
              </Header>
            }
          >
            <KeyValuePairs
              columns={3}
              items={[
                { label: t('dashboard.cpus'), value: capacity ? formatNumber(capacity.cpus) : '…' },
                {
                  label: t('dashboard.memory'),
                  value: capacity ? gib(Math.round(capacity.memoryMiB / 102.4) / 10) : '…',
                },
                {
                  label: t('dashboard.disk'),
                  value: capacity ? `${formatNumber(capacity.diskFreeGiB)} / ${gib(capacity.diskGiB)}` : '…',
                },
              ]}
            />
          </Container>
          <Container fitHeight header={<Header variant="h2">{t('dashboard.cost')}</Header>}>
            <SpaceBetween size="m">
              <Cost
                types={running.map(i => i.InstanceType as string)}
                disks={(volumes.data ?? []).map(diskOf)}
                addresses={publicOf(addresses.data ?? [], interfaces.data ?? []).size}
              />
              <div>
                {byType(running).map(([type, count]) => (
                  <Box key={type}>{t('cost.type', { count, type, price: shownPrice(type, count) })}</Box>
                ))}
              </div>
            </SpaceBetween>
          </Container>
        </Grid>
        <Container header={<Header variant="h2">{t('settings.attributes')}</Header>}>
          <KeyValuePairs
            columns={2}
            items={[
              {
                label: t('settings.defaultVpc'),
                value: defaultVpc ? <ItemLink href={`/vpc/vpcs/${defaultVpc}`} text={defaultVpc} /> : t('value.none'),
              },
              { label: t('menu.settings'), value: <ItemLink href="/ec2/settings" text={t('settings.data')} /> },
            ]}
          />
        </Container>
      </SpaceBetween>
    </ContentLayout>
  )
}

/** A number and its unit stand on one line. */
const gib = (size: number): string => `${formatNumber(size)}\u00a0${t('unit.gib')}`

/** A zone's name does not break at its hyphens. */
const Zones = ({ names }: { names: string[] }) =>
  names.map((name, i) => (
    <span key={name}>
      {i > 0 && ', '}
      <span className="whole">{name}</span>
    </span>
  ))
