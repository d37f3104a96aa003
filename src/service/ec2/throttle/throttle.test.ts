import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import type { Caller, Session } from '#kit/caller'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { RESOURCE_INTENSIVE, RESOURCES, UNCATEGORIZED, UNFILTERED } from '#service/ec2/throttle/data/rates'
import { bucketOf, throttle } from '#service/ec2/throttle/throttle'

const session = { kind: 'console' } as Session
const callerOf = ({ account = '111122223333', region = 'us-east-1', console = false } = {}): Caller => ({
  principal: { account, arn: 'a', userId: 'u', ...(console && { session }) }, region, requestId: 'r', sourceIp: '127.0.0.1', userAgent: '',
})

function open() {
  const time = { now: 0 }
  const pace = throttle(() => new Date(time.now))
  const passes = (kind: 'request' | 'resources', operation: string, input: object = {}, caller = callerOf()): boolean => {
    try {
      pace[kind]({ operation, input, caller })
      return true
    } catch (error) {
      assert.ok(error instanceof ApiError)
      assert.deepEqual([error.code, error.message, error.status], ['RequestLimitExceeded', 'Request limit exceeded.', 503])
      return false
    }
  }
  const burst = (operation: string, input?: object, caller?: Caller) =>
    Array.from({ length: 300 }, () => passes('request', operation, input, caller)).filter(Boolean).length
  return { time, passes, burst }
}

test('every action that AWS\'s tables name is one of the API\'s, and in one table alone', () => {
  const operations = operationsOf(sdk)
  const names = [...UNFILTERED, ...RESOURCE_INTENSIVE, ...UNCATEGORIZED.keys()]
  assert.deepEqual([...names, ...RESOURCES.keys()].filter(name => !operations.has(name)), [])
  assert.equal(new Set(names).size, names.length)
  assert.equal(UNCATEGORIZED.size, 120)
})

test('a request takes from the bucket of its action\'s category', () => {
  const of = (operation: string, input: object = {}, console = false) => {
    const { name, rate } = bucketOf({ operation, input, caller: callerOf({ console }) })
    return `${name} ${rate.size} ${rate.perSecond}`
  }
  assert.deepEqual([
    of('DescribeRouteTables'), of('GetConsoleOutput'), of('SearchLocalGatewayRoutes'), of('DescribeRouteTables', {}, true),
    of('DescribeInstances'), of('DescribeInstances', { InstanceIds: ['i-1'] }), of('DescribeInstances', { Filters: [] }),
    of('DescribeInstances', { Filters: [{ Name: 'vpc-id', Values: ['x'] }] }), of('DescribeInstances', { MaxResults: 5 }),
    of('DescribeInstances', { NextToken: 'x' }), of('DescribeInstances', { MaxResults: 5 }, true), of('DescribeInstances', {}, true),
    of('CreateSecurityGroup'), of('StopInstances'), of('CreateKeyPair'), of('RunInstances'), of('RunInstances', {}, true),
    of('DescribeStaleSecurityGroups', {}, true),
  ], [
    'DescribeRouteTables 100 20', 'GetConsoleOutput 100 20', 'SearchLocalGatewayRoutes 100 20', 'DescribeRouteTables/console 100 10',
    'DescribeInstances/unfiltered 50 10', 'DescribeInstances/unfiltered 50 10', 'DescribeInstances/unfiltered 50 10',
    'DescribeInstances 100 20', 'DescribeInstances 100 20',
    'DescribeInstances 100 20', 'DescribeInstances/console 100 10', 'DescribeInstances/unfiltered 50 10',
    'CreateSecurityGroup 50 5', 'StopInstances 50 5', 'CreateKeyPair 50 5', 'RunInstances 5 2', 'RunInstances 5 2',
    'DescribeStaleSecurityGroups 20 5',
  ])
})

test('each account, Region and action has buckets of its own, which fill again', () => {
  const { time, burst } = open()
  const page = { MaxResults: 5 }
  assert.deepEqual([
    burst('DescribeInstances'), burst('DescribeInstances', page), burst('DescribeInstances', page, callerOf({ console: true })),
    burst('DescribeVpcs'), burst('RunInstances'), burst('RunInstances', {}, callerOf({ region: 'eu-west-3' })),
    burst('RunInstances', {}, callerOf({ account: '444455556666' })), burst('RunInstances'),
  ], [50, 100, 100, 100, 5, 5, 5, 0])
  time.now += 1000
  assert.deepEqual([burst('DescribeInstances'), burst('DescribeInstances', page), burst('RunInstances'), burst('DescribeVpcs')], [10, 20, 2, 20])
  time.now += 60_000
  assert.deepEqual([burst('DescribeInstances'), burst('RunInstances')], [50, 5])
})

test('instances are counted besides, all of a request or none', () => {
  const { time, passes } = open()
  const run = (MaxCount: number) => passes('resources', 'RunInstances', { MinCount: 1, MaxCount })
  assert.deepEqual([run(250), run(250), run(499), run(2), run(1), run(1)], [true, true, true, false, true, false])
  time.now += 1000
  assert.deepEqual([run(3), run(2)], [false, true])
  const ids = Array.from({ length: 1000 }, (_, i) => `i-${i}`)
  const end = (...InstanceIds: string[]) => passes('resources', 'TerminateInstances', { InstanceIds })
  assert.deepEqual([end('i-1', 'i-1'), end(...ids), end(...ids.slice(1)), end('i-1')], [true, false, true, false])
  time.now += 50
  assert.deepEqual([end('i-1'), passes('resources', 'StopInstances', { InstanceIds: ids })], [true, true])
})

test('a request for more than a bucket holds, or for nonsense, takes a whole bucket or one token', () => {
  const { time, passes } = open()
  const run = (MaxCount?: number) => passes('resources', 'RunInstances', { MaxCount })
  assert.deepEqual([run(5000), run()], [true, false])
  time.now += 500_000
  assert.deepEqual([run(-7), run(), run(999), run(998)], [true, true, false, true])
  assert.ok(passes('resources', 'DescribeVpcs'))
})
