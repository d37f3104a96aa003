/**
 * Random designs of networks, made for real: what the kernel did with packets against what the model says (passage.suite.ts).
 *
 * Another seed: PROPERTY_SEED=7; for longer: PROPERTY_SECONDS=300. A failure prints its seed and round.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCidr } from '#base/cidr'
import { boxOf, design, ground, openRandom, routerOf, SERVED, type Ground, type Random } from '#engine/net/design.suite'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { routerSpace } from '#engine/net/names'
import { passage, type Atlas, type Packet } from '#engine/net/passage.suite'
import { gatewayOf } from '#engine/net/route'
import { attempt, inside, ipBatch, run } from '#engine/net/run'
import type { NetworkSpec } from '#engine/port'

const SEED = Number(process.env.PROPERTY_SEED ?? 2026)
const SECONDS = Number(process.env.PROPERTY_SECONDS ?? 60)
/** The same designs on a fast machine and a slow one. */
const ROUNDS = Number(process.env.PROPERTY_ROUNDS ?? 30)
const PROBES = 60
const FORGED = 8
const WORLD = '198.51.100.2'
const SEEN_AS = '198.51.100.1'
/** How long an answer may take; one that should come and does not is waited for again, longer, before it counts as lost. */
const WAIT = { shortMs: 250, longMs: 2000 }

let lab: Lab
let grounds: Ground[]
let world: Guest
const guests = new Map<string, Guest>()
const random: Random = openRandom(SEED)

