/** Who asks the resolver without end is not answered without end, and its neighbour is answered all the while. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, network, port } from '#engine/net/networks.suite'

const FOR_MS = 3000
/** Packets that an interface may send to the resolver in a second ("DNS quotas", VPC User Guide). */
const QUOTA = 1024
let lab: Lab
let one: Guest, two: Guest

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  await lab.networks.apply(network({
    groups: [{ id: 'group', ingress: [], egress: [all] }], ports: [port(lab.home, 1, ['group']), port(lab.home, 2, ['group'])],
  }))
  one = await lab.guest('one', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  two = await lab.guest('two', { index: 2, address: '172.31.0.12/20', gateway: '172.31.0.1' })
})
after(() => lab.close())

test('what a port asks beyond 1,024 packets a second is not answered, and its neighbour is, each time', async t => {
  const name = 'ip-172-31-0-12.ec2.internal'
  const asking = one.ask({ do: 'questions', server: '172.31.0.2', name, forMs: FOR_MS }) as Promise<{ asked: number; answered: number }>
  let over = false
  void asking.then(() => { over = true })
  const answers: unknown[] = []
  const began = performance.now()
  const ask = () => two.ask({ do: 'resolve', server: '169.254.169.253', name })
  // A resolver's client asks again what a busy machine has lost. Many fewer than it may ask.
  while (!over && answers.length < QUOTA / 2) answers.push(await ask().then(said => (said === 'ETIMEOUT' ? ask() : said)))
  const { asked, answered } = await asking
  const seconds = (performance.now() - began) / 1000
  t.diagnostic(`${asked} asked in ${seconds.toFixed(1)} s, ${answered} answered; the neighbour ${answers.length} times`)
  assert.deepEqual(answers.filter(answer => String(answer) !== '172.31.0.12'), [])
  assert.ok(asked > 5 * QUOTA && answers.length > 10, 'a test of nothing')
  assert.ok(answered > QUOTA / 2 && answered <= QUOTA * (seconds + 1), `${answered} answered`)
})
