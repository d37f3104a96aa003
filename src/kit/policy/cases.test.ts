import assert from 'node:assert/strict'
import { test } from 'node:test'
import { condition } from '#kit/policy/condition'
import { actions, conditions, malformed, principals, resources } from '#kit/policy/data/cases'
import { Malformed, parsePolicy, type Policy } from '#kit/policy/document'
import { evaluate, type Layers, type Question } from '#kit/policy/evaluate'
import { pattern } from '#kit/policy/pattern'
import { principalTest } from '#kit/policy/principal'

const variables: [string, string[]][] = [['test:who', ['ada']], ['test:star', ['*']], ['test:two', ['a', 'b']]]
const keys = new Map(variables)
const ada = { account: '111111111111', arn: 'arn:aws:iam::111111111111:user/ada' }
const app = { account: '111111111111', arn: 'arn:aws:sts::111111111111:assumed-role/app/s', roleArn: 'arn:aws:iam::111111111111:role/app' }
const eve = { account: '999999999999', arn: 'arn:aws:iam::999999999999:user/eve' }

test('condition operators mean what they are documented to mean', () => {
  const wrong = conditions.filter(([operator, wanted, given, holds]) => {
    const test = condition(operator, 'test:key', { wanted: [wanted].flat(), variables: true })
    return test(given ? new Map([...variables, ['test:key', given]]) : keys) !== holds
  })
  assert.deepEqual(wrong, [])
  assert.ok(conditions.length > 300, `${conditions.length}`)
})

test('resources match by segments, with variables as literal text', () => {
  const of = (source: string) => pattern(source, { wildcards: true, variables: true, segments: true })
  assert.deepEqual(resources.filter(([resource, arn, matches]) => of(resource).matches(arn, keys) !== matches), [])
})

test('actions match whatever their case', () => {
  const of = (source: string) => pattern(source, { wildcards: true, variables: false, ignoreCase: true })
  assert.deepEqual(actions.filter(([element, action, matches]) => of(element).matches(action, keys) !== matches), [])
})

test('variables are text in the first version of the language', () => {
  const statement = '{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${test:who}"}'
  const decide = (version: string, resource: string) => evaluate({
    identity: [parsePolicy(`{${version}"Statement":${statement}}`, { kind: 'identity', name: 'p' })],
  }, { action: 's3:GetObject', resource, keys, asker: ada }).decision
  assert.deepEqual([decide('"Version":"2012-10-17",', 'arn:aws:s3:::ada'), decide('', 'arn:aws:s3:::ada'), decide('', 'arn:aws:s3:::${test:who}')],
    ['allowed', 'implicitDeny', 'allowed'])
})

test('what AWS refuses is no policy', () => {
  const wrong = malformed.filter(([text, words]) => {
    try {
      parsePolicy(text, { kind: 'identity', name: 'p' })
      return true
    } catch (error) {
      return !(error instanceof Malformed && words.test(error.message))
    }
  })
  assert.deepEqual(wrong, [])
})

test('principals are reached by their account, their role or themselves', () => {
  assert.deepEqual(principals.map(([principal]) => { const of = principalTest(principal); return [principal, of(ada), of(app), of(eve)] }),
    principals)
})

const policy = (kind: 'identity' | 'resource', effect: string, more: object = {}): Policy => parsePolicy(JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: effect, Action: 's3:GetObject', Resource: '*', ...(kind === 'resource' && { Principal: '*' }), ...more },
}), { kind, name: kind })
const yes = [policy('identity', 'Allow')]
const no = [policy('identity', 'Deny')]
const silent = [policy('identity', 'Allow', { Action: 'ec2:*' })]
const resource = (Principal: unknown, effect = 'Allow') => [policy('resource', effect, { Principal })]
const account = resource({ AWS: '111111111111' })
const itself = resource({ AWS: ada.arn })
const role = resource({ AWS: app.roleArn })

