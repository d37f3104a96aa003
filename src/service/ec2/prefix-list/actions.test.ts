import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness, home, place } from '#service/ec2/vpc/harness.suite'
import { networkOf } from '#service/ec2/vpc/drive'
import type { VpcRow } from '#service/ec2/vpc/vpc'

const list = { PrefixListName: 'offices', AddressFamily: 'IPv4', MaxEntries: 3 }
const entry = (Cidr: string, Description?: string) => ({ Cidr, ...(Description && { Description }) })

async function made(entries = ['192.0.2.0/24']) {
  const h = harness()
  const { PrefixList } = await h.call('CreateManagedPrefixList', { ...list, Entries: entries.map(cidr => entry(cidr)) })
  const PrefixListId = PrefixList!.PrefixListId!
  const entriesNow = async (TargetVersion?: number) =>
    (await h.call('GetManagedPrefixListEntries', { PrefixListId, TargetVersion })).Entries!.map(({ Cidr }) => Cidr)
  return { ...h, PrefixListId, entriesNow }
}

test('a list is made of a name, a size and entries, whose blocks are kept without host bits', async () => {
  const { call, PrefixListId } = await made(['192.0.2.7/24', '198.51.100.1/32'])
  const { PrefixLists } = await call('DescribeManagedPrefixLists', { Filters: [{ Name: 'prefix-list-name', Values: ['off*'] }] })
  assert.deepEqual(PrefixLists, [{
    PrefixListId, PrefixListArn: `arn:aws:ec2:us-east-1:${place.account}:prefix-list/${PrefixListId}`, PrefixListName: 'offices',
    AddressFamily: 'IPv4', MaxEntries: 3, Version: 1, State: 'create-complete', StateMessage: undefined, OwnerId: place.account, Tags: [],
  }])
  assert.deepEqual((await call('GetManagedPrefixListEntries', { PrefixListId })).Entries!.map(({ Cidr }) => Cidr),
    ['192.0.2.0/24', '198.51.100.1/32'])
})

test('what no list can be is refused, and changes nothing', async () => {
  const { call, refused, entriesNow, PrefixListId } = await made()
  const modify = { PrefixListId, CurrentVersion: 1 }
  const codes = [
    await refused('CreateManagedPrefixList', { ...list, PrefixListName: 'com.amazonaws.mine' }),
    await refused('CreateManagedPrefixList', { ...list, AddressFamily: 'IPv5' }),
    await refused('CreateManagedPrefixList', { ...list, MaxEntries: 0 }),
    await refused('CreateManagedPrefixList', { ...list, Entries: [entry('192.0.2.0/33')] }),
    await refused('CreateManagedPrefixList', { ...list, Entries: [entry('192.0.2.0/24'), entry('192.0.2.1/24')] }),
    await refused('CreateManagedPrefixList', { ...list, MaxEntries: 1, Entries: [entry('10.0.0.0/8'), entry('11.0.0.0/8')] }),
    await refused('CreateManagedPrefixList', { ...list, Entries: [entry('2001:db8::/32')] }),
    await refused('ModifyManagedPrefixList', { PrefixListId, CurrentVersion: 2, AddEntries: [entry('10.0.0.0/8')] }),
    await refused('ModifyManagedPrefixList', { ...modify, RemoveEntries: [entry('10.0.0.0/8')] }),
    await refused('ModifyManagedPrefixList', { ...modify, MaxEntries: 5, AddEntries: [entry('10.0.0.0/8')] }),
    await refused('ModifyManagedPrefixList', { ...modify, AddEntries: ['1', '2', '3'].map(n => entry(`10.${n}.0.0/16`)) }),
    await refused('RestoreManagedPrefixListVersion', { PrefixListId, CurrentVersion: 1, PreviousVersion: 1 }),
    await refused('GetManagedPrefixListEntries', { PrefixListId: 'pl-0123456789abcdef0' }),
    await refused('GetManagedPrefixListEntries', { PrefixListId: 'list' }),
  ].map(([code]) => code)
  assert.deepEqual(codes, [
    ...Array<string>(5).fill('InvalidParameterValue'), 'PrefixListMaxEntriesExceeded', 'InvalidParameterValue', 'PrefixListVersionMismatch',
    'InvalidPrefixListModification', 'InvalidParameterCombination', 'PrefixListMaxEntriesExceeded', 'InvalidParameterValue',
    'InvalidPrefixListID.NotFound', 'InvalidPrefixListId.Malformed',
  ])
  assert.deepEqual([await entriesNow(), (await call('DescribeManagedPrefixLists', {})).PrefixLists!.length],
    [['192.0.2.0/24'], 2], 'AWS\'s own and this one')
})

test('each change of entries is a version, and an earlier one can be restored', async () => {
  const { call, entriesNow, PrefixListId } = await made()
  await call('ModifyManagedPrefixList', {
    PrefixListId, CurrentVersion: 1, AddEntries: [entry('10.0.0.0/8', 'all')], RemoveEntries: [entry('192.0.2.0/24')],
  })
  const renamed = await call('ModifyManagedPrefixList', { PrefixListId, PrefixListName: 'other' })
  assert.deepEqual([renamed.PrefixList!.PrefixListName, renamed.PrefixList!.Version], ['other', 2])
  const { PrefixList } = await call('RestoreManagedPrefixListVersion', { PrefixListId, CurrentVersion: 2, PreviousVersion: 1 })
  assert.deepEqual([PrefixList!.Version, PrefixList!.State], [3, 'restore-complete'])
  assert.deepEqual([await entriesNow(), await entriesNow(2)], [['192.0.2.0/24'], ['10.0.0.0/8']])
})

