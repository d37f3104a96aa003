/** Systems Manager's Parameter Store by the SDK for JavaScript, and AMIs that are named by parameters. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { RunInstancesCommand } from '@aws-sdk/client-ec2'
import * as sdk from '@aws-sdk/client-ssm'
import { keys, openServer } from './server.ts'
import { outcome } from './s3-bench.ts'

async function open(t: TestContext) {
  const server = await openServer()
  const ssm = new sdk.SSMClient({ endpoint: server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
  t.after(async () => {
    ssm.destroy()
    await server.close()
  })
  const put = (Name: string, Value: string, more: Partial<sdk.PutParameterCommandInput> = {}) =>
    ssm.send(new sdk.PutParameterCommand({ Name, Value, Type: 'String', ...more }))
  const get = async (Name: string, WithDecryption = false) => (await ssm.send(new sdk.GetParameterCommand({ Name, WithDecryption }))).Parameter!
  return { server, ssm, put, get }
}

test('versions and labels of a parameter are made, selected and listed', async t => {
  const { ssm, put, get } = await open(t)
  assert.deepEqual((await put('/app/db', 'one', { Description: 'd' })).Version, 1)
  assert.equal(await outcome(put('/app/db', 'two')), 'ParameterAlreadyExists')
  assert.equal((await put('/app/db', 'two', { Overwrite: true })).Version, 2)
  await ssm.send(new sdk.LabelParameterVersionCommand({ Name: '/app/db', ParameterVersion: 1, Labels: ['stable', '1bad'] }))
  assert.deepEqual([(await get('/app/db')).Value, (await get('/app/db:1')).Value, (await get('/app/db:stable')).Value], ['two', 'one', 'one'])
  assert.match((await get('/app/db')).ARN!, /^arn:aws:ssm:us-east-1:\d{12}:parameter\/app\/db$/)
  assert.equal(await outcome(get('/app/db:9')), 'ParameterVersionNotFound')
  assert.equal(await outcome(get('/app/none')), 'ParameterNotFound')
  await ssm.send(new sdk.LabelParameterVersionCommand({ Name: '/app/db', Labels: ['stable'] }))
  const { Parameters } = await ssm.send(new sdk.GetParameterHistoryCommand({ Name: '/app/db' }))
  assert.deepEqual(Parameters!.map(one => [one.Version, one.Value, one.Labels, one.Description]), [[1, 'one', [], 'd'], [2, 'two', ['stable'], 'd']])
  for (let i = 3; i <= 101; i++) await put('/app/db', `${i}`, { Overwrite: true }) // The 101st takes the first away.
  assert.equal(await outcome(get('/app/db:1')), 'ParameterVersionNotFound')
  assert.equal(await outcome(put('/app/db', '102', { Overwrite: true })), 'ParameterMaxVersionLimitExceeded')
  assert.equal((await get('/app/db:stable')).Value, 'two')
})

test('a SecureString is sealed in the database and opened only when that is asked', async t => {
  const { server, put, get } = await open(t)
  await put('secret', 'correct horse', { Type: 'SecureString' })
  assert.equal((await get('secret', true)).Value, 'correct horse')
  assert.notEqual((await get('secret')).Value, 'correct horse')
  const rows = await server.store.list({ kind: 'ssm-parameter-version' })
  assert.equal(rows.length, 1)
  assert.ok(!JSON.stringify(rows).includes('correct horse'))
})

test('hierarchies are read by path and described by filters, in pages', async t => {
  const { ssm, put } = await open(t)
  for (const name of ['/a/1', '/a/2', '/a/b/3', '/a/b/c/4', '/z', 'plain']) await put(name, name, { Tags: [{ Key: 'first', Value: name[1]! }] })
  const names = async (Path: string, Recursive = false) => {
    const found: string[] = []
    let NextToken: string | undefined
    do {
      const page: sdk.GetParametersByPathCommandOutput = await ssm.send(new sdk.GetParametersByPathCommand({ Path, Recursive, MaxResults: 2,
        NextToken }))
      found.push(...page.Parameters!.map(({ Name }) => Name!))
      NextToken = page.NextToken
    } while (NextToken)
    return found
  }
  assert.deepEqual(await names('/a'), ['/a/1', '/a/2'])
  assert.deepEqual(await names('/a/', true), ['/a/1', '/a/2', '/a/b/3', '/a/b/c/4'])
  assert.deepEqual(await names('/', true), ['/a/1', '/a/2', '/a/b/3', '/a/b/c/4', '/z'])
  const describe = async (...ParameterFilters: sdk.ParameterStringFilter[]) =>
    (await ssm.send(new sdk.DescribeParametersCommand({ ParameterFilters }))).Parameters!.map(({ Name }) => Name)
  assert.deepEqual(await describe({ Key: 'Name', Option: 'BeginsWith', Values: ['/a/b'] }), ['/a/b/3', '/a/b/c/4'])
  assert.deepEqual(await describe({ Key: 'tag:first', Values: ['z'] }), ['/z'])
  assert.equal(await outcome(describe({ Key: 'Colour', Values: ['x'] })), 'InvalidFilterKey')
  const many = await ssm.send(new sdk.GetParametersCommand({ Names: ['/a/1', '/nothing'] }))
  assert.deepEqual([many.Parameters!.map(({ Value }) => Value), many.InvalidParameters], [['/a/1'], ['/nothing']])
  const gone = await ssm.send(new sdk.DeleteParametersCommand({ Names: ['/a/1', '/nothing'] }))
  assert.deepEqual([gone.DeletedParameters, gone.InvalidParameters], [['/a/1'], ['/nothing']])
})

test('what is malformed or too large is refused in SSM\'s words', async t => {
  const { put, server } = await open(t)
  const cases: [string, string, Partial<sdk.PutParameterCommandInput>, string][] = [
    ['has space', 'x', {}, 'ValidationException'], ['a/b', 'x', {}, 'ValidationException'], ['awsome', 'x', {}, 'ValidationException'],
    ['/aws/x', 'x', {}, 'AccessDeniedException'], [`/${'l/'.repeat(16)}x`, 'x', {}, 'HierarchyLevelLimitExceededException'],
    ['x', 'x'.repeat(4097), {}, 'ValidationException'], ['x', 'x', { Type: 'Odd' as 'String' }, 'UnsupportedParameterType'],
    ['x', 'abc', { AllowedPattern: '\\d+' }, 'ParameterPatternMismatchException'], ['x', 'x', { Type: 'SecureString', KeyId: 'other' },
      'UnsupportedOperation'],
    ['x', 'a'.repeat(40), { AllowedPattern: '(a+)+b' }, 'InvalidAllowedPatternException'], ['x', 'x', { DataType: 'aws:ec2:image' },
      'ValidationException'],
  ]
  for (const [name, value, more, wanted] of cases) assert.equal(await outcome(put(name, value, more)), wanted, name)
  assert.equal((await put('x', 'x'.repeat(8192), { Tier: 'Intelligent-Tiering' })).Tier, 'Advanced')
  assert.equal((await server.store.list({ kind: 'ssm-parameter' })).length, 1)
})

test('public parameters lead to the newest images, and instances are launched by them', async t => {
  const { server, ssm, get, put } = await open(t)
  const ec2 = server.ec2()
  const name = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64'
  const { Value: ImageId } = await get(name)
  const { Parameters } = await ssm.send(new sdk.GetParametersByPathCommand({ Path: '/aws/service/debian', Recursive: true }))
  assert.deepEqual(Parameters!.map(one => one.Name), ['/aws/service/debian/release/12/latest/amd64'])
  await put('/my/ami', ImageId!, { DataType: 'aws:ec2:image' })
  const run = async (id: string) =>
    (await ec2.send(new RunInstancesCommand({ ImageId: id, InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 }))).Instances![0]!.ImageId
  assert.deepEqual([await run(`resolve:ssm:${name}`), await run('resolve:ssm:/my/ami'), await run('resolve:ssm:/my/ami:1')], [ImageId, ImageId,
    ImageId])
  assert.equal(await outcome(run('resolve:ssm:/nothing')), 'InvalidParameterValue')
})
