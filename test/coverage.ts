/**
 * Writes docs/coverage.md: which of AWS's operations Enclume implements, by the code itself, and which refusals tests provoke, by their last run.
 *
 * Invariant: it only grows. `node test/coverage.ts` writes no document without an action that it had, and forgets no refusal; coverage.test.ts holds
 * it up to date, and a run of unit and conformance tests fails where it provokes less than the document says (test/run.ts).
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import type { Operation } from '#kit/schema'
import { openSqlite } from '#store/sqlite'
import { both, provoked, type Refusals } from './ledger.ts'

export const FILE = fileURLToPath(new URL('../docs/coverage.md', import.meta.url))
const TITLES: Record<string, string> = {
  ec2: 'Amazon EC2', sts: 'AWS STS', iam: 'AWS IAM', s3: 'Amazon S3', ssm: 'AWS Systems Manager', tagging: 'AWS Resource Groups Tagging API',
  cloudtrail: 'AWS CloudTrail', monitoring: 'Amazon CloudWatch', ebs: 'EBS direct APIs', dlm: 'Amazon Data Lifecycle Manager',
  'ec2-instance-connect': 'EC2 Instance Connect',
}

const titleOf = (id: string): string => TITLES[id] ?? id

export type Covered = { id: string; operations: Operation[]; implemented: string[] }

/** Every service with the names of what it implements. */
export async function covered(): Promise<Covered[]> {
  const store = openSqlite(':memory:')
  const cloud = await openCloud({ home: homeAt({ dir: '/nonexistent' }), engine: openFake(), store, log: silent, clock: () => new Date(0) })
  const found = cloud.services.map(({ definition: { id, operations, actions } }) =>
    ({ id, operations: [...operations.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), implemented: Object.keys(actions).sort() }))
  await cloud.close()
  await store.close()
  return found
}

/** The words of the sources that may read a request. */
function wordsOf(id: string): Set<string> {
  const files = globSync([`src/service/${id}/**/*.ts`, 'src/kit/*.ts']).filter(file => !/\.(test|suite)\.ts$/.test(file))
  return new Set(files.flatMap(file => readFileSync(file, 'utf8').match(/\w+/g) ?? []))
}

function section({ id, operations, implemented }: Covered, refusals: Refusals): string[] {
  const words = wordsOf(id)
  const unread = (name: string): string => operations.find(operation => operation.name === name)!.input.members
    .map(member => member.name).filter(member => !words.has(member)).map(member => `\`${member}\``).join(', ')
  const refused = operations.map(({ name }) => name).filter(name => !implemented.includes(name))
  const codes = (name: string): string[] => [...refusals.get(`${id} ${name}`) ?? []].sort()
  const tried = implemented.flatMap(codes).length
  return [
    `## ${titleOf(id)}: ${implemented.length} of ${operations.length}`, '',
    `${tried} refusals of these actions are provoked by tests.`, '',
    '| action | parameters that are not read | refusals that tests provoke |', '| --- | --- | --- |',
    ...implemented.map(name => `| ${name} | ${unread(name)} | ${codes(name).join(', ')} |`), '',
    `Refused, ${refused.length}: ${refused.join(', ')}.`, '',
  ]
}

export const documentOf = (services: Covered[], refusals: Refusals): string => [
  '# What is implemented', '',
  '<!-- Written by `node test/coverage.ts` from the code and from the last run of the tests. It only grows. -->', '',
  'An action that is not implemented is refused by name with `UnsupportedOperation`, and so is a parameter of an implemented action',
  'that asks for what Enclume does not do. The second column names parameters that occur nowhere in the service\'s code: they ask for',
  'what no answer here can depend on (managed or deprecated resources, for example). It tells nothing about members of structures.', '',
  'The third column holds AWS\'s error codes with which tests had the action refuse, and which they name. Those that every action has by the',
  'same code (a signature that is wrong, a policy that denies, a member that is unknown) are tested for all actions at once and not told here.', '',
  ...services.flatMap(one => section(one, refusals)),
].join('\n')

/** What a document says of each action, by service and name: the refusals that tests provoke. */
export function readDocument(document: string): Refusals {
  const found: Refusals = new Map()
  let id = ''
  for (const line of document.split('\n')) {
    const title = /^## (.+): \d+ of/.exec(line)?.[1]
    if (title) id = Object.keys(TITLES).find(one => titleOf(one) === title) ?? title
    const [, name, codes = ''] = /^\| (\w+) \| [^|]*\|(?: ([^|]*) \|)?$/.exec(line) ?? []
    if (name && name !== 'action') found.set(`${id} ${name}`, new Set(codes.split(', ').filter(Boolean)))
  }
  return found
}

/** Throws where an action would be gone that a document tells of. */
export function refuseFewer(document: string, services: Covered[]): void {
  const now = new Set(services.flatMap(({ id, implemented }) => implemented.map(name => `${id} ${name}`)))
  const gone = [...readDocument(document).keys()].filter(action => !now.has(action))
  if (gone.length > 0) throw new Error(`no longer implemented: ${gone.join(', ')}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const services = await covered()
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  refuseFewer(before, services)
  writeFileSync(FILE, documentOf(services, both(readDocument(before), provoked())))
}
