/** What is offered for a thing, and what is not, is what the API says of it by DryRun: for every kind, in every state that can be had here. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { after, before, test } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import type { Browser, Page } from 'playwright-core'
import { buildConsole } from '#launch/console'
import { openBrowser, openSeat, openWorld, signIn, type World } from './kit.ts'
import { seed } from './seed.ts'

let browser: Browser
let world: World
let page: Page
before(async () => {
  browser = await openBrowser()
  world = await openWorld()
  const made = await seed(world)
  await vary(made.instance)
  page = (await openSeat(browser, { language: 'en' })).page
  await signIn(page, { url: world.url, language: 'en' })
})
after(async () => {
  await browser.close()
  await world.close()
})

const send = (operation: string, input: object): Promise<any> => world.server.ec2().send(new (sdk as any)[`${operation}Command`](input))

async function until(state: string, id: string): Promise<void> {
  const end = Date.now() + 20_000
  const now = async () => (await send('DescribeInstances', { InstanceIds: [id] })).Reservations[0].Instances[0].State.Name
  while ((await now()) !== state) assert.ok(Date.now() < end, state)
}

/** Beside what the seed makes: instances that are stopped and terminated, a gateway and an address of nobody's, a peering that is active. */
async function vary(running: string): Promise<void> {
  const { Images } = await send('DescribeImages', { Owners: ['amazon'] })
  const { Instances } = await send('RunInstances', { ImageId: Images[0].ImageId, InstanceType: 't3.nano', MinCount: 2, MaxCount: 2 })
  const [stopped, gone] = Instances.map((one: any) => one.InstanceId)
  for (const id of [stopped, gone, running]) await until('running', id)
  await send('StopInstances', { InstanceIds: [stopped] })
  await send('TerminateInstances', { InstanceIds: [gone] })
  await until('stopped', stopped)
  await until('terminated', gone)
  await send('CreateInternetGateway', {})
  const { AllocationId } = await send('AllocateAddress', { Domain: 'vpc' })
  await send('AssociateAddress', { AllocationId, InstanceId: running })
  const { VpcPeeringConnections } = await send('DescribeVpcPeeringConnections', {})
  await send('AcceptVpcPeeringConnection', { VpcPeeringConnectionId: VpcPeeringConnections[0].VpcPeeringConnectionId })
  const { Vpc } = await send('CreateVpc', { CidrBlock: '10.9.0.0/16' })
  await send('CreateVpcPeeringConnection', { VpcId: Vpc.VpcId, PeerVpcId: VpcPeeringConnections[0].RequesterVpcInfo.VpcId })
  await send('CreateImage', { InstanceId: stopped, Name: 'mine' })
}

type Listing = { path: string; operation: string; member: string; input: object }
type Offer = { id: string; operation: string; of: string; enabled: boolean; input?: object }

/** In the page: the built listings themselves are asked. Those of other services than EC2 know no DryRun. */
const asked = (files: string[]) => `Promise.all(${JSON.stringify(files)}.map(file => import('/' + file)))
  .then(modules => modules.flatMap(module => Object.values(module)).flat().filter(one => one?.service === 'ec2' && one.actions && !one.load))`
const listings = (files: string[]): Promise<Listing[]> => page.evaluate(
  `${asked(files)}.then(all => all.map(({ path, operation, member, input }) => ({ path, operation, member, input: input ?? {} })))`)
const offers = (files: string[], path: string, items: object[]): Promise<Offer[]> => page.evaluate(`${asked(files)}.then(all => {
  const resource = all.find(one => one.path === '${path}')
  const rows = (resource.rows ?? (items => items))(${JSON.stringify(items)})
  const inputOf = (action, row) => { try { return action.all ? action.all([row]) : action.each(row) } catch { return undefined } }
  return resource.actions.filter(action => action.operation && !action.form).flatMap(action => rows.map(row => ({
    id: action.id, operation: action.operation, of: resource.id(row), enabled: action.enabled?.(row) ?? true, input: inputOf(action, row),
  })))
})`)

const dryRun = ({ operation, input }: Offer): Promise<string> =>
  send(operation, { ...input, DryRun: true }).then(() => 'no DryRun', (error: Error) => `${error.name}: ${error.message}`)

/** Whether the call, which the API takes, changes nothing: to start what runs. */
async function repeats({ operation, input }: Offer): Promise<boolean> {
  const [changes] = Object.values(await send(operation, input!)).filter(Array.isArray) as any[][]
  return changes!.every(({ PreviousState, CurrentState }) => PreviousState.Name === CurrentState.Name)
}

/** Refusals that a look at the thing alone can't tell: others hang on it. */
const ELSEWHERE = /DependencyViolation|InUse|VolumeInUse|OperationNotPermitted|cannot be deleted|main route table|is not attached/

test('what is offered the API would do, and what is not offered it refuses', async t => {
  const dir = await buildConsole()
  const files = globSync('assets/{instances,templates,storage,network,vpc}-*.js', { cwd: dir })
  const wrong: string[] = []
  const seen = { offered: 0, withheld: 0 }
  const all = await listings(files)
  for (const { path, operation, member, input } of all) {
    for (const offer of await offers(files, path, (await send(operation, input))[member])) {
      // What can't even be named for it, such as the attachment of what is not attached, is not offered.
      if (!offer.input) { if (offer.enabled) wrong.push(`${path}: ${offer.id} of ${offer.of} is offered without what it takes`); continue }
      const answer = await dryRun(offer)
      const possible = answer.startsWith('DryRunOperation')
      seen[offer.enabled ? 'offered' : 'withheld']++
      if (possible && !offer.enabled && path === '/ec2/instances' && (await repeats(offer))) continue
      if (possible !== offer.enabled && !(offer.enabled && ELSEWHERE.test(answer)))
        wrong.push(`${path}: ${offer.id} of ${offer.of} is ${offer.enabled ? '' : 'not '}offered: ${answer}`)
    }
  }
  t.diagnostic(`${all.length} kinds, ${seen.offered} offers, ${seen.withheld} withheld`)
  assert.deepEqual(wrong, [])
  assert.ok(all.length >= 18 && seen.offered > 40 && seen.withheld > 20)
})
