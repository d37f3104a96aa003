/** Who may call: signatures by the official clients, told apart as AWS tells them; regions that know nothing of each other. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { AssumeRootCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import { code, openBench, stateOf, type Bench } from './kit.ts'
import { keys } from './server.ts'

let bench: Bench
let sts: STSClient
before(async () => {
  bench = await openBench()
  sts = new STSClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1 })
})
after(() => { sts.destroy(); return bench.close() })

const create = new sdk.CreateSecurityGroupCommand({ GroupName: 'never', Description: 'never' })
const refused = (wanted: string, status: number) => (error: any) => {
  assert.deepEqual([error.name, error.$metadata.httpStatusCode], [wanted, status], error.message)
  return true
}

class Hash {
  readonly #hash = createHash('sha256')
  update(data: Uint8Array | string): void { this.#hash.update(data) }
  async digest(): Promise<Uint8Array> { return this.#hash.digest() }
}
/** A request for CreateSecurityGroup as a client signs it; `spoil` changes it afterwards. */
async function raw({ service = 'ec2', region = 'us-east-1', at = new Date(), spoil = {}, sign = true }: {
  service?: string; region?: string; at?: Date; spoil?: { body?: string; headers?: Record<string, string> }; sign?: boolean
}): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(bench.server.url)
  const body = 'Action=CreateSecurityGroup&Version=2016-11-15&GroupName=never&GroupDescription=never'
  const headers = { host: `${hostname}:${port}`, 'content-type': 'application/x-www-form-urlencoded' }
  const signer = new SignatureV4({ service, region, credentials: keys, sha256: Hash as never })
  const request = { method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', query: {}, headers, body }
  const signed: { headers: Record<string, string> } = sign ? await signer.sign(request as never, { signingDate: at }) as never : request
  const { host: _, ...rest } = signed.headers
  const response = await fetch(bench.server.url, { method: 'POST', headers: { ...rest, ...spoil.headers }, body: spoil.body ?? body })
  return { status: response.status, text: await response.text() }
}
const errorOf = (text: string) => /<Code>(.*?)<\/Code>/.exec(text)?.[1]

test('a stranger\'s key and a wrong secret are refused by EC2 and by STS in their own words', async () => {
  const before = await stateOf(bench.server)
  const stranger = { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }
  const impostor = { secretAccessKey: 'x'.repeat(40) }
  await assert.rejects(bench.server.ec2(stranger).send(create), refused('AuthFailure', 401))
  await assert.rejects(bench.server.ec2(impostor).send(create), refused('AuthFailure', 401))
  for (const [credentials, wanted] of [[stranger, 'InvalidClientTokenId'], [impostor, 'SignatureDoesNotMatch']] as const) {
    const client = new STSClient({ endpoint: bench.server.url, region: 'us-east-1', credentials: { ...keys, ...credentials }, maxAttempts: 1 })
    await assert.rejects(client.send(new GetCallerIdentityCommand({})), refused(wanted, 403))
    client.destroy()
  }
  const session = new sdk.EC2Client({
    endpoint: bench.server.url, region: 'us-east-1', credentials: { ...keys, sessionToken: 'made-up' }, maxAttempts: 1,
  })
  await assert.rejects(session.send(create), (error: any) => error.$metadata.httpStatusCode === 401)
  session.destroy()
  assert.equal(await stateOf(bench.server), before)
})

test('a clock that is more than five minutes off is refused, four minutes are not', async () => {
  const before = await stateOf(bench.server)
  const minutes = (count: number) => new Date(Date.now() + count * 60_000)
  for (const off of [-6, 6]) {
    const { status, text } = await raw({ at: minutes(off), spoil: {} })
    assert.deepEqual([status, errorOf(text)], [400, 'RequestExpired'])
  }
  assert.equal(await stateOf(bench.server), before)
  for (const off of [-4, 4]) {
    const client = new sdk.EC2Client({
      endpoint: bench.server.url, region: 'us-east-1', credentials: keys, maxAttempts: 1, systemClockOffset: off * 60_000,
    })
    assert.equal((await client.send(new sdk.DescribeVpcsCommand({}))).Vpcs!.length, 1)
    client.destroy()
  }
})

