/** From an address to a page. Pages are loaded when they are first asked for. */
import { lazy, type ReactNode } from 'react'
import type { AppLayoutProps } from '@cloudscape-design/components'
import { t, type Key } from '../i18n/text'
import { addressOf, decoded, formAddress } from './addresses'
import { notBuilt } from './menu'

const Dashboard = lazy(() => import('../pages/Dashboard'))
const Resources = lazy(() => import('../pages/Resources'))
const Launch = lazy(() => import('../pages/Launch'))
const LaunchStatus = lazy(() => import('../pages/LaunchStatus'))
const Connect = lazy(() => import('../pages/Connect'))
const Logs = lazy(() => import('../pages/Logs'))
const GroupRules = lazy(() => import('../pages/GroupRules'))
const Catalog = lazy(() => import('../pages/Catalog'))
const Bucket = lazy(() => import('../pages/Bucket'))
const Settings = lazy(() => import('../pages/Settings'))
const Template = lazy(() => import('../pages/Template'))
const NotBuilt = lazy(() => import('../pages/NotBuilt'))

export type Route = {
  title: string
  crumbs?: { text: string; href: string }[]
  /** The entry of the menu that is lit. */
  menu?: string
  contentType?: AppLayoutProps.ContentType
  page(): ReactNode
}

/** Listings: where they are, and what the menu calls them. The definitions themselves are loaded with their page. */
export const listings: Record<string, Key> = {
  '/ec2/instances': 'menu.instances',
  '/ec2/images': 'menu.amis',
  '/ec2/image-tasks': 'menu.tasks',
  '/ec2/volumes': 'menu.volumes',
  '/ec2/snapshots': 'menu.snapshots',
  '/ec2/security-groups': 'menu.groups',
  '/ec2/addresses': 'menu.addresses',
  '/ec2/key-pairs': 'menu.keys',
  '/ec2/network-interfaces': 'menu.interfaces',
  '/vpc/vpcs': 'menu.vpcs',
  '/vpc/subnets': 'menu.subnets',
  '/vpc/route-tables': 'menu.routes',
  '/vpc/internet-gateways': 'menu.igws',
  '/vpc/egress-only-gateways': 'menu.egress',
  '/vpc/dhcp-options': 'menu.dhcp',
  '/vpc/nat-gateways': 'menu.nats',
  '/vpc/peering-connections': 'menu.peerings',
  '/vpc/network-acls': 'menu.acls',
  '/vpc/endpoints': 'menu.endpoints',
  '/vpc/prefix-lists': 'menu.prefixLists',
  '/vpc/flow-logs': 'menu.flowLogs',
  '/ec2/instance-types': 'menu.instanceTypes',
  '/ec2/launch-templates': 'menu.launchTemplates',
  '/ec2/lifecycle-manager': 'menu.lifecycle',
  '/s3/buckets': 'menu.s3',
  '/iam/users': 'menu.iamUsers',
  '/iam/groups': 'menu.iamGroups',
  '/iam/roles': 'menu.iamRoles',
  '/iam/policies': 'menu.iamPolicies',
  '/iam/instance-profiles': 'menu.profiles',
  '/iam/identity-providers': 'menu.providers',
  '/ssm/parameters': 'menu.parameters',
  '/cloudtrail/events': 'menu.events',
  '/cloudwatch/alarms': 'menu.cloudwatch',
}

/** Where the breadcrumbs begin: the service that a page belongs to, with its first page. */
const SERVICES: Record<string, readonly [name: string, href: string]> = {
  ec2: ['EC2', '/'],
  vpc: ['VPC', '/vpc/vpcs'],
  iam: ['IAM', '/iam/users'],
  s3: ['S3', '/s3/buckets'],
  ssm: ['Systems Manager', '/ssm/parameters'],
  cloudtrail: ['CloudTrail', '/cloudtrail/events'],
  cloudwatch: ['CloudWatch', '/cloudwatch/alarms'],
}
const root = (path: string) => {
  const [text, href] = SERVICES[path.split('/')[1]!] ?? SERVICES.ec2!
  return { text, href }
}

