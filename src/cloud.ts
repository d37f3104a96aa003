/**
 * A whole control plane over an engine and a store: services, loop, dispatcher, and the timers that keep them true.
 * main.ts gives it doors; tests open it in memory.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '#base/clock'
import type { Home } from '#base/home'
import type { Log } from '#base/log'
import type { Capacity, Engine, ImageSeen } from '#engine/port'
import { authoriser } from '#identity/authorise'
import { openIdentity, type Identity } from '#identity/identity'
import type { RootKeys } from '#identity/root-keys'
import { sealer } from '#identity/seal'
import { dispatcher, type Authorise, type Dispatch } from '#kit/action'
import { openLoop, type Loop, type LoopOptions } from '#loop/loop'
import type { Context } from '#service/ec2/context'
import { measuring, overseers, services, withParameters } from '#service/index'
import { openHistory } from '#service/cloudtrail/history'
import { openSeries } from '#service/monitoring/series'
import type { Service } from '#service/service'
import type { Store } from '#store/store'

export type CloudOptions = {
  home: Home
  engine: Engine
  store: Store
  log: Log
  clock: Clock
  authorise?: Authorise
  /** The file of the calls' history; by default it lasts as long as the process. */
  history?: string
  /** The file of what is measured; by default it lasts as long as the process. */
  metrics?: string
  root?: RootKeys
  /** What secrets are sealed with; without it they open as long as this process lives. */
  key?: Buffer
  /** How an object gets into a bucket, where S3 is served. */
  deliver?: Context['deliver']
  objects?: Context['objects']
  /** Fault tests: called before each step of the loop. */
  hook?: LoopOptions['hook']
  pause?: LoopOptions['pause']
}
export type Cloud = {
  context: Context
  identity: Identity
  dispatch: Dispatch
  /** Whether a caller may; throws the denial. For what is no action of an API but needs its permission. */
  permit(call: Parameters<Dispatch>[0]): Promise<void>
  loop: Loop
  services: Service[]
  /** Looks at the engine anew: its size, its images, every record, and what is nobody's. */
  sweep(): Promise<void>
  /** Told after each change, of whatever service: of which kinds. Returns what ends it. */
  watch(callback: (kinds: string[]) => void): () => void
  /** Begins to react to the engine and to sweep now and then. */
  start(): void
  close(): Promise<void>
}

const SWEEP_MS = 60_000
/** EC2 keeps client tokens at least a day (EC2 User Guide, "Ensuring idempotency"). */
const TOKENS_KEPT_MS = 7 * 86_400_000

export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { home, engine, store, log, clock, hook, pause, root, deliver, objects, key = randomBytes(32) } = options
  let capacity: Capacity = await engine.capacity()
  let images: ImageSeen[] = await imagesOr([])
  let loop: Loop
  const identity = openIdentity({ store, clock, sealer: sealer(key), root })
  const series = openSeries({ file: options.metrics ?? ':memory:', clock })
  const context = withParameters({
    measure: measuring(series), tally: {},
    store, identity, engine, home, log, clock, loop: () => loop, images: () => images, deliver, objects,
    capacity: () => ({ ...capacity, diskFreeGiB: engine.diskFreeGiB() }),
  })
  const history = openHistory(options.history ?? ':memory:', clock, error => log.error('cloudtrail.lost', { error }))
  let dispatch: Dispatch
  const watched = services(context, series)
  const all = [...watched, ...overseers({ sources: () => watched, dispatch: () => dispatch, history: () => history })]
  loop = openLoop({
    store, log, clock, hook, pause, drivers: all.flatMap(service => service.drivers),
    wakes: async event => (await Promise.all(all.map(service => service.wakes?.(event) ?? []))).flat(),
  })
  const authorise = options.authorise ?? authoriser(identity, clock)
  const definitions = new Map(all.map(({ definition }) => [definition.id, definition]))
  dispatch = history.recording(
    dispatcher({ services: [...definitions.values()], store, clock, authorise }), (id, name) => definitions.get(id)?.operations.get(name))
  const permit: Cloud['permit'] = ({ service: id, ...call }) =>
    authorise({ ...call, service: definitions.get(id)!, reader: store })
  let timer: NodeJS.Timeout | undefined
  let unwatch: (() => void)[] = []
  let sweeping: Promise<void> = Promise.resolve()

  async function imagesOr(before: ImageSeen[]): Promise<ImageSeen[]> {
    const seen = await engine.disks.images()
    return seen === 'unknown' ? before : seen
  }

  async function sweep(): Promise<void> {
    await loop.sweep() // First, as it needs no engine: a record that was written just before a crash waits for nothing else.
    capacity = await engine.capacity()
    images = await imagesOr(images)
    const old = new Date(clock().getTime() - TOKENS_KEPT_MS).toISOString()
    await store.transact(tx => tx.forgetTokens(old))
    for (const service of all) await service.sweep?.()
    history.trim()
  }

  return {
    context, identity, dispatch, permit, loop, services: all, sweep,
    watch(callback) {
      const ends = [store.watch(events => callback(events.map(({ kind }) => kind))), ...all.flatMap(service => service.watch?.(callback) ?? [])]
      return () => { for (const end of ends) end() }
    },
    start() {
      unwatch = [engine.machines.watch(({ id }) => loop.wake('instance', id)), engine.networks.watch(id => loop.wake('vpc', id))]
      for (const service of all) service.start?.()
      const again = () => {
        sweeping = sweep().catch(error => log.error('sweep', { error }))
        void sweeping.then(() => { timer = setTimeout(again, SWEEP_MS).unref() })
      }
      again()
    },
    async close() {
      clearTimeout(timer)
      for (const end of unwatch) end()
      await sweeping
      clearTimeout(timer)
      await loop.close()
      for (const service of all) await service.close?.()
      identity.close()
      history.close()
    },
  }
}
