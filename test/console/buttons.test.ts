/** What is offered for a thing, and what is not, is what the API says of it by DryRun: for every kind, in every state that can be had here. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { before, test } from 'node:test'
import { buildConsole } from '#launch/console'
import { made, page, world } from './seeded.ts'
import { sender, vary } from './vary.ts'

before(() => vary(world, made))
const send = sender(world)

type Listing = { path: string; operation: string; member: string; input: object }
type Offer = { id: string; operation: string; of: string; enabled: boolean; input?: object }

/** In the page: the built listings themselves are asked. Those of other services than EC2 know no DryRun. */
const asked = (files: string[]) => `Promise.all(${JSON.stringify(files)}.map(file => import('/' + file)))
  .then(modules => modules.flatMap(module => Object.values(module)).flat().filter(one => one?.service === 'ec2' && one.actions && !one.load))`
const listings = (files: string[]): Promise<Listing[]> => page.evaluate(
  `${asked(files)}.then(all => all.map(({ path, operation, member, input }) => ({ path, operation, member, input: input ?? {} })))`)
const offers = (files: string[], path: string, items: object[]): Promise<Offer[]> => page.evaluate(`${asked(files)}.then(async all => {
  const resource = all.find(one => one.path === '${path}')
  const more = await resource.also?.()
  const rows = (resource.rows ?? (items => items))(${JSON.stringify(items)}).map(row => ({ ...row, ...more?.get(resource.id(row)) }))
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