export function routeOf(address: string): Route {
  const [path, query = ''] = address.split('?') as [string, string?]
  const asked = new URLSearchParams(query)
  if (path === '/') return { title: t('menu.dashboard'), page: () => <Dashboard /> }
  const missing = notBuilt[path]
  if (missing) return page(t(missing[0]), path, () => <NotBuilt name={t(missing[0])} what={t(missing[1])} />)
  if (path === '/ec2/catalog') return page(t('menu.catalog'), path, () => <Catalog />)
  if (path === '/ec2/settings') return { ...page(t('menu.settings'), path, () => <Settings />), contentType: 'default' }
  if (path === formAddress('/ec2/launch-templates')) return template(asked)
  const [, service, kind, part, what] = path.split('/')
  if (service === 'create' && part && !what && listings[`/${kind}/${part}`]) return creating(`/${kind}/${part}`)
  const list = `/${service}/${kind}`
  const listing = listings[list]
  const id = part === undefined ? undefined : decoded(part)
  const special = id === undefined ? undefined : specialOf({ list, id, what, asked })
  if (special) return special
  if (listing && !what) {
    if (id === undefined) return page(t(listing), list, () => <Resources key={list} path={list} />)
    return { ...below(list, id.replace(/^arn:.*\//, '')), contentType: 'default', page: () => <Resources key={path} path={list} id={id} /> }
  }
  return { title: t('error.missing'), crumbs: [root('')], page: () => <NotBuilt /> }
}

const creating = (list: string): Route => ({
  ...below(list, t('do.create')),
  contentType: 'form',
  page: () => <Resources key={`create ${list}`} path={list} create />,
})

function template(asked: URLSearchParams): Route {
  const given = (name: string): string | undefined => asked.get(name) ?? undefined
  return {
    ...below('/ec2/launch-templates', t(asked.has('template') ? 'templates.newVersion' : 'templates.create')),
    contentType: 'form',
    page: () => <Template key={asked.toString()} template={given('template')} version={given('version')} instance={given('instance')} />,
  }
}

type Asked = { list: string; id: string; what?: string; asked: URLSearchParams }

/** Pages that are no listing's own. */
function specialOf({ list, id, what, asked }: Asked): Route | undefined {
  const place = `${list}/${what ?? ''}`
  if (list === '/ec2/instances' && id === 'launch')
    return {
      ...below(list, t('launch.title')),
      contentType: 'form',
      page: () => {
        const given = (name: string): string | undefined => asked.get(name) ?? undefined
        return (
          <Launch
            key={asked.toString()}
            image={given('image') ?? ''}
            type={given('type')}
            like={given('like')}
            template={given('template')}
            version={given('version')}
          />
        )
      },
    }
  if (list === '/ec2/instances' && id === 'launched')
    return { ...below(list, t('status.title')), page: () => <LaunchStatus ids={(asked.get('ids') ?? '').split(',')} /> }
  // A bucket's page is its objects; what else it has is in tabs.
  if (place === '/s3/buckets/' && !asked.has('tab'))
    return { ...below(list, id), contentType: 'table', page: () => <Bucket bucket={id} prefix={asked.get('prefix') ?? ''} /> }
  if (place === '/ec2/instances/connect')
    return { ...under(list, id, t('connect.title')), page: () => <Connect id={id} kind={asked.get('kind') ?? 'eic'} /> }
  if (place === '/ec2/instances/logs') return { ...under(list, id, t('logs.title')), page: () => <Logs id={id} /> }
  if (list === '/ec2/security-groups' && (what === 'inbound' || what === 'outbound'))
    return { ...under(list, id, t(`rules.edit.${what}`)), page: () => <GroupRules id={id} outbound={what === 'outbound'} /> }
  return undefined
}

const page = (title: string, href: string, content: () => ReactNode): Route => ({
  title,
  menu: href,
  crumbs: [root(href), { text: title, href }],
  contentType: 'table',
  page: content,
})
const below = (list: string, title: string) => ({
  title,
  menu: list,
  crumbs: [root(list), { text: t(listings[list]!), href: list }, { text: title, href: '#' }],
})
const under = (list: string, id: string, title: string) => ({
  title,
  menu: list,
  crumbs: [root(list), { text: t(listings[list]!), href: list }, { text: id, href: addressOf(list, id) }, { text: title, href: '#' }],
})
