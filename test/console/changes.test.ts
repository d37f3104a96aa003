/** Forms of what is there: they begin with how it is, offer what can be right, and change what was changed, over the fake engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import { keys } from '../conformance/server.ts'
import { handsOf } from './hands.ts'
import { shot, visit } from './kit.ts'
import { made, page, world } from './seeded.ts'

const api = world.server.ec2()

const { act, submit, choose } = handsOf(() => page)
/** What a list offers, once it offers something. */
async function offered(field: RegExp): Promise<string[]> {
  await page.getByRole('button', { name: field }).click()
  await page.getByRole('option').first().waitFor()
  const found = await page.getByRole('option').allInnerTexts()
  await page.keyboard.press('Escape')
  return found
}
const defaultVpc = async (): Promise<string> =>
  (await api.send(new ec2.DescribeVpcsCommand({ Filters: [{ Name: 'is-default', Values: ['true'] }] }))).Vpcs![0]!.VpcId!

test('a VPC is not offered as its own peer', async () => {
  await visit(page, '/create/vpc/peering-connections')
  for (const vpc of [made.vpc, await defaultVpc()]) {
    await choose(/^VPC ID/, new RegExp(vpc))
    assert.ok((await offered(/^Accepter VPC/)).every(text => !text.includes(vpc)))
    await page.getByRole('button', { name: new RegExp(`^Accepter VPC.*${vpc}`) }).waitFor({ state: 'detached' })
  }
})

test('an endpoint is offered the subnets and groups of its VPC alone, and so is an interface the groups of its subnet', async () => {
  await visit(page, '/create/vpc/endpoints')
  for (const vpc of [made.vpc, await defaultVpc()]) {
    await choose(/^VPC ID/, new RegExp(vpc))
    for (const field of [/^Subnets/, /^Security groups/])
      assert.ok((await offered(field)).every(text => text.includes(vpc)), String(field))
  }
  await visit(page, '/create/ec2/network-interfaces')
  await choose(/^Subnet ID/, new RegExp(made.subnet))
  assert.ok((await offered(/^Security groups/)).every(text => text.includes(made.vpc)))
})

test('a public key is imported out of its file, with nothing selected', async () => {
  await visit(page, '/ec2/key-pairs')
  const dialog = await act('Import key pair')
  await dialog.getByLabel('Key pair name').fill('laptop')
  const buffer = Buffer.from('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop\n')
  await dialog.locator('input[type=file]').setInputFiles({ name: 'id_ed25519.pub', mimeType: 'text/plain', buffer })
  await dialog.getByText('me@laptop').first().waitFor()
  await submit('Import key pair')
  await page.getByRole('row').filter({ hasText: 'laptop' }).getByText('ed25519').waitFor()
})

test('several groups are given to an instance, which keeps those that it has', async () => {
  await visit(page, `/ec2/instances/${made.instance}`)
  const dialog = await act('Change security groups')
  await dialog.getByText(`web (${made.group})`).first().waitFor()
  await choose(/^Security groups/, /^default/)
  await submit('Change security groups')
  const { Reservations } = await api.send(new ec2.DescribeInstancesCommand({ InstanceIds: [made.instance] }))
  assert.deepEqual(Reservations![0]!.Instances![0]!.SecurityGroups!.map(one => one.GroupName).sort(), ['default', 'web'])
})

test("an interface's addresses come and go by one dialog", async () => {
  await visit(page, `/ec2/network-interfaces/${made.nic}?tab=details`)
  await (await act('Manage IP addresses')).getByLabel('Assign these private IPv4 addresses').fill('10.0.1.200\n10.0.1.201')
  await submit('Manage IP addresses')
  await page.locator('dl').getByText('10.0.1.201').waitFor()
  const dialog = await act('Manage IP addresses')
  await choose(/^Unassign private IPv4 addresses/, '10.0.1.200')
  await dialog.getByLabel('Assign further private IPv4 addresses').fill('1')
  await submit('Manage IP addresses')
  await page.locator('dl').getByText('10.0.1.200').waitFor({ state: 'detached' })
  const { NetworkInterfaces } = await api.send(new ec2.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [made.nic] }))
  const now = NetworkInterfaces![0]!.PrivateIpAddresses!.map(one => one.PrivateIpAddress)
  assert.deepEqual([now.length, now.includes('10.0.1.201'), now.includes('10.0.1.200')], [3, true, false])
})

