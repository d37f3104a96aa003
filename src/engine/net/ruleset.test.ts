import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delta, text, type Table } from '#engine/net/ruleset'

const table = (more: Partial<Table> = {}): Table => ({
  family: 'inet', name: 't',
  sets: { s: { type: 'ipv4_addr', elements: ['10.0.0.1'] }, m: { map: true, type: 'ifname : verdict', elements: ['"e1" : goto a'] } },
  chains: {
    base: { hook: 'type filter hook input priority 0; policy drop;', rules: ['iifname vmap @m'] }, a: { rules: ['ip saddr @s accept'] },
  },
  ...more,
})

test('a whole table replaces what has its name', () => {
  assert.equal(text(table()), [
    'table inet t', 'delete table inet t', 'table inet t {',
    '  set s {', '    type ipv4_addr', '    elements = { 10.0.0.1 }', '  }',
    '  map m {', '    type ifname : verdict', '    elements = { "e1" : goto a }', '  }',
    '  chain base {', '    type filter hook input priority 0; policy drop;', '    iifname vmap @m', '  }',
    '  chain a {', '    ip saddr @s accept', '  }', '}', '',
  ].join('\n'))
})

test('equal tables need no transaction', () => assert.equal(delta(table(), table()), ''))

test('a changed rule and changed elements are all that is sent', () => {
  const next = table()
  next.chains.a = { rules: ['accept'] }
  next.sets.s = { type: 'ipv4_addr', elements: ['10.0.0.2'] }
  assert.deepEqual(delta(table(), next)!.split('\n'), [
    'flush chain inet t a', 'add rule inet t a accept', 'delete element inet t s { 10.0.0.1 }', 'add element inet t s { 10.0.0.2 }', '',
  ])
})

test('what is new exists before it is named, and what goes is named no more', () => {
  const grown = table()
  grown.sets.new = { type: 'ipv4_addr', elements: [] }
  grown.chains.b = { rules: ['ip saddr @new accept'] }
  grown.sets.m = { map: true, type: 'ifname : verdict', elements: ['"e1" : goto a', '"e2" : goto b'] }
  assert.deepEqual(delta(table(), grown)!.split('\n'), [
    'add chain inet t b', 'add set inet t new { type ipv4_addr; }', 'add rule inet t b ip saddr @new accept',
    'add element inet t m { "e2" : goto b }', '',
  ])
  assert.deepEqual(delta(grown, table())!.split('\n'), [
    'flush chain inet t b', 'flush set inet t new', 'delete element inet t m { "e2" : goto b }', 'delete chain inet t b', 'delete set inet t new', '',
  ])
})

test('another hook or another type needs the whole table', () => {
  const hook = table()
  hook.chains.base = { ...hook.chains.base!, hook: 'type filter hook input priority 5; policy drop;' }
  const type = table()
  type.sets.s = { type: 'ifname', elements: [] }
  assert.deepEqual([delta(table(), hook), delta(table(), type)], [undefined, undefined])
})
