/**
 * A host that outlives its control planes: one fake engine and one database file, and clouds over them that die as by kill -9.
 *
 * Each step on the way passes a point: the loop's hooks (`loop instance.act.start`), the engine before and after an act
 * (`before machine.start`, `after machine.start`), and each commit before anybody hears of it (`commit instance running`).
 * Invariant: from the moment a cloud dies nothing that it does reaches the engine or the database any more.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { homeAt } from '#base/home'
import { openLog, silent } from '#base/log'
import { openCloud, type Cloud } from '#cloud'
import { openFake, type FakeEngine } from '#engine/fake'
import { openSqlite } from '#store/sqlite'
import type { Context } from '#service/ec2/context'
import type { Store } from '#store/store'
import { openFakeObjects } from './objects.ts'

const log = process.env.ENCLUME_TEST_LOG ? openLog(line => process.stderr.write(line)) : silent
const principal = { account: '123456789012', arn: 'arn:aws:iam::123456789012:root', userId: '123456789012', root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const forever = new Promise<never>(() => {})
const PATIENCE_MS = 10_000
/** The clock of the control planes runs so much faster, so that what waits for seconds waits for milliseconds here. */
const HASTE = 1000
const began = Date.now()

/** What a test does at a point: says 'kill', throws, or lets it pass. */
export type AtPoint = (point: string) => 'kill' | undefined

/** One life of the control plane. */
type Life = { cloud: Cloud; store: Store; inner: Store; dead: boolean; unwatch?: () => void; killed: Promise<void>; die: () => void }

export type World = Awaited<ReturnType<typeof openWorld>>

export async function openWorld() {
  // In memory where there is such a place: every commit is synced, and there are tens of thousands.
  const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'enclume-fault-'))
  const file = join(dir, 'enclume.db')
  let atPoint: AtPoint = () => undefined
  let life: Life
  const lives: Life[] = []
  let skippedMs = 0
  const clock = () => new Date(began + (Date.now() - began) * HASTE + skippedMs)

  /** Passes a point of the living cloud; false when that killed it. */
  const pass = (point: string, of = life): boolean => {
    if (of.dead) return false
    if (atPoint(point) === 'kill') of.die()
    return !of.dead
  }
  const passOrHang = (point: string) => (pass(point) ? undefined : forever)
  const engine: FakeEngine = openFake({
    before: name => passOrHang(`before ${name}`),
    after: name => passOrHang(`after ${name}`),
  })

  const objects = openFakeObjects(async (name, work) => {
    await passOrHang(`before ${name}`)
    await work()
    await passOrHang(`after ${name}`)
  })

  /** Whole objects that the control plane puts into buckets, in order. */
  const delivered: { bucket: string; key: string; body: Buffer }[] = []
  const deliver: NonNullable<Context['deliver']> = async ({ bucket, key, body }) => {
    await passOrHang('before object.deliver')
    delivered.push({ bucket, key, body })
    await passOrHang('after object.deliver')
  }

  /** Opens a control plane over what there is. */
  async function open(): Promise<Cloud> {
    const inner = openSqlite(file)
    const { promise: killed, resolve } = Promise.withResolvers<void>()
    const own = { inner, dead: false, killed, die: () => { own.dead = true; resolve() } } as Life
    own.store = gated(inner, own, {
      watch: callback => inner.watch(events => {
        const heard = events.map(event => pass(`commit ${event.kind} ${event.name}`, own))
        if (heard.every(Boolean)) callback(events)
      }),
    })
    life = own
    lives.push(own)
    const gatedEngine = gated(engine, own, {
      machines: gated(engine.machines, own), disks: gated(engine.disks, own), networks: gated(engine.networks, own),
    })
    own.cloud = await openCloud({
      home: homeAt({ dir }), engine: gatedEngine, store: own.store, log, clock, pause: { first: 1, longest: 4 },
      hook: point => passOrHang(`loop ${point}`), objects: gated(objects, own), deliver: gated({ deliver }, own).deliver,
    })
    own.cloud.start()
    return own.cloud
  }

  await open()
  return {
    engine, file, objects, delivered,
    cloud: () => life.cloud,
    store: () => life.store,
    dead: () => life.dead,
    killed: () => life.killed,
    at(what: AtPoint) { atPoint = what },
    /** The clock jumps. */
    later(ms: number) { skippedMs += ms },
    /** Asks the living cloud; never answers where it dies meanwhile. */
    async call<T = any>(operation: string, input: object, service = 'ec2'): Promise<T> {
      return await life.cloud.dispatch({ service, operation, input, caller }) as T
    },
    /** A new control plane after a death: what the old one had begun in the database is over, as its file is closed. */
    async restart(): Promise<Cloud> {
      life.die()
      await life.inner.close()
      return open()
    },
    /** The same with the database as somebody copied it before. */
    async restore(copy: string): Promise<Cloud> {
      life.die()
      await life.inner.close()
      for (const beside of ['-wal', '-shm']) rmSync(file + beside, { force: true })
      copyFileSync(copy, file)
      return open()
    },
    async close(): Promise<void> {
      atPoint = () => undefined
      if (life.dead) await life.inner.close()
      else { await life.cloud.close(); await life.inner.close() }
      rmSync(dir, { recursive: true })
    },
  }
}

/** The same functions, that never answer once the cloud is dead. */
function gated<T extends object>(target: T, life: { dead: boolean }, instead: Partial<T> = {}): T {
  return new Proxy(target, {
    get(_, name: string) {
      if (name in instead) return instead[name as keyof T]
      const member = (target as Record<string, unknown>)[name]
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        if (life.dead) return forever
        const result: unknown = member.apply(target, args)
        if (!(result instanceof Promise)) return result
        return result.then(value => (life.dead ? forever : value), error => (life.dead ? forever : Promise.reject(error as Error)))
      }
    },
  })
}

/** Waits until a question has an answer that is empty; throws with the last answer otherwise. */
export async function untilNone(problems: () => Promise<string[]>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const left = await problems()
    if (left.length === 0) return
    if (Date.now() > deadline) throw new Error(`it does not come to rest:\n  ${left.join('\n  ')}`)
    await pause(2)
  }
}
