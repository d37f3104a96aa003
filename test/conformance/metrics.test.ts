/** CloudWatch's metrics by the SDK for JavaScript (JSON) and the AWS CLI (Query): what is put, listed and asked for. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as cw from '@aws-sdk/client-cloudwatch'
import { code } from './kit.ts'
import { keys, openServer, type TestServer } from './server.ts'

let server: TestServer
let client: cw.CloudWatchClient
before(async () => {
  server = await openServer()
  client = new cw.CloudWatchClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
})
after(async () => { client.destroy(); await server.close() })

async function cli(...args: string[]): Promise<any> {
  const env = {
    PATH: process.env.PATH, HOME: server.dir, AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_PAGER: '',
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true',
  }
  const { stdout } = await promisify(execFile)(process.env.ENCLUME_TEST_AWS ?? 'aws', ['cloudwatch', ...args, '--output', 'json'], { env,
    timeout: 60_000 })
  return stdout.trim() === '' ? {} : JSON.parse(stdout)
}

/** A whole hour, so that windows of any length begin there. */
const HOUR = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000)
const minute = (count: number) => new Date(HOUR.getTime() + count * 60_000)
const put = (...MetricData: cw.MetricDatum[]) => client.send(new cw.PutMetricDataCommand({ Namespace: 'Course', MetricData }))
const Dimensions = [{ Name: 'Page', Value: '/' }, { Name: 'Host', Value: 'web' }]

test('what is put is listed, and its statistics are those of each window', async () => {
  await put({ MetricName: 'Latency', Dimensions, Timestamp: minute(0), Value: 20, Unit: 'Milliseconds' },
    { MetricName: 'Latency', Dimensions, Timestamp: minute(1), Values: [10, 30], Counts: [2, 1], Unit: 'Milliseconds' },
    { MetricName: 'Latency', Dimensions, Timestamp: minute(7), Value: 5, Unit: 'Milliseconds' },
    { MetricName: 'Hits', Timestamp: minute(0), StatisticValues: { SampleCount: 4, Sum: 12, Minimum: 1, Maximum: 6 } })
  const { Metrics = [] } = await client.send(new cw.ListMetricsCommand({ Namespace: 'Course' }))
  assert.deepEqual(Metrics.map(one => [one.MetricName, one.Dimensions]).sort(), [
    ['Hits', []], ['Latency', [{ Name: 'Host', Value: 'web' }, { Name: 'Page', Value: '/' }]]])
  const byPage = await client.send(new cw.ListMetricsCommand({ Dimensions: [{ Name: 'Page' }], RecentlyActive: 'PT3H' }))
  assert.equal(byPage.Metrics!.length, 1)
  const { Datapoints = [], Label } = await client.send(new cw.GetMetricStatisticsCommand({
    Namespace: 'Course', MetricName: 'Latency', Dimensions: Dimensions.toReversed(), StartTime: HOUR, EndTime: minute(10), Period: 300,
    Statistics: ['Average', 'SampleCount', 'Maximum'], ExtendedStatistics: ['p50'],
  }))
  assert.deepEqual([Label, Datapoints], ['Latency', [
    { Timestamp: HOUR, Average: 17.5, SampleCount: 4, Maximum: 30, Unit: 'Milliseconds', ExtendedStatistics: { p50: 10 } },
    { Timestamp: minute(5), Average: 5, SampleCount: 1, Maximum: 5, Unit: 'Milliseconds', ExtendedStatistics: { p50: 5 } },
  ]])
})

test('GetMetricData answers several queries by pages, and calculates with them', async () => {
  const stat = (MetricName: string, Stat: string, more = {}) => ({ MetricStat: { Metric: { Namespace: 'Course', MetricName, ...more }, Period: 60,
    Stat } })
  const input = {
    StartTime: HOUR, EndTime: minute(10), ScanBy: 'TimestampAscending' as const,
    MetricDataQueries: [
      { Id: 'l', Label: 'time', ...stat('Latency', 'Sum', { Dimensions }) }, { Id: 'n', ReturnData: false, ...stat('Latency', 'SampleCount',
        { Dimensions }) },
      { Id: 'mean', Expression: '(l / n) * 1' }, { Id: 'none', ...stat('Nothing', 'Sum') },
    ],
  }
  const { MetricDataResults: found = [] } = await client.send(new cw.GetMetricDataCommand(input))
  assert.deepEqual(found.map(one => [one.Id, one.Label, one.Values, one.StatusCode]), [
    ['l', 'time', [20, 50, 5], 'Complete'], ['mean', 'mean', [20, 50 / 3, 5], 'Complete'], ['none', 'Nothing', [], 'Complete']])
  assert.deepEqual(found[0]!.Timestamps, [minute(0), minute(1), minute(7)])
  const paged: number[] = []
  for await (const page of cw.paginateGetMetricData({ client, pageSize: 2 }, input)) paged.push(...page.MetricDataResults!.flatMap(one =>
    one.Values!))
  assert.deepEqual(paged, [20, 50, 5, 20, 50 / 3, 5])
})