test('what was changed on the way, signed for another service or not at all, does nothing', async () => {
  const before = await stateOf(bench.server)
  const body = 'Action=CreateSecurityGroup&Version=2016-11-15&GroupName=other&GroupDescription=never'
  const answers = [
    await raw({ spoil: { body } }),
    await raw({ spoil: { headers: { 'x-amz-date': '20260101T000000Z' } } }),
    await raw({ sign: false }),
    await raw({ spoil: { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=nonsense' } } }),
    await raw({ spoil: { headers: { authorization: 'Basic bm9ib2R5' } } }),
  ]
  assert.deepEqual(answers.map(({ text }) => errorOf(text)),
    ['AuthFailure', 'AuthFailure', 'MissingParameter', 'IncompleteSignature', 'IncompleteSignature'])
  assert.ok(answers.every(({ status }) => status >= 400 && status < 500))
  assert.ok((await raw({ service: 's3' })).status >= 400)
  assert.equal(await stateOf(bench.server), before)
})

test('a body of more than the limit is refused without harm', async () => {
  const before = await stateOf(bench.server)
  const Description = 'x'.repeat((1 << 20) + 1)
  await assert.rejects(bench.ec2.send(new sdk.CreateSecurityGroupCommand({ GroupName: 'big', Description })), refused('RequestEntityTooLarge', 413))
  assert.equal(await stateOf(bench.server), before)
  assert.equal((await bench.ec2.send(new sdk.DescribeVpcsCommand({}))).Vpcs!.length, 1)
})

test('the caller is the account\'s root user; what STS does not do yet it says', async () => {
  const who = await sts.send(new GetCallerIdentityCommand({}))
  assert.deepEqual([who.UserId, who.Account, who.Arn], [keys.account, keys.account, `arn:aws:iam::${keys.account}:root`])
  const other = new AssumeRootCommand({ TargetPrincipal: keys.account, TaskPolicyArn: {} })
  await assert.rejects(sts.send(other), code('UnsupportedOperation', /AssumeRoot/))
})

test('any region\'s name is a region of its own', async () => {
  const names = ['us-east-1', 'eu-west-3', 'ap-southeast-4', 'us-gov-west-1', 'mars-north-1']
  const ids = new Set<string>()
  for (const region of names) {
    const ec2 = bench.server.ec2({ region })
    const { Vpcs } = await ec2.send(new sdk.DescribeVpcsCommand({}))
    assert.deepEqual(Vpcs!.map(v => [v.IsDefault, v.CidrBlock]), [[true, '172.31.0.0/16']], region)
    ids.add(Vpcs![0]!.VpcId!)
    const { GroupId } = await ec2.send(new sdk.CreateSecurityGroupCommand({ GroupName: 'same-name', Description: region }))
    for (const elsewhere of names.filter(other => other !== region)) {
      const ask = bench.server.ec2({ region: elsewhere }).send(new sdk.DescribeSecurityGroupsCommand({ GroupIds: [GroupId!] }))
      await assert.rejects(ask, code('InvalidGroup.NotFound'))
    }
    const { AvailabilityZones } = await ec2.send(new sdk.DescribeAvailabilityZonesCommand({}))
    assert.deepEqual(AvailabilityZones!.map(z => [z.RegionName, z.ZoneName]), ['a', 'b', 'c'].map(letter => [region, `${region}${letter}`]))
    const { Images } = await ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'] }))
    assert.equal(Images!.length, 2)
    assert.ok(region === 'us-east-1' || Images!.every(image => image.ImageId !== bench.imageId))
  }
  assert.equal(ids.size, names.length)
  for (const region of ['nonsense', 'US-EAST-1', 'us-east']) {
    const { status } = await raw({ region })
    assert.ok(status >= 400 && status < 500, region)
  }
})