before(async () => {
  lab = await openLab()
  const { home, networks } = lab
  await networks.up()
  grounds = ground(home, random)
  for (const spec of design(home, grounds, random, WORLD)) await networks.apply(spec)
  for (const { ports, subnets } of grounds) {
    for (const port of ports.filter(p => !p.translates)) {
      const { cidr } = subnets.find(subnet => subnet.id === port.subnet)!
      const [gateway] = gatewayOf(cidr).split('/')
      const address = `${port.addresses[0]!.private}/${parseCidr(cidr)!.length}`
      guests.set(port.id, await lab.guest(`g${port.index}`, { index: port.index, address, gateway: gateway! }))
    }
  }
  world = await lab.space('world', [
    `link add w type veth peer name ${home.prefix}w netns ${process.pid}`, `address add ${WORLD}/24 dev w`, 'link set dev w up',
    `route add default via ${SEEN_AS}`,
  ])
  await ipBatch([`address add ${SEEN_AS}/24 dev ${home.prefix}w`, `link set dev ${home.prefix}w up`])
  for (const guest of [...guests.values(), world]) {
    for (const port of SERVED.tcp) await guest.ask({ do: 'listen', port })
    for (const port of SERVED.udp) await guest.ask({ do: 'listenUdp', port })
    // Asks for its neighbours with its own address, whatever it sends from.
    await run(inside(guest.space, 'sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=2'))
  }
  const [router, box] = [routerOf(grounds), boxOf(grounds)].map(port => guests.get(port.id)!) as [Guest, Guest]
  for (const { space } of [router, box]) {
    await run(inside(space, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0'))
  }
  // What it forges itself goes out as it was forged.
  await run(inside(router.space, 'nft', '-f', '-'), 'table ip r {\nchain c {\ntype nat hook postrouting priority srcnat\n'
    + 'fib saddr type != local masquerade\n}\n}\n')
})

after(async () => {
  // The kernel frees the devices of many namespaces in its own time, and the next test looks for what is left.
  await run(['ip', 'link', 'delete', `${lab.home.prefix}w`])
  await lab.close()
})

type Probe = { from: string; packet: Packet; text: string }
let number = 0

/** Half of them such that would arrive, if a few tries find one: of what chance sends most dies soon. */
function hopeful(specs: NetworkSpec[]): Probe {
  const isHoped = random.chance(0.5)
  for (let tries = 1; ; tries++) {
    const found = probe(specs)
    if (!isHoped || tries === 8 || passage(atlasOf(specs), found.from, found.packet).arrival) return found
  }
}

/** Some machine sends something somewhere; from an address that is not its own, where one is given. */
function probe(specs: NetworkSpec[], forger?: { from: string; source: string }): Probe {
  const senders = specs.flatMap(spec => spec.ports.filter(port => !port.translates).map(port => ({ spec, port })))
  const { spec, port } = senders.find(sender => sender.port.id === forger?.from) ?? random.pick(senders)
  const source = forger?.source ?? own(port.id)
  const others = (all: NetworkSpec[]) => all.flatMap(s => s.ports).filter(p => p.id !== port.id && own(p.id) !== source)
  const publics = specs.flatMap(s => s.ports).flatMap(p => p.addresses[0]!.public ?? [])
  const target = random.chance(0.4) ? own(random.pick(others([spec])).id)
    : random.chance(0.3) ? own(random.pick(others(specs)).id)
      : random.chance(0.7) ? random.pick(publics) : WORLD
  const protocol = forger ? 'udp' : random.pick(['tcp', 'tcp', 'udp', 'udp', 'icmp'] as const)
  const to = protocol === 'icmp' ? 0 : random.pick(SERVED[protocol])
  // In another network there may be somebody with the same address.
  const isSelf = target === own(port.id) || target === source
  return { from: port.id, text: `probe-${number++}`, packet: { protocol, source, target: isSelf ? WORLD : target, port: to } }
}

/** By whom the asked one says to see the asker; true for an answered ping. */
async function put({ from, packet: { protocol, source, target, port }, text }: Probe, waitMs: number): Promise<string | boolean> {
  const guest = guests.get(from)!
  if (protocol === 'icmp') {
    const seconds = String(Math.ceil(waitMs / 1000))
    const { code, err } = await attempt(inside(guest.space, 'busybox', 'ping', '-c', '1', '-W', seconds, target))
    assert.ok(code === 0 || code === 1, `ping cannot be run: ${err}`)
    return code === 0
  }
  const said = protocol === 'tcp'
    ? await guest.ask({ do: 'connect', host: target, port, from: source, waitMs })
    : await guest.ask({ do: 'send', host: target, port, from: source, text, waitMs })
  // Nobody on its own link knows the neighbour, either.
  return said === 'timeout' || said === 'EHOSTUNREACH' ? false : String(said)
}

/** Every packet that arrived by UDP: its text, where, and from whom it seemed to come. */
async function heard(): Promise<string[]> {
  const all = await Promise.all([...guests, ['world', world] as const].map(async ([id, guest]) =>
    (await guest.ask({ do: 'heard' }) as string[]).map(line => `${line} ${id}`)))
  return [...new Set(all.flat())]
}

async function round(specs: NetworkSpec[], counts: Counts, which: string): Promise<void> {
  for (const spec of specs) await lab.networks.apply(spec)
  for (const spec of specs) await run(inside(routerSpace(lab.home, spec.index), 'conntrack', '-F'))
  await verify(specs, Array.from({ length: PROBES }, () => hopeful(specs)), counts, which)
  // One guest forges one address: what is a guest's own for the time, nobody else can answer to.
  const { ports } = random.pick(grounds)
  const [from, other] = [random.pick(ports.filter(port => !port.translates)).id, random.pick(ports).id]
  if (from === other) return
  const { space } = guests.get(from)!
  await ipBatch([`address add ${own(other)}/32 dev lo`], space)
  await verify(specs, Array.from({ length: FORGED }, () => probe(specs, { from, source: own(other) })), counts, which)
  await ipBatch([`address del ${own(other)}/32 dev lo`], space)
}

const atlasOf = (networks: NetworkSpec[]): Atlas => (
  { networks, routers: new Set([routerOf(grounds).id]), boxes: new Set([boxOf(grounds).id]), world: { address: WORLD, seenAs: SEEN_AS } })

/** Sends all at once and compares. */
async function verify(specs: NetworkSpec[], probes: Probe[], counts: Counts, which: string): Promise<void> {
  const atlas = atlasOf(specs)
  const wanted = probes.map(({ from, packet }) => passage(atlas, from, packet))
  const seenBy = (n: number) => (!wanted[n]!.answered ? false : probes[n]!.packet.protocol === 'icmp' || wanted[n]!.arrival!.source)
  const first = await Promise.all(probes.map(p => put(p, WAIT.shortMs)))
  const answers = await Promise.all(first.map((answer, n) => (answer === false && seenBy(n) !== false ? put(probes[n]!, WAIT.longMs) : answer)))
  let arrived = await heard()
  const lost = () => probes.flatMap((p, n) =>
    (p.packet.protocol === 'udp' && wanted[n]!.arrival && !arrived.some(line => line.startsWith(`${p.text} `)) ? [p] : []))
  // A busy machine loses a packet now and then; one that may pass does so when it is sent again.
  for (let tries = 0; tries < 3 && lost().length > 0; tries++) {
    await Promise.all(lost().map(p => put(p, WAIT.longMs)))
    arrived = [...new Set([...arrived, ...await heard()])]
  }
  const wrong: string[] = []
  for (const [n, { from, packet, text }] of probes.entries()) {
    const { arrival } = wanted[n]!
    const compare = (what: string, is: unknown, shall: unknown) => {
      if (is !== shall) wrong.push(`${from} ${JSON.stringify(packet)}: ${what} is ${String(is)}, the model says ${String(shall)}`)
    }
    compare('the answer', answers[n], seenBy(n))
    counts[answers[n] === false ? 'silent' : 'answered']++
    if (arrival?.over) counts.forwarded++
    if (packet.protocol !== 'udp') continue
    compare('who heard it', arrived.filter(line => line.startsWith(`${text} `)).join(), arrival ? `${text} ${arrival.source} ${arrival.at}` : '')
    if (packet.source !== own(from)) counts.forged++
  }
  assert.deepEqual(wrong, [], `${which}\n${JSON.stringify(specs)}`)
}

type Counts = { answered: number; silent: number; forwarded: number; forged: number; rounds: number }
const own = (id: string) => grounds.flatMap(g => g.ports).find(port => port.id === id)!.addresses[0]!.private

test(`packets pass where the model says, and nowhere else (seed ${SEED})`, async t => {
  const counts: Counts = { answered: 0, silent: 0, forwarded: 0, forged: 0, rounds: 0 }
  for (const end = Date.now() + SECONDS * 1000; counts.rounds < ROUNDS && Date.now() < end; counts.rounds++) {
    await round(design(lab.home, grounds, random, WORLD), counts, `seed ${SEED}, round ${counts.rounds}`)
  }
  t.diagnostic(`seed ${SEED}: ${counts.rounds} designs, ${counts.answered} packets answered, ${counts.silent} not, `
    + `${counts.forwarded} arrived over a machine between, ${counts.forged} forged`)
  assert.ok(counts.answered > counts.rounds && counts.silent > counts.rounds && counts.forwarded > 0 && counts.forged > 0, 'a test of nothing')
})
