/** Random policies and random requests of IAM and STS: refused in AWS's words or done, never an error of ours. Another seed: FUZZ_SEED=7. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { ApiError } from '#kit/error'
import { Malformed, parsePolicy } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { openSqlite } from '#store/sqlite'
import { openRandom, roundsOf, seed, valueOf } from './random.ts'

const rounds = roundsOf()
/** Of each action. */
const each = roundsOf(1 / 250)
const account = '111122223333'
const arn = `arn:aws:iam::${account}:root`

/** Texts that stand where policies have texts: sound ones, odd ones, hostile ones. */
const TEXTS = [
  '*', '', 'Allow', 'Deny', '2012-10-17', 's3:GetObject', 's3:*', 'arn:aws:s3:::b/*', 'arn:aws:s3:::${aws:username}/*', '${', '${aws:x, \'', '${*}',
  arn, 'StringLike',  'ForAllValues:StringLikeIfExists', 'IpAddress', '10.0.0.0/8', '::/999', 'DateLessThan', 'NumericEquals', '1e999',
  'Null', 'true',
  '__proto__', 'constructor', '\u0000', '../..',
  '*'.repeat(500), 'a*'.repeat(200), 'é\ud800', 'aws:SourceIp', 'aws:PrincipalArn',
]
const NAMES = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Principal', 'NotPrincipal', 'Condition', 'AWS', 'Service',
  'StringEquals', '__proto__']

function openPolicies(next: () => number) {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
  const any = (depth: number): unknown => {
    const kind = next()
    if (depth <= 0 || kind < 0.5) return kind < 0.44 ? pick(TEXTS) : pick([null, 0, -1, true, 1e300])
    if (kind < 0.7) return Array.from({ length: Math.floor(next() * 4) }, () => any(depth - 1))
    return Object.fromEntries(Array.from({ length: Math.floor(next() * 4) }, () => [pick([...NAMES, ...TEXTS]), any(depth - 1)]))
  }
  const or = (sound: unknown) => (next() < 0.85 ? sound : any(3))
  const texts = () => or(next() < 0.5 ? pick(TEXTS) : [pick(TEXTS), pick(TEXTS)])
  return () => ({
    Version: or('2012-10-17'),
    Statement: or(Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
      Effect: or(pick(['Allow', 'Deny'])), Action: or(pick(['*', 's3:*', ['s3:Get*', 'ec2:*']])), Resource: or(pick(['*', 'arn:aws:s3:::b/*',
        'arn:aws:s3:::${aws:username}/*'])),
      ...(next() < 0.5 && { Condition: or({ [or(pick(['StringLike', 'IpAddress', 'ArnLike', 'DateLessThan', 'Bool', 'Null',
        'NumericEquals'])) as string]: { [pick(TEXTS) || 'k']: texts() } }) }),
      ...(next() < 0.1 && { [pick(NAMES)]: any(3) }),
    }))),
  })
}

test('random policies are malformed or can be asked', () => {
  let state = seed
  const make = openPolicies(() => { state = (state * 1_103_515_245 + 12_345) % 2_147_483_648; return state / 2_147_483_648 })
  const keys = new Map([['aws:username', ['*']], ['aws:sourceip', ['10.0.0.1', 'x']], ['aws:principalarn', [arn]], ['k', ['', 'é']]])
  let sound = 0
  for (let i = 0; i < rounds; i++) {
    const text = JSON.stringify(make())
    try {
      const policy = parsePolicy(text, { kind: 'identity', name: 'p' })
      evaluate({ identity: [policy] }, { action: 's3:GetObject', resource: `arn:aws:s3:::b/${'a'.repeat(300)}`, keys, asker: { account, arn } })
      sound += 1
    } catch (error) {
      assert.ok(error instanceof Malformed, `${text}: ${error}`)
    }
  }
  assert.ok(sound > rounds / 10, `only ${sound} of ${rounds} were sound`)
})

test('random requests of IAM and STS are answered or refused, never an error of ours', async () => {
  const store = openSqlite(':memory:')
  const cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine: openFake(), store, log: silent, clock: () => new Date() })
  const random = openRandom(seed)
  const principal = { account, arn, userId: account, root: true }
  const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'fuzz' }
  const ours: string[] = []
  let asked = 0
  for (const { definition } of cloud.services.filter(one => ['iam', 'sts'].includes(one.definition.id))) {
    for (const operation of Object.keys(definition.actions)) {
      for (let i = 0; i < each; i++) {
        const input = valueOf(definition.operations.get(operation)!.input, random, { depth: 3 }) as object
        asked += 1
        await cloud.dispatch({ service: definition.id, operation, input, caller }).catch((error: unknown) => {
          if (!(error instanceof ApiError)) ours.push(`${operation} ${JSON.stringify(input).slice(0, 200)}: ${error}`)
        })
      }
    }
  }
  await cloud.close()
  await store.close()
  assert.deepEqual(ours, [])
  assert.ok(asked > 75 * each, `${asked}`)
})