test('an AMI is made of a snapshot, deprecated to the minute, protected, and then not offered to be deregistered', async () => {
  await visit(page, '/ec2/snapshots')
  await page.getByRole('checkbox', { name: /^Select snap-/ }).first().check()
  await (await act('Create image from snapshot')).getByLabel('Image name').fill('mine')
  await submit('Create image from snapshot')
  const { Images } = await api.send(new ec2.DescribeImagesCommand({ Owners: ['self'] }))
  await visit(page, `/ec2/images/${Images![0]!.ImageId}`)
  const dialog = await act('Manage AMI Deprecation')
  await dialog.getByPlaceholder('YYYY/MM/DD').fill('2030/01/31')
  await dialog.getByPlaceholder('hh:mm').fill('09:30')
  await submit('Manage AMI Deprecation')
  await (await act('Manage AMI deregistration protection')).getByRole('checkbox').check()
  await submit('Manage AMI deregistration protection')
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.locator('[aria-disabled="true"]').filter({ hasText: 'Deregister AMI' }).waitFor()
  await page.keyboard.press('Escape')
  const { Images: now } = await api.send(new ec2.DescribeImagesCommand({ Owners: ['self'] }))
  assert.deepEqual([now![0]!.DeprecationTime, now![0]!.DeregistrationProtection], ['2030-01-31T09:30:00.000Z', 'enabled'])
})

test('fast restores of a snapshot are turned on, seen and turned off, zone by zone', async () => {
  await visit(page, '/ec2/snapshots')
  await page.getByRole('link', { name: /^snap-/ }).first().click()
  const fact = page.locator('dl > div').filter({ hasText: 'Fast snapshot restore' })
  const name = 'Manage fast snapshot restore'
  await act(name)
  await choose(/^Availability Zone/, 'us-east-1a')
  await page.getByRole('option', { name: 'us-east-1b' }).click()
  await submit(name)
  await fact.getByText('us-east-1a, us-east-1b').waitFor()
  const dialog = await act(name)
  await dialog.getByText('us-east-1b').first().waitFor()
  await choose(/^Availability Zone/, 'us-east-1a')
  await submit(name)
  await fact.getByText('us-east-1b', { exact: true }).waitFor()
  const { FastSnapshotRestores } = await api.send(new ec2.DescribeFastSnapshotRestoresCommand({}))
  assert.deepEqual(FastSnapshotRestores!.map(one => one.AvailabilityZone), ['us-east-1b'])
})

test('a volume is made of a type that is called as AWS calls it', async () => {
  await visit(page, '/create/ec2/volumes')
  const names = await offered(/^Volume type/)
  assert.deepEqual([names[0]!.split('\n')[0], names.at(-1)], ['General Purpose SSD (gp3)', 'Magnetic (standard)'])
})

test('a public NAT gateway is offered subnets behind an internet gateway alone, a private one all', async () => {
  const inside = await makeInside()
  await visit(page, '/create/vpc/nat-gateways')
  const public_ = await offered(/^Subnet ID/)
  assert.ok(public_.some(text => text.includes(made.subnet)) && public_.every(text => !text.includes(inside)), public_.join())
  await choose(/^Connectivity type/, 'Private')
  assert.ok((await offered(/^Subnet ID/)).some(text => text.includes(inside)))
})
/** A subnet of a VPC that has no way to the internet. */
async function makeInside(): Promise<string> {
  const { Vpc } = await api.send(new ec2.CreateVpcCommand({ CidrBlock: '10.77.0.0/16' }))
  return (await api.send(new ec2.CreateSubnetCommand({ VpcId: Vpc!.VpcId, CidrBlock: '10.77.1.0/24' }))).Subnet!.SubnetId!
}

