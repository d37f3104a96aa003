/** Lifecycle policies: by the SDK what they answer, and with a clock that a test moves the snapshots that they take and delete. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as dlm from '@aws-sdk/client-dlm'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { openSqlite } from '#store/sqlite'
import { code } from './kit.ts'
import { keys, openServer } from './server.ts'

const details: dlm.PolicyDetails = {
  ResourceTypes: ['VOLUME'], TargetTags: [{ Key: 'backup', Value: 'yes' }],
  Schedules: [{
    Name: 'hourly', CreateRule: { Interval: 1, IntervalUnit: 'HOURS', Times: ['00:30'] }, RetainRule: { Count: 2 },
    TagsToAdd: [{ Key: 'by', Value: 'dlm' }], CopyTags: true,
  }],
}
const input = { ExecutionRoleArn: `arn:aws:iam::${keys.account}:role/dlm`, Description: 'nightly', State: 'ENABLED' as const, PolicyDetails: details }

test('a policy is made, shown, changed and deleted', async () => {
  const server = await openServer()
  const client = new dlm.DLMClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  try {
    const { PolicyId = '' } = await client.send(new dlm.CreateLifecyclePolicyCommand({ ...input, Tags: { team: 'a' } }))
    const { Policies } = await client.send(new dlm.GetLifecyclePoliciesCommand({ TargetTags: ['backup=yes'] }))
    assert.deepEqual(Policies!.map(p => [p.PolicyId, p.State, p.Tags]), [[PolicyId, 'ENABLED', { team: 'a' }]])
    await client.send(new dlm.UpdateLifecyclePolicyCommand({ PolicyId, State: 'DISABLED' }))
    const { Policy } = await client.send(new dlm.GetLifecyclePolicyCommand({ PolicyId }))
    assert.deepEqual([Policy!.State, Policy!.PolicyDetails!.Schedules![0]!.CreateRule, Policy!.ExecutionRoleArn],
      ['DISABLED', details.Schedules![0]!.CreateRule, input.ExecutionRoleArn])
    const cron = { ...details, Schedules: [{ ...details.Schedules![0]!, CreateRule: { CronExpression: 'cron(0 * * * ? *)' } }] }
    await assert.rejects(client.send(new dlm.CreateLifecyclePolicyCommand({ ...input, PolicyDetails: cron })), code('UnsupportedOperation',
      /CronExpression/))
    await assert.rejects(client.send(new dlm.CreateLifecyclePolicyCommand({ ...input, PolicyDetails: { ...details, TargetTags: [] } })),
      code('InvalidRequestException'))
    await client.send(new dlm.DeleteLifecyclePolicyCommand({ PolicyId }))
    await assert.rejects(client.send(new dlm.GetLifecyclePolicyCommand({ PolicyId })), code('ResourceNotFoundException'))
  } finally {
    client.destroy()
    await server.close()
  }
})

test('a policy takes snapshots of the volumes with its tag at its times, and keeps so many', async () => {
  let now = new Date('2026-05-02T10:00:00.000Z')
  const store = openSqlite(':memory:')
  const cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine: openFake(), store, log: silent, clock: () => now })
  const principal = { account: keys.account, arn: `arn:aws:iam::${keys.account}:root`, userId: keys.account, root: true }
  const caller = { principal, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1', userAgent: 'test' }
  const call = async (service: string, operation: string, asked: object): Promise<any> => cloud.dispatch({ service, operation, input: asked, caller })
  const settle = async () => { await cloud.loop.sweep(); await cloud.loop.idle() }
  try {
    const make = (Value: string) => call('ec2', 'CreateVolume', {
      AvailabilityZone: 'us-east-1a', Size: 1, TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'backup', Value }] }],
    })
    const [kept] = [await make('yes'), await make('no')]
    const { PolicyId } = await call('dlm', 'CreateLifecyclePolicy', input)
    await settle()
    const snapshots = async () => (await call('ec2', 'DescribeSnapshots', { OwnerIds: ['self'] })).Snapshots
    assert.deepEqual(await snapshots(), [])
    const counts: number[] = []
    for (const hour of [10, 11, 12, 13]) {
      now = new Date(`2026-05-02T${hour}:30:00.000Z`)
      await settle()
      await settle()
      counts.push((await snapshots()).length)
    }
    assert.deepEqual(counts, [1, 2, 2, 2])
    const found = await snapshots()
    assert.deepEqual(found.map((s: any) => s.StartTime.toISOString().slice(11, 16)).sort(), ['12:30', '13:30'])
    assert.deepEqual([found[0].VolumeId, found[0].State, Object.fromEntries(found[0].Tags.map((t: any) => [t.Key, t.Value]))],
      [kept.VolumeId, 'completed', {
      backup: 'yes', by: 'dlm', 'aws:dlm:lifecycle-policy-id': PolicyId, 'aws:dlm:lifecycle-schedule-name': 'hourly',
    }])
  } finally {
    await cloud.close()
    await store.close()
  }
})
