/**
 * What a control plane of one day leaves behind, as files that later ones are opened on: the database as SQL text, what the (fake) engine had
 * been told to make, and what the API answered of it.
 */
import { DatabaseSync } from 'node:sqlite'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud, type Cloud } from '#cloud'
import { openFake, type FakeEngine } from '#engine/fake'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'
import { openFakeObjects, type FakeObjects } from '../fault/objects.ts'

export const account = '123456789012'
const principal = { account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true }
const caller = { principal, region: 'eu-west-3', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }

/** The engine's tables, as its maps' entries. */
type Host = { machines: [string, any][]; disks: [string, any][]; networks: [string, any][] }
/** Operation name, after its service's where that is not EC2, to what it answered. */
export type Answers = Record<string, object>

export const DESCRIBES = [
  'DescribeInstances', 'DescribeVolumes', 'DescribeKeyPairs', 'DescribeSecurityGroups', 'DescribeSecurityGroupRules', 'DescribeVpcs',
  'DescribeSubnets', 'DescribeRouteTables', 'DescribeInternetGateways', 'DescribeNatGateways', 'DescribeNetworkAcls', 'DescribeDhcpOptions',
  'DescribeNetworkInterfaces', 'DescribeAddresses', 'DescribeVpcPeeringConnections', 'DescribeTags', 'DescribeImages', 'DescribeSnapshots',
  'DescribeImportSnapshotTasks', 'DescribeImportImageTasks', 'DescribeExportImageTasks', 'DescribeLockedSnapshots',
  'DescribeLaunchTemplates', 'DescribeLaunchTemplateVersions', 'DescribeVpcEndpoints', 'DescribeFlowLogs', 'DescribeManagedPrefixLists',
  'DescribeEgressOnlyInternetGateways', 'DescribeReplaceRootVolumeTasks', 'DescribeIamInstanceProfileAssociations',
  'DescribeFastSnapshotRestores', 'iam ListUsers', 'iam GetAccountAuthorizationDetails', 'iam ListVirtualMFADevices', 'iam ListAccessKeys',
  'iam ListSSHPublicKeys', 'iam ListOpenIDConnectProviders', 'iam ListAccountAliases', 'ssm DescribeParameters', 'ssm GetParameterHistory',
  'dlm GetLifecyclePolicies', 'monitoring DescribeAlarms',
]
/** What those are asked that must be asked something. */
const INPUTS: Record<string, object> = {
  DescribeLaunchTemplateVersions: { Versions: ['$Latest', '$Default'] }, 'iam ListAccessKeys': { UserName: 'ada' },
  'iam ListSSHPublicKeys': { UserName: 'ada' }, 'ssm GetParameterHistory': { Name: '/shop/name', WithDecryption: true },
}
/** With which the fixtures' secrets were sealed. */
const KEY = Buffer.alloc(32, 'fixtures')

export type World = {
  cloud: Cloud
  engine: FakeEngine
  store: Store
  objects: FakeObjects
  call<T = any>(operation: string, input?: object, service?: string): Promise<T>
  /** Until there is nothing left to do. */
  settle(): Promise<void>
}

/** A control plane on a database file and a fake engine. */
export async function openWorld(file: string, engine: FakeEngine = openFake()): Promise<World> {
  const store = openSqlite(file)
  const objects = openFakeObjects((_, work) => work())
  const cloud = await openCloud({
    home: homeAt({ dir: '/nonexistent' }), engine, store, log: silent, clock: () => new Date(), pause: { first: 1, longest: 10 }, objects, key: KEY,
    deliver: async () => {},
  })
  return {
    cloud, engine, store, objects,
    call: async (operation, input = {}, service = 'ec2') => await cloud.dispatch({ service, operation, input, caller }) as any,
    async settle() {
      await cloud.sweep()
      await cloud.loop.idle()
    },
  }
}

export async function closeWorld({ cloud, store }: World): Promise<void> {
  await cloud.close()
  await store.close()
}

/** Without what time alone changes, and in an order of its own. */
export async function answersOf(world: World, names: string[]): Promise<Answers> {
  const asked = names.map(async name => {
    const [operation, service] = name.split(' ').reverse() as [string, string?]
    return [name, await world.call(operation, INPUTS[name], service)]
  })
  return JSON.parse(JSON.stringify(Object.fromEntries(await Promise.all(asked))))
}

/** What is on the disks is left out. */
export const hostOf = ({ machinesById, disksById, networksById }: FakeEngine): Host => ({
  machines: [...machinesById], disks: [...disksById].map(([id, disk]) => [id, { ...disk, blocks: undefined }]), networks: [...networksById],
})

export function engineWith({ machines, disks, networks }: Host): FakeEngine {
  const engine = openFake()
  for (const [id, machine] of machines) engine.machinesById.set(id, machine)
  for (const [id, disk] of disks) engine.disksById.set(id, disk)
  for (const [id, network] of networks) engine.networksById.set(id, network)
  return engine
}

const quoted = (value: unknown): string =>
  (value === null ? 'null' : typeof value === 'number' ? String(value) : `'${String(value).replaceAll('\'', '\'\'')}'`)

/** A database as statements that make it again, its version among them. */
export function dump(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true })
  const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
  const schema = 'select name, type, sql from sqlite_master where sql is not null and name not like \'sqlite_%\' order by type desc, name'
  const made = db.prepare(schema).all() as { name: string; type: string; sql: string }[]
  const rows = made.filter(({ type }) => type === 'table').flatMap(({ name }) => db.prepare(`select * from "${name}"`).all()
    .map(row => `insert into "${name}" values (${Object.values(row).map(quoted).join(', ')});`))
  db.close()
  return [...made.map(({ sql }) => `${sql};`), ...rows, `pragma user_version = ${version};`, ''].join('\n')
}

export function restore(file: string, sql: string): void {
  const db = new DatabaseSync(file)
  db.exec(`begin; ${sql} commit;`)
  db.close()
}
