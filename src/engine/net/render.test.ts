import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { check } from '#engine/net/check'
import { all, ANY, network, port, tcp } from '#engine/net/networks.suite'
import { render } from '#engine/net/render'
import { delta, text } from '#engine/net/ruleset'

const home = homeAt({ dir: '/nowhere', slot: 5 })
const groups = [
  { id: 'web', ingress: [{ ...tcp(80), peer: ANY }], egress: [all] },
  { id: 'app', ingress: [{ ...tcp(8080), peer: { group: 'web' } }], egress: [] },
]
const spec = network({
  groups,
  ports: [
    port(home, 1, ['web'], { public: 11 }),
    port(home, 2, ['web', 'app'], { checked: false, metadataHopLimit: 2, subnet: 'subnet-2', host: '172.31.16.12' }),
  ],
})

test('a network is this ruleset, whole', () => {
  assert.equal(render(home, spec).map(text).join(''), readFileSync(new URL('data/golden.nft', import.meta.url), 'utf8'))
})

test('a changed group rule is a change of its chain alone', () => {
  const next = { ...spec, groups: [{ ...groups[0]!, ingress: [{ ...tcp(80, 81), peer: { cidr: '10.0.0.0/8' } }] }, groups[1]!] }
  const [was, is] = [render(home, spec), render(home, next)]
  assert.deepEqual(was.map((table, i) => delta(table, is[i]!)), [
    '', 'flush chain inet router group_web_in\nadd rule inet router group_web_in tcp dport 80-81 ip saddr 10.0.0.0/8 accept\n',
  ])
})

test('a network whose resolver is off answers no names', () => {
  const [, table] = render(home, { ...spec, resolves: false })
  assert.deepEqual(table.chains.to_router!.rules.filter(rule => rule.includes('dport 53')), [])
})

test('a spec is refused for every word that is not what it stands for', () => {
  check(spec)
  const p = spec.ports[0]!
  const wrong = [
    { id: 'a b' }, { index: 0 }, { index: 128 }, { cidrs: ['172.31.0.1/16'] }, { resolver: 'x' }, { ports: [p, p] },
    { ports: [{ ...p, mac: '02:50' }] }, { ports: [{ ...p, subnet: 'none' }] }, { ports: [{ ...p, groups: ['none'] }] },
    { ports: [{ ...p, addresses: [] }] },
    { ports: [{ ...p, hostname: 'a"; drop' }] }, { ports: [{ ...p, metadataHopLimit: 65 }] },
    { subnets: [{ ...spec.subnets[0]!, filter: 'none' }] },
    { subnets: [{ ...spec.subnets[0]!, routeTable: 'none' }] }, { names: [{ name: 'a\nb', address: '10.0.0.1' }] },
    { groups: [{ id: 'web', ingress: [{ ...tcp(5, 4), peer: ANY }], egress: [] }] },
    { groups: [{ id: 'web', ingress: [{ protocol: 6, peer: { cidr: '0.0.0.0/0 accept' } }], egress: [] }] },
  ]
  for (const change of wrong) {
    assert.throws(() => check({ ...spec, ports: [], ...change }), /^Error: network .*: not /, JSON.stringify(change))
  }
})
