/** A machine that speaks to itself by its public address is a stranger to its own groups. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, ANY, network, port, publicAddress, tcp, udp } from '#engine/net/networks.suite'
import { routerSpace } from '#engine/net/names'
import { inside, run } from '#engine/net/run'
import type { GroupRule, NetworkSpec } from '#engine/port'

let lab: Lab
let one: Guest
const spec = (ingress: GroupRule[]): NetworkSpec =>
  network({ groups: [{ id: 'own', ingress, egress: [all] }], ports: [port(lab.home, 1, ['own'], { public: 11 })] })

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  await lab.networks.apply(spec([]))
  one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
})
after(() => lab.close())

/** From a low port, a high one and the same one, by each protocol. */
async function tried(): Promise<string[]> {
  const found: string[] = []
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const [from, to] of [[700, 40_000], [40_001, 701], [702, 702], [40_002, 40_002]] as const) {
      await run(inside(routerSpace(lab.home, 1), 'conntrack', '-F'))
      found.push(String(await one.ask({ do: 'self', protocol, host: publicAddress(lab.home, 11), port: to, from })))
    }
  }
  return found
}

test('it comes in where a group lets it, and not as the answer to itself, whatever the ports', async () => {
  assert.deepEqual(await tried(), Array.from({ length: 8 }, () => 'timeout'))
  const from = { cidr: `${publicAddress(lab.home, 11)}/32` }
  await lab.networks.apply(spec([{ ...tcp(0, 65_535), peer: from }, { ...udp(0, 65_535), peer: from }]))
  // A TCP socket that speaks to its own port is refused by its own system: it sees a stranger's port.
  assert.deepEqual(await tried(), ['came', 'came', 'ECONNREFUSED', 'ECONNREFUSED', 'came', 'came', 'came', 'came'])
  await lab.networks.apply(spec([{ ...tcp(0, 65_535), peer: { cidr: '198.51.100.0/24' } }, { ...udp(1), peer: ANY }]))
  assert.deepEqual(await tried(), Array.from({ length: 8 }, () => 'timeout'))
})
