/** Every page of the console, by its address. */
import type { Seeded } from './seed.ts'

const LISTINGS = [
  'ec2/launch-templates',
  'ec2/images', 'ec2/image-tasks', 'ec2/volumes', 'ec2/snapshots', 'ec2/security-groups', 'ec2/addresses', 'ec2/key-pairs', 'ec2/network-interfaces',
  'vpc/vpcs', 'vpc/subnets', 'vpc/route-tables', 'vpc/internet-gateways', 'vpc/egress-only-gateways', 'vpc/dhcp-options', 'vpc/nat-gateways',
  'vpc/peering-connections',
  'vpc/network-acls', 'vpc/endpoints', 'vpc/prefix-lists', 'vpc/flow-logs', 'ec2/lifecycle-manager',
  'iam/users', 'iam/groups', 'iam/roles', 'iam/policies', 'iam/instance-profiles', 'iam/identity-providers', 'ssm/parameters', 'cloudwatch/alarms',
].map(name => `/${name}`)
const MADE_ELSEWHERE = ['/ec2/images', '/ec2/image-tasks']
const NOT_BUILT = [
  'spot', 'savings-plans', 'reserved', 'dedicated-hosts', 'capacity-reservations', 'placement-groups',
  'load-balancers', 'target-groups', 'trust-stores', 'auto-scaling',
].map(name => `/ec2/${name}`)

export const formOf = (list: string): string => `/create${list}`
export const isForm = (place: string): boolean => place.startsWith('/create/')
export const isListing = (place: string): boolean => LISTINGS.includes(place)
export const isNotBuilt = (place: string): boolean => NOT_BUILT.includes(place)

export function placesOf(made: Seeded): string[] {
  const instance = `/ec2/instances/${made.instance}`
  const group = `/ec2/security-groups/${made.group}`
  const tabs = (path: string, ...names: string[]): string[] => names.map(name => `${path}?tab=${name}`)
  return [
    '/', '/ec2/instances', '/ec2/instances/launch', `/ec2/instances/launch?like=${made.instance}`,
    `/ec2/instances/launched?ids=${made.instance}`, instance,
    ...tabs(instance, 'status', 'monitoring', 'security', 'networking', 'storage', 'tags'),
    ...['eic', 'ssm', 'ssh', 'serial'].map(kind => `${instance}/connect?kind=${kind}`), `${instance}/logs`,
    `/ec2/instances/launch?template=${made.template}`, ...tabs(`/ec2/launch-templates/${made.template}`, 'versions'),
    `${formOf('/ec2/launch-templates')}?instance=${made.instance}`,
    '/ec2/settings',
    '/ec2/instance-types', '/ec2/instance-types/t3.micro', '/ec2/catalog', group, `${group}?tab=inbound`, `${group}/inbound`, `${group}/outbound`,
    `/ec2/volumes/${made.volume}`, ...tabs(`/vpc/vpcs/${made.vpc}`, 'map'), ...tabs(`/vpc/route-tables/${made.table}`, 'routes'),
    ...tabs(`/vpc/network-acls/${made.acl}`, 'inbound'), ...tabs(`/vpc/dhcp-options/${made.options}`, 'options'),
    ...tabs(`/vpc/vpcs/${made.vpc}`, 'flow-logs'), ...tabs(`/vpc/subnets/${made.subnet}`, 'details', 'reservations', 'flow-logs', 'tags'),
    ...tabs(`/ec2/network-interfaces/${made.nic}`, 'details', 'flow-logs'), ...tabs(`/vpc/endpoints/${made.endpoint}`, 'details', 'tables'),
    ...tabs(`/vpc/endpoints/${made.door}`, 'interfaces'),
    ...tabs(`/vpc/prefix-lists/${made.list}`, 'details', 'entries', 'versions', 'associations'),
    '/iam/groups/students', ...tabs('/iam/groups/students', 'users', 'permissions'), '/iam/users/create', '/iam/instance-profiles/web-server',
    ...tabs(`/iam/identity-providers/${encodeURIComponent(made.provider)}`, 'details', 'clients', 'thumbprints'), '/cloudtrail/events',
    '/iam/users/alice', ...tabs('/iam/users/alice', 'permissions', 'credentials', 'tags'),
    ...tabs('/iam/roles/web-server', 'permissions', 'trust', 'tags'),
    ...tabs(`/iam/policies/${encodeURIComponent(made.policy)}`, 'document', 'versions', 'entities', 'tags'),
    ...LISTINGS, ...LISTINGS.filter(path => !MADE_ELSEWHERE.includes(path)).map(formOf),
    '/s3/buckets', formOf('/s3/buckets'), '/s3/buckets/course-files', '/s3/buckets/course-files?prefix=pictures/',
    ...tabs('/s3/buckets/course-files', 'details', 'lifecycle', 'cors', 'tags'), ...NOT_BUILT, '/nowhere',
  ]
}

/** What a picture of the place is called: its address without what changes from run to run. */
export const pictureOf = (place: string): string =>
  place === '/' ? 'home' : decodeURIComponent(place).slice(1).replace(/-[0-9a-f]{17}/g, '').replace(/arn:.*policy\//, '').replace(/\W+/g, '-')
