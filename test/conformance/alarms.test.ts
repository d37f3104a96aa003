/** CloudWatch's alarms: by the SDK what they answer, and with a clock that a test moves what they do with an instance. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import * as cw from '@aws-sdk/client-cloudwatch'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import { openSampler } from '#service/ec2/metrics/sampler'
import { openSqlite } from '#store/sqlite'
import { code } from './kit.ts'
import { keys, openServer } from './server.ts'

const INSTANCE = 'i-0123456789abcdef0'
const STOP = 'arn:aws:automate:us-east-1:ec2:stop'
const alarm: cw.PutMetricAlarmInput = {
  AlarmName: 'busy', Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Dimensions: [{ Name: 'InstanceId', Value: INSTANCE }], Statistic: 'Average',
  Period: 60, EvaluationPeriods: 1, Threshold: 80, ComparisonOperator: 'GreaterThanThreshold', AlarmActions: [STOP], AlarmDescription: 'too much',
}

test('an alarm is made, shown, changed, set, and deleted', async () => {
  const server = await openServer()
  const client = new cw.CloudWatchClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  const describe = async (input: cw.DescribeAlarmsInput = {}) => (await client.send(new cw.DescribeAlarmsCommand(input))).MetricAlarms!
  try {
    await client.send(new cw.PutMetricAlarmCommand({ ...alarm, Tags: [{ Key: 'team', Value: 'a' }] }))
    await client.send(new cw.PutMetricAlarmCommand({ ...alarm, AlarmName: 'another', AlarmActions: [], TreatMissingData: 'ignore' }))
    const [first] = await describe({ AlarmNames: ['busy'] })
    const { AlarmArn = '', StateValue, Threshold, AlarmActions, Dimensions, ActionsEnabled } = first!
    assert.deepEqual([AlarmArn, StateValue, Threshold, AlarmActions, Dimensions, ActionsEnabled],
      [`arn:aws:cloudwatch:us-east-1:${keys.account}:alarm:busy`, 'INSUFFICIENT_DATA', 80, [STOP], alarm.Dimensions, true])
    assert.deepEqual((await client.send(new cw.ListTagsForResourceCommand({ ResourceARN: AlarmArn }))).Tags, [{ Key: 'team', Value: 'a' }])
    await client.send(new cw.UntagResourceCommand({ ResourceARN: AlarmArn, TagKeys: ['team'] }))
    await client.send(new cw.TagResourceCommand({ ResourceARN: AlarmArn, Tags: [{ Key: 'b', Value: 'c' }] }))
    assert.deepEqual((await client.send(new cw.ListTagsForResourceCommand({ ResourceARN: AlarmArn }))).Tags, [{ Key: 'b', Value: 'c' }])
    await client.send(new cw.DisableAlarmActionsCommand({ AlarmNames: ['busy'] }))
    await client.send(new cw.SetAlarmStateCommand({ AlarmName: 'busy', StateValue: 'ALARM', StateReason: 'a test' }))
    const [set] = await describe({ StateValue: 'ALARM' })
    assert.deepEqual([set!.AlarmName, set!.StateReason, set!.ActionsEnabled], ['busy', 'a test', false])
    const names: string[] = []
    for await (const page of cw.paginateDescribeAlarms({ client, pageSize: 1 }, {})) names.push(...page.MetricAlarms!.map(one => one.AlarmName!))
    assert.deepEqual(names, ['another', 'busy'])
    const metric = { Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Dimensions: alarm.Dimensions }
    assert.equal((await client.send(new cw.DescribeAlarmsForMetricCommand(metric))).MetricAlarms!.length, 2)
    const history = async () => (await client.send(new cw.DescribeAlarmHistoryCommand({ AlarmName: 'busy', ScanBy: 'TimestampAscending' })))
      .AlarmHistoryItems!.map(one => one.HistorySummary)
    assert.deepEqual(await history(), ['Alarm "busy" created', 'Alarm updated from INSUFFICIENT_DATA to ALARM'])
    await assert.rejects(client.send(new cw.DeleteAlarmsCommand({ AlarmNames: ['another', 'nobody'] })), code('ResourceNotFound'))
    assert.equal((await describe()).length, 2)
    await client.send(new cw.DeleteAlarmsCommand({ AlarmNames: ['another', 'busy'] }))
    assert.deepEqual([await describe(), (await history()).length], [[], 2])
  } finally {
    client.destroy()
    await server.close()
  }
})

test('what is no alarm is refused by AWS\'s names, other actions by theirs, and nothing is kept', async () => {
  const server = await openServer()
  const client = new cw.CloudWatchClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  const arn = (action: string) => `arn:aws:automate:us-east-1:ec2:${action}`
  const cases: [Partial<cw.PutMetricAlarmInput>, string, RegExp][] = [
    [{ AlarmActions: ['arn:aws:sns:us-east-1:123456789012:topic'] }, 'UnsupportedOperation', /sns/],
    [{ AlarmActions: ['stop'] }, 'ValidationException', /Invalid arn/], [{ AlarmActions: [STOP.replace('us-east-1', 'eu-west-3')] },
      'ValidationException', /region/],
    [{ Dimensions: [] }, 'ValidationException', /InstanceId/], [{ AlarmActions: [arn('recover')] }, 'ValidationException',
      /StatusCheckFailed_System/],
    [{ Period: 7 }, 'InvalidParameterValueException', /Period/], [{ Period: 3600, EvaluationPeriods: 200 }, 'ValidationException', /day/],
    [{ DatapointsToAlarm: 2 }, 'ValidationException', /DatapointsToAlarm/], [{ ComparisonOperator: 'GreaterThanUpperThreshold' },
      'ValidationException', /comparison/],
    [{ Statistic: undefined }, 'ValidationException', /Statistic/], [{ Threshold: undefined }, 'ValidationException', /Threshold/],
    [{ ThresholdMetricId: 'a' }, 'UnsupportedOperation', /ThresholdMetricId/], [{ TreatMissingData: 'zero' }, 'ValidationException',
      /TreatMissingData/],
  ]
  try {
    for (const [more, wanted, words] of cases) {
      await assert.rejects(client.send(new cw.PutMetricAlarmCommand({ ...alarm, ...more })), code(wanted, words), JSON.stringify(more))
    }
    assert.deepEqual((await client.send(new cw.DescribeAlarmsCommand({}))).MetricAlarms, [])
    const env = {
      PATH: process.env.PATH, HOME: server.dir, AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_PAGER: '',
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true',
    }
    const cli = async (...args: string[]) => (await promisify(execFile)(process.env.ENCLUME_TEST_AWS ?? 'aws', ['cloudwatch', ...args],
      { env })).stdout
    await cli('put-metric-alarm', '--alarm-name', 'by cli', '--namespace', 'AWS/EC2', '--metric-name', 'NetworkIn', '--statistic', 'Sum', '--period',
      '300',
      '--evaluation-periods', '2', '--threshold', '1e6', '--comparison-operator', 'LessThanThreshold', '--dimensions',
        `Name=InstanceId,Value=${INSTANCE}`,
      '--alarm-actions', STOP, '--treat-missing-data', 'notBreaching')
    const said = JSON.parse(await cli('describe-alarms', '--output', 'json')).MetricAlarms.map((one: any) => [one.AlarmName, one.Threshold,
      one.AlarmActions])
    assert.deepEqual(said, [['by cli', 1e6, [STOP]]])
    await assert.rejects(cli('set-alarm-state', '--alarm-name', 'nobody', '--state-value', 'OK', '--state-reason', 'x'), /\(ResourceNotFound\)/)
  } finally {
    client.destroy()
    await server.close()
  }
})

async function openStage() {
  const START = Date.parse('2026-05-02T10:00:00.000Z')
  let now = START
  const engine = openFake()
  const store = openSqlite(':memory:', () => new Date(now))
  const cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine, store, log: silent, clock: () => new Date(now) })
  const sampler = openSampler(cloud.context)
  const root = { account: keys.account, arn: `arn:aws:iam::${keys.account}:root`, userId: keys.account, root: true }
  const as = (principal: object) => async (service: string, operation: string, input: object): Promise<any> => cloud.dispatch({
    service, operation, input, caller: { principal: principal as typeof root, region: 'us-east-1', requestId: 'r', sourceIp: '127.0.0.1',
      userAgent: 'test' },
  })
  const call = as(root)
  const { Images } = await call('ec2', 'DescribeImages', { Owners: ['amazon'] })
  const made = await call('ec2', 'RunInstances', {
    ImageId: Images[0].ImageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1, Monitoring: { Enabled: true },
  })
  const id: string = made.Instances[0].InstanceId
  const settle = async () => { await cloud.loop.sweep(); await cloud.loop.idle() }
  let used = 0
  return {
    call, as, id, settle,
    /** The next minute begins, after one in which it used so many seconds of its two processors. */
    async minute(count: number, seconds: number): Promise<void> {
      engine.processorsById.set(id, { seconds: used += seconds, boot: '1' })
      now = START + count * 60_000 + 100
      await sampler.sample(START + count * 60_000)
      now = START + count * 60_000 + 6_000
      await settle()
    },
    state: async () => (await call('monitoring', 'DescribeAlarms', {})).MetricAlarms[0].StateValue as string,
    power: async () => (await call('ec2', 'DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0].State.Name as string,
    history: async () => (await call('monitoring', 'DescribeAlarmHistory', { ScanBy: 'TimestampAscending' })).AlarmHistoryItems.map((one: any) =>
      one.HistorySummary) as string[],
    async close() { await sampler.close(); await cloud.close(); await store.close() },
  }
}

