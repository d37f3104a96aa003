/** The evaluator beside a second one, over random policies of every kind and random requests. Another seed: FUZZ_SEED=7; more: FUZZ_ROUNDS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy, type Policy } from '#kit/policy/document'
import { evaluate } from '#kit/policy/evaluate'
import { decide, OPERATORS, type Asked, type Document, type Sets } from './policy-oracle.ts'
import { openRandom, roundsOf, seed, type Random } from './random.ts'

const rounds = roundsOf(4)
const ACCOUNT = '111111111111'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/app/s`
const ADA = `arn:aws:iam::${ACCOUNT}:user/ada`
const ACTIONS = ['*', 's3:*', 's3:Get*', 's3:GetObject', 'S3:putobject', 'ec2:*', 's3:?etObject']
const RESOURCES = ['*', 'arn:aws:s3:::b', 'arn:aws:s3:::b/*', 'arn:aws:s3:::b/k?', 'arn:aws:s3:::*', 'arn:aws:s3:::b/*k', 'arn:aws:s3:::c/k1']
const PRINCIPALS = ['*', { AWS: '*' }, { AWS: ACCOUNT }, { AWS: ADA }, { AWS: ROLE }, { AWS: SESSION }, { AWS: [ADA, ROLE] }, { AWS: '999999999999' }]
const KEYS = ['a:text', 'a:many', 'a:number', 'a:flag', 'aws:SourceIp', 'a:none']
const VALUES: Record<string, string[]> = {
  text: ['a', 'A', 'ab', 'b'], like: ['a', 'a*', '*b', '?'], number: ['1', '5', '10'], flag: ['true', 'false'],
  ip: ['10.1.2.3', '10.200.0.1', '192.0.2.1'], block: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.1', '0.0.0.0/0'],
}

function conditionOf(random: Random): object {
  const operator = random.pick([...OPERATORS, 'Null'])
  if (operator === 'Null') return { Null: { [random.pick(KEYS)]: random.pick(['true', 'false']) } }
  const kind = operator.includes('Ip') ? 'block' : operator.startsWith('Num') ? 'number' : operator === 'Bool' ? 'flag'
    : operator.endsWith('Like') ? 'like' : 'text'
  const keys = { block: ['aws:SourceIp'], number: ['a:number'], flag: ['a:flag'], like: ['a:text', 'a:many'], text: ['a:text', 'a:many'] }
  const key = random.pick(keys[kind]!)
  const name = `${random.pick(['', '', 'ForAllValues:', 'ForAnyValue:'])}${operator}${random.pick(['', '', 'IfExists'])}`
  return { [name]: { [random.pick([key, key, 'a:none'])]: [random.pick(VALUES[kind]!), random.pick(VALUES[kind]!)].slice(random.below(2)) } }
}

function documentOf(random: Random, named: boolean): Document & { Version: string } {
  const either = (name: string, from: readonly unknown[]) => ({ [random.next() < 0.8 ? name : `Not${name}`]: random.pick(from) })
  const Statement = Array.from({ length: 1 + random.below(2) }, () => ({
    Effect: random.next() < 0.8 ? 'Allow' : 'Deny', ...either('Action', ACTIONS), ...either('Resource', RESOURCES),
    ...(named && either('Principal', PRINCIPALS)), ...(random.next() < 0.4 && { Condition: conditionOf(random) }),
  }))
  return { Version: '2012-10-17', Statement }
}

function askedOf(random: Random): Asked {
  const keys: Record<string, string[]> = {}
  const maybe = (key: string, values: string[]) => { if (random.next() < 0.7) keys[key] = values }
  maybe('a:text', [random.pick(VALUES.text!)])
  maybe('a:many', [random.pick(VALUES.text!), random.pick(VALUES.text!)])
  maybe('a:number', [random.pick(VALUES.number!)])
  maybe('a:flag', [random.pick(VALUES.flag!)])
  maybe('aws:sourceip', [random.pick(VALUES.ip!)])
  return {
    action: random.pick(['s3:GetObject', 's3:PutObject', 'ec2:RunInstances']), resource: random.pick(['arn:aws:s3:::b', 'arn:aws:s3:::b/k1',
      'arn:aws:s3:::c/k1', '*']),
    keys, account: ACCOUNT, ...(random.next() < 0.5 ? { arn: ADA } : { arn: SESSION, role: ROLE }), foreign: random.next() < 0.3,
  }
}

test('the evaluator and a plain reading of the rules decide alike', t => {
  const random = openRandom(seed)
  const counts: Record<string, number> = {}
  for (let i = 0; i < rounds; i++) {
    const some = (named = false) => Array.from({ length: 1 + random.below(2) }, () => documentOf(random, named))
    const maybe = (share: number, named = false) => (random.next() < share ? some(named) : undefined)
    const sets: Sets = {
      identity: maybe(0.8) ?? [], resource: maybe(0.5, true), boundary: maybe(0.3), session: maybe(0.3), endpoint: maybe(0.2, true),
      scps: random.next() < 0.2 ? [some()] : [],
    }
    const asked = askedOf(random)
    const parse = (documents: Document[] | undefined, kind: 'identity' | 'resource'): Policy[] | undefined =>
      documents?.map(one => parsePolicy(JSON.stringify(one), { kind, name: 'p' }))
    const { decision } = evaluate({
      identity: parse(sets.identity, 'identity')!, resource: parse(sets.resource, 'resource'), boundary: parse(sets.boundary, 'identity'),
      session: parse(sets.session, 'identity'), endpoint: parse(sets.endpoint, 'resource'), scps: sets.scps!.map(level => parse(level, 'identity')!),
    }, {
      action: asked.action, resource: asked.resource, keys: new Map(Object.entries(asked.keys)), foreign: asked.foreign,
      asker: { account: ACCOUNT, arn: asked.arn, ...(asked.role !== undefined && { roleArn: asked.role }) },
    })
    assert.equal(decision, decide(sets, asked), `seed ${seed}, round ${i}: ${JSON.stringify({ sets, asked })}`)
    counts[decision] = (counts[decision] ?? 0) + 1
  }
  t.diagnostic(`seed ${seed}, ${rounds} rounds: ${JSON.stringify(counts)}`)
  assert.ok(['allowed', 'explicitDeny', 'implicitDeny'].every(one => counts[one]! > rounds / 50), JSON.stringify(counts))
})
