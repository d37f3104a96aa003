/** What every listing has: selection of many, comparing, preferences, files; and the pages beside EC2, over the fake engine. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as s3 from '@aws-sdk/client-s3'
import type { Locator } from 'playwright-core'
import { keys } from '../conformance/server.ts'
import { settle, visit } from './kit.ts'
import { made, page, world } from './seeded.ts'

test('many are stopped together, by one call', async () => {
  await visit(page, '/ec2/instances')
  for (const n of [0, 1]) await page.getByRole('checkbox', { name: /^Select i-/ }).nth(n).check()
  await page.locator('button[aria-haspopup]').filter({ hasText: 'Instance state' }).click()
  await page.getByRole('menuitem', { name: 'Stop instance' }).click()
  await page.getByRole('button', { name: 'The command and the code for this' }).click()
  assert.match(await page.getByRole('dialog').locator('pre').innerText(), /^aws ec2 stop-instances \\\n {2}--instance-ids i-\w{17} i-\w{17}$/)
  await page.getByRole('dialog').getByRole('button', { name: 'Stop instance' }).click()
  await page.getByRole('row').filter({ hasText: 'Stopped' }).nth(1).waitFor()
  assert.ok(await page.getByRole('button', { name: 'Connect', exact: true }).isDisabled())
})

test('of many calls is told how far they are, and where they stopped', async () => {
  const client = world.server.ec2()
  const names = ['many-1', 'many-2', 'many-3']
  for (const KeyName of names) await client.send(new ec2.CreateKeyPairCommand({ KeyName }))
  await visit(page, '/ec2/key-pairs')
  for (const name of names) await page.getByRole('row').filter({ hasText: name }).getByRole('checkbox').check()
  const going = Promise.withResolvers<void>()
  let asked = 0
  const isDelete = (data: string | null) => data?.includes('Action=DeleteKeyPair') ?? false
  await page.route(() => true, async route => {
    if (!isDelete(route.request().postData())) return route.fallback()
    asked += 1
    if (asked === 2) await going.promise
    const body = '<Response><Errors><Error><Code>Unsupported</Code><Message>no more</Message></Error></Errors></Response>'
    return asked === 3 ? route.fulfill({ status: 400, contentType: 'text/xml', body }) : route.fallback()
  })
  const dialog = await act('Delete')
  await dialog.getByRole('textbox').fill('delete')
  await dialog.getByRole('button', { name: /^Delete/ }).click()
  await page.getByText('1 of 3 done').waitFor()
  going.resolve()
  await page.getByText('2 of 3 were done before that.').waitFor()
  await page.unrouteAll({ behavior: 'wait' })
  const { KeyPairs } = await client.send(new ec2.DescribeKeyPairsCommand({ Filters: [{ Name: 'key-name', Values: ['many-*'] }] }))
  assert.equal(KeyPairs!.length, 1)
  await client.send(new ec2.DeleteKeyPairCommand({ KeyName: KeyPairs![0]!.KeyName }))
})

/** Takes an action of the page, and its dialog. */
async function act(name: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name }).click()
  return page.getByRole('dialog')
}
const submit = async (name: string): Promise<void> => {
  await page.getByRole('dialog').getByRole('button', { name, exact: true }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

test("an instance's user data, role and protection are changed, each form beginning with how it is", async () => {
  await visit(page, `/ec2/instances/${made.instance}`)
  const script = (await act('Edit user data')).getByLabel('User data')
  await page.getByText('yum install -y httpd').first().waitFor()
  await script.fill('#!/bin/bash\necho "é"\n')
  await submit('Edit user data')
  const role = async (from: RegExp, to: string): Promise<void> => {
    await (await act('Modify IAM role')).getByRole('button', { name: from }).click()
    await page.getByRole('option', { name: to, exact: true }).click()
    await submit('Modify IAM role')
  }
  await role(/^IAM Role .*web-server/, '–')
  await page.locator('dl').filter({ hasText: 'IAM Role' }).getByText('web-server').waitFor({ state: 'detached' })
  await role(/^IAM Role .*–/, 'web-server')
  await page.locator('dl').getByText('web-server').waitFor()
  await (await act('Change termination protection')).getByRole('checkbox').check()
  await submit('Change termination protection')
  const read = async (Attribute: ec2.InstanceAttributeName) =>
    world.server.ec2().send(new ec2.DescribeInstanceAttributeCommand({ InstanceId: made.instance, Attribute }))
  assert.equal(Buffer.from((await read('userData')).UserData!.Value!, 'base64').toString(), '#!/bin/bash\necho "é"\n')
  assert.equal((await read('disableApiTermination')).DisableApiTermination!.Value, true)
})

test('one more like it begins with what it was launched with', async () => {
  await act('Launch more like this')
  await page.locator('dl').getByText('t3.micro').waitFor()
  await page.getByRole('button', { name: 'Launch instance', exact: true }).click()
  await page.getByText(/Successfully initiated launch/).waitFor()
  const { Reservations } = await world.server.ec2().send(new ec2.DescribeInstancesCommand({}))
  const all = Reservations!.flatMap(one => one.Instances!)
  const first = all.find(one => one.InstanceId === made.instance)!
  const facts = (one: ec2.Instance) => [one.ImageId, one.KeyName, one.SubnetId, one.SecurityGroups, one.IamInstanceProfile!.Arn, one.MetadataOptions]
  const like = all.filter(one => one.InstanceType === 't3.micro' && one.InstanceId !== made.instance)
  assert.deepEqual([like.length, facts(like[0]!), like[0]!.Tags], [1, facts(first), [{ Key: 'environment', Value: 'production' }]])
})

test('instance types stand side by side, and a launch begins with the one chosen', async () => {
  await visit(page, '/ec2/instance-types')
  await page.getByPlaceholder(/^Find Instance Types/).fill('t3.')
  await page.keyboard.press('Enter')
  for (const name of ['t3.micro', 't3.small']) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check()
  await page.getByRole('button', { name: 'Compare' }).click()
  const rows = await page.getByRole('dialog').getByRole('row').allInnerTexts()
  assert.ok(rows.some(row => /Memory \(GiB\)\s+1\s+2/.test(row)), rows.join('\n'))
  assert.ok(rows.some(row => /0\.0104 USD\s+0\.0208 USD/.test(row)), rows.join('\n'))
  await page.keyboard.press('Escape')
  await page.getByRole('checkbox', { name: 'Select t3.micro', exact: true }).uncheck()
  await page.getByRole('button', { name: 'Launch instance with this type' }).click()
  await page.locator('dl').getByText('0.0208 USD an hour').waitFor()
})

test('a table is kept as CSV, formulas made harmless, and its columns are chosen for good', async () => {
  await world.server.ec2().send(new ec2.CreateTagsCommand({ Resources: [made.volume], Tags: [{ Key: 'Name', Value: '=1+1' }] }))
  await visit(page, '/ec2/volumes')
  await page.getByRole('link', { name: '=1+1' }).waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()])
  const [head, ...rows] = readFileSync(await download.path(), 'utf8').split('\r\n')
  assert.match(head!, /^"Name","Volume ID","Type","Size"/)
  assert.ok(rows.some(row => row.startsWith(`"'=1+1","${made.volume}"`)))
  await page.getByRole('button', { name: 'Preferences' }).click()
  await page.getByRole('dialog').locator('li', { hasText: 'IOPS' }).locator('input').uncheck()
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click()
  await page.reload()
  await settle(page)
  assert.equal(await page.getByRole('columnheader', { name: 'IOPS' }).count(), 0)
})

