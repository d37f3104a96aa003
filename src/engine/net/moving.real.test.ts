/**
 * Connections over an address that moves or goes, as on EC2: what is sent on over it comes to who has it now, whose own system answers that it
 * knows of no such connection, if its groups let the packet in; where nobody has it, it vanishes.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { openLab, until, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, ANY, network, port, publicAddress, tcp } from '#engine/net/networks.suite'
import { routerSpace } from '#engine/net/names'
import { inside, ipBatch, run } from '#engine/net/run'
import type { GroupRule, NetworkSpec } from '#engine/port'

let lab: Lab
let one: Guest, two: Guest, shut: Guest, other: Guest
let moving: string, spare: string, elsewhere: string
const hosts: Socket[] = []
/** A reset comes at once, where it comes; an answer to a first packet that was lost comes with the second, a second later. */
const WAIT_MS = 8000

/** The network, with the public addresses of its ports. */
const having = (publics: Record<number, number>, ssh: GroupRule[] = [{ ...tcp(22), peer: ANY }]): NetworkSpec => network({
  groups: [
    { id: 'ssh', ingress: ssh, egress: [all] },
    // What it answers to what came in, no rule for what goes out is asked about.
    { id: 'mute', ingress: ssh, egress: [] },
    { id: 'shut', ingress: [{ ...tcp(80), peer: ANY }], egress: [all] },
  ],
  ports: [['ssh'], ['mute'], ['shut']].map((groups, i) => port(lab.home, i + 1, groups, publics[i + 1] ? { public: publics[i + 1] } : {})),
})
const apply = (publics: Record<number, number>, ssh?: GroupRule[]) => lab.networks.apply(having(publics, ssh))

before(async () => {
  lab = await openLab()
  ;[moving, spare, elsewhere] = [11, 12, 21].map(n => publicAddress(lab.home, n)) as [string, string, string]
  await lab.networks.up()
  await apply({ 1: 11 })
  await lab.networks.apply(network({
    id: 'network-b', index: 2, groups: having({}).groups, ports: [port(lab.home, 21, ['ssh'], { network: 2, host: '172.31.0.31', public: 21 })],
  }))
  const guest = (name: string, index: number, host: string) => lab.guest(name, { index, address: `${host}/20`, gateway: '172.31.0.1' })
  one = await guest('one', 1, '172.31.0.11')
  two = await guest('two', 2, '172.31.0.12')
  shut = await guest('shut', 3, '172.31.0.13')
  other = await guest('other', 21, '172.31.0.31')
  for (const each of [one, two, shut, other]) await each.ask({ do: 'listen', port: 22 })
})
after(async () => {
  for (const socket of hosts) socket.destroy()
  await lab.close()
})

const dial = (from: Guest, host: string, keep?: string, text?: string) =>
  from.ask({ do: 'connect', host, port: 22, keep, text, waitMs: WAIT_MS })
const say = (from: Guest, keep: string, waitMs?: number) => from.ask({ do: 'say', keep, text: keep, waitMs })

/** The same from the host itself: how many milliseconds a connection took, and what is answered, or ends it. */
const dialHost = () => new Promise<number>((resolve, reject) => {
  const began = performance.now()
  const socket = connect({ host: moving, port: 22, timeout: WAIT_MS }).on('error', reject).on('timeout', () => reject(new Error('timeout')))
    .once('data', () => { socket.setTimeout(0); hosts.push(socket); resolve(performance.now() - began) })
})
const sayHost = (waitMs: number) => new Promise<string>(resolve => {
  const socket = hosts.pop()!.removeAllListeners('error')
  const end = (said: string) => { clearTimeout(timer); socket.destroy(); resolve(said) }
  const timer = setTimeout(() => end('timeout'), waitMs)
  socket.on('error', error => end((error as NodeJS.ErrnoException).code!)).on('data', data => end(String(data))).write('host')
})

/** Holds what a guest sends that has these flags of TCP's, until it is let go. */
async function hold({ space }: Guest, flags: string): Promise<() => Promise<string>> {
  await run(inside(space, 'nft', '-f', '-'), `table ip hold {\nchain c {\ntype filter hook output priority 0\n`
    + `tcp flags & (syn|ack) == (${flags}) counter drop\n}\n}\n`)
  return () => run(inside(space, 'nft', 'delete', 'table', 'ip', 'hold'))
}
const held = async ({ space }: Guest) => /packets [1-9]/.test(await run(inside(space, 'nft', 'list', 'table', 'ip', 'hold')))

