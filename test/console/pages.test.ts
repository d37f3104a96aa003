/** Every page, in both languages, in a real browser: it shows, nothing breaks, and a screen reader finds its way (axe). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AxeBuilder } from '@axe-core/playwright'
import * as sdk from '@aws-sdk/client-ec2'
import type { Browser } from 'playwright-core'
import { openBrowser, openSeat, openWorld, shot, signIn, type Language, type World } from './kit.ts'

let world: World
let browser: Browser
let places: string[]
const MARKUP = '<img src=x onerror="document.title=\'broken\'">'

before(async () => {
  world = await openWorld()
  browser = await openBrowser()
  const ec2 = world.server.ec2()
  const { Images } = await ec2.send(new sdk.DescribeImagesCommand({ Owners: ['amazon'] }))
  const { Instances } = await ec2.send(
    new sdk.RunInstancesCommand({
      ImageId: Images![0]!.ImageId,
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: MARKUP }] }],
    }),
  )
  const { SecurityGroups, Vpcs, RouteTables, NetworkAcls } = {
    ...(await ec2.send(new sdk.DescribeSecurityGroupsCommand({}))),
    ...(await ec2.send(new sdk.DescribeVpcsCommand({}))),
    ...(await ec2.send(new sdk.DescribeRouteTablesCommand({}))),
    ...(await ec2.send(new sdk.DescribeNetworkAclsCommand({}))),
  }
  const instance = `/ec2/instances/${Instances![0]!.InstanceId}`
  const group = `/ec2/security-groups/${SecurityGroups![0]!.GroupId}`
  const listings = [
    'ec2/images',
    'ec2/volumes',
    'ec2/snapshots',
    'ec2/security-groups',
    'ec2/addresses',
    'ec2/key-pairs',
    'ec2/network-interfaces',
    'vpc/vpcs',
    'vpc/subnets',
    'vpc/route-tables',
    'vpc/internet-gateways',
    'vpc/dhcp-options',
    'vpc/nat-gateways',
    'vpc/peering-connections',
    'vpc/network-acls',
  ]
  const forms = listings.filter(l => !['ec2/images', 'ec2/snapshots'].includes(l)).map(l => `/${l}/create`)
  places = [
    '/',
    '/ec2/instances',
    '/ec2/instances/launch',
    instance,
    `${instance}/connect`,
    `${instance}/logs`,
    group,
    `${group}/inbound`,
    '/ec2/instance-types',
    '/ec2/catalog',
    '/ec2/spot',
    `/vpc/vpcs/${Vpcs![0]!.VpcId}`,
    `/vpc/route-tables/${RouteTables![0]!.RouteTableId}`,
    `/vpc/network-acls/${NetworkAcls![0]!.NetworkAclId}`,
    ...listings.map(l => `/${l}`),
    ...forms,
  ]
})
after(async () => {
  await browser.close()
  await world.close()
})

const settled = '[aria-busy="true"], [class*="awsui_spinner"]'

for (const [language, dark] of [
  ['fr', false],
  ['en', true],
] as [Language, boolean][]) {
  test(`every page shows in ${language}${dark ? ', in the dark' : ''}, and axe finds nothing serious`, async () => {
    const { context, page, errors } = await openSeat(browser, { language, dark })
    await signIn(page, { url: world.url, language })
    errors.length = 0
    const wrong: string[] = []
    for (const place of places) {
      await page.goto(world.url + place)
      await page.locator('h1').first().waitFor()
      await page.locator(settled).first().waitFor({ state: 'detached', timeout: 15_000 })
      const name = place.replaceAll('/', '-').replace(/-$/, '-home').replace(/-[0-9a-f]{17}/, '')
      await shot(page, `${language}${name}`)
      for (const message of await page.locator('[class*="awsui_type-error"][class*="awsui_alert"]').allInnerTexts())
        wrong.push(`${place}: ${message}`)
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']).analyze()
      for (const { id, nodes } of violations) wrong.push(`${place}: ${id} at ${nodes[0]!.target.join(' ')}`)
      assert.notEqual(await page.title(), 'broken')
    }
    // What is not there yet in this Enclume (IAM's profiles, say) answers 400 by name, and the browser notes that.
    assert.deepEqual([wrong, errors.filter(e => !/status of 40[01]/.test(e))], [[], []])
    await context.close()
  })
}

test('stored markup is shown as text', async () => {
  const { context, page } = await openSeat(browser, { language: 'en' })
  await signIn(page, { url: world.url, language: 'en' })
  await page.goto(`${world.url}/ec2/instances`)
  await page.getByText(MARKUP).first().waitFor()
  assert.equal(await page.locator('img[src="x"]').count(), 0)
  await context.close()
})
