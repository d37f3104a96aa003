import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { silent } from '#base/log'
import { homeAt } from '#base/home'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, ANY, network, port, publicAddress, tcp } from '#engine/net/networks.suite'
import { hostDevice, hostTable, resolverDir, routerDir, routerSpace } from '#engine/net/names'
import { changes, readSpace } from '#engine/net/kernel'
import { coreItems, routerItems } from '#engine/net/route'
import { openNetworks } from '#engine/net/networks'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import { deviceNames, spaceNames } from '#engine/net/space'
import { render } from '#engine/net/render'
import { text } from '#engine/net/ruleset'
import type { GroupRule, NetworkSpec } from '#engine/port'

let lab: Lab
let one: Guest, two: Guest
let spec: NetworkSpec
let space: string
let forwarding: string

const dial = (from: Guest, host: string, to: number, keep?: string) => from.ask({ do: 'connect', host, port: to, keep })
const processOf = async (dir: string) => Number(await readFile(join(dir, 'dnsmasq.pid'), 'utf8'))
const forward = async () => (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()
const resolves = async () =>
  String(await one.ask({ do: 'resolve', server: '172.31.0.2', name: 'ip-172-31-0-12.ec2.internal' })) === '172.31.0.12'
/** Ended, with its sockets closed; perhaps nobody has taken note of it yet (a zombie). */
async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return stat === undefined || /^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')))
}

before(async () => {
  forwarding = await forward()
  lab = await openLab()
  await lab.networks.up()
  space = routerSpace(lab.home, 1)
  spec = network({
    groups: [{ id: 'group', ingress: [{ ...tcp(22), peer: ANY }], egress: [all] }],
    ports: [port(lab.home, 1, ['group'], { public: 11 }), port(lab.home, 2, ['group'])],
  })
  await lab.networks.apply(spec)
  one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  two = await lab.guest('two', { index: 2, address: '172.31.0.12/20', gateway: '172.31.0.1' })
  await two.ask({ do: 'listen', port: 22 })
})

after(() => lab.close())

test('DHCP gives a port its address, names, gateway, frame size and lease', async () => {
  await lab.networks.apply({ ...spec, ports: [...spec.ports, port(lab.home, 3, ['group'])] })
  const fresh = await lab.space('fresh', [])
  const device = lab.networks.portDevice(3)
  await ipBatch([`link set dev ${device} netns ${fresh.space}`])
  await ipBatch([`link set dev ${device} up`], fresh.space)
  // The client tells its script what it got.
  const script = join(lab.home.dir, 'print')
  await writeFile(script, '#!/bin/sh\nenv\n')
  await chmod(script, 0o755)
  const lease = async () => {
    const words = ['busybox', 'udhcpc', '-i', device, '-n', '-q', '-f', '-t', '5', '-T', '1', '-O', 'mtu', '-O', 'hostname', '-s', script]
    const said = (await run(inside(fresh.space, ...words))).split('\n').map(line => line.split('='))
    const found = Object.fromEntries(said) as Record<string, string>
    return ['ip', 'subnet', 'router', 'dns', 'domain', 'mtu', 'hostname', 'lease'].map(key => found[key])
  }
  assert.deepEqual(await lease(),
    ['172.31.0.13', '255.255.240.0', '172.31.0.1', '172.31.0.2', 'ec2.internal', '9001', 'ip-172-31-0-13', '3600'])
  // The next port with this address has another MAC: the old lease must not hold it back.
  const mac = '02:50:00:00:01:99'
  await lab.networks.apply({ ...spec, ports: [...spec.ports, port(lab.home, 4, ['group'], { host: '172.31.0.13', mac })] })
  assert.deepEqual((await attempt(['ip', '-n', fresh.space, 'link', 'show', device])).code, 1, 'a port that is gone takes its device along')
  const next = lab.networks.portDevice(4)
  await ipBatch([`link set dev ${next} name ${device} netns ${fresh.space}`])
  await ipBatch([`link set dev ${device} up`], fresh.space)
  assert.equal((await lease())[0], '172.31.0.13')
  await lab.networks.apply(spec)
})

