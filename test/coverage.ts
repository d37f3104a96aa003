/**
 * Writes docs/coverage.md: which of AWS's operations Enclume implements, by the code itself.
 *
 * Invariant: its counts only grow: `node test/coverage.ts` never writes a smaller one, and coverage.test.ts holds it up to date.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { homeAt } from '#base/home'
import { silent } from '#base/log'
import { openCloud } from '#cloud'
import { openFake } from '#engine/fake'
import type { Operation } from '#kit/schema'
import { openSqlite } from '#store/sqlite'

export const FILE = fileURLToPath(new URL('../docs/coverage.md', import.meta.url))
const TITLES: Record<string, string> = {
  ec2: 'Amazon EC2', sts: 'AWS STS', iam: 'AWS IAM', s3: 'Amazon S3', ssm: 'AWS Systems Manager', tagging: 'AWS Resource Groups Tagging API',
  cloudtrail: 'AWS CloudTrail', monitoring: 'Amazon CloudWatch', ebs: 'EBS direct APIs', dlm: 'Amazon Data Lifecycle Manager',
  'ec2-instance-connect': 'EC2 Instance Connect',
}

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

function section({ id, operations, implemented }: Covered): string[] {
  const words = wordsOf(id)
  const unread = (name: string): string => operations.find(operation => operation.name === name)!.input.members
    .map(member => member.name).filter(member => !words.has(member)).map(member => `\`${member}\``).join(', ')
  const refused = operations.map(({ name }) => name).filter(name => !implemented.includes(name))
  return [
    `## ${TITLES[id] ?? id}: ${implemented.length} of ${operations.length}`, '',
    '| action | parameters that are not read |', '| --- | --- |', ...implemented.map(name => `| ${name} | ${unread(name)} |`), '',
    `Refused, ${refused.length}: ${refused.join(', ')}.`, '',
  ]
}

export const documentOf = (services: Covered[]): string => [
  '# What is implemented', '',
  '<!-- Written by `node test/coverage.ts` from the code. -->', '',
  'An action that is not implemented is refused by name with `UnsupportedOperation`, and so is a parameter of an implemented action',
  'that asks for what Enclume does not do. The second column names parameters that occur nowhere in the service\'s code: they ask for',
  'what no answer here can depend on (managed or deprecated resources, for example). It tells nothing about members of structures.', '',
  ...services.flatMap(section),
].join('\n')

/** Throws where a service would have fewer actions than a document says. */
export function refuseFewer(document: string, services: Covered[]): void {
  for (const { id, implemented } of services) {
    const before = Number(new RegExp(`^## ${TITLES[id] ?? id}: (\\d+) of`, 'm').exec(document)?.[1] ?? 0)
    if (implemented.length < before) throw new Error(`${id} had ${before} actions and has ${implemented.length}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const services = await covered()
  if (existsSync(FILE)) refuseFewer(readFileSync(FILE, 'utf8'), services)
  writeFileSync(FILE, documentOf(services))
}