/** Layers, who asks, whether the resource is another account's, and the verdict. */
const layered: [Layers, Question['asker'], boolean, string][] = [
  [{ identity: yes }, ada, false, 'allowed identity'], [{ identity: [] }, ada, false, 'implicitDeny identity'],
  [{ identity: silent }, ada, false, 'implicitDeny identity'], [{ identity: no }, ada, false, 'explicitDeny identity'],
  [{ identity: [...yes, ...no] }, ada, false, 'explicitDeny identity'], [{ identity: [...no, ...yes] }, ada, false, 'explicitDeny identity'],
  [{ identity: yes, boundary: yes }, ada, false, 'allowed identity'], [{ identity: yes, boundary: silent }, ada, false, 'implicitDeny boundary'],
  [{ identity: yes, boundary: no }, ada, false, 'explicitDeny boundary'], [{ identity: [], boundary: yes }, ada, false, 'implicitDeny identity'],
  [{ identity: yes, boundary: [] }, ada, false, 'implicitDeny boundary'],
  [{ identity: yes, session: yes }, app, false, 'allowed identity'], [{ identity: yes, session: silent }, app, false, 'implicitDeny session'],
  [{ identity: yes, session: no }, app, false, 'explicitDeny session'], [{ identity: [], session: yes }, app, false, 'implicitDeny identity'],
  [{ identity: yes, session: yes, boundary: silent }, app, false, 'implicitDeny boundary'],
  [{ identity: yes, scps: [yes] }, ada, false, 'allowed identity'], [{ identity: yes, scps: [silent] }, ada, false, 'implicitDeny scp'],
  [{ identity: yes, scps: [yes, silent] }, ada, false, 'implicitDeny scp'], [{ identity: yes, scps: [no] }, ada, false, 'explicitDeny scp'],
  [{ identity: [], scps: [yes] }, ada, false, 'implicitDeny identity'],
  [{ identity: yes, endpoint: resource('*') }, ada, false, 'allowed identity'],
  [{ identity: yes, endpoint: account }, ada, false, 'allowed identity'],
  [{ identity: [], endpoint: itself }, ada, false, 'implicitDeny identity'], [{ identity: yes, endpoint: [] }, ada, false, 'implicitDeny endpoint'],
  [{ identity: yes, endpoint: itself }, app, false, 'implicitDeny endpoint'],
  [{ identity: yes, endpoint: resource('*', 'Deny') }, ada, false, 'explicitDeny endpoint'],
  [{ identity: [], resource: itself, endpoint: role }, ada, false, 'implicitDeny endpoint'],
  [{ identity: yes, resource: resource({ AWS: eve.arn }), endpoint: account }, eve, true, 'implicitDeny endpoint'],
  [{ identity: [], resource: itself }, ada, false, 'allowed resource'], [{ identity: [], resource: account }, ada, false, 'implicitDeny identity'],
  [{ identity: yes, resource: account }, ada, false, 'allowed identity'], [{ identity: no, resource: itself }, ada, false, 'explicitDeny identity'],
  [{ identity: [], resource: itself, boundary: silent }, ada, false, 'allowed resource'],
  [{ identity: [], resource: itself, boundary: no }, ada, false, 'explicitDeny boundary'],
  [{ identity: [], resource: itself, scps: [silent] }, ada, false, 'implicitDeny scp'],
  [{ identity: [], resource: role }, app, false, 'allowed resource'], [{ identity: [], resource: role, boundary: silent }, app, false,
    'implicitDeny boundary'],
  [{ identity: [], resource: role, session: silent }, app, false, 'implicitDeny session'],
  [{ identity: [], resource: role, session: yes, boundary: yes }, app, false, 'allowed resource'],
  [{ identity: [], resource: resource({ AWS: app.arn }), session: silent }, app, false, 'allowed resource'],
  [{ identity: yes, resource: resource('*', 'Deny') }, ada, false, 'explicitDeny resource'],
  [{ identity: yes, resource: resource({ AWS: eve.arn }, 'Deny') }, ada, false, 'allowed identity'],
  [{ identity: yes, resource: [policy('resource', 'Deny', { Principal: undefined, NotPrincipal: { AWS: [ada.arn, '111111111111'] } })] }, ada,
    false, 'allowed identity'],
  [{ identity: yes, resource: [policy('resource', 'Deny', { Principal: undefined, NotPrincipal: { AWS: eve.arn } })] }, ada, false,
    'explicitDeny resource'],
  [{ identity: yes, resource: resource({ AWS: '999999999999' }) }, eve, true, 'allowed identity'],
  [{ identity: [], resource: resource({ AWS: eve.arn }) }, eve, true, 'implicitDeny identity'], [{ identity: yes }, eve, true,
    'implicitDeny resource'],
  [{ identity: yes, resource: account }, eve, true, 'implicitDeny resource'],
  [{ identity: yes, resource: resource({ AWS: eve.arn }), boundary: silent }, eve, true, 'implicitDeny boundary'],
  [{ identity: yes, resource: [], resourceDecides: true }, ada, false, 'implicitDeny resource'],
  [{ identity: yes, resource: account, resourceDecides: true }, ada, false, 'allowed identity'],
  [{ identity: [], resource: account, resourceDecides: true }, ada, false, 'implicitDeny identity'],
  [{ identity: [], resource: itself, resourceDecides: true }, ada, false, 'allowed resource'],
  [{ identity: [policy('identity', 'Allow', { Action: undefined, NotAction: 'ec2:*' })] }, ada, false, 'allowed identity'],
  [{ identity: [policy('identity', 'Allow', { Action: undefined, NotAction: 's3:Get*' })] }, ada, false, 'implicitDeny identity'],
  [{ identity: [...yes, policy('identity', 'Deny', { Action: undefined, NotAction: ['s3:*', 'iam:*'] })] }, ada, false, 'allowed identity'],
  [{ identity: [...yes, policy('identity', 'Deny', { Resource: undefined, NotResource: 'arn:aws:s3:::b/*' })] }, ada, false, 'allowed identity'],
  [{ identity: [...yes, policy('identity', 'Deny', { Resource: undefined, NotResource: 'arn:aws:s3:::c/*' })] }, ada, false, 'explicitDeny identity'],
  [{ identity: [policy('identity', 'Allow', { Condition: { StringEquals: { 'test:who': 'ada' } } })] }, ada, false, 'allowed identity'],
  [{ identity: [policy('identity', 'Allow', { Condition: { StringEquals: { 'test:who': 'ada', 'test:star': 'x' } } })] }, ada, false,
    'implicitDeny identity'],
  [{ identity: [policy('identity', 'Allow', { Condition: { StringEquals: { 'test:who': 'ada' }, Bool: { x: true } } })] }, ada, false,
    'implicitDeny identity'],
  [{ identity: [...yes, policy('identity', 'Deny', { Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } })] }, ada, false,
    'explicitDeny identity'],
  [{ identity: [...yes, policy('identity', 'Deny', { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } })] }, ada, false,
    'allowed identity'],
]

