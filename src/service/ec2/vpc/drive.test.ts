import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#base/log'
import { openFake } from '#engine/fake'
import { openLoop } from '#loop/loop'
import { releaseInterface, takePublicAddress } from '#service/ec2/network-interface/allocate'
import { networkInterface, type InterfaceRow } from '#service/ec2/network-interface/network-interface'
import { vpc, type VpcRow } from '#service/ec2/vpc/vpc'
import { sweepNetworks, vpcDriver } from '#service/ec2/vpc/drive'
import { harness, home, now, place } from '#service/ec2/vpc/harness.suite'
import { vpcWakes } from '#service/ec2/vpc/wakes'

/** The pipeline, the loop and an engine of memory, which tells what it was asked to do. */
function running() {
  const h = harness()
  const acts: string[] = []
  const engine = openFake({ before(act) { acts.push(act) } })
  const woken: string[] = []
  const open = () => openLoop({
    store: h.store, log: silent,
    drivers: [vpcDriver({ store: h.store, engine, home, loop: () => ({ wake: (kind, id) => { woken.push(`${kind}/${id}`) } }) })],
    clock: () => now, wakes: vpcWakes(h.store),
    pause: { first: 1, longest: 2 },
  })
  let loop = open()
  return {
    ...h, engine, acts, woken,
    /** What the engine was asked since the last time, once nothing more is to be done. */
    async settled() { await loop.idle(); return acts.splice(0) },
    async restart() { await loop.close(); loop = open(); await loop.sweep() },
    close: () => loop.close(),
    update: async (row: InterfaceRow, change: (r: InterfaceRow) => void) => h.store.transact(async tx => {
      const current = await networkInterface.get(tx, place, row.id)
      change(current)
      return tx.put(current, 'changed')
    }),
  }
}

test('the network of a VPC comes with its first interface and stays, without the ports that go', async () => {
  const { call, launch, settled, engine, store, close } = running()
  await call('DescribeVpcs', {})
  assert.deepEqual(await settled(), [])
  const row = await launch()
  assert.deepEqual(await settled(), ['network.apply'])
  assert.deepEqual([...engine.networksById.values()].map(n => [n.id, n.ports.map(p => p.id)]), [[row.spec.vpc, [row.id]]])
  await store.transact(tx => releaseInterface(tx, row))
  assert.deepEqual(await settled(), ['network.apply'])
  assert.deepEqual(engine.networksById.get(row.spec.vpc)!.ports, [])
  await close()
})

test('a change that packets obey is applied, one that they don\'t is not', async () => {
  const { call, launch, settled, engine, store, update, close } = running()
  const row = await launch()
  const [group] = (await call('DescribeSecurityGroups', {})).SecurityGroups!
  const { GroupId } = group!
  await settled()
  const network = () => engine.networksById.get(row.spec.vpc)!
  await call('AuthorizeSecurityGroupIngress', { GroupId, IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' })
  assert.deepEqual(await settled(), ['network.apply'])
  assert.deepEqual(network().groups[0]!.ingress.at(-1), { protocol: 6, ports: { from: 80, to: 80 }, peer: { cidr: '0.0.0.0/0' } })
  await call('UpdateSecurityGroupRuleDescriptionsIngress', {
    GroupId, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'web' }] }],
  })
  await update(row, r => { r.spec.description = 'words' })
  await call('CreateSecurityGroup', { GroupName: 'unused', Description: 'd' })
  assert.deepEqual(await settled(), [])
  await store.transact(async tx => takePublicAddress(tx, await networkInterface.get(tx, place, row.id)))
  assert.deepEqual(await settled(), ['network.apply'])
  assert.deepEqual(network().ports[0]!.addresses, [{ private: '172.31.0.4' }])
  await close()
})

test('after a restart each network is made sure of once, and a lost one is made again', async () => {
  const { launch, settled, engine, restart, close } = running()
  const row = await launch()
  await settled()
  await restart()
  assert.deepEqual(await settled(), ['network.apply'])
  engine.networksById.delete(row.spec.vpc)
  await restart()
  assert.deepEqual([await settled(), engine.networksById.has(row.spec.vpc)], [['network.apply'], true])
  await close()
})

test('machines whose ports have got new devices are woken, others are not', async () => {
  const { launch, settled, engine, restart, update, woken, close } = running()
  const row = await launch()
  await update(row, r => {
    r.spec.attachment = { id: 'eni-attach-1', instance: 'i-1', deviceIndex: 0, deleteOnTermination: true, time: now.toISOString() }
  })
  await settled()
  woken.length = 0
  await restart()
  assert.deepEqual([await settled(), woken], [['network.apply'], []])
  engine.networksById.delete(row.spec.vpc)
  await restart()
  assert.deepEqual([await settled(), woken], [['network.apply'], ['instance/i-1']])
  await close()
})

test('a machine is woken also where its port\'s device is found lost by a change of rules', async () => {
  const { call, launch, settled, engine, update, woken, close } = running()
  const row = await launch()
  await update(row, r => {
    r.spec.attachment = { id: 'eni-attach-1', instance: 'i-1', deviceIndex: 0, deleteOnTermination: true, time: now.toISOString() }
  })
  await settled()
  woken.length = 0
  const authorize = (port: number) => call('AuthorizeSecurityGroupIngress',
    { GroupId: row.spec.groups[0]!, IpProtocol: 'tcp', FromPort: port, ToPort: port, CidrIp: '0.0.0.0/0' })
  await authorize(80)
  assert.deepEqual([await settled(), woken], [['network.apply'], []])
  engine.networksById.set(row.spec.vpc, { ...engine.networksById.get(row.spec.vpc)!, ports: [] })
  await authorize(81)
  assert.deepEqual([await settled(), woken], [['network.apply'], ['instance/i-1']])
  await close()
})

