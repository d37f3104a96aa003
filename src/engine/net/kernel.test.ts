import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { network, port } from '#engine/net/networks.suite'
import { changes as bothChanges, type Found } from '#engine/net/kernel'
import type { Item } from '#engine/net/item'
import { coreItems, routerItems } from '#engine/net/route'

const changes = (...args: Parameters<typeof bothChanges>) => Object.values(bothChanges(...args)).flat()
const home = homeAt({ dir: '/nowhere', slot: 5 })
const around = { hostPid: 99, isLinked: () => true }
const spec = network({ groups: [], ports: [port(home, 1, [], { public: 11 }), port(home, 2, [])] })
const items = routerItems(home, spec, around)

test('what is as it shall be is not touched', () => assert.deepEqual(changes(items, items), []))

test('a new port is a device, an address behind it and a neighbour; a port that goes takes all of it', () => {
  const more = routerItems(home, { ...spec, ports: [...spec.ports, port(home, 3, [])] }, around)
  assert.deepEqual(changes(items, more), [
    'link add e101-3 address 0a:00:00:00:00:01 mtu 9001 type veth peer name en5p3 address 02:50:00:00:01:03 mtu 9001 netns 99',
    'ntable change name arp_cache dev e101-3 proxy_delay 0',
    'link set dev e101-3 up group 101 alias port-3',
    'route replace 172.31.0.13 dev e101-3 table 900',
    'neigh replace 172.31.0.13 lladdr 02:50:00:00:01:03 dev e101-3 nud permanent',
  ])
  assert.deepEqual(changes(more, items), ['route del 172.31.0.13 table 900', 'neigh del 172.31.0.13 dev e101-3', 'link del e101-3'])
})

test('a route table sends the network\'s own blocks back, and what it does not name nowhere', () => {
  const routes = [
    { cidr: '0.0.0.0/0', via: { internet: true as const } }, { cidr: '10.0.0.0/8', via: { port: 'port-2' } },
    { cidr: '10.9.0.0/16', via: { nowhere: true as const } }, { cidr: '11.0.0.0/8', via: { port: 'gone' } },
    { cidr: '172.31.0.0/16', via: { internet: true as const } }, { cidr: '198.51.100.7/32', via: { internet: true as const } },
  ]
  const table = routerItems(home, { ...spec, routeTables: [{ id: 'table-1', index: 7, routes }, spec.routeTables[1]!] }, around)
  assert.deepEqual(table.filter(item => item.key.startsWith('route 1007')).map(item => item.put), [
    'route replace throw 172.31.0.0/16 table 1007',
    'route replace blackhole default table 1007 metric 4294967295',
    'route replace default via 169.254.0.1 dev fab table 1007 onlink',
    'route replace 10.0.0.0/8 via 172.31.0.12 dev e101-2 table 1007 onlink',
    'route replace blackhole 10.9.0.0/16 table 1007',
    'route replace blackhole 11.0.0.0/8 table 1007',
    'route replace 198.51.100.7 via 169.254.0.1 dev fab table 1007 onlink',
  ])
})

test('the core has a way to the network\'s fabric block and public addresses', () => {
  assert.deepEqual(changes([], coreItems(home, spec)), [
    'link set dev n1 up group 2 alias network-a',
    'address replace 169.254.0.1/32 dev n1',
    'address replace 169.254.0.3/32 dev n1',
    'route replace 100.104.16.0/20 via 100.104.16.0 dev n1 table main onlink',
    'route replace 198.19.64.11 via 100.104.16.0 dev n1 table main onlink',
  ])
})

test('what hangs on a device goes before it, and nothing ever deletes the loopback', () => {
  const found: Found[] = [
    { key: 'link lo', state: 'down 0 ', drop: 'link del lo' }, { key: 'link e101-9', state: '101 x', drop: 'link del e101-9' },
    { key: 'address e101-9 10.0.0.1/32', state: '', drop: 'address del' }, { key: 'rule pref 7', state: '', drop: 'rule del' },
  ]
  const wanted: Item[] = [{ key: 'link lo', state: '0 ', put: 'link set dev lo up group 0', drop: 'never' }]
  assert.deepEqual(changes(found, wanted), ['address del', 'rule del', 'link del e101-9', 'link set dev lo up group 0'])
  assert.deepEqual(changes(found.slice(0, 1), []), [])
})