test('of what somebody else ended one is told once, and sees it until it is there again', async () => {
  const told: string[] = []
  const end = lab.networks.watch(id => told.push(id))
  const whole = { ports: ['port-1', 'port-2'] }
  const ends: [end: () => Promise<void>, seen: unknown][] = [routerDir(lab.home, 1), resolverDir(lab.home)].map(dir => [
    async () => {
      const pid = await processOf(dir)
      process.kill(pid, 'SIGKILL')
      await until(() => isGone(pid), 'dnsmasq ends')
    },
    { ...whole, unserved: true },
  ])
  ends.push([async () => { await run(['ip', 'netns', 'del', `${lab.home.prefix}-core`]) }, 'absent'])
  for (const [n, [act, seen]] of ends.entries()) {
    assert.deepEqual(await lab.networks.observe(spec.id), whole)
    await act()
    await until(async () => told.length === n + 1, 'news of it')
    assert.deepEqual(await lab.networks.observe(spec.id), seen)
    await lab.networks.apply(spec)
  }
  end()
  assert.deepEqual([await lab.networks.observe(spec.id), told], [whole, ends.map(() => spec.id)])
  assert.ok(await resolves())
})

test('a resolver that died answers again after the next apply, a router\'s and the host\'s', async () => {
  assert.ok(await resolves())
  for (const dir of [routerDir(lab.home, 1), resolverDir(lab.home)]) {
    const pid = await processOf(dir)
    process.kill(pid, 'SIGKILL')
    await until(() => isGone(pid), 'dnsmasq ends')
    await lab.networks.apply(spec)
    assert.notEqual(await processOf(dir), pid)
  }
  assert.ok(await resolves())
})

test('another process finds the networks, changes them, and disturbs no connection', async () => {
  assert.equal(await dial(one, '172.31.0.12', 22, 'held'), '172.31.0.11')
  const [devices, resolver] = [await deviceNames(), await processOf(routerDir(lab.home, 1))]
  const other = openNetworks(lab.home, silent)
  try {
    await other.up()
    await other.apply(spec)
    assert.deepEqual([await other.list(), await other.observe(spec.id), await other.observe('never')],
      [[spec.id], { ports: ['port-1', 'port-2'] }, 'absent'])
    assert.deepEqual([await deviceNames(), await processOf(routerDir(lab.home, 1))], [devices, resolver])
    assert.equal(await one.ask({ do: 'say', keep: 'held', text: 'still here' }), 'still here')
    // What one process made the other one removes.
    await lab.networks.apply({ ...spec, ports: [...spec.ports, port(lab.home, 7, ['group'])] })
    const third = openNetworks(lab.home, silent)
    await third.apply(spec)
    await third.close()
    assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-1', 'port-2'] })
    await lab.networks.apply(spec)
  } finally {
    await other.close()
  }
})

test('the shortest transactions lead to the same tables as whole ones', async () => {
  const list = async () => (await run(inside(space, 'nft', '-s', 'list', 'ruleset'))).split('\n')
    .map(line => line.trim().replace(/,$/, '')).filter(line => line !== '').sort()
  let seed = 7
  const upTo = (n: number) => (seed = (seed * 48271) % 2147483647) % n
  const rule = (): GroupRule => ({
    ...[tcp(upTo(30) + 1, 30 + upTo(9)), { protocol: 'all' as const }, { protocol: 1, icmp: { type: upTo(2) } }, { ...tcp(5), protocol: 132 }]
      [upTo(4)]!,
    peer: upTo(2) ? { cidr: `10.${upTo(3)}.0.0/${upTo(2) ? 16 : 24}` } : { group: `group-${upTo(4)}` },
  })
  const some = <T>(make: (i: number) => T, most = 4) => Array.from({ length: upTo(most) }, (_, i) => make(i))
  const anySpec = (): NetworkSpec => {
    const groups = Array.from({ length: 1 + upTo(3) }, (_, i) => ({ id: `group-${i}`, ingress: some(rule, 40), egress: some(rule) }))
    const filterRule = () => ({ protocol: upTo(9), cidr: '0.0.0.0/0', allow: upTo(2) === 0 })
    const filters = Array.from({ length: 2 }, (_, i) => ({ id: `filter-${i + 1}`, ingress: some(filterRule), egress: [] }))
    const ports = spec.ports.map((p, i) =>
      ({ ...p, checked: upTo(2) === 0, metadataHopLimit: 1 + upTo(3), groups: groups.slice(i).map(g => g.id) }))
    return { ...spec, groups, filters, ports }
  }
  for (let round = 0; round < 15; round++) {
    const next = anySpec()
    await lab.networks.apply(next)
    const short = await list()
    await run(inside(space, 'nft', '-f', '-'), render(lab.home, next).map(text).join(''))
    assert.deepEqual(short, await list(), `round ${round}`)
  }
  await lab.networks.apply(spec)
})

