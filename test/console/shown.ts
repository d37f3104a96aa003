/** What is shown beside that which is no form: tags, rules, sub-lists, objects, the launch page's key. Read from the page, and done there. */
import assert from 'node:assert/strict'
import * as cloudwatch from '@aws-sdk/client-cloudwatch'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import type { Page, Request } from 'playwright-core'
import { codeAt, stepAt } from '#identity/totp'
import { fromBase32 } from '../authenticator.ts'
import { keys } from '../conformance/server.ts'
import { read, type Heard } from './heard.ts'
import { settle, visit, type World } from './kit.ts'
import type { Seeded } from './seed.ts'

/** `cli` and `sdk` as they stand in the page, and what the page itself then said. */
export type Shown = { at: string; cli: string; sdk: string; sent: Heard[] }

const ODD = `it's "one" – $HOME \`é\` \\ two`
/** Names of keys and alarms are ASCII. */
const QUOTED = `it's "$HOME"`
const READ = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ec2:Describe*', Resource: '*' }] })

/** One of each thing that a sub-list may hold, where the seed has none. */
export async function fill({ server }: World, made: Seeded): Promise<void> {
  const config = { endpoint: server.url, region: 'us-east-1', credentials: keys }
  const [machines, users, watch] = [server.ec2(), new iam.IAMClient(config), new cloudwatch.CloudWatchClient(config)]
  const UserName = 'alice'
  await users.send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn: made.policy }))
  await users.send(new iam.PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: READ }))
  await users.send(new iam.CreateAccessKeyCommand({ UserName }))
  for (const SetAsDefault of [false, true])
    await users.send(new iam.CreatePolicyVersionCommand({ PolicyArn: made.policy, PolicyDocument: READ, SetAsDefault }))
  // What somebody has and another lacks is changed by other calls.
  const other = { UserName: 'create' }
  await users.send(new iam.CreateLoginProfileCommand({ ...other, Password: 'Correct-Horse-1' }))
  await users.send(new iam.PutUserPermissionsBoundaryCommand({ ...other, PermissionsBoundary: made.policy }))
  await machines.send(new ec2.AuthorizeSecurityGroupEgressCommand({
    GroupId: made.group, IpPermissions: [{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '203.0.113.0/24' }] }],
  }))
  await machines.send(new ec2.CreateSubnetCidrReservationCommand({ SubnetId: made.subnet, Cidr: '10.0.1.64/28', ReservationType: 'explicit' }))
  await hasten(machines)
  await watch.send(new cloudwatch.PutMetricAlarmCommand({
    AlarmName: QUOTED, Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Statistic: 'Average', Period: 300, EvaluationPeriods: 1, Threshold: 80,
    ComparisonOperator: 'GreaterThanThreshold', Dimensions: [{ Name: 'InstanceId', Value: made.instance }],
  }))
  users.destroy()
  watch.destroy()
}

