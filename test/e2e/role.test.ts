/** An instance with a role, on the real engine: its tools find credentials by themselves, and what the role's policy says holds at once. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Enclume, eventually, ssh, sshReady, type Login } from './enclume.ts'

const TRUST = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}'
const MAY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}}'
const NAME = 'role-e2e'
const BUCKET = 'role-e2e-bucket'
const FILE = fileURLToPath(import.meta.url)
const ONE_PREFIX = JSON.stringify({
  Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/mine/*` },
})

let enclume: Enclume
let id: string
let login: Login

const iam = async (...args: string[]): Promise<any> => {
  const { code, stdout, stderr } = await enclume.aws('iam', ...args, '--output', 'json')
  if (code !== 0) throw new Error(`aws iam ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}
async function s3(...args: string[]): Promise<void> {
  const { code, stderr } = await enclume.aws('s3', ...args)
  assert.equal(code, 0, stderr)
}
const inside = (command: string) => ssh(login, command)
const describe = 'aws ec2 describe-instances --query Reservations[].Instances[].InstanceId --output text'

before(async () => {
  enclume = await Enclume.up()
  await iam('create-role', '--role-name', NAME, '--assume-role-policy-document', TRUST)
  await iam('create-instance-profile', '--instance-profile-name', NAME)
  await s3('mb', `s3://${BUCKET}`)
  for (const key of ['mine/file', 'theirs/file']) await s3('cp', FILE, `s3://${BUCKET}/${key}`)
  await iam('add-role-to-instance-profile', '--instance-profile-name', NAME, '--role-name', NAME)
  const key = await enclume.keyPair(NAME)
  const { GroupId } = await enclume.ec2('create-security-group', '--group-name', NAME, '--description', 'role')
  await enclume.ec2('authorize-security-group-ingress', '--group-id', GroupId, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.micro',
    '--key-name', NAME, '--security-group-ids', GroupId)
  id = Instances[0].InstanceId
  const running = await enclume.state(id, 'running')
  login = { key, user: 'admin', address: running.PublicIpAddress }
  await sshReady(login, 180_000)
})

after(async () => {
  if (!enclume) return
  if (id) {
    await enclume.ec2('terminate-instances', '--instance-ids', id)
    await enclume.state(id, 'terminated')
  }
  for (const args of [['ec2', 'delete-security-group', '--group-name', NAME], ['ec2', 'delete-key-pair', '--key-name', NAME],
    ['iam', 'delete-role-policy', '--role-name', NAME, '--policy-name', 'may'], ['s3', 'rb', '--force', `s3://${BUCKET}`],
    ['iam', 'remove-role-from-instance-profile', '--instance-profile-name', NAME, '--role-name', NAME],
    ['iam', 'delete-instance-profile', '--instance-profile-name', NAME], ['iam', 'delete-role', '--role-name', NAME]]) await enclume.aws(...args)
  enclume.close()
})

test('without a profile the CLI finds no credentials', async () => {
  const { code, stderr } = await inside('aws sts get-caller-identity')
  assert.notEqual(code, 0)
  assert.match(stderr, /Unable to locate credentials/)
})

test('with a profile it is the role, may what the role may, and no longer once the policy is gone', async () => {
  await enclume.ec2('associate-iam-instance-profile', '--instance-id', id, '--iam-instance-profile', `Name=${NAME}`)
  const look = async () => { const found = await inside('aws sts get-caller-identity --query Arn --output text'); return found.code === 0 && found }
  const { stdout } = await eventually(look, { what: 'the role in the instance', timeoutMs: 30_000 })
  assert.match(stdout, new RegExp(`:assumed-role/${NAME}/${id}`))
  const denied = await inside(describe)
  assert.match(denied.stderr, /UnauthorizedOperation/)
  await iam('put-role-policy', '--role-name', NAME, '--policy-name', 'may', '--policy-document', MAY)
  // Others' instances, ended within the hour, may be there too.
  const allowed = await inside(describe)
  assert.ok(allowed.stdout.split(/\s+/).includes(id), allowed.stdout + allowed.stderr)
  await iam('delete-role-policy', '--role-name', NAME, '--policy-name', 'may')
  const started = Date.now()
  const again = await inside(describe)
  assert.match(again.stderr, /UnauthorizedOperation/, `${Date.now() - started} ms after the policy was taken away`)
})

test('with a policy for one prefix of a bucket, files come from there alone, and none once it is gone', async () => {
  const copy = (prefix: string) => inside(`rm -f file; aws s3 cp s3://${BUCKET}/${prefix}/file file && sha256sum file`)
  await iam('put-role-policy', '--role-name', NAME, '--policy-name', 'may', '--policy-document', ONE_PREFIX)
  const mine = await copy('mine')
  assert.ok(mine.stdout.includes(hash('sha256', readFileSync(FILE), 'hex')), mine.stdout + mine.stderr)
  assert.match((await copy('theirs')).stderr, /\(403\)/)
  await iam('delete-role-policy', '--role-name', NAME, '--policy-name', 'may')
  assert.match((await copy('mine')).stderr, /\(403\)/)
})
