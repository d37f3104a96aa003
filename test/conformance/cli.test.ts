/** The course's story by the official AWS CLI on the fake engine: commands, queries, waiters, and what errors look like. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readQr } from '../authenticator.ts'
import { exitCodes, openAws } from '../e2e/aws-cli.ts'
import { keys, openServer, type TestServer } from './server.ts'

const CLI = process.env.ENCLUME_TEST_AWS ?? 'aws'
const exits = exitCodes(CLI)
let server: TestServer
let dir: string
let imageId: string

type Ended = { status: number; out: string; err: string }
const spawned = (command: string, args: string[], env: Record<string, string | undefined> = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    execFile(command, args, { cwd: dir, env: { ...settings(), ...env }, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error)
      resolve({ status: (error?.code as number | undefined) ?? 0, out: stdout.trim(), err: stderr.trim() })
    })
  })
const settings = () => ({
  PATH: process.env.PATH, HOME: dir, AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_DEFAULT_REGION: 'us-east-1', AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true',
})
/** A command that must succeed; what it prints. */
async function aws(...args: string[]): Promise<string> {
  const { status, out, err } = await spawned(CLI, args)
  assert.equal(status, 0, `aws ${args.join(' ')}\n${err}`)
  return out
}
/** A command that must fail: its exit code and its last line. */
async function fails(args: string[], wanted: { status: number; err: RegExp }): Promise<void> {
  const { status, err } = await spawned(CLI, args)
  assert.equal(status, wanted.status, err)
  assert.match(err, wanted.err)
}
const ec2 = (...args: string[]) => aws('ec2', ...args)
const text = (...args: string[]) => ec2(...args, '--output', 'text')
const json = async (...args: string[]) => JSON.parse(await ec2(...args, '--output', 'json')) as any

before(async () => {
  server = await openServer()
  dir = mkdtempSync(join(tmpdir(), 'enclume-cli-'))
  imageId = await text('describe-images', '--owners', 'amazon', '--filters', 'Name=name,Values=debian-12-ec2', '--query', 'Images[0].ImageId')
  assert.match(imageId, /^ami-[0-9a-f]{17}$/)
})
after(async () => {
  await server.close()
  rmSync(dir, { recursive: true })
})

test('a key pair is kept in a file that ssh can read', async () => {
  const pem = await text('create-key-pair', '--key-name', 'votre-cle', '--query', 'KeyMaterial')
  const file = join(dir, 'votre-cle.pem')
  writeFileSync(file, `${pem}\n`)
  chmodSync(file, 0o400)
  const { status, out } = await spawned('ssh-keygen', ['-y', '-f', file])
  assert.equal(status, 0)
  const shown = await text('describe-key-pairs', '--key-names', 'votre-cle', '--include-public-key', '--query', 'KeyPairs[0].PublicKey')
  assert.deepEqual(shown.split(' ').slice(0, 2), out.split(' ').slice(0, 2))
  writeFileSync(join(dir, 'mine.pub'), `${out}\n`)
  assert.match(await text('import-key-pair', '--key-name', 'importee', '--public-key-material', 'fileb://mine.pub', '--query', 'KeyPairId'), /^key-/)
})

test('a web server\'s group lets in SSH from one address, HTTP and HTTPS from everywhere', async () => {
  const id = await text('create-security-group', '--group-name', 'web', '--description', 'Serveur web', '--query', 'GroupId')
  const allow = (...args: string[]) => ec2('authorize-security-group-ingress', '--group-id', id, ...args)
  await allow('--protocol', 'tcp', '--port', '22', '--cidr', '203.0.113.7/32')
  await allow('--protocol', 'tcp', '--port', '80', '--cidr', '0.0.0.0/0')
  await allow('--ip-permissions', 'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0,Description=HTTPS}]')
  await allow('--protocol', 'all', '--source-group', id)
  await allow('--protocol', 'icmp', '--port', '-1', '--cidr', '10.0.0.0/8')
  const rules = await json('describe-security-group-rules', '--filters', `Name=group-id,Values=${id}`, '--query',
    "sort_by(SecurityGroupRules[?!IsEgress], &join(' ', [IpProtocol, to_string(FromPort)]))"
      + "[].[IpProtocol, FromPort, ToPort, CidrIpv4 || ReferencedGroupInfo.GroupId]")
  assert.deepEqual(rules, [
    ['-1', -1, -1, id], ['icmp', -1, -1, '10.0.0.0/8'], ['tcp', 22, 22, '203.0.113.7/32'],
    ['tcp', 443, 443, '0.0.0.0/0'], ['tcp', 80, 80, '0.0.0.0/0'],
  ])
  await ec2('revoke-security-group-ingress', '--group-id', id, '--protocol', 'icmp', '--port', '-1', '--cidr', '10.0.0.0/8')
  assert.equal(await text('describe-security-groups', '--group-names', 'web', '--query', 'length(SecurityGroups[0].IpPermissions)'), '4')
})

