import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ipv6Block } from '#base/home'
import { silent } from '#base/log'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, ANY, network, port, tcp, udp } from '#engine/net/networks.suite'
import { GATEWAY_ADDRESS6, routerSpace } from '#engine/net/names'
import { openNetworks } from '#engine/net/networks'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import type { FlowCount, NetworkSpec } from '#engine/port'

let lab: Lab
let a: Guest, b: Guest
let spec: NetworkSpec

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  spec = network({
    groups: [{ id: 'web', ingress: [{ ...tcp(80), peer: ANY }, { ...udp(53), peer: ANY }], egress: [all] }, {
      id: 'quiet', ingress: [], egress: [{ ...tcp(80, 81), peer: ANY }, { ...udp(53), peer: ANY }],
    }],
    filters: [{ id: 'filter-1', egress: [{ protocol: 'all', allow: true, ...ANY }], ingress: [{ ...tcp(82), allow: false, ...ANY },
      { protocol: 'all', allow: true, ...ANY }] }],
    ports: [
      port(lab.home, 1, ['web'], { watched: true }),
      port(lab.home, 2, ['quiet'], { subnet: 'subnet-2', host: '172.31.16.12', watched: true }),
    ],
  })
  await lab.networks.apply(spec)
  a = await lab.guest('a', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  b = await lab.guest('b', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
  await a.ask({ do: 'listen', port: 80 })
  await a.ask({ do: 'listenUdp', port: 53 })
})
after(() => lab.close())

const dial = (host: string, to: number) => b.ask({ do: 'connect', host, port: to })

/** `port direction verdict protocol source>destination:port`, with TCP's and UDP's chosen ports left out. */
async function seen(): Promise<Map<string, FlowCount>> {
  const found = await lab.networks.flows('network-a')
  assert.ok(typeof found === 'object')
  return new Map(found.flows.map(flow => {
    const service = flow.destinationPort < 1024 ? flow.destinationPort : `from ${flow.sourcePort}`
    const what = `${flow.port} ${flow.direction} ${flow.accepted ? 'ACCEPT' : 'REJECT'} ${flow.protocol}`
    return [`${what} ${flow.source}>${flow.destination} ${service}`, flow]
  }))
}

test('what passes and what is stopped is counted at each port, by who stopped it, and told once', async () => {
  assert.deepEqual([await dial('172.31.0.11', 80), await dial('172.31.0.11', 81), await dial('172.31.0.11', 83)],
    ['172.31.16.12', 'timeout', 'timeout'])
  assert.equal(await b.ask({ do: 'askUdp', host: '172.31.0.11', port: 53 }), '172.31.16.12')
  const flows = await seen()
  const [to, back] = ['172.31.16.12>172.31.0.11', '172.31.0.11>172.31.16.12']
  assert.deepEqual([...flows.keys()].sort(), [
    `port-1 in ACCEPT 17 ${to} 53`, `port-1 in ACCEPT 6 ${to} 80`, `port-1 in REJECT 6 ${to} 81`,
    `port-1 out ACCEPT 17 ${back} from 53`, `port-1 out ACCEPT 6 ${back} from 80`,
    `port-2 in ACCEPT 17 ${back} from 53`, `port-2 in ACCEPT 6 ${back} from 80`,
    `port-2 out ACCEPT 17 ${to} 53`, `port-2 out ACCEPT 6 ${to} 80`, `port-2 out ACCEPT 6 ${to} 81`, `port-2 out REJECT 6 ${to} 83`,
  ])
  const datagram = flows.get(`port-1 in ACCEPT 17 ${to} 53`)!
  assert.deepEqual([datagram.packets, datagram.bytes], [1, 29])
  assert.equal((await seen()).size, 0)
})

test('a stateless filter that stops what comes in is a rejection at the receiver alone', async () => {
  await lab.networks.apply({ ...spec, groups: spec.groups.map(group => ({ ...group, egress: [all], ingress: [all] })) })
  assert.equal(await dial('172.31.0.11', 82), 'timeout')
  const keys = [...(await seen()).keys()].filter(key => key.endsWith(' 82')).sort()
  assert.deepEqual(keys, ['port-1 in REJECT 6 172.31.16.12>172.31.0.11 82', 'port-2 out ACCEPT 6 172.31.16.12>172.31.0.11 82'])
})