test('a default VPC is offered where there is none, and nowhere else', async () => {
  const entry = async () => {
    await page.getByRole('button', { name: 'Actions' }).waitFor()
    if (await page.getByRole('button', { name: 'Actions' }).isDisabled()) return 'nothing'
    await page.getByRole('button', { name: 'Actions' }).click()
    const disabled = await page.getByRole('menuitem', { name: 'Create default VPC' }).getAttribute('aria-disabled')
    await page.keyboard.press('Escape')
    return disabled === 'true' ? 'withheld' : 'offered'
  }
  await visit(page, `/vpc/vpcs/${made.vpc}`)
  assert.equal(await entry(), 'withheld')
  await page.evaluate("localStorage.setItem('enclume-region', 'eu-west-3')")
  await page.reload()
  await visit(page, '/vpc/vpcs')
  assert.equal(await entry(), 'nothing')
  const elsewhere = new ec2.EC2Client({ endpoint: world.server.url, region: 'eu-west-3', credentials: keys })
  await emptied(elsewhere)
  await page.getByText('No VPCs').waitFor()
  assert.equal(await entry(), 'offered')
  await act('Create default VPC')
  await submit('Create default VPC')
  await page.getByRole('link', { name: /^vpc-/ }).waitFor()
  assert.equal(await entry(), 'nothing')
  elsewhere.destroy()
  await page.evaluate("localStorage.removeItem('enclume-region')")
  await page.reload()
})
/** The Region without its VPC. */
async function emptied(client: ec2.EC2Client): Promise<void> {
  const { Vpcs } = await client.send(new ec2.DescribeVpcsCommand({}))
  const { Subnets } = await client.send(new ec2.DescribeSubnetsCommand({}))
  for (const { SubnetId } of Subnets!) await client.send(new ec2.DeleteSubnetCommand({ SubnetId }))
  const { InternetGateways } = await client.send(new ec2.DescribeInternetGatewaysCommand({}))
  for (const { InternetGatewayId, Attachments } of InternetGateways!) {
    await client.send(new ec2.DetachInternetGatewayCommand({ InternetGatewayId, VpcId: Attachments![0]!.VpcId }))
    await client.send(new ec2.DeleteInternetGatewayCommand({ InternetGatewayId }))
  }
  for (const { VpcId } of Vpcs!) await client.send(new ec2.DeleteVpcCommand({ VpcId }))
}

test('an IPv6 block of a VPC comes and goes, and so do the routes by it', async () => {
  await visit(page, `/vpc/vpcs/${made.vpc}?tab=details`)
  await act('Add CIDR block')
  await submit('Add CIDR block')
  await page.locator('dl').getByText(/^3fff:/).waitFor()
  await visit(page, `/vpc/route-tables/${made.table}?tab=routes`)
  await (await act('Add route')).getByLabel('Destination').fill('::/0')
  await choose(/^Target type/, 'Egress-only internet gateway')
  await page.getByRole('button', { name: /^Target .*eigw-/ }).waitFor()
  await submit('Add route')
  await page.getByRole('row').filter({ hasText: '::/0' }).getByRole('link', { name: /^eigw-/ }).waitFor()
  await act('Remove route')
  await choose(/^Destination/, '::/0')
  await submit('Remove route')
  await page.getByRole('row').filter({ hasText: '::/0' }).waitFor({ state: 'detached' })
  await visit(page, `/vpc/vpcs/${made.vpc}?tab=details`)
  await act('Remove CIDR block')
  await submit('Remove CIDR block')
  await page.locator('dl').getByText(/^3fff:/).waitFor({ state: 'detached' })
})

test('a route and an entry are changed from how they are, and no last entry is offered', async () => {
  await visit(page, `/vpc/route-tables/${made.table}?tab=routes`)
  await act('Edit route')
  await page.getByRole('button', { name: /^Target .*igw-/ }).waitFor()
  await choose(/^Destination/, '10.0.0.0/16')
  await page.getByRole('button', { name: /^Target type Local/ }).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await visit(page, `/vpc/network-acls/${made.acl}?tab=inbound`)
  await act('Edit entry')
  await choose(/^Entry/, /^Inbound 100/)
  await page.getByRole('button', { name: /^Protocol All/ }).waitFor()
  assert.deepEqual((await offered(/^Entry/)).filter(text => /3276[78]/.test(text)), [])
  await choose(/^Allow or deny/, 'Deny')
  await submit('Edit entry')
  const { NetworkAcls } = await api.send(new ec2.DescribeNetworkAclsCommand({ NetworkAclIds: [made.acl] }))
  const now = NetworkAcls![0]!.Entries!.filter(one => one.RuleNumber === 100).map(one => [one.Egress, one.Protocol, one.CidrBlock, one.RuleAction])
  assert.deepEqual(now.sort(), [[false, '-1', '0.0.0.0/0', 'deny'], [true, '-1', '0.0.0.0/0', 'allow']])
})

