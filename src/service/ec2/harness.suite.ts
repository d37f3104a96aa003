/**
 * For tests of EC2's actions: a dispatcher over some of them, on a store in memory, with a clock that stands still.
 *
 * Invariant: every answer is held against the operation's output schema, so that a misspelt member fails the test that saw it.
 */
import assert from 'node:assert/strict'
import * as sdk from '@aws-sdk/client-ec2'
import { dispatcher, type Actions, type Place, type ServiceDefinition } from '#kit/action'
import { ApiError } from '#kit/error'
import { noting } from '#kit/provoked.suite'
import type { AnyResource } from '#kit/resource'
import { operationsOf, type Input, type Name, type Output, type Shape } from '#kit/schema'
import type { Tx } from '#store/store'
import { openSqlite } from '#store/sqlite'

type Sdk = typeof sdk
export const operations = operationsOf(sdk)
export const NOW = new Date('2026-05-01T10:00:00.000Z')
export const PLACE: Place = { account: '111122223333', region: 'us-east-1' }

export function harness(actions: Actions<Sdk>, prepare?: (tx: Tx, place: Place) => Promise<void>) {
  const store = openSqlite(':memory:', () => NOW)
  const service: ServiceDefinition = {
    id: 'ec2', operations, actions: actions as ServiceDefinition['actions'],
    prepare: prepare && { needed: () => true, run: prepare, done: () => {} },
    missing: member => new ApiError('MissingParameter', `The request must contain the parameter ${member}`),
  }
  const dispatch = noting(dispatcher({ services: [service], store, clock: () => NOW, authorise: async () => {} }))

  /** Calls as an account in a region; the answer fits the schema. */
  async function call<N extends Name<Sdk>>(operation: N, input: Input<Sdk, N>, place = PLACE): Promise<Output<Sdk, N>> {
    const principal = { account: place.account, arn: `arn:aws:iam::${place.account}:root`, userId: place.account, root: true }
    const caller = { principal, region: place.region, requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
    const output = await dispatch({ service: 'ec2', operation, input: input as object, caller })
    checkShape(operations.get(operation)!.output, output, operation)
    return output as Output<Sdk, N>
  }

  /** The code and message that a call is refused with. */
  async function refusal<N extends Name<Sdk>>(operation: N, input: Input<Sdk, N>, place = PLACE): Promise<string> {
    try {
      await call(operation, input, place)
    } catch (error) {
      if (error instanceof ApiError) return `${error.code}: ${error.message}`
      throw error
    }
    return assert.fail(`${operation} was not refused`)
  }
  return { store, call, refusal }
}

/** Every member of a value is one of the shape's. */
export function checkShape(shape: Shape, value: unknown, path: string): void {
  if (value === undefined || value === null) return
  if (shape.kind === 'list') for (const item of value as unknown[]) checkShape(shape.value!.target, item, path)
  if (shape.kind !== 'struct') return
  for (const [key, inner] of Object.entries(value)) {
    const member = shape.byName.get(key)
    assert.ok(member, `${path} has no member ${key}`)
    checkShape(member.target, inner, `${path}.${key}`)
  }
}

/** Every filter that is a path leads somewhere in the listed member of an operation's output. */
export function checkFilters({ filters }: Pick<AnyResource, 'filters'>, operation: string, list: string): void {
  const item = operations.get(operation)!.output.byName.get(list)!.target.value!.target
  for (const [name, path] of Object.entries(filters)) {
    if (typeof path !== 'string') continue
    let shape = item
    for (const key of path.split('.')) {
      const target = (shape.kind === 'list' ? shape.value!.target : shape).byName.get(key)?.target
      assert.ok(target, `filter ${name}: ${operation} gives no ${path}`)
      shape = target
    }
  }
}

/** A value without its members that are undefined, as the wire tells it. */
export function present<T>(value: T): T {
  if (Array.isArray(value)) return value.map(present) as T
  if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return value
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined).map(([key, inner]) => [key, present(inner)])) as T
}
