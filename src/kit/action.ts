/**
 * The pipeline around every action: pace, authorise, required members, client token, transaction, DryRun.
 *
 * Invariants: an action changes nothing but through its transaction, so that a refused, failed or dry-run call leaves no
 * trace; what AWS does for all operations alike is done here, decided by the members of the operation's input schema.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '#base/clock'
import { ApiError } from '#kit/error'
import type { Caller } from '#kit/caller'
import type { Input, Name, Operation, Output } from '#kit/schema'
import { tagSpecifications, type Tags } from '#kit/tags'
import { Full, type Reader, type Store, type Tx } from '#store/store'

export type Place = { account: string; region: string }
export type Call<I> = Place & {
  input: I
  caller: Caller
  tx: Tx
  now: Date
  /** This request's tags for a type of resource that it makes. */
  tags(resourceType: string): Tags
  /** Throws the service's denial where the caller may not do this besides: pass a role, for one. */
  permit(also: Also): Promise<void>
}
/** An action of any service that a call implies, on an ARN, with condition keys of its own. */
export type Also = { action: string; resource: string; keys?: Record<string, string[]> }
/** Runs inside the request's transaction. */
export type Action<I, O> = (call: Call<I>) => Promise<O>
/** Only looks: outside a transaction, and may ask the engine. DryRun never runs it. */
export type Look<I, O> = { look(call: Omit<Call<I>, 'tx' | 'tags' | 'permit'> & { reader: Reader }): Promise<O> }
/**
 * Works on what the store does not hold (objects and their bytes), outside of its transaction, for as long as a body
 * streams. It keeps by itself what the pipeline keeps for others: a call that fails leaves no trace.
 */
export type Work<I, O> = { work(call: Omit<Call<I>, 'tx' | 'tags'> & { reader: Reader }): Promise<O> }
/** The part of a service that is implemented: operation name to action, each typed by the SDK's commands. */
export type Actions<M> = { [N in Name<M>]?: Action<Input<M, N>, Output<M, N>> | Look<Input<M, N>, Output<M, N>> | Work<Input<M, N>, Output<M, N>> }

export type ServiceDefinition = {
  id: string
  operations: Map<string, Operation>
  actions: Record<string, Action<any, any> | Look<any, any> | Work<any, any>>
  /** What must exist before any call in a place (a region's default VPC): made in a transaction of its own, before the call's. */
  prepare?: {
    /** Cheap: asked before every call. */
    needed(place: Place): boolean
    run(tx: Tx, place: Place, now: Date): Promise<void>
    /** `run` is committed. */
    done(place: Place): void
  }
  /** Input members that the newest model requires but older clients don't send: operation -> names. */
  relaxed?: Record<string, readonly string[]>
  /** The most characters of client tokens, by operation, where they may have more than others. */
  tokenMax?: Record<string, number>
  access?: Access
  /** Absent: callers may ask as often as they like. */
  pace?: Pace
  /** How this service names a missing member. */
  missing(member: string): ApiError
}

export type Asked = { operation: string; input: object; caller: Caller }
/** Throws the service's refusal of what comes too often. Counts what it lets through. */
export type Pace = {
  /** Of every call, before anything is known of it. */
  request(call: Asked): void
  /** Of a call that may be made and is no dry run, for what it is about to do. */
  resources(call: Asked): void
}

/** What only the service can tell of what a call is about; the rest follows from AWS's facts and the request. */
export type Access = {
  /** The input as it will be understood: with the defaults that policies speak of. */
  complete?(reader: Reader, place: Place, call: { operation: string; input: object }): Promise<object>
  /** Policies that a resource has of its own, and whose the resource is. */
  policies?(reader: Reader, arn: string): Promise<{ account: string; documents: string[] } | undefined>
  /** Condition keys that the service alone has values of: those that the action knows, by their names as policies write them. */
  keys?(asked: KeysAsked): Promise<Record<string, string[]>>
  /** How this service words a denial; by default AccessDenied and the message. */
  denied?(message: string): ApiError
}

/** `given` are the keys that are known already, in lower case. */
export type KeysAsked = {
  operation: string; action: string; resource: string; input: object; caller: Caller; given: ReadonlyMap<string, string[]>
}

export type Dispatch = (call: { service: string; operation: string; input: object; caller: Caller }) => Promise<object>
/** Says whether a caller may; throws the service's own denial. `also` asks for something besides the operation itself. */
export type Authorise = (call: {
  service: ServiceDefinition; operation: string; input: object; caller: Caller; reader: Reader; also?: Also
}) => Promise<void>

const TOKEN_MAX = 64
const dryRun = () => new ApiError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)