test('IPv6 is counted as IPv4 is, with both verdicts', async () => {
  const block = ipv6Block(lab.home, 1)
  const [one, two] = ['1', '2'].map(n => block.replace('00::/56', `0${n}::5`)) as [string, string]
  const anywhere = { cidr: '::/0' }
  const six: NetworkSpec = {
    ...spec, cidrs6: [block], subnets: spec.subnets.map((subnet, i) => ({ ...subnet, cidr6: block.replace('00::/56', `0${i + 1}::/64`) })),
    filters: spec.filters.map(filter => ({ ...filter, egress: [...filter.egress, { protocol: 'all', allow: true, ...anywhere }],
      ingress: [{ ...tcp(445), allow: false, ...anywhere }, { protocol: 'all', allow: true, ...anywhere }] })),
    groups: [
      { id: 'web', ingress: [{ ...tcp(443), peer: anywhere }, { protocol: 58, peer: anywhere }], egress: [{ protocol: 'all', peer: anywhere }] },
      { id: 'quiet', ingress: [], egress: [{ ...tcp(443, 445), peer: anywhere }, { protocol: 58, peer: anywhere }] },
    ],
    ports: spec.ports.map((p, i) => ({ ...p, addresses6: [[one, two][i]!] })),
  }
  await lab.networks.apply(six)
  for (const [guest, index, address] of [[a, 1, one], [b, 2, two]] as const) {
    const device = lab.networks.portDevice(index)
    await ipBatch([`address add ${address}/128 dev ${device} nodad`, `-6 route replace default via ${GATEWAY_ADDRESS6} dev ${device}`], guest.space)
  }
  await a.ask({ do: 'listen', port: 443, six: true })
  await until(async () => await dial(one, 443) === two, 'packets of IPv6 pass')
  assert.equal((await attempt(inside(b.space, 'busybox', 'ping', '-c', '1', '-W', '2', one))).code, 0)
  await seen()
  assert.deepEqual([await dial(one, 443), await dial(one, 444), await dial(one, 445), await dial(one, 446)], [two, 'timeout', 'timeout', 'timeout'])
  assert.equal((await attempt(inside(b.space, 'busybox', 'ping', '-c', '1', '-W', '2', one))).code, 0)
  const [to, back] = [`${two}>${one}`, `${one}>${two}`]
  const flows = await seen()
  assert.deepEqual([...flows.keys()].sort(), [
    `port-1 in ACCEPT 58 ${to} 0`, `port-1 in ACCEPT 6 ${to} 443`, `port-1 in REJECT 6 ${to} 444`, `port-1 in REJECT 6 ${to} 445`,
    `port-1 out ACCEPT 58 ${back} 0`, `port-1 out ACCEPT 6 ${back} from 443`,
    `port-2 in ACCEPT 58 ${back} 0`, `port-2 in ACCEPT 6 ${back} from 443`,
    `port-2 out ACCEPT 58 ${to} 0`, `port-2 out ACCEPT 6 ${to} 443`, `port-2 out ACCEPT 6 ${to} 444`, `port-2 out ACCEPT 6 ${to} 445`,
    `port-2 out REJECT 6 ${to} 446`,
  ])
  assert.equal(flows.get(`port-1 in ACCEPT 58 ${to} 0`)!.packets, 1)
})

test('counts outlive the process that began them, and end with the watching', async () => {
  await lab.networks.apply(spec)
  await seen()
  await b.ask({ do: 'askUdp', host: '172.31.0.11', port: 53 })
  const other = openNetworks(lab.home, silent)
  assert.equal(await other.flows('network-a'), 'unknown', 'before it has applied the network')
  await other.apply(spec)
  const found = await other.flows('network-a')
  assert.ok(typeof found === 'object')
  assert.equal(found.flows.length, 4)
  const unwatched = { ...spec, ports: spec.ports.map(port => ({ ...port, watched: undefined })) }
  await other.apply(unwatched)
  await other.flows('network-a')
  assert.doesNotMatch(await run(inside(routerSpace(lab.home, 1), 'nft', 'list', 'tables')), /flows_/)
  await other.close()
})