test('an instance that is too busy for two minutes is stopped by its alarm, once', async () => {
  const stage = await openStage()
  try {
    await stage.settle()
    await stage.call('monitoring', 'PutMetricAlarm', { ...alarm, Dimensions: [{ Name: 'InstanceId', Value: stage.id }], EvaluationPeriods: 2 })
    await stage.minute(1, 6)
    assert.deepEqual([await stage.state(), await stage.power()], ['OK', 'running'])
    await stage.minute(2, 114)
    assert.deepEqual([await stage.state(), await stage.power()], ['OK', 'running'])
    await stage.minute(3, 120)
    await stage.settle()
    assert.deepEqual([await stage.state(), await stage.power()], ['ALARM', 'stopped'])
    await stage.minute(4, 0)
    assert.deepEqual(await stage.history(), [
      'Alarm "busy" created', 'Alarm updated from INSUFFICIENT_DATA to OK', 'Alarm updated from OK to ALARM', `Successfully executed action ${STOP}`,
    ])
  } finally {
    await stage.close()
  }
})

test('what EC2 refuses is told in the history; actions that are off do nothing', async () => {
  const stage = await openStage()
  const terminate = 'arn:aws:automate:us-east-1:ec2:terminate'
  const input = { ...alarm, Dimensions: [{ Name: 'InstanceId', Value: stage.id }], AlarmActions: [terminate] }
  const set = (StateValue: string) => stage.call('monitoring', 'SetAlarmState', { AlarmName: 'busy', StateValue, StateReason: 'a test' })
  try {
    await stage.settle()
    await stage.call('ec2', 'ModifyInstanceAttribute', { InstanceId: stage.id, DisableApiTermination: { Value: true } })
    await stage.call('monitoring', 'PutMetricAlarm', { ...input, ActionsEnabled: false })
    await set('ALARM')
    await stage.settle()
    await stage.call('monitoring', 'EnableAlarmActions', { AlarmNames: ['busy'] })
    await set('OK')
    await set('ALARM')
    await stage.settle()
    assert.equal(await stage.power(), 'running')
    assert.match((await stage.history()).at(-1)!, /^Failed to execute action .*OperationNotPermitted/)
  } finally {
    await stage.close()
  }
})

test('who may not stop an instance makes no alarm that does', async () => {
  const stage = await openStage()
  try {
    const { User } = await stage.call('iam', 'CreateUser', { UserName: 'watcher' })
    const allow = (Action: string[]) => stage.call('iam', 'PutUserPolicy', {
      UserName: 'watcher', PolicyName: 'p', PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action,
        Resource: '*' } }),
    })
    const user = stage.as({ account: keys.account, arn: User.Arn, userId: User.UserId, user: User.UserId })
    await allow(['cloudwatch:PutMetricAlarm'])
    await assert.rejects(user('monitoring', 'PutMetricAlarm', alarm), (error: any) => error.code === 'AccessDenied'
      && /ec2:StopInstances/.test(error.message))
    await user('monitoring', 'PutMetricAlarm', { ...alarm, AlarmActions: [] })
    await allow(['cloudwatch:PutMetricAlarm', 'ec2:StopInstances'])
    await user('monitoring', 'PutMetricAlarm', alarm)
  } finally {
    await stage.close()
  }
})
