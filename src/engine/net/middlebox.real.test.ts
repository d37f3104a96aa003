/** Ways that lead over a machine: from the internet by the gateway's table, and inside by routes for the network's own blocks. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ipv6Block } from '#base/home'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { GATEWAY_ADDRESS6 } from '#engine/net/names'
import { all, ANY, network, port, publicAddress, tcp } from '#engine/net/networks.suite'
import { inside, ipBatch, run } from '#engine/net/run'
import type { GroupRule, NetworkSpec, PortSpec } from '#engine/port'

const ANY6 = { cidr: '::/0' }
const ALL6: GroupRule = { protocol: 'all', peer: ANY6 }
const FIRST = '172.31.0.0/20', SECOND = '172.31.16.0/20'
let lab: Lab
let a: Guest, b: Guest, box: Guest, stranger: Guest
let spec: NetworkSpec
const at = (n: number, s: number, h: number) => ipv6Block(lab.home, n).replace('00::/56', `0${s}::${h.toString(16)}`)
const subnet6 = (n: number, s: number) => ipv6Block(lab.home, n).replace('00::/56', `0${s}::/64`)
const dial = (from: Guest, host: string, to: number, waitMs = 400) => from.ask({ do: 'connect', host, port: to, waitMs })
/** What should arrive is waited for longer than what should not. */
const reach = (from: Guest, host: string, to: number) => dial(from, host, to, 5000)

async function guest(p: PortSpec, subnet: number, six: string): Promise<Guest> {
  const made = await lab.guest(p.id, {
    index: p.index, address: `${p.addresses[0]!.private}/20`, gateway: `172.31.${(subnet - 1) * 16}.1`,
  })
  const device = lab.networks.portDevice(p.index)
  await ipBatch([`address add ${six}/128 dev ${device} nodad`, `-6 route replace default via ${GATEWAY_ADDRESS6} dev ${device}`], made.space)
  await Promise.all([22, 80].map(n => made.ask({ do: 'listen', port: n, six: true })))
  return made
}
const forwards = (yes: boolean) => run(inside(box.space, 'sysctl', '-qw', `net.ipv4.ip_forward=${yes ? 1 : 0}`,
  `net.ipv6.conf.all.forwarding=${yes ? 1 : 0}`, 'net.ipv4.conf.all.send_redirects=0'))
const withBox = (more: Partial<PortSpec>): NetworkSpec => ({ ...spec, ports: spec.ports.map(p => (p.id === 'box' ? { ...p, ...more } : p)) })

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  await networks.up()
  const base = network()
  const over = { via: { port: 'box' } }
  const internet = [{ ...ANY, via: { internet: true as const } }, { ...ANY6, via: { internet: true as const } }]
  spec = {
    ...base, cidrs6: [ipv6Block(home, 1)], filters: [], edge: 'table-4',
    subnets: [[FIRST, 1], [SECOND, 2], ['172.31.32.0/20', 3]].map(([cidr, n]) => (
      { id: `subnet-${n}`, index: 100 + Number(n), cidr: String(cidr), cidr6: subnet6(1, Number(n)), routeTable: `table-${n}` })),
    routeTables: [
      { id: 'table-1', index: 1, routes: [SECOND, subnet6(1, 2), ANY.cidr, ANY6.cidr].map(cidr => ({ cidr, ...over })) },
      // The whole of the network's own blocks.
      { id: 'table-2', index: 2, routes: ['172.31.0.0/16', ipv6Block(home, 1), ANY.cidr, ANY6.cidr].map(cidr => ({ cidr, ...over })) },
      { id: 'table-3', index: 3, routes: internet },
      { id: 'table-4', index: 4, routes: [FIRST, subnet6(1, 1)].map(cidr => ({ cidr, ...over })) },
    ],
    groups: [
      { id: 'web', ingress: [ANY, ANY6].map(peer => ({ ...tcp(80), peer })), egress: [all, ALL6] },
      { id: 'near', ingress: ['172.31.0.0/16', ipv6Block(home, 1)].map(cidr => ({ ...tcp(22), peer: { cidr } })), egress: [all, ALL6] },
      { id: 'open', ingress: [all, ALL6], egress: [all, ALL6] },
      { id: 'shut', ingress: [{ ...tcp(443), peer: ANY }], egress: [all, ALL6] },
    ],
    ports: [
      port(home, 1, ['web'], { id: 'a', public: 11, addresses6: [at(1, 1, 11)] }),
      port(home, 2, ['near'], { id: 'b', public: 12, subnet: 'subnet-2', host: '172.31.16.12', addresses6: [at(1, 2, 2)] }),
      port(home, 3, ['near'], { id: 'c', subnet: 'subnet-2', host: '172.31.16.13', addresses6: [at(1, 2, 3)] }),
      port(home, 4, ['open'], { id: 'box', public: 14, subnet: 'subnet-3', host: '172.31.32.14', checked: false, addresses6: [at(1, 3, 4)] }),
    ],
  }
  await networks.apply(spec)
  const other = port(home, 21, ['open'], { id: 'stranger', network: 2, host: '172.31.0.31', public: 21, addresses6: [at(2, 1, 11)] })
  await networks.apply({
    ...network({ id: 'network-b', index: 2, groups: spec.groups, ports: [other], filters: [] }), cidrs6: [ipv6Block(home, 2)],
    subnets: [{ id: 'subnet-1', index: 101, cidr: FIRST, cidr6: subnet6(2, 1), routeTable: 'table-3' }], routeTables: [spec.routeTables[2]!],
  })
  const [pa, pb, pc, pbox] = spec.ports as [PortSpec, PortSpec, PortSpec, PortSpec]
  a = await guest(pa, 1, at(1, 1, 11))
  b = await guest(pb, 2, at(1, 2, 2))
  await guest(pc, 2, at(1, 2, 3))
  box = await guest(pbox, 3, at(1, 3, 4))
  stranger = await guest(other, 1, at(2, 1, 11))
  await forwards(true)
})
after(() => lab.close())

