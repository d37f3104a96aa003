/** AWS's names from inside instances, the way to S3 without internet, prefix lists and flow logs, on the real engine. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { join } from 'node:path'
import { exitCodes } from './aws-cli.ts'
import { Enclume, eventually, run, ssh, sshReady, visit, type Login } from './enclume.ts'

const KEY = 'names'
const BUCKET = 'names-test-logs'
const OWN = 'names-test-own'
let enclume: Enclume
let bastion: Login
let vpc: string, group: string, subnet: string, table: string
const ids: string[] = []
const made: [...words: string[]][] = []

const ec2 = (...args: string[]) => enclume.ec2(...args)
const must = async (...args: string[]) => {
  const { code, stdout, stderr } = await enclume.aws(...args)
  assert.equal(code, 0, stderr)
  return stdout
}
/** On the instance that has no way to the internet, from the one beside it. */
const inside = (command: string) => ssh(bastion,
  `ssh -i key -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR -o ConnectTimeout=5 ec2-user@172.31.200.10 "${command}"`)

before(async () => {
  enclume = await Enclume.up()
  const key = await enclume.keyPair(KEY)
  vpc = (await ec2('describe-vpcs', '--filters', 'Name=is-default,Values=true')).Vpcs[0].VpcId
  subnet = (await ec2('create-subnet', '--vpc-id', vpc, '--cidr-block', '172.31.200.0/24')).Subnet.SubnetId
  table = (await ec2('create-route-table', '--vpc-id', vpc)).RouteTable.RouteTableId
  await ec2('associate-route-table', '--route-table-id', table, '--subnet-id', subnet)
  group = (await ec2('create-security-group', '--group-name', 'names', '--description', 'names', '--vpc-id', vpc)).GroupId
  await ec2('authorize-security-group-ingress', '--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const image = await enclume.image('debian-12-ec2')
  const common = ['--image-id', image, '--instance-type', 't3.medium', '--key-name', KEY, '--security-group-ids', group]
  const serve = '#!/bin/sh\nsystemd-run python3 -m http.server 80\n'
  ids.push((await ec2('run-instances', ...common, '--user-data', serve)).Instances[0].InstanceId)
  ids.push((await ec2('run-instances', ...common, '--subnet-id', subnet, '--private-ip-address', '172.31.200.10')).Instances[0].InstanceId)
  const [first] = await Promise.all(ids.map(id => enclume.state(id, 'running')))
  bastion = { key, user: 'ec2-user', address: first.PublicIpAddress }
  await sshReady(bastion, 180_000)
  await ssh(bastion, `umask 077; echo '${readFileSync(key, 'utf8')}' >key`)
  await eventually(async () => (await inside('true')).code === 0, { what: 'ssh over the bastion', timeoutMs: 180_000 })
}, { timeout: 900_000 })

after(async () => {
  if (ids.length > 0) {
    await enclume.aws('ec2', 'terminate-instances', '--instance-ids', ...ids)
    await enclume.aws('ec2', 'wait', 'instance-terminated', '--instance-ids', ...ids)
  }
  for (const words of made.reverse()) await enclume.aws(...words)
  for (const words of [['delete-subnet', '--subnet-id', subnet], ['delete-route-table', '--route-table-id', table],
    ['delete-security-group', '--group-id', group], ['delete-key-pair', '--key-name', KEY]]) await enclume.aws('ec2', ...words)
  enclume?.close()
})

test('the AWS CLI of an instance reaches the API by AWS\'s name, and trusts it', async () => {
  const query = '--region us-east-1 --query "Reservations[].Instances[].InstanceId" --output text'
  const { code, stdout, stderr } = await ssh(bastion, `${keys()} aws ec2 describe-instances --instance-ids ${ids[0]} ${query}`)
  assert.deepEqual([code, stdout.trim()], [0, ids[0]], stderr)
  const { stdout: plain } = await ssh(bastion, 'curl --silent https://sts.eu-west-3.amazonaws.com/')
  assert.match(plain, /<Error/)
})

test('without a way to the internet only an endpoint leads to S3, and to nothing else', async () => {
  const answers = async () => {
    const codes: number[] = []
    for (const name of ['s3', 'ec2']) {
      codes.push((await inside(`curl --silent --output /dev/null --max-time 4 https://${name}.us-east-1.amazonaws.com/`)).code)
    }
    return codes
  }
  assert.deepEqual(await answers(), [28, 28])
  const service = 'com.amazonaws.us-east-1.s3'
  const { VpcEndpoint } = await ec2('create-vpc-endpoint', '--vpc-id', vpc, '--service-name', service, '--route-table-ids', table)
  made.push(['ec2', 'delete-vpc-endpoints', '--vpc-endpoint-ids', VpcEndpoint.VpcEndpointId])
  await eventually(async () => (await answers()).join() === '0,28', { what: 'S3 answers', timeoutMs: 60_000 })
  await onlyByGateway(VpcEndpoint.VpcEndpointId)
})

const keys = () => {
  const { accessKeyId, secretAccessKey } = JSON.parse(readFileSync(join(enclume.home.dir, 'root-credentials.json'), 'utf8'))
  return `AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1`
}
const statement = (effect: string, action: string, resource: string, condition: object = {}) => JSON.stringify({
  Version: '2012-10-17', Statement: [{ Effect: effect, Principal: '*', Action: action, Resource: resource, ...condition }],
})

/** A bucket that denies every way but an endpoint; then an endpoint that lets nobody write. */
async function onlyByGateway(endpoint: string): Promise<void> {
  await must('s3api', 'create-bucket', '--bucket', OWN)
  made.push(['s3', 'rb', `s3://${OWN}`, '--force'], ['s3api', 'delete-bucket-policy', '--bucket', OWN])
  const condition = { Condition: { StringNotEquals: { 'aws:SourceVpce': endpoint } } }
  await must('s3api', 'put-bucket-policy', '--bucket', OWN, '--policy', statement('Deny', 's3:*Object', `arn:aws:s3:::${OWN}/*`, condition))
  const put = () => inside(`echo hello >f; ${keys()} aws s3api put-object --bucket ${OWN} --key f --body f`)
  const [within, without] = [await put(), await enclume.aws('s3api', 'get-object', '--bucket', OWN, '--key', 'f', join(enclume.dir, 'f'))]
  assert.deepEqual([within.code, without.code], [0, exitCodes(process.env.ENCLUME_TEST_AWS ?? 'aws').refused], `${within.stderr}${without.stderr}`)
  assert.match(without.stderr, /AccessDenied.* explicit deny in a resource-based policy/)
  await ec2('modify-vpc-endpoint', '--vpc-endpoint-id', endpoint, '--policy-document', statement('Allow', 's3:GetObject', '*'))
  assert.match((await put()).stderr, /because no VPC endpoint policy allows the s3:PutObject action/)
  await ec2('modify-vpc-endpoint', '--vpc-endpoint-id', endpoint, '--reset-policy')
}

test('an interface endpoint answers who has no way out, by AWS\'s own name, if its groups let in and its policy allows', async () => {
  const guard = (await ec2('create-security-group', '--group-name', 'door', '--description', 'door', '--vpc-id', vpc)).GroupId
  const { VpcEndpoint } = await ec2('create-vpc-endpoint', '--vpc-id', vpc, '--vpc-endpoint-type', 'Interface', '--service-name',
    'com.amazonaws.us-east-1.ec2', '--subnet-ids', subnet, '--security-group-ids', guard)
  const id = VpcEndpoint.VpcEndpointId
  const show = async () => (await ec2('describe-vpc-endpoints', '--filters', `Name=vpc-endpoint-id,Values=${id}`)).VpcEndpoints[0]
  await eventually(async () => (await show()).State === 'available', { what: 'the endpoint', timeoutMs: 30_000 })
  const [{ DnsName }] = VpcEndpoint.DnsEntries
  const curl = (name: string) => `curl --silent --output /dev/null --max-time 3 https://${name}/`
  const own = 'ec2.us-east-1.amazonaws.com'
  assert.equal((await inside(curl(own))).code, 28, 'nobody is let in yet')
  await ec2('authorize-security-group-ingress', '--group-id', guard, '--protocol', 'tcp', '--port', '443', '--cidr', '172.31.200.0/24')
  assert.deepEqual([(await inside(curl(own))).code, (await inside(curl(DnsName))).code, (await ssh(bastion, curl(own))).code], [0, 0, 28])
  const { stdout: address } = await inside(`getent ahostsv4 ${own}`)
  const { NetworkInterfaces } = await ec2('describe-network-interfaces', '--network-interface-ids', ...VpcEndpoint.NetworkInterfaceIds)
  assert.ok(address.startsWith(NetworkInterfaces[0].PrivateIpAddress), address)
  const list = (more = '') => inside(`${keys()} aws ec2 describe-vpc-endpoints ${more} --query VpcEndpoints[].VpcEndpointId --output text`)
  assert.match((await list()).stdout, new RegExp(id))
  assert.match((await list(`--endpoint-url https://${DnsName}`)).stdout, new RegExp(id))
  await ec2('modify-vpc-endpoint', '--vpc-endpoint-id', id, '--policy-document', statement('Allow', 'ec2:DescribeRegions', '*'))
  assert.match((await list()).stderr, /because no VPC endpoint policy allows the ec2:DescribeVpcEndpoints action/)
  // What is behind the interface is deleted by hand, and comes back.
  await ec2('modify-vpc-endpoint', '--vpc-endpoint-id', id, '--reset-policy')
  const spaces = (await run('ip', ['netns', 'list'])).stdout.match(new RegExp(`^${enclume.home.prefix}-g\\S+`, 'gm'))!
  for (const space of spaces) await run('ip', ['netns', 'del', space])
  await eventually(async () => (await inside(curl(own))).code === 0, { what: 'an answer again', timeoutMs: 90_000 })
  await ec2('delete-vpc-endpoints', '--vpc-endpoint-ids', id)
  await eventually(async () => !await show(), { what: 'the endpoint gone', timeoutMs: 30_000 })
  assert.equal((await inside(curl(own))).code, 28)
  await ec2('delete-security-group', '--group-id', guard)
})

test('a rule that names a prefix list lets in whom the list holds now', async () => {
  const { PrefixList } = await ec2('create-managed-prefix-list', '--prefix-list-name', 'names', '--address-family', 'IPv4', '--max-entries', '2',
    '--entries', `Cidr=${enclume.hostAddress}/32`)
  const id = PrefixList.PrefixListId
  await ec2('authorize-security-group-ingress', '--group-id', group, '--ip-permissions',
    `IpProtocol=tcp,FromPort=80,ToPort=80,PrefixListIds=[{PrefixListId=${id}}]`)
  const url = `http://${bastion.address}/`
  await eventually(async () => /Directory listing/.test(await visit(url)), { what: 'a page', timeoutMs: 60_000 })
  await ec2('modify-managed-prefix-list', '--prefix-list-id', id, '--current-version', '1', '--remove-entries', `Cidr=${enclume.hostAddress}/32`)
  await eventually(async () => await visit(url) === 'timed out', { what: 'silence', timeoutMs: 30_000 })
  made.push(['ec2', 'delete-managed-prefix-list', '--prefix-list-id', id], ['ec2', 'revoke-security-group-ingress', '--group-id', group,
    '--ip-permissions', `IpProtocol=tcp,FromPort=80,ToPort=80,PrefixListIds=[{PrefixListId=${id}}]`])
})

test('a flow log has records of both verdicts in its bucket', { timeout: 240_000 }, async () => {
  await must('s3api', 'create-bucket', '--bucket', BUCKET)
  made.push(['s3', 'rb', `s3://${BUCKET}`, '--force'])
  const { FlowLogIds } = await ec2('create-flow-logs', '--resource-type', 'VPC', '--resource-ids', vpc, '--traffic-type', 'ALL',
    '--log-destination-type', 's3', '--log-destination', `arn:aws:s3:::${BUCKET}`, '--max-aggregation-interval', '60')
  made.push(['ec2', 'delete-flow-logs', '--flow-log-ids', FlowLogIds[0]])
  const lines = async (): Promise<string[]> => {
    await visit(`http://${bastion.address}:81/`)
    await ssh(bastion, 'true')
    const { Contents = [] } = JSON.parse(await must('s3api', 'list-objects-v2', '--bucket', BUCKET, '--output', 'json') || '{}')
    const texts: string[] = []
    for (const { Key } of Contents) {
      await must('s3api', 'get-object', '--bucket', BUCKET, '--key', Key, join(enclume.dir, 'log.gz'))
      texts.push(gunzipSync(readFileSync(join(enclume.dir, 'log.gz'))).toString())
    }
    return texts.join('').split('\n')
  }
  const forms = [/ 22 6 \d+ \d+ \d+ \d+ ACCEPT OK$/, / 81 6 \d+ \d+ \d+ \d+ REJECT OK$/]
  const both = (all: string[]) => forms.every(form => all.some(line => form.test(line)))
  await eventually(async () => both(await lines()), { what: 'records of both verdicts', timeoutMs: 180_000 })
})
