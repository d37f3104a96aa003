/**
 * The wire's fuzzer: `node test/fuzz/wire.ts --count N --seed S` sends every operation N times through the SDK and back,
 * then as many damaged requests. Prints the seed; leaves with 1 where anything differs or anything but an ApiError is thrown.
 *
 * Run it at every upgrade of the SDK.
 */
import { parseArgs } from 'node:util'
import { ApiError } from '#kit/error'
import { protocolFor } from '#wire/protocol'
import { openRandom, valueOf, type Random } from './random.ts'
import { openTripper, type Failure } from './roundtrip.ts'
import { subjects, type Subject } from './services.ts'

export type Fuzz = { count: number; seed: number }

/** Every operation `count` times there and back; the first time with every member filled. */
export async function fuzzRoundTrips(subject: Subject, { count, seed }: Fuzz): Promise<{ trips: number; failures: Failure[] }> {
  const random = openRandom(seed)
  const tripper = openTripper(subject)
  const failures: Failure[] = []
  const operations = [...subject.service.operations.values()].filter(({ name }) => !subject.without?.includes(name))
  for (const operation of operations) {
    for (let i = 0; i < count; i++) {
      const [input, output] = [operation.input, operation.output].map(shape => valueOf(shape, random, { full: i === 0 }) as object)
      for (const value of [input, output]) subject.adapt?.(value as Record<string, unknown>)
      failures.push(...await tripper.trip(operation, { input: input!, output: output! }))
    }
  }
  return { trips: operations.length * count, failures }
}

const PIECES = [
  '', '.', '..', '%', '%zz', '%ff', '+', '&', '=', '.1', '.0', '.999999999', '.-1', '__proto__', 'é', '\u0000', '.a'.repeat(40),
  'true',
]

/** Cuts, repeats and replaces pieces of a request's body. */
export function damage(body: string, random: Random): string {
  let text = body
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(text.length)
    const end = at + random.below(12)
    text = text.slice(0, at) + random.pick([...PIECES, text.slice(at, end).repeat(2), text.slice(-12)]) + text.slice(end)
  }
  return text
}

/** Damaged requests of every operation; rejects with whatever is thrown that isn't the caller's to know. */
export async function fuzzGarbage(subject: Subject, { count, seed }: Fuzz): Promise<Record<string, number>> {
  const random = openRandom(seed)
  const tripper = openTripper(subject)
  const codes: Record<string, number> = {}
  const operations = [...subject.service.operations.values()].filter(({ name }) => !subject.without?.includes(name))
  for (const operation of operations) {
    const input = valueOf(operation.input, random) as object
    subject.adapt?.(input as Record<string, unknown>)
    const whole = await tripper.requestOf(operation, input)
    const isForm = whole.body.length > 0 && whole.method === 'POST' && whole.path === '/'
    for (let i = 0; i < count; i++) {
      // What is no form is damaged in its path and query, too.
      const part = isForm ? 'body' : random.pick(['path', 'query', 'body'] as const)
      const damaged = damage(whole[part].toString(), random)
      try {
        const { service } = subject
        protocolFor(service, whole.headers).decode(service, { ...whole, [part]: part === 'body' ? Buffer.from(damaged) : damaged })
        codes.accepted = (codes.accepted ?? 0) + 1
      } catch (cause) {
        if (!(cause instanceof ApiError)) throw new Error(`${operation.name} threw at ${JSON.stringify(damaged)}`, { cause })
        codes[cause.code] = (codes[cause.code] ?? 0) + 1
      }
    }
  }
  return codes
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '3' }, seed: { type: 'string' } } })
  const fuzz = { count: Number(values.count), seed: Number(values.seed ?? Date.now() % 1e9) }
  console.log(`seed ${fuzz.seed}`)
  for (const subject of Object.values(subjects)) {
    const { trips, failures } = await fuzzRoundTrips(subject, fuzz)
    const codes = await fuzzGarbage(subject, fuzz)
    console.log(subject.service.id, { operations: subject.service.operations.size, trips, failures: failures.length, garbage: codes })
    for (const failure of failures.slice(0, 10)) console.dir(failure, { depth: 8 })
    if (failures.length) process.exitCode = 1
  }
}
