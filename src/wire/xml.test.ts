import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import { operationsOf } from '#kit/schema'
import { escapeXml, openXml } from '#wire/xml'

const output = operationsOf(ec2).get('DescribeInstances')!.output
const encode = openXml({ millis: true, strict: true })
const instance = (members: object) => encode(output, { Reservations: [{ Instances: [members] }] })

test('answers are compact, with EC2\'s element names, and leave out what is undefined', () => {
  const launched = new Date('2026-09-30T12:00:00Z')
  const text = instance({
    InstanceId: 'i-1', LaunchTime: launched, EbsOptimized: false, State: { Code: 0, Name: 'pending' }, KeyName: undefined, Tags: [],
  })
  const item = '<item><instanceId>i-1</instanceId><launchTime>2026-09-30T12:00:00.000Z</launchTime>'
    + '<ebsOptimized>false</ebsOptimized><tagSet></tagSet><instanceState><code>0</code><name>pending</name></instanceState></item>'
  const parts = (xml: string) => xml.split(/(?=<)/).sort()
  assert.deepEqual(parts(text), parts(`<reservationSet><item><instancesSet>${item}</instancesSet></item></reservationSet>`))
})

test('texts are escaped, and what XML cannot carry is replaced', () => {
  assert.equal(escapeXml('a<b>&"\'\r\n\u0000\ud83d\ude00'), 'a&lt;b&gt;&amp;"\'&#xD;\n\ufffd😀')
})

test('milliseconds are left out where the protocol does', () => {
  const short = openXml({ millis: false, strict: true })
  const at = (time: string) => short(output, { Reservations: [{ Instances: [{ LaunchTime: new Date(time) }] }] }).replace(/<[^>]*>/g, '')
  assert.deepEqual(['2026-09-30T12:00:00Z', '2026-09-30T12:00:00.5Z'].map(at), ['2026-09-30T12:00:00Z', '2026-09-30T12:00:00.500Z'])
})

test('misspelt members and values of the wrong kind are errors in development', () => {
  assert.throws(() => instance({ InstanceID: 'i-1' }), /Instance has no member InstanceID/)
  assert.throws(() => encode(output, { Reservation: [] }), /has no member Reservation/)
  assert.throws(() => instance({ EbsOptimized: 'false' }), /boolean was expected, not string/)
  assert.throws(() => instance({ InstanceId: { Value: 'i-1' } }), /text was expected/)
  assert.throws(() => instance({ Tags: { Key: 'a' } }), /list was expected/)
  assert.throws(() => instance({ State: 'running' }), /structure was expected/)
})

test('misspelt members are left out in production', () => {
  assert.equal(openXml({ millis: true, strict: false })(output, { Reservation: [], NextToken: 'x' }), '<nextToken>x</nextToken>')
})
