/**
 * For every implemented action of every service: nobody without a policy may, and whoever has a policy that names the action may ask.
 * Generated from what is implemented; the lists of exceptions may only shrink.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud, type Cloud } from '#cloud'
import { openFake } from '#engine/fake'
import { NOT_MEANT, VARIABLES, WITHIN } from '#identity/access/data/remainder'
import { factsOf } from '#identity/access/facts'
import { policyAction } from '#identity/authorise'
import type { Shape } from '#kit/schema'
import { completers } from '#service/ec2/access/complete'
import { openSqlite } from '#store/sqlite'
import type { Store } from '#store/store'

/** Asked of everybody: AWS lets nobody be kept from them, or the role's own policy decides. */
const FREE = ['sts AssumeRole', 'sts AssumeRoleWithWebIdentity', 'sts GetCallerIdentity', 'sts GetSessionToken']
/** Actions that AWS's published facts do not know. */
const UNKNOWN: string[] = []
const DENIALS = ['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException']

const account = '111122223333'
const root = { account, arn: `arn:aws:iam::${account}:root`, userId: account, root: true }
const origin = { region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
const dir = mkdtempSync(join(tmpdir(), 'enclume-authorization-'))
let cloud: Cloud
let store: Store
let all: { service: string; operation: string }[]
let user: { account: string; arn: string; userId: string; user: string }

before(async () => {
  store = openSqlite(':memory:')
  cloud = await openCloud({ home: homeAt({ dir }), engine: openFake(), store, log: silent, clock: () => new Date() })
  all = cloud.services.flatMap(({ definition }) => Object.keys(definition.actions).sort().map(operation => ({ service: definition.id, operation })))
  const { User } = await asRoot('CreateUser', { UserName: 'nobody' })
  user = { account, arn: User.Arn, userId: User.UserId, user: User.UserId }
})
after(async () => {
  await cloud.close()
  await store.close()
  rmSync(dir, { recursive: true })
})

const asRoot = (operation: string, input: object): Promise<any> =>
  cloud.dispatch({ service: 'iam', operation, input, caller: { principal: root, ...origin } })
const codeOf = (service: string, operation: string): Promise<string> =>
  cloud.dispatch({ service, operation, input: {}, caller: { principal: user, ...origin } }).then(() => 'success',
    (error: any) => error.code ?? String(error))

test('without a policy every action is denied', async () => {
  const allowed: string[] = []
  for (const { service, operation } of all) {
    if (!DENIALS.includes(await codeOf(service, operation))) allowed.push(`${service} ${operation}`)
  }
  assert.deepEqual(allowed, FREE.filter(name => all.some(one => `${one.service} ${one.operation}` === name)))
  assert.ok(all.length > 200, `${all.length}`)
})

test('with a policy that allows all but one action, that one alone is denied; with one that names it, it is asked', async () => {
  const wrong: string[] = []
  const put = (Statement: object) => asRoot('PutUserPolicy', {
    UserName: 'nobody', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
  })
  for (const { service, operation } of all.filter(one => !FREE.includes(`${one.service} ${one.operation}`))) {
    const action = policyAction(service, operation)
    await put({ Effect: 'Allow', NotAction: action, Resource: '*' })
    if (!DENIALS.includes(await codeOf(service, operation))) wrong.push(`${action} is not what ${service} ${operation} asks`)
    await put({ Effect: 'Allow', Action: action, Resource: '*' })
    // An empty request fails for its own reasons, behind the policies.
    if (['UnauthorizedOperation', 'AccessDeniedException'].includes(await codeOf(service,
      operation))) wrong.push(`${action} does not allow ${operation}`)
  }
  assert.deepEqual(wrong, [])
})

test('every action is one that AWS\'s facts know', () => {
  const strangers = all.filter(({ service, operation }) => {
    const [prefix = '', name = ''] = policyAction(service, operation).split(':')
    return !factsOf(prefix).actions.has(name.toLowerCase())
  })
  assert.deepEqual(strangers.map(one => `${one.service} ${one.operation}`), UNKNOWN)
})

/** What these are about is made by them, or is named by a list of any kind. */
const MAKING = /^(Create|Allocate|Copy|Register|Run|Import|Export)|^(Create|Delete)Tags$/
/** Actions on things that exist, which no member names: their policies can only speak of all of a type. May only shrink. */
const OF_ANY: string[] = []

test('what an EC2 action is about is named by its request, or found by what it names', () => {
  const { operations, actions } = cloud.services.find(({ definition }) => definition.id === 'ec2')!.definition
  const inner = (shape: Shape) => (shape.kind === 'list' ? shape.value!.target : shape).members ?? []
  const found = completers({ parameter: async () => undefined })
  const unnamed = Object.keys(actions).sort().filter(name => !MAKING.test(name) && !(name in found)).flatMap(name => {
    const { members } = operations.get(name)!.input
    const names = new Set([...members, ...members.filter(one => WITHIN.includes(one.name)).flatMap(one => inner(one.target))].map(one => one.name))
    return (factsOf('ec2').actions.get(name.toLowerCase())?.resourceTypes ?? []).filter(({ name: type, required }) => {
      if (!required || NOT_MEANT.ec2!.includes(type)) return false
      const variable = [...factsOf('ec2').types.get(type)!.arn.matchAll(/\$\{(\w+)\}/g)].at(-1)![1]!
      return ![variable, `${variable}s`, ...VARIABLES[variable] ?? []].some(one => names.has(one))
    }).map(type => `${name} ${type.name}`)
  })
  assert.deepEqual(unnamed, OF_ANY)
})