test('the story: launch with user data, wait, look, change, stop, start, terminate', async () => {
  const script = '#!/bin/bash\nyum update -y\nyum install -y nodejs\n# é\n'
  writeFileSync(join(dir, 'script.sh'), script)
  const group = await text('describe-security-groups', '--group-names', 'web', '--query', 'SecurityGroups[0].GroupId')
  const subnet = await text('describe-subnets', '--filters', 'Name=availability-zone,Values=us-east-1b', '--query', 'Subnets[0].SubnetId')
  const id = await text('run-instances', '--image-id', imageId, '--instance-type', 't2.micro', '--key-name', 'votre-cle',
    '--security-group-ids', group, '--subnet-id', subnet, '--count', '1', '--user-data', 'file://script.sh',
    '--block-device-mappings', '[{"DeviceName":"/dev/xvda","Ebs":{"VolumeSize":12,"VolumeType":"gp3"}}]',
    '--tag-specifications', 'ResourceType=instance,Tags=[{Key=Name,Value=web},{Key=cours,Value=ec2}]',
    'ResourceType=volume,Tags=[{Key=Name,Value=disque}]',
    '--metadata-options', 'HttpTokens=required', '--query', 'Instances[0].InstanceId')
  await ec2('wait', 'instance-running', '--instance-ids', id)
  await ec2('wait', 'instance-status-ok', '--instance-ids', id)
  const columns = 'InstanceId, State.Name, Placement.AvailabilityZone, KeyName, MetadataOptions.HttpTokens, Tags[?Key==`cours`].Value | [0]'
  const filters = ['--filters', 'Name=tag:Name,Values=web', 'Name=instance-state-name,Values=running']
  const [row] = await json('describe-instances', ...filters, '--query', `Reservations[].Instances[].[${columns}]`)
  assert.deepEqual(row, [id, 'running', 'us-east-1b', 'votre-cle', 'required', 'ec2'])
  const address = () => text('describe-instances', '--instance-ids', id, '--query', 'Reservations[0].Instances[0].PublicIpAddress')
  const first = await address()
  assert.match(first, /^198\.18\.\d+\.\d+$/)
  const attached = ['--filters', `Name=attachment.instance-id,Values=${id}`]
  const volumes = await json('describe-volumes', ...attached, '--query', 'Volumes[].[Size, VolumeType, State]')
  assert.deepEqual(volumes, [[12, 'gp3', 'in-use']])
  const userData = await text('describe-instance-attribute', '--instance-id', id, '--attribute', 'userData', '--query', 'UserData.Value')
  assert.equal(Buffer.from(userData, 'base64').toString(), script)
  assert.match(await text('get-console-output', '--instance-id', id, '--query', 'Output'), /boot 1/)
  assert.equal(await text('stop-instances', '--instance-ids', id, '--query', 'StoppingInstances[0].CurrentState.Name'), 'stopping')
  await ec2('wait', 'instance-stopped', '--instance-ids', id)
  assert.equal(await address(), 'None')
  await ec2('modify-instance-attribute', '--instance-id', id, '--instance-type', '{"Value": "t3.small"}')
  await ec2('modify-instance-attribute', '--instance-id', id, '--disable-api-termination')
  await ec2('start-instances', '--instance-ids', id)
  await ec2('wait', 'instance-running', '--instance-ids', id)
  assert.notEqual(await address(), first)
  await ec2('reboot-instances', '--instance-ids', id)
  await fails(['ec2', 'terminate-instances', '--instance-ids', id], {
    status: exits.refused, err: /\(OperationNotPermitted\).*TerminateInstances operation/,
  })
  await ec2('modify-instance-attribute', '--instance-id', id, '--no-disable-api-termination')
  await ec2('create-tags', '--resources', id, '--tags', 'Key=fin,Value=oui')
  assert.equal(await text('describe-tags', '--filters', `Name=resource-id,Values=${id}`, '--query', 'length(Tags)'), '3')
  assert.equal(await text('terminate-instances', '--instance-ids', id, '--query', 'TerminatingInstances[0].CurrentState.Name'), 'shutting-down')
  await ec2('wait', 'instance-terminated', '--instance-ids', id)
  await fails(['ec2', 'wait', 'instance-running', '--instance-ids', id], {
    status: 255, err: /Waiter InstanceRunning failed: .*terminal failure/,
  })
  await ec2('delete-security-group', '--group-name', 'web')
  await ec2('delete-key-pair', '--key-name', 'votre-cle')
  assert.deepEqual([server.engine.machinesById.size, server.engine.disksById.size], [0, 0])
})