test('who speaks on over an address that moved is reset by who has it now, and connects anew at once', async t => {
  await dialHost()
  assert.equal(await dial(other, moving, 'old'), elsewhere)
  await apply({ 2: 11 })
  const tookMs = await dialHost()
  assert.equal(await dial(other, moving, 'new'), elsewhere)
  t.diagnostic(`the first new connection from the host took ${tookMs.toFixed(1)} ms`)
  assert.deepEqual([await say(other, 'new', WAIT_MS), await sayHost(WAIT_MS)], ['new', 'host'], 'which reach who has it now')
  assert.equal(await say(other, 'old', WAIT_MS), 'ECONNRESET')
})

test('who speaks on is reset from the host, too', async () => {
  await apply({ 1: 11 })
  await dialHost()
  await apply({ 2: 11 })
  assert.equal(await sayHost(WAIT_MS), 'ECONNRESET')
})

test('where the groups of who has it now do not let it in, or nobody has it, it vanishes, and nothing of it is kept', async () => {
  for (const moved of [{ 3: 11 }, {}] as Record<number, number>[]) {
    await apply({ 1: 11 })
    await dialHost()
    assert.equal(await dial(other, moving, 'old'), elsewhere)
    await apply(moved)
    assert.deepEqual(await Promise.all([say(other, 'old'), sayHost(400)]), ['timeout', 'timeout'])
    assert.doesNotMatch(await run(inside(routerSpace(lab.home, 1), 'conntrack', '-L')), new RegExp(`=${moving.replaceAll('.', '\\.')} `))
  }
})

test('an address that comes back to who had it brings its connections back', async () => {
  await apply({ 1: 11 })
  assert.equal(await dial(other, moving, 'kept'), elsewhere)
  await apply({})
  await apply({ 1: 11 })
  assert.equal(await say(other, 'kept', WAIT_MS), 'kept')
  assert.equal(await say(other, 'kept', WAIT_MS), 'kept')
})

test('who speaks on from behind an address that was changed is reset by whom it speaks to', async () => {
  await apply({ 1: 11 })
  assert.equal(await dial(one, elsewhere, 'outwards'), moving)
  await apply({ 1: 12 })
  assert.equal(await say(one, 'outwards', WAIT_MS), 'ECONNRESET')
  assert.equal(await dial(one, elsewhere), spare)
})

test('inside the network, a private address that moves does as a public one', async () => {
  const second = '172.31.0.50'
  const owned = (index: number): NetworkSpec => {
    const spec = having({})
    return { ...spec, ports: spec.ports.map(p => (p.index === index ? { ...p, addresses: [...p.addresses, { private: second }] } : p)) }
  }
  for (const [guest, index] of [[one, 1], [two, 2]] as const) {
    await ipBatch([`address add ${second}/32 dev ${lab.networks.portDevice(index)}`], guest.space)
  }
  await lab.networks.apply(owned(1))
  assert.equal(await dial(shut, second, 'inside'), '172.31.0.13')
  await lab.networks.apply(owned(2))
  assert.deepEqual([await say(shut, 'inside', WAIT_MS), await dial(shut, second)], ['ECONNRESET', '172.31.0.13'])
})

test('a connection that begins while the address moves is either refused or made with who has it now', async () => {
  await apply({ 1: 11 })
  const release = await hold(other, 'ack')
  const early = dial(other, moving, 'early', 'as ssh does, the client speaks first')
  await until(() => held(other), 'its last packet is held')
  await apply({ 2: 11 })
  await release()
  // Its system sends again what was not answered.
  assert.equal(await early, 'ECONNRESET')

  await apply({ 1: 11 })
  const answer = await hold(one, 'syn|ack')
  const late = dial(other, moving, 'late')
  await until(() => held(one), 'the answer is held')
  await apply({ 1: 12, 2: 11 })
  await answer()
  assert.equal(await late, elsewhere)
  await apply({ 1: 12 })
  assert.equal(await say(other, 'late'), 'timeout', 'it was made with the other')
})

test('what a rule has ended is begun again by neither side, though one of them may send', async () => {
  await apply({ 1: 11 })
  assert.equal(await dial(other, moving, 'forbidden'), elsewhere)
  await apply({ 1: 11 }, [])
  assert.ok(Number(await one.ask({ do: 'shout', text: 'still here' })) > 0)
  await say(other, 'forbidden')
  assert.equal(await say(other, 'forbidden', 1500), 'timeout')
  assert.equal(await one.ask({ do: 'connect', host: elsewhere, port: 22 }), moving)
})