/** The snapshot of the seed, once it is done, restores fast. */
async function hasten(machines: ec2.EC2Client): Promise<void> {
  const end = Date.now() + 20_000
  for (;;) {
    const { Snapshots: [one] = [] } = await machines.send(new ec2.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
    const asked = { AvailabilityZones: ['us-east-1a'], SourceSnapshotIds: [one!.SnapshotId!] }
    if (one!.State === 'completed') return void await machines.send(new ec2.EnableFastSnapshotRestoresCommand(asked))
    assert.ok(Date.now() < end, 'the snapshot is not completed')
  }
}

const isChange = (request: Request): boolean => {
  const said = `${request.headers()['x-amz-target'] ?? ''}${request.postData() ?? ''}`
  return !request.url().includes('/_console/') && request.method() !== 'GET' && !/(^|Action=|\.)(Describe|Get|List)/.test(said)
}
const heardOf = (request: Request): Heard => read({
  method: request.method(), url: new URL(request.url()), target: request.headers()['x-amz-target'] ?? '', body: request.postData() ?? '',
})

/** Reads what is shown, then does it by the button of that name. */
async function take(page: Page, { at, submit }: { at: string; submit: string }): Promise<Shown> {
  const dialog = page.getByRole('dialog')
  const scope = await dialog.count() > 0 ? dialog : page.locator('main')
  await scope.getByRole('button', { name: 'The command and the code for this' }).last().click()
  const cli = (await scope.locator('pre').last().textContent())!
  await scope.getByRole('button', { name: 'SDK for JavaScript' }).last().click()
  await scope.locator('pre').last().filter({ hasText: /^import/ }).waitFor()
  const sdk = (await scope.locator('pre').last().textContent())!
  const sent: Heard[] = []
  const note = (request: Request): void => { if (isChange(request)) sent.push(heardOf(request)) }
  page.on('request', note)
  await scope.getByRole('button', { name: submit, exact: true }).click()
  // A program has as many calls as the page makes.
  const wanted = sdk.match(/^(const .* = )?await /gm)!.length
  const end = Date.now() + 15_000
  while (sent.length < wanted && Date.now() < end) await page.waitForEvent('requestfinished', { timeout: 1000 }).catch(() => {})
  await settle(page)
  page.off('request', note)
  assert.equal(sent.length, wanted, `${at}: what the page did`)
  return { at, cli, sdk, sent }
}

type List = { at: string; button: string; submit?: string; typed?: boolean; title?: string }
/** Sub-lists: where, and by which button some of them are taken away. */
const lists = (made: Seeded): List[] => [
  { at: '/iam/users/alice?tab=permissions', title: 'Attached policies', button: 'Detach' },
  { at: '/iam/users/alice?tab=permissions', title: 'Inline policies', button: 'Delete' },
  { at: '/iam/users/alice?tab=credentials', title: 'Access keys', button: 'Deactivate' },
  { at: '/iam/users/alice?tab=credentials', title: 'Access keys', button: 'Delete', typed: true },
  { at: '/iam/users/alice?tab=credentials', title: "Virtual MFA devices that are nobody's", button: 'Delete' },
  { at: '/iam/users/alice?tab=credentials', title: 'Multi-factor authentication (MFA)', button: 'Deactivate' },
  { at: `/iam/policies/${encodeURIComponent(made.policy)}?tab=versions`, title: 'Policy versions', button: 'Delete' },
  { at: `/iam/policies/${encodeURIComponent(made.policy)}?tab=versions`, title: 'Policy versions', button: 'Set as default' },
  { at: '/s3/buckets/course-files?tab=lifecycle', title: 'Lifecycle rules', button: 'Disable' },
  { at: '/s3/buckets/course-files?tab=lifecycle', title: 'Lifecycle rules', button: 'Delete' },
  // The last of them.
  { at: '/s3/buckets/course-files?tab=lifecycle', title: 'Lifecycle rules', button: 'Delete' },
  { at: '/iam/groups/students?tab=users', title: 'IAM users', button: 'Remove from group' },
  { at: `/iam/identity-providers/${encodeURIComponent(made.provider)}?tab=clients`, title: 'Audience', button: 'Delete' },
  { at: `/vpc/subnets/${made.subnet}?tab=reservations`, title: 'CIDR reservations', button: 'Delete' },
  { at: `/vpc/prefix-lists/${made.list}?tab=entries`, title: 'Entries', button: 'Delete' },
  { at: `/ec2/instances/${made.instance}?tab=status`, title: 'Alarms of this instance', button: 'Delete alarm' },
]
async function takeFrom(page: Page, { at, title, button, typed }: List): Promise<Shown> {
  await visit(page, at)
  const table = page.getByRole('table', { name: title, exact: true })
  await table.getByRole('checkbox', { name: /^Select / }).last().check()
  await page.getByRole('button', { name: button, exact: true }).and(page.locator(':not([disabled])')).click()
  if (typed) await page.getByPlaceholder('delete').fill('delete')
  return take(page, { at: `${at} ${title}`, submit: button })
}

/** The first is removed, and another added. */
type TagsAt = { at: string; key?: string; value?: string }
async function tags(page: Page, { at, key = ODD, value = '$b' }: TagsAt): Promise<Shown> {
  await visit(page, at)
  await page.getByRole('button', { name: 'Manage tags' }).click()
  await page.getByRole('button', { name: /^Remove/ }).first().click()
  await page.getByRole('button', { name: /^Add (new )?tag/ }).click()
  await page.getByRole('textbox', { name: 'Key' }).or(page.getByRole('combobox', { name: 'Key' })).last().fill(key)
  await page.keyboard.press('Escape')
  await page.getByRole('textbox', { name: 'Value' }).or(page.getByRole('combobox', { name: /Value/ })).last().fill(value)
  await page.keyboard.press('Escape')
  return take(page, { at: `tags of ${at}`, submit: 'Save' })
}

/** The only one is removed. */
async function noTags(page: Page, at: string): Promise<Shown> {
  await visit(page, at)
  await page.getByRole('button', { name: 'Manage tags' }).click()
  await page.getByRole('button', { name: /^Remove/ }).click()
  return take(page, { at: `no tags of ${at}`, submit: 'Save' })
}

/** Two codes that follow each other, so many steps from now. */
async function typeCodes(page: Page, seed: Buffer, steps: number): Promise<void> {
  const first = stepAt(new Date()) + steps
  for (const i of [0, 1]) await page.getByRole('dialog').getByLabel(`MFA code ${i + 1}`).fill(codeAt(seed, first + i))
}

/** A device is made, tied to its user by two codes, and brought back in step by two more. */
async function device(page: Page): Promise<Shown[]> {
  const at = '/iam/users/alice?tab=credentials'
  await visit(page, at)
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name: 'Assign MFA device' }).click()
  const made = await take(page, { at: 'device made', submit: 'Create virtual MFA device' })
  const seed = fromBase32((await page.locator('[data-seed]').textContent())!)
  await typeCodes(page, seed, -1)
  const tied = await take(page, { at: 'device tied', submit: 'Add MFA' })
  const table = page.getByRole('table', { name: 'Multi-factor authentication (MFA)' })
  await table.getByRole('checkbox', { name: /^Select arn.*alice$/ }).check()
  await page.getByRole('button', { name: 'Resync' }).click()
  await typeCodes(page, seed, 1)
  return [made, tied, await take(page, { at: 'device in step', submit: 'Resync' })]
}