test('a launch template of the CLI\'s shorthand and JSON is versioned, launched with another type, and read from an instance', async () => {
  const data = JSON.stringify({ ImageId: imageId, InstanceType: 't3.micro' })
  const id = await text('create-launch-template', '--launch-template-name', 'cli', '--launch-template-data', data,
    '--tag-specifications', 'ResourceType=launch-template,Tags=[{Key=by,Value=cli}]', '--query', 'LaunchTemplate.LaunchTemplateId')
  const version = ['--launch-template-id', id, '--source-version', '1', '--launch-template-data', 'Monitoring={Enabled=true}']
  assert.equal(await text('create-launch-template-version', ...version, '--query', 'LaunchTemplateVersion.VersionNumber'), '2')
  const [one] = (await json('run-instances', '--launch-template', 'LaunchTemplateName=cli,Version=2', '--instance-type', 't3.small')).Instances
  assert.deepEqual([one.InstanceType, one.Monitoring.State], ['t3.small', 'enabled'])
  const read = await json('get-launch-template-data', '--instance-id', one.InstanceId, '--query', 'LaunchTemplateData')
  assert.deepEqual([read.InstanceType, read.Monitoring, read.TagSpecifications], ['t3.small', { Enabled: true }, undefined])
  await ec2('terminate-instances', '--instance-ids', one.InstanceId)
  await ec2('delete-launch-template', '--launch-template-name', 'cli')
})

test('lists are read in pages, and shown as tables and text too', async () => {
  const types = await text('describe-instance-types', '--page-size', '100', '--query', 'InstanceTypes[].InstanceType')
  assert.ok(types.split(/\s+/).length > 100)
  const limited = await json('describe-instance-types', '--max-items', '3')
  assert.equal(limited.InstanceTypes.length, 3)
  assert.equal((await json('describe-instance-types', '--max-items', '3', '--starting-token', limited.NextToken)).InstanceTypes.length, 3)
  assert.match(await ec2('describe-regions', '--output', 'table'), /us-east-1/)
  assert.equal(await text('describe-availability-zones', '--region', 'eu-west-3', '--query', 'AvailabilityZones[0].ZoneName'), 'eu-west-3a')
})

test('errors end with a code of their own and AWS\'s words; wrong usage never reaches the server', async () => {
  const launch = ['run-instances', '--image-id', imageId, '--instance-type', 't2.micro']
  const unknown = await spawned(CLI, ['ec2', 'describe-instances', '--instance-ids', 'i-0123456789abcdef0'])
  assert.equal(unknown.err, 'An error occurred (InvalidInstanceID.NotFound) when calling the DescribeInstances operation: '
    + "The instance ID 'i-0123456789abcdef0' does not exist")
  const cases: [string[], RegExp][] = [
    [['describe-instances', '--instance-ids', 'nonsense'], /\(InvalidInstanceID.Malformed\).*Invalid id: "nonsense"/],
    [[...launch, '--dry-run'], /\(DryRunOperation\).*Request would have succeeded/],
    [['delete-security-group', '--group-name', 'default'], /\(CannotDelete\)/],
    [[...launch, '--license-specifications', 'LicenseConfigurationArn=x'], /\(UnsupportedOperation\).*LicenseSpecifications/],
    [['allocate-hosts', '--availability-zone', 'us-east-1a'], /\(UnsupportedOperation\).*AllocateHosts/],
  ]
  for (const [args, err] of cases) await fails(['ec2', ...args], { status: exits.refused, err })
  await fails(['ec2', 'run-instances', '--no-such-option'], { status: exits.option, err: /Unknown options/ })
})

