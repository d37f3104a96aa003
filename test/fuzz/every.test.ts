/**
 * Random and mutated inputs for every operation of every service, with the names of things that exist: each is answered or refused in AWS's words,
 * soon, and a refusal writes nothing. Loops stand still during a request, so that every write then is its own.
 * Another seed: FUZZ_SEED=7; more: FUZZ_ROUNDS=200000.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { ApiError } from '#kit/error'
import type { Payload } from '#kit/payload'
import { openSqlite } from '#store/sqlite'
import { NIGHT_MS, openRandom, roundsOf, seed, valueOf, type Random } from './random.ts'

const rounds = roundsOf()
const account = '111122223333'
const principal = { account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true }
const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'fuzz' }
const LONGEST_MS = 10_000
const KEPT = 500
const ID = /^([a-z]+(-[a-z]+)*-[0-9a-f]{8,17}|arn:aws:.{1,200})$/
const ODD = ['', '\u0000', 'é'.repeat(3000), '-1', '*', '10.0.0.0/16', '10.0.1.0/24', '::/0', 't3.micro', 'us-east-1a', 'tcp', 'x'.repeat(70_000)]

/** Every id in an answer. */
function idsOf(value: unknown): string[] {
  if (typeof value === 'string') return ID.test(value) ? [value] : []
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.values(value).flatMap(idsOf)
}

/** Ids of the kind that a member's name tells, VpcId and SubnetIds, else any. */
function fitting(name: string, ids: readonly string[]): readonly string[] {
  const prefix = `${name.replace(/Ids?$/, '').replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}-`
  const alike = ids.filter(id => id.startsWith(prefix))
  return alike.length ? alike : ids
}

/** The same input with other texts and numbers, long lists and members left out: `wild` says how much of it. */
function mutate(value: unknown, random: Random, { ids, wild, name = '' }: { ids: readonly string[]; wild: number; name?: string }): unknown {
  if (typeof value === 'string') {
    const known = fitting(name, ids)
    return known.length && random.next() < (/Ids?$|Arn/.test(name) ? 0.9 : 0.2) ? random.pick(known) : random.next() < wild ? random.pick(ODD) : value
  }
  if (typeof value === 'number') return random.next() < wild ? random.pick([-1, 0, 8, 2 ** 31, -(2 ** 53)]) : value
  if (Array.isArray(value)) {
    const items = value.map(one => mutate(one, random, { ids, wild, name }))
    return random.next() < wild / 50 ? Array.from({ length: 1500 }, () => items[0]) : items
  }
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value
  const kept = Object.entries(value).filter(([key]) => key !== 'DryRun' && random.next() >= wild)
  return Object.fromEntries(kept.map(([key, one]) => [key, mutate(one, random, { ids, wild, name: key })]))
}

function payload(random: Random): Payload {
  const bytes = Buffer.alloc(random.below(5000), 'x')
  return Object.assign(Readable.from([bytes]), { length: random.next() < 0.1 ? undefined : bytes.length, trailer: undefined, trailers: {} })
}

test('every operation of every service answers or refuses random input, and a refusal writes nothing', { timeout: NIGHT_MS }, async t => {
  t.diagnostic(`seed ${seed}, ${rounds} rounds`)
  const dir = mkdtempSync(join(tmpdir(), 'enclume-fuzz-'))
  const store = openSqlite(':memory:')
  let gate = Promise.withResolvers<void>()
  const cloud = await openCloud({ home: homeAt({ dir }), engine: openFake(), store, log: silent, clock: () => new Date(), hook: () => gate.promise })
  t.after(async () => { gate.resolve(); await cloud.close(); await store.close(); rmSync(dir, { recursive: true }) })
  const random = openRandom(seed)
  // What a region's first call makes, its default VPC, is no write of that call's, which may be refused all the same.
  gate.resolve()
  await cloud.dispatch({ service: 'ec2', operation: 'DescribeVpcs', input: {}, caller })
  await cloud.loop.idle()
  const all = cloud.services.flatMap(({ definition }) => Object.keys(definition.actions).map(operation => ({ definition, operation })))
  const found = new Map<string, string>()
  const ids: string[] = []
  let written: string[] = []
  t.after(store.watch(events => { written.push(...events.map(({ kind, name }) => `${kind} ${name}`)) }))
  let done = 0
  let wrote = 0
  for (let i = 0; i < rounds; i++) {
    const { definition, operation } = i < all.length ? all[i]! : random.pick(all)
    const input = mutate(valueOf(definition.operations.get(operation)!.input, random, { depth: random.pick([3, 7]) }), random, { ids,
      wild: random.pick([0, 0.1, 0.4]) }) as Record<string, unknown>
    // The wire gives what streams to S3 as a payload, whatever came.
    if (definition.id === 's3' && /^(PutObject|UploadPart)$/.test(operation)) input.Body = payload(random)
    gate = Promise.withResolvers<void>()
    written = []
    const began = performance.now()
    try {
      const answer = await cloud.dispatch({ service: definition.id, operation, input, caller })
      done += 1
      if (written.length) wrote += 1
      for (const id of idsOf(answer)) if (ids.length < KEPT) ids.push(id); else ids[random.below(KEPT)] = id
    } catch (error) {
      const ours = !(error instanceof ApiError) || /^Internal(Error|Failure)$/.test(error.code)
      if (ours) found.set(`${operation}: ${(error as Error).stack?.split('\n').slice(0, 3).join(' ')}`, JSON.stringify(input).slice(0, 300))
      else if (written.length) found.set(`${operation} refused with ${error.code}, yet wrote ${written}`, JSON.stringify(input).slice(0, 300))
    }
    if (performance.now() - began > LONGEST_MS) found.set(`${operation} took too long`, '')
    gate.resolve()
    await cloud.loop.idle()
  }
  const rss = process.memoryUsage().rss / 2 ** 20
  t.diagnostic(`${all.length} operations, ${done} answered, ${wrote} of them wrote, ${Math.round(rss)} MiB`)
  assert.deepEqual([...found], [])
  assert.ok(done > rounds / 20, `only ${done} of ${rounds} were answered`)
  assert.ok(wrote > 0, 'nothing was written, so nothing was tried')
  assert.ok(rss < 1024, `${rss} MiB`)
})