test('what comes in from the internet for a subnet passes the machine of the gateway\'s table, and so does the answer', async () => {
  const [target, asker] = [publicAddress(lab.home, 11), publicAddress(lab.home, 21)]
  assert.deepEqual([await reach(stranger, target, 80), await reach(stranger, at(1, 1, 11), 80)], [asker, at(2, 1, 11)])
  assert.deepEqual([await reach(a, asker, 80), await reach(a, at(2, 1, 11), 80)], [target, at(1, 1, 11)])
  assert.equal(await reach(stranger, publicAddress(lab.home, 14), 22), asker)
  await forwards(false)
  assert.deepEqual(await Promise.all([dial(stranger, target, 80), dial(stranger, at(1, 1, 11), 80)]), ['timeout', 'timeout'])
  await forwards(true)
})

test('inside, a route for a subnet or for a whole block leads over the machine, but never between neighbours', async () => {
  const both = () => Promise.all([dial(a, '172.31.16.12', 22), dial(a, at(1, 2, 2), 22), dial(b, '172.31.0.11', 80), dial(b, at(1, 1, 11), 80)])
  assert.deepEqual([
    await reach(a, '172.31.16.12', 22), await reach(a, at(1, 2, 2), 22), await reach(b, '172.31.0.11', 80), await reach(b, at(1, 1, 11), 80),
  ], ['172.31.0.11', at(1, 1, 11), '172.31.16.12', at(1, 2, 2)])
  await forwards(false)
  assert.deepEqual(await both(), ['timeout', 'timeout', 'timeout', 'timeout'])
  assert.deepEqual([await reach(b, '172.31.16.13', 22), await reach(b, at(1, 2, 3), 22)], ['172.31.16.12', at(1, 2, 2)])
  await forwards(true)
})

test('the groups of the machine between and of the receiver are both asked', async () => {
  const [target, six] = [publicAddress(lab.home, 11), at(1, 1, 11)]
  assert.deepEqual(await Promise.all([dial(stranger, target, 22), dial(stranger, six, 22), dial(a, '172.31.16.12', 80), dial(a, at(1, 2, 2), 80)]),
    ['timeout', 'timeout', 'timeout', 'timeout'], 'the receiver\'s')
  await lab.networks.apply(withBox({ groups: ['shut'] }))
  assert.deepEqual(await Promise.all([dial(stranger, target, 80), dial(stranger, six, 80), dial(a, '172.31.16.12', 22), dial(b, six, 80)]),
    ['timeout', 'timeout', 'timeout', 'timeout'], 'that of the machine between')
  await lab.networks.apply(spec)
  assert.equal(await reach(stranger, target, 80), publicAddress(lab.home, 21))
})

test('what leads over a machine whose source is checked dies, and what leads nowhere', async () => {
  const [target, six] = [publicAddress(lab.home, 11), at(1, 1, 11)]
  const all4 = () => Promise.all([dial(stranger, target, 80), dial(stranger, six, 80), dial(a, '172.31.16.12', 22), dial(b, six, 80)])
  await lab.networks.apply(withBox({ checked: true }))
  assert.deepEqual(await all4(), ['timeout', 'timeout', 'timeout', 'timeout'])
  await lab.networks.apply({
    ...spec, routeTables: spec.routeTables.map(table => ({
      ...table, routes: table.routes.map(r => ('port' in r.via ? { ...r, via: { nowhere: true as const } } : r)),
    })),
  })
  assert.deepEqual(await all4(), ['timeout', 'timeout', 'timeout', 'timeout'])
  const straight = { ...spec.routeTables[0]!, routes: spec.routeTables[2]!.routes }
  await lab.networks.apply({ ...spec, edge: undefined, routeTables: [straight, ...spec.routeTables.slice(1)] })
  await forwards(false)
  assert.deepEqual([await reach(stranger, target, 80), await reach(stranger, six, 80)], [publicAddress(lab.home, 21), at(2, 1, 11)])
})
