/** Launch templates in the console: made by the page, of an instance too, given versions, launched from, and taken away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { launchOf, overTemplate } from '../../console/src/pages/template-state.ts'
import { shot, visit } from './kit.ts'
import { made, page, world } from './seeded.ts'

const ec2 = (operation: string, input: object): Promise<any> => world.server.ec2().send(new (sdk as any)[`${operation}Command`](input))
const data = async (LaunchTemplateName: string, version: string): Promise<any> =>
  (await ec2('DescribeLaunchTemplateVersions', { LaunchTemplateName, Versions: [version] })).LaunchTemplateVersions[0].LaunchTemplateData
async function choose(label: string, option: string | RegExp): Promise<void> {
  await page.getByLabel(label, { exact: true }).first().click()
  await page.getByRole('option', { name: option }).first().click()
}

test('what a launch by a template is asked for is what the template does not say', () => {
  const source = { id: 'lt-1', version: '2', data: { ImageId: 'ami-1', InstanceType: 't3.micro', SecurityGroupIds: ['sg-1'] } }
  const by = { LaunchTemplate: { LaunchTemplateId: 'lt-1', Version: '2' } }
  const run = { ImageId: 'ami-1', InstanceType: 't3.small', MinCount: 1, MaxCount: 1, SecurityGroupIds: ['sg-1'] }
  assert.deepEqual(overTemplate(source, run), { ...by, InstanceType: 't3.small', MinCount: 1, MaxCount: 1 })
  const port = { DeviceIndex: 0, SubnetId: 'subnet-1' }
  assert.deepEqual(overTemplate({ ...source, data: { NetworkInterfaces: [port] } }, { SubnetId: 'subnet-1', SecurityGroupIds: ['sg-1'] }),
    { ...by, NetworkInterfaces: [{ ...port, Groups: ['sg-1'] }] })
  assert.deepEqual(launchOf({}, '/dev/xvda'), {})
})

test('a template is made by its page, with no more than what was chosen', async () => {
  await visit(page, '/create/ec2/launch-templates')
  await page.getByLabel('Launch template name').fill('by-hand')
  await page.getByLabel('Template version description').fill('first')
  await choose('Instance type', 't3.small')
  await choose('Key pair name', 'web-key')
  await page.getByLabel('Name', { exact: true }).fill('one')
  await shot(page, 'template-create')
  await page.getByRole('button', { name: 'Create launch template' }).click()
  await page.waitForURL(/launch-templates\/lt-.*tab=versions/)
  const tags = [{ Key: 'Name', Value: 'one' }]
  assert.deepEqual(await data('by-hand', '1'), {
    InstanceType: 't3.small', KeyName: 'web-key',
    TagSpecifications: [{ ResourceType: 'instance', Tags: tags }, { ResourceType: 'volume', Tags: tags }],
  })
})

test('a template of an instance says what the instance has, without what it alone can have', async () => {
  await visit(page, `/create/ec2/launch-templates?instance=${made.instance}`)
  await page.getByText('web-key').first().waitFor()
  await page.getByLabel('Launch template name').fill('like-web-1')
  await page.getByRole('button', { name: 'Create launch template' }).click()
  await page.waitForURL(/launch-templates\/lt-.*tab=versions/)
  const found = await data('like-web-1', '1')
  assert.deepEqual([found.InstanceType, found.KeyName, found.IamInstanceProfile.Name, found.NetworkInterfaces[0].Groups],
    ['t3.micro', 'web-key', 'web-server', [made.group]])
  assert.deepEqual([found.NetworkInterfaces[0].NetworkInterfaceId, found.NetworkInterfaces[0].PrivateIpAddress], [undefined, undefined])
  const { Instances: [twin] } = await ec2('RunInstances', { LaunchTemplate: { LaunchTemplateName: 'like-web-1' }, MinCount: 1, MaxCount: 1 })
  assert.equal(twin.SecurityGroups[0].GroupId, made.group)
})

test('a version begins with another and becomes the default; the versions and what they say are shown', async () => {
  await visit(page, `/create/ec2/launch-templates?template=${made.template}&version=2`)
  await page.getByText('t3.small').first().waitFor()
  await choose('Instance type', 't3.nano')
  await page.getByRole('button', { name: 'Modify template (Create new version)' }).click()
  await page.waitForURL(/tab=versions/)
  await page.getByRole('cell', { name: 'Bigger' }).waitFor()
  await shot(page, 'template-versions')
  const [two, three] = [await data('web-servers', '2'), await data('web-servers', '3')]
  assert.deepEqual([three.InstanceType, three.KeyName, three.SecurityGroupIds, three.BlockDeviceMappings[0].Ebs.VolumeSize],
    ['t3.nano', two.KeyName, two.SecurityGroupIds, two.BlockDeviceMappings[0].Ebs.VolumeSize])
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name: 'Set default version', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Set default version' }).click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  const { LaunchTemplates: [template] } = await ec2('DescribeLaunchTemplates', { LaunchTemplateIds: [made.template] })
  assert.equal(template.DefaultVersionNumber, 3)
})

test('the launch page begins as the template says, and launches by it with what was changed', async () => {
  await visit(page, `/ec2/instances/launch?template=${made.template}&version=1`)
  await page.locator('input[value="from-template"]').waitFor()
  await choose('Instance type', /^t3\.small/)
  await shot(page, 'template-launch')
  await page.getByRole('button', { name: 'Launch instance' }).click()
  await page.waitForURL(/launched\?ids=/)
  const id = new URL(page.url()).searchParams.get('ids')!
  const { Reservations: [{ Instances: [one] }] } = await ec2('DescribeInstances', { InstanceIds: [id] })
  const tags = Object.fromEntries(one.Tags.map((tag: sdk.Tag) => [tag.Key, tag.Value]))
  assert.deepEqual([one.InstanceType, one.KeyName, one.SecurityGroups[0].GroupId, tags], ['t3.small', 'web-key', made.group, {
    Name: 'from-template', environment: 'production', 'aws:ec2launchtemplate:id': made.template, 'aws:ec2launchtemplate:version': '1',
  }])
  const { Volumes: [root] } = await ec2('DescribeVolumes', { Filters: [{ Name: 'attachment.instance-id', Values: [id] }] })
  assert.equal(root.Size, 12)
})

test('the default version does not go, and says why; a template goes after a word', async () => {
  await visit(page, `/ec2/launch-templates/${made.template}`)
  const act = async (name: string): Promise<void> => {
    await page.getByRole('button', { name: 'Actions' }).click()
    await page.getByRole('menuitem', { name, exact: true }).click()
  }
  await act('Delete template version')
  await page.getByRole('dialog').getByLabel('Launch template version').fill('3')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete template version' }).click()
  await page.getByRole('dialog').getByText('is the default version').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await act('Delete template')
  await page.getByRole('dialog').getByRole('textbox').fill('delete')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete template' }).click()
  await page.getByText('lt-').first().waitFor()
  const end = Date.now() + 20_000
  const left = async () => (await ec2('DescribeLaunchTemplates', {})).LaunchTemplates.map((one: sdk.LaunchTemplate) => one.LaunchTemplateName)
  while ((await left()).includes('web-servers')) assert.ok(Date.now() < end, 'it is still there')
})
