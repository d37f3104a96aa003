import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt, serviceAddress } from '#base/home'
import { hostRules } from '#engine/net/core'
import { hostDevice } from '#engine/net/names'

const home = homeAt({ dir: '/srv/enclume' })
const device = `"${hostDevice(home)}"`
const { forwarding, to_host: toHost } = hostRules(home).chains as Record<string, { rules: string[] }>

test('other machines begin no connection to instances through this host, and do not reach the service address', () => {
  const inwards = forwarding!.rules.filter(rule => rule.startsWith(`oifname ${device}`))
  assert.deepEqual(inwards, [`oifname ${device} ct state established,related accept`, `oifname ${device} drop`])
  assert.equal(toHost!.rules[0], `iifname != { ${device}, "lo" } ip daddr ${serviceAddress(home)} drop`)
})

test('guests reach no address of the host but the service address, and of that metadata, names and the API alone', () => {
  const theirs = toHost!.rules.slice(toHost!.rules.indexOf(`iifname != ${device} return`) + 1)
  assert.equal(theirs.at(-1), 'drop')
  const ways = theirs.slice(0, -1).filter(rule => !/^ct state established,related accept$|^icmpv6 type \{ nd-/.test(rule))
  assert.deepEqual([ways.length, ways.filter(rule => !rule.startsWith(`ip daddr ${serviceAddress(home)} `))], [3, []])
})