test('who calls, and who may not', async () => {
  const who = JSON.parse(await aws('sts', 'get-caller-identity', '--output', 'json'))
  assert.deepEqual(who, { UserId: keys.account, Account: keys.account, Arn: `arn:aws:iam::${keys.account}:root` })
  const stranger = await spawned(CLI, ['ec2', 'describe-vpcs'], { AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) })
  assert.equal(stranger.status, exits.refused)
  assert.match(stranger.err, /\(AuthFailure\).*AWS was not able to validate the provided access credentials/)
})

test('an MFA device\'s QR code is written to a file, which reads as what its seed is', async () => {
  const device = (name: string, method: string) =>
    aws('iam', 'create-virtual-mfa-device', '--virtual-mfa-device-name', name, '--outfile', join(dir, name), '--bootstrap-method', method)
  await device('picture', 'QRCodePNG')
  await device('seed', 'Base32StringSeed')
  assert.match(readQr(readFileSync(join(dir, 'picture'))), new RegExp(`^otpauth://totp/picture@${keys.account}\\?secret=[A-Z2-7]{64}$`))
  assert.match(readFileSync(join(dir, 'seed'), 'utf8'), /^[A-Z2-7]{64}$/)
})

test('a volume\'s story, with the CLI\'s waiters: made, attached, kept in a snapshot, taken away, deleted', async () => {
  const [id = '', zone = ''] = (await text('run-instances', '--image-id', imageId, '--instance-type', 't3.micro', '--query',
    'Instances[0].[InstanceId,Placement.AvailabilityZone]')).split('\t')
  await ec2('wait', 'instance-running', '--instance-ids', id)
  const volume = await text('create-volume', '--availability-zone', zone, '--size', '10', '--volume-type', 'gp3', '--query', 'VolumeId')
  await ec2('wait', 'volume-available', '--volume-ids', volume)
  await ec2('attach-volume', '--volume-id', volume, '--instance-id', id, '--device', '/dev/sdf')
  await ec2('wait', 'volume-in-use', '--volume-ids', volume)
  await ec2('modify-volume', '--volume-id', volume, '--size', '12')
  const snapshot = await text('create-snapshot', '--volume-id', volume, '--description', 'kept', '--query', 'SnapshotId')
  await ec2('wait', 'snapshot-completed', '--snapshot-ids', snapshot)
  const image = await text('create-image', '--instance-id', id, '--name', 'story', '--query', 'ImageId')
  await ec2('wait', 'image-available', '--image-ids', image)
  await ec2('wait', 'instance-running', '--instance-ids', id)
  await ec2('detach-volume', '--volume-id', volume)
  await ec2('wait', 'volume-available', '--volume-ids', volume)
  await ec2('delete-volume', '--volume-id', volume)
  await ec2('wait', 'volume-deleted', '--volume-ids', volume)
  assert.equal(await text('describe-snapshots', '--owner-ids', 'self', '--filters', 'Name=description,Values=kept', '--query',
    'Snapshots[0].VolumeSize'), '12')
  await ec2('terminate-instances', '--instance-ids', id)
  await ec2('wait', 'instance-terminated', '--instance-ids', id)
})

test('as end-to-end tests run it, loaded once, it answers as it does in a process of its own', async t => {
  const shared = openAws({ cli: CLI, env: settings(), dir })
  if (!shared) return t.skip('this CLI is no Python program')
  t.after(() => shared.close())
  const group = await text('create-security-group', '--group-name', 'shared', '--description', 'shared', '--query', 'GroupId')
  await text('create-tags', '--resources', group, '--tags', 'Key=shared,Value=é')
  const groups = ['ec2', 'describe-security-groups', '--group-ids']
  const calls = [
    [...groups, group, '--output', 'json'], [...groups, 'sg-1'], [...groups, group, '--query', 'SecurityGroups[0].Tags', '--output', 'table'],
    ['sts', 'get-caller-identity'], ['s3', 'ls'], ['ec2', 'describe-nothing'],
  ]
  const [own, forked] = await Promise.all([Promise.all(calls.map(args => spawned(CLI, args))), Promise.all(calls.map(args => shared.call(args)))])
  assert.deepEqual(forked.map(({ code, stdout, stderr }) => ({ status: code, out: stdout.trim(), err: stderr.trim() })), own)
  assert.deepEqual(own.map(({ status }) => status), [0, exits.refused, 0, 0, 0, exits.operation])
})