test('policies of several kinds decide together', () => {
  const verdicts = layered.map(([layers, asker, foreign]) => {
    const { decision, by } = evaluate(layers, { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', keys, asker, foreign })
    return `${decision} ${by}`
  })
  assert.deepEqual(verdicts, layered.map(([, , , verdict]) => verdict))
})

test('matching agrees with regular expressions on random patterns and texts', () => {
  let seed = 7
  const random = (n: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed % n }
  const word = (alphabet: string, most: number) => Array.from({ length: random(most) }, () => alphabet[random(alphabet.length)]).join('')
  const wrong: string[] = []
  for (let i = 0; i < 20_000; i++) {
    const segments = i % 2 === 0
    const source = word('ab:**?', 9)
    const text = word('aab:', 12)
    const regexp = source.replace(/\*+/g, '*').replace(/[*?]/g, (found, at: number, whole: string) => {
      const next = whole[at + 1]
      return found === '?' ? '[^]' : segments && next !== undefined && next !== ':' ? '[^:]*' : '[^]*'
    })
    const matches = pattern(source, { wildcards: true, variables: false, segments }).matches(text, keys)
    if (matches !== new RegExp(`^${regexp}$`).test(text)) wrong.push(`${segments} ${source} ${text}: ${matches}`)
  }
  assert.deepEqual(wrong, [])
})