/** EC2's common errors: "The server is overloaded and can't handle the request", which clients try again. */
const noRoom = (error: unknown): never => {
  throw error instanceof Full ? new ApiError('Unavailable', 'The disk of this host is full: nothing can be changed until there is room.', 503) : error
}

export type DispatcherOptions = { services: ServiceDefinition[]; store: Store; clock: Clock; authorise: Authorise }

export function dispatcher({ services, store, clock, authorise }: DispatcherOptions): Dispatch {
  const byId = new Map(services.map(service => [service.id, service]))
  return async ({ service: id, operation: name, input, caller }) => {
    const service = byId.get(id)
    const operation = service?.operations.get(name)
    if (!service || !operation) throw new ApiError('InvalidAction', `The action ${name} is not valid for this web service.`)
    service.pace?.request({ operation: name, input, caller })
    await authorise({ service, operation: name, input, caller, reader: store })
    const action = service.actions[name]
    if (!action) throw new ApiError('UnsupportedOperation', `Enclume does not implement ${name}.`)
    checkRequired(service, operation, input as Record<string, unknown>)
    if (!(input as { DryRun?: boolean }).DryRun) service.pace?.resources({ operation: name, input, caller })
    const place = { account: caller.principal.account, region: caller.region }
    await prepare(service, place)
    if ('look' in action) {
      if ((input as { DryRun?: boolean }).DryRun) throw dryRun()
      return action.look({ ...place, input, caller, reader: store, now: clock() })
    }
    if ('work' in action) {
      const permit = (also: Also) => authorise({ service, operation: name, input, caller, reader: store, also })
      return action.work({ ...place, input, caller, reader: store, now: clock(), permit })
    }
    return store.transact(async tx => {
      // Asked again of what is there now: what the request leaves to be looked up may be another since, and was not there at all
      // where this is the region's first call.
      if (service.access?.complete) await authorise({ service, operation: name, input, caller, reader: tx })
      const permit = (also: Also) => authorise({ service, operation: name, input, caller, reader: tx, also })
      return run({ action, operation, input, tokenMax: service.tokenMax?.[name] ?? TOKEN_MAX, call: { ...place, caller, tx, now: clock(), permit } })
    }).catch(noRoom)
  }

  async function prepare({ prepare: preparation }: ServiceDefinition, place: Place): Promise<void> {
    if (!preparation?.needed(place)) return
    await store.transact(tx => preparation.run(tx, place, clock())).catch(noRoom)
    preparation.done(place)
  }
}

function checkRequired(service: ServiceDefinition, operation: Operation, input: Record<string, unknown>): void {
  const relaxed = service.relaxed?.[operation.name] ?? []
  for (const member of operation.input.members) {
    if (member.required && input[member.name] === undefined && !relaxed.includes(member.name)) throw service.missing(member.name)
  }
}

type Run = { action: Action<any, object>; operation: Operation; input: object; tokenMax: number; call: Omit<Call<object>, 'input' | 'tags'> }

async function run({ action, operation, input, tokenMax, call }: Run): Promise<object> {
  const given = input as { DryRun?: boolean; TagSpecifications?: [] }
  const { account, region, tx, now } = call
  // The SDK's model marks it where clients make one up by themselves; where callers alone do, it is called so.
  const member = operation.input.members.find(m => m.traits.idempotencyToken || m.name === 'ClientToken')?.name
  const token = member && (given as Record<string, string | undefined>)[member]
  const hash = token && createHash('sha256').update(JSON.stringify(sorted(input))).digest('hex')
  if (token) {
    if (token.length > tokenMax || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ApiError('InvalidParameterValue', `Invalid value '${token}' for ${member}: at most ${tokenMax} ASCII characters`)
    }
    const before = await tx.token(account, region, operation.name, token)
    if (before && before.hash !== hash) {
      throw new ApiError('IdempotentParameterMismatch', 'The client token was used before with other parameters.')
    }
    if (before) return JSON.parse(before.response, revive)
  }
  const tags = tagSpecifications(given.TagSpecifications)
  const output = await action({ ...call, input, tags: tags.of })
  tags.rest()
  if (given.DryRun) throw dryRun()
  if (token && hash) {
    await tx.putToken(account, region, {
      operation: operation.name, token, hash, response: JSON.stringify(output, dates), created: now.toISOString(),
    })
  }
  return output
}

/** The same parameters in another order are the same parameters. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]))
}

// JSON.stringify hands dates to a replacer as text already; `this` still holds the Date.
function dates(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]
  return raw instanceof Date ? { $date: raw.toISOString() } : value
}
const revive = (_: string, value: any): unknown => (typeof value?.$date === 'string' ? new Date(value.$date) : value)
