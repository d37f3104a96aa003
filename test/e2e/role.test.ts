/** An instance with a role, on the real engine: its tools find credentials by themselves, and what the role's policy says holds at once. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Enclume, eventually, ssh, sshReady, type Login } from './enclume.ts'

const TRUST = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}'
const MAY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}}'
const NAME = 'role-e2e'

let enclume: Enclume
let id: string
let login: Login

const iam = async (...args: string[]): Promise<any> => {
  const { code, stdout, stderr } = await enclume.aws('iam', ...args, '--output', 'json')
  if (code !== 0) throw new Error(`aws iam ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim() === '' ? undefined : JSON.parse(stdout)
}
const inside = (command: string) => ssh(login, command)
const describe = 'aws ec2 describe-instances --query Reservations[].Instances[].InstanceId --output text'

before(async () => {
  enclume = await Enclume.up()
  await iam('create-role', '--role-name', NAME, '--assume-role-policy-document', TRUST)
  await iam('create-instance-profile', '--instance-profile-name', NAME)
  await iam('add-role-to-instance-profile', '--instance-profile-name', NAME, '--role-name', NAME)
  const key = await enclume.keyPair(NAME)
  const { GroupId } = await enclume.ec2('create-security-group', '--group-name', NAME, '--description', 'role')
  await enclume.ec2('authorize-security-group-ingress', '--group-id', GroupId, '--protocol', 'tcp', '--port', '22', '--cidr', '0.0.0.0/0')
  const { Instances } = await enclume.ec2('run-instances', '--image-id', await enclume.image('debian-12'), '--instance-type', 't3.micro',
    '--key-name', NAME, '--security-group-ids', GroupId)
  id = Instances[0].InstanceId
  const running = await enclume.state(id, 'running')
  login = { key, user: 'admin', address: running.PublicIpAddress }
  await sshReady(login)
})

after(async () => {
  if (!enclume) return
  if (id) {
    await enclume.ec2('terminate-instances', '--instance-ids', id)
    await enclume.state(id, 'terminated')
  }
  for (const args of [['ec2', 'delete-security-group', '--group-name', NAME], ['ec2', 'delete-key-pair', '--key-name', NAME],
    ['iam', 'delete-role-policy', '--role-name', NAME, '--policy-name', 'may'],
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