test('a rule and a route that name a list let through and lead what its entries are now', async () => {
  const { call, store, launch, PrefixListId } = await made(['192.0.2.0/24', '0.0.0.0/0'])
  const eni = await launch()
  const [GroupId] = eni.spec.groups
  await call('AuthorizeSecurityGroupIngress', {
    GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, PrefixListIds: [{ PrefixListId }] }],
  })
  const [table] = (await call('DescribeRouteTables', {})).RouteTables!
  await call('CreateRoute', { RouteTableId: table!.RouteTableId, DestinationPrefixListId: PrefixListId, NetworkInterfaceId: eni.id })
  const compiled = async () => {
    const spec = await networkOf(store, home, (await store.get<VpcRow>('vpc', eni.spec.vpc))!)
    const group = spec.groups.find(({ id }) => id === GroupId)!
    return [group.ingress.flatMap(({ ports, peer }) => (ports?.from === 80 ? peer : [])), spec.routeTables[0]!.routes]
  }
  const internet = { cidr: '0.0.0.0/0', via: { internet: true } }
  assert.deepEqual(await compiled(), [
    [{ cidr: '192.0.2.0/24' }, { cidr: '0.0.0.0/0' }], [internet, { cidr: '192.0.2.0/24', via: { port: eni.id } }],
  ], 'a route to a block of its own goes before the list\'s')
  await call('ModifyManagedPrefixList', {
    PrefixListId, CurrentVersion: 1, RemoveEntries: [entry('192.0.2.0/24'), entry('0.0.0.0/0')], AddEntries: [entry('203.0.113.0/24')],
  })
  assert.deepEqual(await compiled(), [[{ cidr: '203.0.113.0/24' }], [internet, { cidr: '203.0.113.0/24', via: { port: eni.id } }]])
  const { Routes } = (await call('DescribeRouteTables', {})).RouteTables![0]!
  assert.equal(Routes!.at(-1)!.DestinationPrefixListId, PrefixListId)
  const { PrefixListAssociations } = await call('GetManagedPrefixListAssociations', { PrefixListId })
  assert.deepEqual(PrefixListAssociations!.map(({ ResourceId }) => ResourceId).sort(), [GroupId, table!.RouteTableId].sort())
})

test('a list counts as many rules and routes as its size, and one in use is not deleted', async () => {
  const { call, refused, PrefixListId } = await made()
  const GroupId = (await call('CreateSecurityGroup', { GroupName: 'g', Description: 'g' })).GroupId!
  const allow = (port: number, more: object) => ({ GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, ...more }] })
  await call('AuthorizeSecurityGroupIngress', allow(1, { PrefixListIds: [{ PrefixListId }] }))
  const blocks = Array.from({ length: 58 }, (_, i) => ({ CidrIp: `10.0.${i}.0/24` }))
  assert.equal((await refused('AuthorizeSecurityGroupIngress', allow(2, { IpRanges: blocks })))[0], 'RulesPerSecurityGroupLimitExceeded')
  await call('AuthorizeSecurityGroupIngress', allow(2, { IpRanges: blocks.slice(1) }))
  const grown = (await call('ModifyManagedPrefixList', { PrefixListId, MaxEntries: 4 })).PrefixList!
  assert.deepEqual([grown.State, grown.MaxEntries, grown.StateMessage],
    ['modify-failed', 3, `The size of the prefix list would exceed the quota of ${GroupId}.`])
  const kept = (await call('DeleteManagedPrefixList', { PrefixListId })).PrefixList!
  assert.deepEqual([kept.State, kept.StateMessage], ['delete-failed', `The prefix list is in use by ${GroupId}.`])
  const [table] = (await call('DescribeRouteTables', {})).RouteTables!
  const { GatewayId } = table!.Routes!.at(-1)!
  const big = (await call('CreateManagedPrefixList', { ...list, MaxEntries: 50 })).PrefixList!.PrefixListId!
  const route = { RouteTableId: table!.RouteTableId, GatewayId }
  assert.equal((await refused('CreateRoute', { ...route, DestinationPrefixListId: big }))[0], 'RouteLimitExceeded')
  await call('CreateRoute', { ...route, DestinationPrefixListId: PrefixListId })
  assert.deepEqual(await refused('CreateRoute', { ...route, DestinationPrefixListId: PrefixListId }),
    ['RouteAlreadyExists', `The route identified by ${PrefixListId} already exists.`])
  await call('DeleteRoute', { RouteTableId: table!.RouteTableId, DestinationPrefixListId: PrefixListId })
  await call('DeleteSecurityGroup', { GroupId })
  assert.equal((await call('DeleteManagedPrefixList', { PrefixListId })).PrefixList!.State, 'delete-complete')
  assert.equal((await refused('DeleteManagedPrefixList', { PrefixListId }))[0], 'InvalidPrefixListID.NotFound')
})