/** One rule is changed, one comes and one goes. */
async function rules(page: Page, made: Seeded, way: 'inbound' | 'outbound'): Promise<Shown> {
  await visit(page, `/ec2/security-groups/${made.group}/${way}`)
  const peer = page.getByLabel(way === 'inbound' ? 'Source' : 'Destination')
  await peer.first().fill('198.51.100.0/24')
  await page.getByLabel('Description').first().fill('Elsewhere')
  await page.getByRole('button', { name: 'Remove' }).last().click()
  await page.getByRole('button', { name: 'Add rule' }).click()
  await peer.last().fill('2001:db8::/32')
  return take(page, { at: `${way} rules`, submit: 'Save rules' })
}

async function objects(page: Page): Promise<Shown> {
  await visit(page, '/s3/buckets/course-files')
  await page.getByRole('checkbox', { name: 'Select read-me.txt' }).check()
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name: 'Delete objects' }).click()
  await page.getByPlaceholder('delete').fill('delete')
  return take(page, { at: 'objects', submit: 'Delete objects' })
}

/** Its name is a file's of the directory in which the commands are run. */
export const FILE = { name: "it's $HOME.txt", mimeType: 'text/plain', buffer: Buffer.from('forty-two') }
async function upload(page: Page): Promise<Shown> {
  await visit(page, '/s3/buckets/course-files?prefix=pictures/')
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await page.locator('input[type=file]').setInputFiles(FILE)
  return take(page, { at: 'upload', submit: 'Upload' })
}

async function launchKey(page: Page): Promise<Shown> {
  await visit(page, '/ec2/instances/launch')
  await page.getByRole('button', { name: 'Create new key pair' }).click()
  await page.getByRole('dialog').getByLabel('Key pair name').fill(QUOTED)
  return take(page, { at: 'launch key', submit: 'Create key pair' })
}

async function serial(page: Page, made: Seeded): Promise<Shown> {
  await visit(page, `/ec2/instances/${made.instance}/connect?kind=serial`)
  return take(page, { at: 'serial console', submit: 'Turn the serial console on for this account' })
}

export async function allShown(page: Page, made: Seeded): Promise<Shown[]> {
  const found: Shown[] = [
    await tags(page, { at: `/ec2/instances/${made.instance}?tab=tags` }),
    await tags(page, { at: '/iam/users/alice?tab=tags', key: 'a b', value: 'c@d' }),
    await tags(page, { at: '/s3/buckets/course-files?tab=tags', key: 'a b', value: 'c@d' }),
    await noTags(page, '/s3/buckets/course-files?tab=tags'),
    await tags(page, { at: '/ssm/parameters/%2Fshop%2Fdatabase?tab=tags', key: 'a b', value: 'c@d' }),
    await objects(page), await upload(page), await launchKey(page), ...await device(page),
    await serial(page, made), await rules(page, made, 'inbound'), await rules(page, made, 'outbound'),
  ]
  for (const list of lists(made)) found.push(await takeFrom(page, list))
  return found
}
