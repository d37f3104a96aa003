/** A control plane on the fake engine behind the real front door, for conformance tests with official clients. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EC2Client } from '@aws-sdk/client-ec2'
import { homeAt } from '#base/home'
import { openLog, silent } from '#base/log'
import { openCloud, type Cloud, type CloudOptions } from '#cloud'
import { openFake, type FakeEngine, type FakeOptions } from '#engine/fake'
import { noting } from '#kit/provoked.suite'
import { wireServices } from '#service/index'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'
import { openObjects } from '#wire/objects'
import { openWire, type Wire, type WireOptions } from '#wire/server'

export const keys = { account: '123456789012', accessKeyId: 'AKIAENCLUMECONFORMNC', secretAccessKey: 'conformance/secret/of/forty/characters/0' }

export type TestServer = {
  url: string
  /** Its home. */
  dir: string
  cloud: Cloud
  engine: FakeEngine
  store: Store
  wire: Wire
  /** The URL of one more door, whose callers come by this way. */
  door(origin: WireOptions['origin']): Promise<string>
  ec2(options?: { region?: string; accessKeyId?: string; secretAccessKey?: string; sessionToken?: string }): EC2Client
  close(): Promise<void>
}
export type TestOptions = {
  fake?: FakeOptions
  engine?: FakeEngine
  store?: Store
  /** A home that outlives the server. */
  dir?: string
  apiThrottle?: boolean
} & Pick<CloudOptions, 'hook' | 'clock' | 'pause' | 'history' | 'metrics'>

const log = process.env.ENCLUME_TEST_LOG ? openLog(line => process.stderr.write(line)) : silent

export async function openServer(options: Partial<TestOptions> = {}): Promise<TestServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'enclume-conformance-'))
  const home = homeAt({ dir, apiThrottle: options.apiThrottle })
  const engine = options.engine ?? openFake(options.fake)
  const store = options.store ?? openSqlite(':memory:')
  const clock = options.clock ?? (() => new Date())
  let url = ''
  const cloud = await openCloud({
    home, engine, store, log, clock, root: keys, deliver: async () => {}, objects: openObjects(() => url, keys), hook: options.hook,
    pause: options.pause ?? { first: 5, longest: 50 }, history: options.history, metrics: options.metrics,
  })
  const api = { services: wireServices(cloud.services), dispatch: noting(cloud.dispatch), log, clock, credentials: cloud.identity.credentials }
  const wire = openWire({ ...api, health: () => ({ status: 'ok', engine: engine.name }) })
  const doors: Wire[] = []
  const { port } = await wire.listen(0, '127.0.0.1')
  url = `http://127.0.0.1:${port}`
  cloud.start()
  const clients: EC2Client[] = []
  return {
    url, dir, cloud, engine, store, wire,
    async door(origin) {
      const door = openWire({ ...api, origin })
      doors.push(door)
      return `http://127.0.0.1:${(await door.listen(0, '127.0.0.1')).port}`
    },
    ec2({ region = 'us-east-1', ...credentials } = {}) {
      const client = new EC2Client({ endpoint: url, region, credentials: { ...keys, ...credentials }, maxAttempts: 1 })
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) client.destroy()
      await Promise.all([wire, ...doors].map(door => door.close()))
      await cloud.close()
      if (!options.store) await store.close()
      if (!options.dir) rmSync(dir, { recursive: true })
    },
  }
}