test('the AWS CLI puts and reads by the Query protocol, seconds too', async () => {
  const now = Math.floor(Date.now() / 1000) - 60
  for (const [at, value] of [[0, 3], [10, 7]] as const) {
    await cli('put-metric-data', '--namespace', 'Course', '--metric-name', 'Queue', '--value', String(value), '--unit', 'Count',
      '--storage-resolution', '1',
      '--timestamp', new Date((now + at) * 1000).toISOString(), '--dimensions', 'Host=web')
  }
  const { Datapoints } = await cli('get-metric-statistics', '--namespace', 'Course', '--metric-name', 'Queue', '--dimensions', 'Name=Host,Value=web',
    '--start-time', new Date(now * 1000).toISOString(), '--end-time', new Date((now + 30) * 1000).toISOString(), '--period', '1', '--statistics',
      'Maximum')
  // The first version of the CLI shows a time as it came.
  const seconds = (time: string | number) => (typeof time === 'number' ? time : Date.parse(time) / 1000)
  assert.deepEqual(Datapoints.map((one: any) => [seconds(one.Timestamp) - now, one.Maximum, one.Unit]).sort(), [
    [0, 3, 'Count'], [10, 7, 'Count']])
  assert.deepEqual((await cli('list-metrics', '--metric-name', 'Queue')).Metrics, [
    { Namespace: 'Course', MetricName: 'Queue', Dimensions: [{ Name: 'Host', Value: 'web' }] }])
  await assert.rejects(cli('put-metric-data', '--namespace', 'AWS/EC2', '--metric-name', 'x', '--value', '1'), /\(InvalidParameterValue\)/)
})

test('what is not right is refused by AWS\'s names, and nothing of it is kept', async () => {
  const refused: [cw.MetricDatum[], string][] = [
    [[{ MetricName: 'Bad', Value: 1 }, { MetricName: 'Bad', Value: 1, Values: [1] }], 'InvalidParameterCombinationException'],
    [[{ MetricName: 'Bad', Value: 1 }, { MetricName: 'Bad' }], 'MissingRequiredParameterException'],
    [[{ MetricName: 'Bad', Value: Number.NaN }], 'InvalidParameterValueException'],
    [[{ MetricName: 'Bad', Value: 1, Timestamp: new Date(Date.now() - 15 * 86_400_000) }], 'InvalidParameterValueException'],
    [[{ MetricName: 'Bad', Value: 1, Unit: 'Apples' as 'Count' }], 'InvalidParameterValueException'],
    [[{ MetricName: 'Bad', Value: 1, StorageResolution: 7 }], 'InvalidParameterValueException'],
    [[{ MetricName: 'Bad', Value: 1, Dimensions: [{ Name: 'a', Value: '' }] }], 'MissingRequiredParameterException'],
    [[], 'MissingRequiredParameterException'],
  ]
  for (const [data, wanted] of refused) await assert.rejects(put(...data), code(wanted), JSON.stringify(data))
  assert.deepEqual((await client.send(new cw.ListMetricsCommand({ MetricName: 'Bad' }))).Metrics, [])
  const asked = { Namespace: 'Course', MetricName: 'Hits', StartTime: HOUR, EndTime: minute(5), Period: 60, Statistics: ['Sum' as const] }
  const statistics: [object, string][] = [
    [{ Period: 7 }, 'InvalidParameterValueException'], [{ EndTime: HOUR }, 'InvalidParameterCombinationException'],
    [{ Statistics: [] }, 'InvalidParameterCombinationException'], [{ Period: 1, EndTime: minute(60) }, 'InvalidParameterCombinationException'],
    [{ Statistics: ['Median'] }, 'InvalidParameterValueException'], [{ ExtendedStatistics: ['tm90'] }, 'UnsupportedOperation'],
  ]
  for (const [more, wanted] of statistics) await assert.rejects(client.send(new cw.GetMetricStatisticsCommand({ ...asked, ...more })), code(wanted),
    JSON.stringify(more))
  const query = (one: object) => client.send(new cw.GetMetricDataCommand({ StartTime: HOUR, EndTime: minute(5),
    MetricDataQueries: [one as cw.MetricDataQuery] }))
  await assert.rejects(query({ Id: 'A', Expression: 'b' }), code('ValidationException'))
  await assert.rejects(query({ Id: 'a', Expression: 'a+1' }), code('ValidationException'))
  await assert.rejects(query({ Id: 'a', Expression: 'SUM(METRICS())' }), code('UnsupportedOperation', /SUM/))
  await assert.rejects(client.send(new cw.ListDashboardsCommand({})), code('UnsupportedOperation', /ListDashboards/))
})
