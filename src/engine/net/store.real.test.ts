import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { API_PORT, hostAddress, serviceAddress, STORE_PORT, storeAddress } from '#base/home'
import { openLab, type Guest, type Lab } from '#engine/net/lab.suite'
import { all, network, port, publicAddress } from '#engine/net/networks.suite'
import type { NetworkSpec } from '#engine/port'

let lab: Lab
let a: Guest, b: Guest
let spec: NetworkSpec
const seen: string[] = []
const servers = ['api', 'store'].map(text => createServer(socket => {
  seen.push(`${text} ${socket.remoteAddress}`)
  socket.on('error', () => {}).end(text)
}))

before(async () => {
  lab = await openLab()
  await lab.networks.up()
  for (const [i, at] of [API_PORT, STORE_PORT].entries()) {
    await new Promise<void>(resolve => servers[i]!.listen(at, serviceAddress(lab.home), resolve))
  }
  await lab.networks.serve({ host: ['api.example'], store: ['store.example'], addresses: ['public.example'] })
  spec = network({
    groups: [{ id: 'open', ingress: [all], egress: [all] }],
    ports: [port(lab.home, 1, ['open'], { public: 11 }), port(lab.home, 2, ['open'], { subnet: 'subnet-2', host: '172.31.16.12' })],
  })
  await lab.networks.apply(spec)
  a = await lab.guest('a', { index: 1, address: '172.31.0.11/20', gateway: '172.31.0.1' })
  b = await lab.guest('b', { index: 2, address: '172.31.16.12/20', gateway: '172.31.16.1' })
})
after(async () => {
  for (const server of servers) server.close()
  await lab.close()
})

const dial = (from: Guest, host: string) => from.ask({ do: 'connect', host, port: 443 })
const routed = (...routes: NetworkSpec['routeTables'][0]['routes']): NetworkSpec =>
  ({ ...spec, routeTables: [spec.routeTables[0]!, { ...spec.routeTables[1]!, routes }] })

test('the name of a public address means it, whoever has it', async () => {
  const address = publicAddress(lab.home, 77)
  const name = `ec2-${address.replaceAll('.', '-')}.public.example`
  assert.deepEqual(await b.ask({ do: 'resolve', server: '172.31.0.2', name }), [address])
})

test('the store has an address of its own, and a way there leads nowhere else', async () => {
  const store = storeAddress(lab.home)
  assert.deepEqual(await a.ask({ do: 'resolve', server: '172.31.0.2', name: 'bucket.store.example' }), [store])
  assert.deepEqual([await dial(a, store), await dial(a, hostAddress(lab.home)), await dial(b, store)], ['store', 'api', 'timeout'])
  await lab.networks.apply(routed({ cidr: `${store}/32`, via: { store: true } }))
  assert.deepEqual([await dial(b, store), await dial(b, hostAddress(lab.home))], ['store', 'timeout'])
  assert.equal(seen.at(-1), `store ${spec.ports[1]!.fabric}`, 'who has no public address is seen by its fabric address')
  await lab.networks.apply(spec)
  assert.equal(await dial(b, store), 'timeout')
})
