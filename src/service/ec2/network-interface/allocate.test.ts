import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '#kit/error'
import { givePublicAddress, releaseInterface, takePublicAddress } from '#service/ec2/network-interface/allocate'
import type { SubnetRow } from '#service/ec2/subnet/subnet'
import { harness, home } from '#service/ec2/vpc/harness.suite'

const code = (promise: Promise<unknown>) => promise.then(() => 'done', (error: unknown) => {
  if (error instanceof ApiError) return [error.code, error.message]
  throw error
})

test('an interface gets the first free address, numbers of its own and the default group', async () => {
  const { call, launch } = harness()
  const [a, b] = [await launch(), await launch({ publicIp: false })]
  const [group] = (await call('DescribeSecurityGroups', {})).SecurityGroups!
  assert.deepEqual([a, b].map(({ spec }) => [spec.addresses, spec.index, spec.mac, spec.fabric, spec.groups, spec.zone]), [
    [
      [{ private: '172.31.0.4', primary: true, public: { address: '198.18.0.2' } }], 1, '02:ec:00:00:00:01', '100.64.16.1',
      [group!.GroupId], 'us-east-1a',
    ],
    [[{ private: '172.31.0.5', primary: true }], 2, '02:ec:00:00:00:02', '100.64.16.2', [group!.GroupId], 'us-east-1a'],
  ])
})

test('addresses may be named, and further ones asked for by number or by name', async () => {
  const { launch } = harness()
  const privates = async (more: Parameters<typeof launch>[0]) => (await launch(more)).spec.addresses.map(a => [a.private, a.primary])
  assert.deepEqual([
    await privates({ privateIp: '172.31.0.6' }), await privates({ secondary: 2 }), await privates({ secondary: ['172.31.0.8'] }),
  ], [
    [['172.31.0.6', true]], [['172.31.0.4', true], ['172.31.0.5', false], ['172.31.0.7', false]],
    [['172.31.0.9', true], ['172.31.0.8', false]],
  ])
})

test('addresses that can\'t be had are refused with AWS\'s codes and leave no claim', async () => {
  const { launch, store } = harness()
  const first = await launch({ privateIp: '172.31.0.10' })
  const value = 'InvalidParameterValue'
  const tries = ['172.31.0.10', '172.31.16.10', '172.31.0.3', '172.31.15.255', '172.31.0.010', 'x']
  const codes = await Promise.all(tries.map(privateIp => code(launch({ privateIp }))))
  assert.deepEqual(codes, [
    ['InvalidIPAddress.InUse', 'Address 172.31.0.10 is in use.'],
    [value, `Address 172.31.16.10 does not fall within the subnet's address range`],
    [value, `Address 172.31.0.3 is in subnet's reserved address range`],
    [value, `Address 172.31.15.255 is in subnet's reserved address range`],
    [value, 'invalid value for parameter address: 172.31.0.010'], [value, 'invalid value for parameter address: x'],
  ])
  assert.deepEqual([...(await store.claims(`${first.spec.subnet}/ip`)).keys()], ['172.31.0.10'])
})

test('a full subnet has no more addresses to give', async () => {
  const { launch, store } = harness()
  const first = (await store.get<SubnetRow>('subnet', (await launch()).spec.subnet))!
  const tiny = { ...first, id: 'subnet-0123456789abcdef0', spec: { ...first.spec, cidr: '172.31.200.0/28' } }
  await launch({ subnet: tiny, secondary: 10 })
  assert.deepEqual((await code(launch({ subnet: tiny })))[0], 'InsufficientFreeAddressesInSubnet')
})

test('groups must exist, be of the VPC and be five at most', async () => {
  const { call, launch } = harness()
  const ids: string[] = []
  for (let i = 0; i < 6; i++) ids.push((await call('CreateSecurityGroup', { GroupName: `g${i}`, Description: 'd' })).GroupId!)
  assert.deepEqual((await launch({ groups: ids.slice(0, 5) })).spec.groups, ids.slice(0, 5))
  assert.deepEqual([
    (await code(launch({ groups: ids })))[0], (await code(launch({ groups: ['sg-0123456789abcdef0'] })))[0],
    (await code(launch({ groups: ['web'] })))[0],
  ], ['SecurityGroupsPerInterfaceLimitExceeded', 'InvalidGroup.NotFound', 'InvalidGroupId.Malformed'])
})

test('a group of another VPC is refused', async () => {
  const { call, launch, store } = harness()
  const GroupId = (await call('CreateSecurityGroup', { GroupName: 'web', Description: 'd' })).GroupId!
  await store.transact(async tx => { for (const row of await tx.list({ kind: 'vpc' })) await tx.remove(row) })
  await call('CreateDefaultVpc', {})
  const row = await launch()
  assert.deepEqual(await code(launch({ groups: [GroupId] })),
    ['InvalidParameter', `Security group ${GroupId} and subnet ${row.spec.subnet} belong to different networks.`])
  const change = { NetworkInterfaceId: row.id, Groups: [GroupId] }
  assert.deepEqual(await code(call('ModifyNetworkInterfaceAttribute', change)),
    ['InvalidGroup.NotFound', 'You have specified two resources that belong to different networks.'])
})

test('a public address is given, taken, and not given again at once; an Elastic one stays', async () => {
  const { launch, store } = harness()
  const row = await launch()
  const publicOf = (r: typeof row) => r.spec.addresses[0]!.public?.address
  const [taken, again, elastic] = await store.transact(async tx => {
    const without = await takePublicAddress(tx, row)
    const given = await givePublicAddress(tx, without, home)
    const held = {
      ...given,
      spec: { ...given.spec, addresses: [{ ...given.spec.addresses[0]!, public: { address: '198.18.9.9', allocation: 'eipalloc-1' } }] },
    }
    await tx.claim('public-address', '198.18.9.9', 'eipalloc-1')
    return [without, given, await takePublicAddress(tx, held)]
  })
  assert.equal(await store.holder('public-address', '198.18.9.9'), 'eipalloc-1')
  assert.deepEqual([publicOf(row), publicOf(taken), publicOf(again), publicOf(elastic)], [
    '198.18.0.2', undefined, '198.18.0.3', '198.18.9.9',
  ])
})

test('public addresses run out at the end of the range, never at the host\'s own', async () => {
  const small = { ...home, publicRange: { base: home.publicRange.base, length: 30 } }
  const { launch } = harness()
  const only = await launch({ home: small })
  assert.equal(only.spec.addresses[0]!.public!.address, '198.18.0.2')
  assert.deepEqual((await code(launch({ home: small })))[0], 'InsufficientAddressCapacity')
})

test('a released interface leaves no row and no claim', async () => {
  const { launch, store } = harness()
  const row = await launch({ secondary: 3 })
  await store.transact(tx => releaseInterface(tx, row))
  const scopes = [`${row.spec.subnet}/ip`, 'public-address', 'port-index', `${row.spec.vpc}/fabric`]
  assert.deepEqual(await Promise.all(scopes.map(async scope => (await store.claims(scope)).size)), [0, 0, 0, 0])
  assert.equal(await store.get('network-interface', row.id), undefined)
})