test('what vanishes underneath is made again by the next apply', async () => {
  await ipBatch(['link del e101-1'], space)
  assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-2'] })
  await lab.networks.apply(spec)
  assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-1', 'port-2'] })
  assert.ok((await deviceNames()).has(lab.networks.portDevice(1)), 'a new device waits for its machine')
  await run(['ip', 'netns', 'del', space])
  assert.equal(await lab.networks.observe(spec.id), 'absent')
  await lab.networks.apply(spec)
  assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-1', 'port-2'] })
  const again = await lab.guest('again', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  one = again
  await until(resolves, 'the resolver in the new namespace answers')
})

test('rules that change while a device is lost hold at once, and the device comes with the next apply', async () => {
  const changed: NetworkSpec = { ...spec, groups: [{ ...spec.groups[0]!, ingress: [{ ...tcp(23), peer: ANY }] }] }
  await ipBatch(['link del e101-1'], space)
  assert.deepEqual(await lab.networks.apply(changed), [], 'nothing but rules is looked at')
  assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-2'] })
  assert.match(await run(inside(space, 'nft', 'list', 'chain', 'inet', 'router', 'group_group_in')), /tcp dport 23 accept/)
  assert.deepEqual(await lab.networks.apply(changed), ['port-1'])
  await run(['ip', 'netns', 'del', space])
  assert.deepEqual(await lab.networks.apply(spec), ['port-1', 'port-2'], 'a namespace that is lost is seen by a change of rules too')
  one = await lab.guest('anew', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  two = await lab.guest('anew-2', { index: 2, address: '172.31.0.12/20', gateway: '172.31.0.1' })
  await two.ask({ do: 'listen', port: 22 })
  await until(async () => await dial(one, '172.31.0.12', 22) === '172.31.0.11', 'packets pass again')
})

test('the whole data plane comes back after the core was lost', async () => {
  await run(['ip', 'netns', 'del', `${lab.home.prefix}-core`])
  await until(async () => !(await deviceNames()).has(hostDevice(lab.home)), 'the host\'s link goes with the core')
  await lab.networks.apply(spec)
  assert.deepEqual(await lab.networks.list(), [spec.id])
  assert.ok(await resolves())
})

test('what the kernel has reads back as what was asked for, whatever changes', async () => {
  const { home, networks } = lab
  const differences = async (wanted: NetworkSpec) => {
    await networks.apply(wanted)
    const core = (await readSpace(`${home.prefix}-core`)).filter(item => / n1( |$)/.test(`${item.key} ${item.state}`))
    const inRouter = changes(await readSpace(space), routerItems(home, wanted, { hostPid: process.pid, isLinked: () => true }))
    return [inRouter, changes(core, coreItems(home, wanted))].flatMap(({ drops, puts }) => [...drops, ...puts])
  }
  const [first, second] = [port(home, 5, [], { public: 15 }), port(home, 6, [], { subnet: 'subnet-3', host: '10.9.0.16' })]
  const grown: NetworkSpec = {
    ...spec, cidrs: [...spec.cidrs, '10.9.0.0/16'],
    subnets: [...spec.subnets, { id: 'subnet-3', index: 103, cidr: '10.9.0.0/24', routeTable: 'table-2' }],
    routeTables: [spec.routeTables[0]!, {
      id: 'table-2', index: 300, routes: [
        { cidr: '0.0.0.0/0', via: { port: 'port-5' } }, { cidr: '192.0.2.0/24', via: { nowhere: true } },
        { cidr: '192.0.2.7/32', via: { internet: true } },
      ],
    }],
    ports: [
      ...spec.ports, { ...first, addresses: [...first.addresses, { private: '172.31.0.77', public: publicAddress(home, 77) }] }, second,
    ],
  }
  assert.deepEqual(await differences(grown), [])
  const elsewhere = { ...first, subnet: 'subnet-3', addresses: [{ private: '10.9.0.20' }] }
  const moved = { ...grown, ports: [...spec.ports, elsewhere, { ...second, index: 60 }] }
  assert.deepEqual(await differences(moved), [])
  assert.deepEqual(await differences({ ...spec, resolver: '172.31.0.3' }), [])
  assert.deepEqual(await differences(spec), [])
})

test('a spec that makes no sense changes nothing', async () => {
  const before = await run(inside(space, 'nft', '-s', 'list', 'ruleset'))
  await assert.rejects(lab.networks.apply({ ...spec, ports: [port(lab.home, 1, ['nobody'])] }), /not a group of the network/)
  await assert.rejects(lab.networks.apply({ ...spec, dhcp: { ...spec.dhcp, domainName: 'a\ndhcp-script=/x' } }), /not a name/)
  assert.equal(await run(inside(space, 'nft', '-s', 'list', 'ruleset')), before)
})

test('an Enclume of another slot stays apart, and forwarding ends with the last', async t => {
  const slot = process.env.ENCLUME_TEST_NEIGHBOUR_SLOT
  if (slot === undefined) return t.skip('ENCLUME_TEST_NEIGHBOUR_SLOT names no second slot that this test may use up')
  const neighbour = openNetworks(homeAt({ dir: lab.home.dir, slot: Number(slot) }), silent)
  try {
    await neighbour.up()
    await neighbour.apply(network({ index: 1 }))
    assert.deepEqual([await neighbour.list(), await lab.networks.list()], [['network-a'], [spec.id]])
  } finally {
    await neighbour.down()
    await neighbour.close()
  }
  assert.equal(await forward(), '1')
  assert.deepEqual(await lab.networks.observe(spec.id), { ports: ['port-1', 'port-2'] })
  assert.ok(await resolves())
})

test('deleting a network leaves nothing of it, and down nothing at all', async () => {
  const pids = [await processOf(routerDir(lab.home, 1)), await processOf(resolverDir(lab.home))]
  await lab.networks.delete(spec.id)
  const seen = [await lab.networks.list(), await lab.networks.observe(spec.id), (await spaceNames()).includes(space)]
  assert.deepEqual(seen, [[], 'absent', false])
  await lab.networks.delete(spec.id)
  await lab.networks.apply(spec)
  await lab.networks.down()
  const mine = (await spaceNames()).filter(name => name.startsWith(`${lab.home.prefix}-`) && !name.includes('-m-'))
  const devices = [...await deviceNames()].filter(name => name.startsWith(lab.home.prefix))
  const tables = (await run(['nft', 'list', 'tables'])).split('\n').filter(line => line === `table inet ${hostTable(lab.home)}`)
  const routes = (await run(['ip', 'route'])).split('\n').filter(line => line.includes(hostDevice(lab.home)))
  assert.deepEqual([mine, devices, tables, routes], [[], [], [], []])
  for (const pid of pids) assert.ok(await isGone(pid))
  const others = [...await deviceNames()].some(name => /^en\dh$/.test(name))
  assert.equal(await forward(), others ? '1' : forwarding)
})