test('files go into a bucket, come back, and go by a word typed', async () => {
  await visit(page, '/create/s3/buckets')
  await page.getByLabel('Bucket name').fill('homework')
  await page.getByRole('button', { name: 'Create bucket' }).click()
  await page.getByRole('link', { name: 'homework', exact: true }).click()
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await page.locator('input[type=file]').setInputFiles({ name: 'answer.txt', mimeType: 'text/plain', buffer: Buffer.from('forty-two') })
  await submit('Upload')
  await page.getByRole('checkbox', { name: 'Select answer.txt' }).check()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download', exact: true }).click()])
  assert.equal(readFileSync(await download.path(), 'utf8'), 'forty-two')
  await act('Delete objects')
  const remove = page.getByRole('dialog').getByRole('button', { name: 'Delete objects' })
  assert.ok(await remove.isDisabled())
  await page.getByPlaceholder('delete').fill('delete')
  await remove.click()
  await page.getByText('No objects').waitFor()
  const client = new s3.S3Client({ endpoint: world.server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true })
  assert.equal((await client.send(new s3.ListObjectsV2Command({ Bucket: 'homework' }))).KeyCount, 0)
  client.destroy()
})

test('a bucket is told to keep versions, whom to let in, and to be a website, each form beginning with how it is', async () => {
  const client = new s3.S3Client({ endpoint: world.server.url, region: 'us-east-1', credentials: keys, forcePathStyle: true })
  const Bucket = 'bucket-of-settings'
  await client.send(new s3.CreateBucketCommand({ Bucket }))
  await visit(page, '/s3/buckets')
  await page.getByRole('row').filter({ hasText: Bucket }).getByRole('checkbox').check()
  await act('Edit Bucket Versioning')
  await submit('Edit Bucket Versioning')
  assert.equal((await client.send(new s3.GetBucketVersioningCommand({ Bucket }))).Status, 'Enabled')
  const block = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: false }
  await client.send(new s3.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }))
  const access = await act('Edit Block public access')
  await access.getByRole('checkbox', { name: 'Block new public access control lists' }).and(page.locator(':checked')).waitFor()
  await access.getByRole('checkbox', { name: 'Restrict access by public policies to this account' }).check()
  await submit('Edit Block public access')
  const { PublicAccessBlockConfiguration } = await client.send(new s3.GetPublicAccessBlockCommand({ Bucket }))
  assert.deepEqual(PublicAccessBlockConfiguration, { ...block, RestrictPublicBuckets: true })
  const website = await act('Edit static website hosting')
  await website.getByLabel('Index document').fill('index.html')
  await submit('Edit static website hosting')
  assert.deepEqual((await client.send(new s3.GetBucketWebsiteCommand({ Bucket }))).IndexDocument, { Suffix: 'index.html' })
  const again = await act('Edit static website hosting')
  await again.getByLabel('Index document').fill('')
  await submit('Edit static website hosting')
  await assert.rejects(client.send(new s3.GetBucketWebsiteCommand({ Bucket })), { name: 'NoSuchWebsiteConfiguration' })
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${Bucket}/*` }]
  await client.send(new s3.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  const policy = await act('Edit bucket policy')
  await policy.getByText('"s3:DeleteObject"', { exact: true }).waitFor()
  await policy.getByRole('button', { name: 'Cancel' }).click()
  await client.send(new s3.DeleteBucketCommand({ Bucket }))
  client.destroy()
})

test('a policy is attached to a user, shown with what it allows, and detached', async () => {
  await visit(page, '/iam/users/alice?tab=permissions')
  await page.getByText(/^None: what no policy allows is denied/).waitFor()
  await act('Attach policy')
  await page.getByRole('dialog').getByRole('button', { name: /Policy name/ }).click()
  await page.getByRole('option', { name: 'read-instances' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Attach policy' }).click()
  await page.getByRole('checkbox', { name: 'Select read-instances' }).check()
  await page.getByRole('button', { name: 'Detach' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Detach' }).click()
  await page.getByText(/^None: what no policy allows is denied/).waitFor()
})

test('an inline policy is written, and its text is shown; a VPC gets an IPv6 block', async () => {
  await visit(page, '/iam/roles/web-server?tab=permissions')
  await (await act('Create inline policy')).getByLabel('Policy name').fill('own')
  await submit('Create inline policy')
  await page.getByRole('button', { name: 'own', exact: true }).click()
  await page.getByRole('region', { name: 'own' }).getByText('ec2:Describe*').waitFor()
  await visit(page, `/vpc/vpcs/${made.vpc}`)
  await act('Add CIDR block')
  await submit('Add CIDR block')
  await page.locator('dl').getByText(/^3fff:/).waitFor()
})

test('a flow log of a subnet is made by its form, whose lists each begin with their first', async () => {
  await visit(page, '/create/vpc/flow-logs')
  await page.getByRole('button', { name: /^VPC ID .*vpc-/ }).waitFor()
  await page.getByRole('button', { name: /^S3 bucket course-files/ }).waitFor()
  await page.getByRole('button', { name: /^Resource type/ }).click()
  await page.getByRole('option', { name: 'Subnet', exact: true }).click()
  await page.getByRole('button', { name: /^Subnet ID .*subnet-/ }).click()
  await page.getByRole('option', { name: new RegExp(made.subnet) }).click()
  await page.getByLabel('Folder in the bucket').fill('by-form')
  await page.getByRole('button', { name: 'Create flow log' }).click()
  await page.getByRole('row').filter({ hasText: 'by-form' }).filter({ hasText: made.subnet }).waitFor()
})

test('an interface endpoint is made by its form, and its page shows its interfaces', async () => {
  const { Vpcs } = await world.server.ec2().send(new ec2.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }))
  const VpcId = Vpcs![0]!.VpcId!
  const { Subnets } = await world.server.ec2().send(new ec2.DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId] }] }))
  const choose = async (field: RegExp, option: RegExp) => {
    await page.getByRole('button', { name: field }).click()
    await page.getByRole('option', { name: option }).first().click()
  }
  await visit(page, '/create/vpc/endpoints')
  await choose(/^VPC ID/, new RegExp(VpcId))
  await choose(/^Service/, /\.sts$/)
  await choose(/^Subnets/, new RegExp(Subnets![0]!.SubnetId!))
  await choose(/^Security groups/, new RegExp(`default.*${VpcId}`))
  await page.getByRole('button', { name: 'Create endpoint' }).click()
  const row = page.getByRole('row').filter({ hasText: /\.sts/ }).filter({ hasText: 'Available' })
  await row.getByRole('link', { name: /^vpce-/ }).click()
  await page.getByRole('tab', { name: 'Network Interfaces' }).click()
  await page.getByRole('link', { name: /^eni-/ }).waitFor()
})

test("a prefix list's entries come and go, each version is kept, and one is restored", async () => {
  await visit(page, `/vpc/prefix-lists/${made.list}?tab=entries`)
  await act('Add entries')
  await page.getByRole('dialog').getByLabel(/^Entries/).fill('198.51.100.0/24\n192.0.2.0/24')
  await page.getByRole('dialog').getByRole('button', { name: 'Add entries' }).click()
  await page.getByText('192.0.2.0/24').waitFor()
  for (const cidr of ['198.51.100.0/24', '203.0.113.0/24']) await page.getByRole('checkbox', { name: `Select ${cidr}` }).check()
  await page.getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  const office = page.getByRole('row').filter({ hasText: '203.0.113.0/24' })
  await office.waitFor({ state: 'detached' })
  await act('Restore version')
  await page.getByRole('button', { name: /^Version / }).click()
  await page.getByRole('option', { name: '1', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Restore version' }).click()
  await office.waitFor()
  const { Entries } = await world.server.ec2().send(new ec2.GetManagedPrefixListEntriesCommand({ PrefixListId: made.list }))
  assert.deepEqual(Entries!.map(entry => entry.Cidr), ['203.0.113.0/24'])
})

test('a user joins a group and leaves it', async () => {
  await visit(page, '/iam/groups/students?tab=users')
  await act('Add user')
  await page.getByRole('dialog').getByRole('button', { name: /^User name alice/ }).click()
  await page.getByRole('option', { name: 'create', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Add user' }).click()
  await page.getByRole('checkbox', { name: 'Select create' }).check()
  await page.getByRole('button', { name: 'Remove from group' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click()
  await page.getByRole('checkbox', { name: 'Select create' }).waitFor({ state: 'detached' })
})

test('a lifecycle policy is made by its form', async () => {
  await visit(page, '/create/ec2/lifecycle-manager')
  await page.getByLabel('Description').fill('Every day')
  await page.getByRole('button', { name: 'Create lifecycle policy' }).click()
  const row = page.getByRole('row').filter({ hasText: 'Every day' })
  await row.getByText('Enabled').waitFor()
})

test('after signing out the page asks who one is, and its keys are of no use', async () => {
  await visit(page, '/ec2/volumes')
  await page.getByRole('button', { name: 'Account: root' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Sign in' }).waitFor()
  const answer = await page.request.post(`${world.url}/_console/credentials`, { headers: { 'x-enclume-console': '1', origin: world.url } })
  assert.equal(answer.status(), 401)
})