test('a subnet gets another route table, and loses it', async () => {
  await visit(page, `/vpc/route-tables/${made.table}?tab=details`)
  const read = async () => (await api.send(new ec2.DescribeRouteTablesCommand({ RouteTableIds: [made.table] }))).RouteTables![0]!.Associations!
  const before = (await read()).filter(one => one.SubnetId).map(one => one.SubnetId)
  const { Subnets } = await api.send(new ec2.DescribeSubnetsCommand({ Filters: [{ Name: 'vpc-id', Values: [made.vpc] }] }))
  const other = Subnets!.find(one => !before.includes(one.SubnetId))!.SubnetId!
  const dialog = await act('Edit subnet associations')
  await dialog.getByText(before[0]!).first().waitFor()
  await choose(/^Subnets/, new RegExp(other))
  await page.getByRole('option', { name: new RegExp(before[0]!) }).click()
  await submit('Edit subnet associations')
  assert.deepEqual((await read()).filter(one => one.SubnetId).map(one => one.SubnetId), [other])
})

test('a rule is changed in place and keeps its id', async () => {
  const read = async () => {
    const Filters = [{ Name: 'group-id', Values: [made.group] }]
    const { SecurityGroupRules } = await api.send(new ec2.DescribeSecurityGroupRulesCommand({ Filters }))
    const ssh = SecurityGroupRules!.filter(rule => !rule.IsEgress && rule.FromPort === 22)
    return ssh.map(rule => [rule.SecurityGroupRuleId, rule.CidrIpv4, rule.Description])
  }
  const [[id]] = await read() as [string[]]
  await visit(page, `/ec2/security-groups/${made.group}/inbound`)
  const row = page.locator('main').getByLabel('Source').and(page.locator('[value="203.0.113.0/32"]'))
  await row.fill('198.51.100.0/24')
  await page.getByRole('button', { name: 'Save rules' }).click()
  await page.getByText(`The rules of ${made.group} were saved`).waitFor()
  assert.deepEqual(await read(), [[id, '198.51.100.0/24', 'The office']])
})

test("an alarm that is begun at an instance's curve begins with both", async () => {
  await visit(page, `/ec2/instances/${made.instance}?tab=monitoring`)
  await page.getByRole('link', { name: /^Create alarm: Network in/ }).click()
  await page.getByRole('button', { name: new RegExp(`^Instance ID .*${made.instance}`) }).waitFor()
  await page.getByRole('button', { name: /^Metric NetworkIn/ }).waitFor()
  await page.getByRole('button', { name: /^Statistic Sum/ }).waitFor()
  await visit(page, `/ec2/instances/${made.instance}?tab=status`)
  await page.getByRole('link', { name: 'Create alarm' }).click()
  await page.getByRole('button', { name: new RegExp(`^Instance ID .*${made.instance}`) }).waitFor()
  await page.getByRole('button', { name: /^Metric StatusCheckFailed/ }).waitFor()
})

test('the event history begins with what changed something, and shows the rest when it is asked', async () => {
  await visit(page, '/cloudtrail/events')
  const rows = page.locator('tbody tr')
  await rows.first().waitFor()
  assert.deepEqual((await rows.allInnerTexts()).filter(text => /\b(Describe|Get|List|Lookup)[A-Z]/.test(text)), [])
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await rows.filter({ hasText: 'LookupEvents' }).first().waitFor()
  assert.equal(await page.getByRole('checkbox').count(), 0)
})

test("a right click's menu is whole on a low window, from its first entry on", async () => {
  const size = page.viewportSize()!
  await page.setViewportSize({ width: 1280, height: 600 })
  await visit(page, '/ec2/instances')
  await page.getByRole('row').filter({ hasText: 'web-1' }).click({ button: 'right' })
  const menu = page.getByRole('menu', { name: 'Actions' })
  const { y, height } = (await menu.boundingBox())!
  assert.ok(y >= 0 && y + height <= 600, `from ${y}, ${height} high`)
  await menu.getByRole('menuitem', { name: 'Connect', exact: true }).click({ trial: true })
  await shot(page, 'over-right-click')
  await menu.getByRole('menuitem', { name: 'Create image' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.setViewportSize(size)
})
