/** Names are their owners': whatever one is called, its pages are there, also after a reload, and what was stored is shown as text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import { keys } from '../conformance/server.ts'
import { settle, visit } from './kit.ts'
import { isForm, isNotBuilt, placesOf } from './places.ts'
import { MARKUP } from './seed.ts'
import { made, page, world } from './seeded.ts'

const called = { '/iam/users/create': 'create', '/ec2/instance-types/t3.micro': 't3.micro', '/iam/users/not%zz': 'There is nothing here' }
for (const [place, title] of Object.entries(called)) {
  test(`${place} is a page of its own, also when it is loaded anew`, async () => {
    await page.goto(world.url + place)
    await settle(page)
    assert.equal((await page.locator('h1').first().innerText()).trim(), title)
  })
}

test('what asks for a file that is not there is told so, and gets no page in its place', async () => {
  const answers = await Promise.all(['/assets/none.js', '/favicon.ico'].map(path => page.request.get(world.url + path)))
  assert.deepEqual(answers.map(answer => answer.status()), [404, 404])
})

/** Names and tags with markup in them, wherever the API takes them. */
async function mark(): Promise<void> {
  const client = world.server.ec2()
  const Tags = [{ Key: 'Name', Value: MARKUP }, { Key: MARKUP, Value: MARKUP }]
  const { NetworkInterfaces } = await client.send(new ec2.DescribeNetworkInterfacesCommand({}))
  const { Snapshots } = await client.send(new ec2.DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  const { Subnets } = await client.send(new ec2.DescribeSubnetsCommand({}))
  const { InternetGateways } = await client.send(new ec2.DescribeInternetGatewaysCommand({}))
  const { KeyPairs } = await client.send(new ec2.DescribeKeyPairsCommand({}))
  const { Addresses } = await client.send(new ec2.DescribeAddressesCommand({}))
  const { FlowLogs } = await client.send(new ec2.DescribeFlowLogsCommand({}))
  const ids = [
    made.instance, made.group, made.vpc, made.table, made.acl, made.volume, made.options, made.list, made.endpoint,
    ...NetworkInterfaces!.map(one => one.NetworkInterfaceId!), ...Snapshots!.map(one => one.SnapshotId!), ...Subnets!.map(one => one.SubnetId!),
    ...InternetGateways!.map(one => one.InternetGatewayId!), ...KeyPairs!.map(one => one.KeyPairId!), ...Addresses!.map(one => one.AllocationId!),
    ...FlowLogs!.map(one => one.FlowLogId!),
  ]
  for (const id of ids) await client.send(new ec2.CreateTagsCommand({ Resources: [id], Tags }))
  await client.send(new ec2.CreateKeyPairCommand({ KeyName: MARKUP }))
  await client.send(new ec2.ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId: made.nic, Description: { Value: MARKUP } }))
  await client.send(
    new ec2.CreateManagedPrefixListCommand({
      PrefixListName: MARKUP, AddressFamily: 'IPv4', MaxEntries: 1, Entries: [{ Cidr: '192.0.2.0/24', Description: MARKUP }],
    }),
  )
  const people = new iam.IAMClient({ endpoint: world.server.url, region: 'us-east-1', credentials: keys })
  await people.send(new iam.UpdateRoleDescriptionCommand({ RoleName: 'web-server', Description: MARKUP.replaceAll("'", '') }))
  people.destroy()
}

test('markup in names, tags and descriptions is shown as text on every page', async () => {
  await mark()
  const seen = new Set<string>()
  const wrong: string[] = []
  await page.goto(world.url)
  // A form shows no name but in lists, which are the same everywhere.
  for (const place of placesOf(made).filter(p => !isNotBuilt(p) && !isForm(p))) {
    await visit(page, place)
    if (await page.locator('img[src="x"]').count() > 0 || await page.title() === 'broken') wrong.push(place)
    if ((await page.locator('body').innerText()).includes('<img src=x')) seen.add(place.split('?')[0]!.split('/')[2]!)
  }
  assert.deepEqual(wrong, [])
  const shown = [
    'instances', 'volumes', 'snapshots', 'security-groups', 'addresses', 'key-pairs', 'network-interfaces', 'vpcs', 'subnets', 'route-tables',
    'internet-gateways', 'network-acls', 'endpoints', 'prefix-lists', 'flow-logs', 'dhcp-options', 'roles',
  ]
  assert.deepEqual(shown.filter(kind => !seen.has(kind)), [])
})
