/** The menu of the EC2 console, and of the services beside it. Every entry leads to a page. */
import type { SideNavigationProps } from '@cloudscape-design/components'
import { t, type Key } from '../i18n/text'

type Entry = readonly [key: Key, href: string]
/** What is there in EC2 and not in Enclume: their pages say so. */
export const notBuilt: Record<string, readonly [name: Key, what: Key]> = {
  '/ec2/spot': ['menu.spot', 'what.spot'],
  '/ec2/savings-plans': ['menu.savings', 'what.savings'],
  '/ec2/reserved': ['menu.reserved', 'what.reserved'],
  '/ec2/dedicated-hosts': ['menu.dedicated', 'what.dedicated'],
  '/ec2/capacity-reservations': ['menu.capacity', 'what.capacity'],
  '/ec2/placement-groups': ['menu.placement', 'what.placement'],
  '/ec2/load-balancers': ['menu.balancers', 'what.balancers'],
  '/ec2/target-groups': ['menu.targets', 'what.targets'],
  '/ec2/trust-stores': ['menu.trust', 'what.trust'],
  '/ec2/auto-scaling': ['menu.scalingGroups', 'what.scalingGroups'],
}

type Section = readonly [Key, readonly Entry[]]
const ec2: readonly Section[] = [
  [
    'menu.instances',
    [
      ['menu.instances', '/ec2/instances'],
      ['menu.instanceTypes', '/ec2/instance-types'],
      ['menu.launchTemplates', '/ec2/launch-templates'],
      ['menu.spot', '/ec2/spot'],
      ['menu.savings', '/ec2/savings-plans'],
      ['menu.reserved', '/ec2/reserved'],
      ['menu.dedicated', '/ec2/dedicated-hosts'],
      ['menu.capacity', '/ec2/capacity-reservations'],
    ],
  ],
  [
    'menu.images',
    [
      ['menu.amis', '/ec2/images'],
      ['menu.catalog', '/ec2/catalog'],
      ['menu.tasks', '/ec2/image-tasks'],
    ],
  ],
  [
    'menu.ebs',
    [
      ['menu.volumes', '/ec2/volumes'],
      ['menu.snapshots', '/ec2/snapshots'],
      ['menu.lifecycle', '/ec2/lifecycle-manager'],
    ],
  ],
  [
    'menu.network',
    [
      ['menu.groups', '/ec2/security-groups'],
      ['menu.addresses', '/ec2/addresses'],
      ['menu.placement', '/ec2/placement-groups'],
      ['menu.keys', '/ec2/key-pairs'],
      ['menu.interfaces', '/ec2/network-interfaces'],
    ],
  ],
  [
    'menu.balancing',
    [
      ['menu.balancers', '/ec2/load-balancers'],
      ['menu.targets', '/ec2/target-groups'],
      ['menu.trust', '/ec2/trust-stores'],
    ],
  ],
  ['menu.scaling', [['menu.scalingGroups', '/ec2/auto-scaling']]],
]
const beside: readonly Section[] = [
  [
    'menu.vpc',
    [
      ['menu.vpcs', '/vpc/vpcs'],
      ['menu.subnets', '/vpc/subnets'],
      ['menu.routes', '/vpc/route-tables'],
      ['menu.igws', '/vpc/internet-gateways'],
      ['menu.egress', '/vpc/egress-only-gateways'],
      ['menu.dhcp', '/vpc/dhcp-options'],
      ['menu.nats', '/vpc/nat-gateways'],
      ['menu.peerings', '/vpc/peering-connections'],
      ['menu.acls', '/vpc/network-acls'],
      ['menu.endpoints', '/vpc/endpoints'],
      ['menu.prefixLists', '/vpc/prefix-lists'],
      ['menu.flowLogs', '/vpc/flow-logs'],
    ],
  ],
  [
    'menu.identity',
    [
      ['menu.iamUsers', '/iam/users'],
      ['menu.iamGroups', '/iam/groups'],
      ['menu.iamRoles', '/iam/roles'],
      ['menu.iamPolicies', '/iam/policies'],
      ['menu.profiles', '/iam/instance-profiles'],
      ['menu.providers', '/iam/identity-providers'],
      ['menu.s3', '/s3/buckets'],
      ['menu.parameters', '/ssm/parameters'],
      ['menu.cloudwatch', '/cloudwatch/alarms'],
      ['menu.events', '/cloudtrail/events'],
    ],
  ],
]

const sectionOf = ([title, entries]: Section): SideNavigationProps.Item => ({
  type: 'section',
  text: t(title),
  items: entries.map(([key, href]) => ({ type: 'link', text: t(key), href })),
})

export const menuItems = (): SideNavigationProps.Item[] => [
  { type: 'link', text: t('menu.dashboard'), href: '/' },
  { type: 'divider' },
  ...ec2.map(sectionOf),
  { type: 'link', text: t('menu.settings'), href: '/ec2/settings' },
  { type: 'divider' },
  ...beside.map(sectionOf),
]