test('a network that could not be made is tried again, and is not taken for current meanwhile', async () => {
  const { launch, store, engine, settled, close } = running()
  let failing = true
  const driver = vpcDriver({ store, home, engine: openFake({ before() { if (failing) throw new Error('no') } }), loop: () => ({ wake() {} }) })
  const row = (await store.get<VpcRow>('vpc', (await launch()).spec.vpc))!
  await settled()
  await assert.rejects(driver.acts.apply!(row), /no/)
  assert.deepEqual(await driver.observe(row), { network: 'absent', populated: true })
  failing = false
  await driver.acts.apply!(row)
  assert.deepEqual(await driver.observe(row), { network: 'current', populated: true })
  engine.outage = true
  assert.equal(await vpcDriver({ store, home, engine, loop: () => ({ wake() {} }) }).observe(row), 'unknown')
  await close()
})

test('a network that serves no names and leases any more is made again', async () => {
  const { launch, store, engine, settled, close } = running()
  const row = (await store.get<VpcRow>('vpc', (await launch()).spec.vpc))!
  await settled()
  let unserved = false
  const observe = async () => ({ ports: engine.networksById.get(row.id)!.ports.map(port => port.id), ...(unserved && { unserved: true as const }) })
  const networks = { ...engine.networks, observe }
  const driver = vpcDriver({ store, home, engine: { ...engine, networks }, loop: () => ({ wake() {} }) })
  await driver.acts.apply!(row)
  const seen = [await driver.observe(row)]
  unserved = true
  seen.push(await driver.observe(row))
  assert.deepEqual(seen, [{ network: 'current', populated: true }, { network: 'stale', populated: true }])
  await close()
})

test('a VPC that is wanted no more goes with its network', async () => {
  const { call, launch, store, settled, engine, close } = running()
  const row = await launch()
  await settled()
  await store.transact(async tx => {
    await releaseInterface(tx, row)
    await vpc.update(tx, (await vpc.find(tx, row.spec.vpc))!, { spec: { desired: 'absent' } }, 'deleting')
  })
  assert.deepEqual([await settled(), engine.networksById.size], [['network.delete'], 0])
  assert.deepEqual((await call('DescribeVpcs', {})).Vpcs, [])
  await close()
})

test('the sweep deletes networks that no VPC owns, and nothing while the engine can\'t be seen', async () => {
  const { launch, store, engine, settled, close } = running()
  const row = await launch()
  await settled()
  const owned = engine.networksById.get(row.spec.vpc)!
  engine.networksById.set('vpc-gone', { ...owned, id: 'vpc-gone' })
  engine.outage = true
  await sweepNetworks({ store, engine, log: silent })
  assert.equal(engine.networksById.size, 2)
  engine.outage = false
  await sweepNetworks({ store, engine, log: silent })
  assert.deepEqual([...engine.networksById.keys()], [row.spec.vpc])
  await close()
})

test('an event wakes the VPCs that its record left and came to, and all where that is not known', async () => {
  const { call, launch, store, close } = running()
  await close()
  const other = { ...place, region: 'eu-west-3' }
  await call('DescribeVpcs', {}, other)
  const row = await launch()
  const ids = (await store.list({ kind: 'vpc' })).map(r => r.id).sort()
  const [elsewhere] = ids.filter(id => id !== row.spec.vpc)
  const wakes = vpcWakes(store)
  const woken = async (kind: string, id: string) =>
    (await wakes({ seq: 1, kind, id, name: 'x', time: '' })).map(wake => `${wake.kind}/${wake.id}`).sort()
  assert.deepEqual(await woken('network-interface', 'eni-unknown'), ids.map(id => `vpc/${id}`))
  assert.deepEqual(await woken('network-interface', row.id), [`vpc/${row.spec.vpc}`])
  await store.transact(tx => tx.remove(row))
  assert.deepEqual(await woken('network-interface', row.id), [`vpc/${row.spec.vpc}`])
  assert.deepEqual(await woken('key-pair', 'key-1'), [])
  const [gateway] = (await call('DescribeInternetGateways', {})).InternetGateways!
  assert.deepEqual(await woken('internet-gateway', gateway!.InternetGatewayId!), ids.map(id => `vpc/${id}`))
  assert.deepEqual(await woken('internet-gateway', gateway!.InternetGatewayId!), [`vpc/${row.spec.vpc}`])
  await store.transact(async tx => {
    const current = (await tx.get('internet-gateway', gateway!.InternetGatewayId!))!
    await tx.put({ ...current, spec: { vpc: elsewhere } }, 'moved')
  })
  assert.deepEqual(await woken('internet-gateway', gateway!.InternetGatewayId!), ids.map(id => `vpc/${id}`))
  const [options] = (await call('DescribeDhcpOptions', {}, other)).DhcpOptions!
  assert.deepEqual(await woken('dhcp-options', options!.DhcpOptionsId!), [`vpc/${elsewhere}`])
})
